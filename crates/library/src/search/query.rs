//! What is looked for, as a value.

use crate::{diagnostic::Diagnostic, jobs::State, pictures::Derivation};

/// What is looked for: all of the terms must hold. The default is everything that is neither in the trash nor missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The terms.
    pub terms: Vec<Term>,
    /// What could not be understood and was left out.
    pub diagnostics: Vec<Diagnostic>,
}

/// A filter, or its opposite.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Whether it must not hold.
    pub negated: bool,
    /// What must hold.
    pub filter: Filter,
}

/// Something that holds of a picture, or of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// The prompt holds this text, folded.
    Text(String),
    /// The negative prompt holds this text, folded.
    Negative(String),
    /// The model's name holds this text, or its hash begins with it.
    Model(String),
    /// The sampler, by any of its names, or a part of one.
    Sampler(String),
    /// The schedule.
    Schedule(String),
    /// The seed.
    Seed(u64),
    /// Width and height.
    Size(Size),
    /// Number of steps.
    Steps(Numbers),
    /// Guidance scale.
    Guidance(Numbers),
    /// Rating.
    Rating(Numbers),
    /// The local day.
    Days(Days),
    /// A tag, folded; `*` at its end stands for any rest.
    Tag(String),
    /// The project's name, folded, or `none`.
    Project(String),
    /// A collection's name.
    Collection(String),
    /// One of several conditions.
    Is(Is),
    /// What became of a request's pictures.
    Outcome(State),
}

impl Filter {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) | Self::Negative(text) if text.trim().is_empty())
    }
}

/// A range of numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbers {
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

/// A range of days as numbers `yyyymmdd`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: i32,
    /// The last.
    pub last: i32,
}

/// A size, or a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Size {
    /// These sides, as far as they are given.
    Pixels {
        width: Option<u32>,
        height: Option<u32>,
    },
    Portrait,
    Landscape,
    Square,
}

/// Conditions that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Is {
    Pick,
    Reject,
    Unflagged,
    Rated,
    Trashed,
    Missing,
    Inpaint,
    /// Made by another program.
    Foreign,
    /// Derived in this way.
    Derived(Derivation),
}

impl Is {
    const PLAIN: [(&'static str, Self); 8] = [
        ("pick", Self::Pick),
        ("reject", Self::Reject),
        ("unflagged", Self::Unflagged),
        ("rated", Self::Rated),
        ("trashed", Self::Trashed),
        ("missing", Self::Missing),
        ("inpaint", Self::Inpaint),
        ("foreign", Self::Foreign),
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let plain = Self::PLAIN.iter().find(|(known, _)| *known == name).map(|(_, is)| *is);
        plain.or_else(|| Derivation::from_name(name).map(Self::Derived))
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::PLAIN.into_iter().map(|(name, _)| name).chain(Derivation::ALL.map(Derivation::name))
    }
}
