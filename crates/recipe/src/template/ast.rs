//! What a template says, before wildcards are looked up.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::prompt::Span;

/// How values are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By lot and weight; `~` in the text.
    #[default]
    Random,
    /// Every combination once, in order; `!` in the text.
    Combinatorial,
    /// In turn, one after the other; `@` in the text.
    Cyclic,
}

impl Method {
    /// The prefix that asks for the method.
    pub fn symbol(self) -> char {
        match self {
            Self::Random => '~',
            Self::Combinatorial => '!',
            Self::Cyclic => '@',
        }
    }

    pub(super) fn of_symbol(symbol: char) -> Option<Self> {
        [Self::Random, Self::Combinatorial, Self::Cyclic].into_iter().find(|it| it.symbol() == symbol)
    }
}

/// Pieces that follow each other.
pub(super) type Sequence = Arc<[Piece]>;

#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Variants(Variants),
    Wildcard(Wildcard),
    Assign(Assign),
    Use(Use),
    Wrap(Wrap),
}

/// `{2$$ and $$0.5::a|b}`
#[derive(Debug)]
pub(super) struct Variants {
    pub(super) span: Span,
    pub(super) method: Option<Method>,
    pub(super) bounds: Bounds,
    pub(super) options: Vec<Weighted>,
}

/// How many options are taken, and what joins them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    /// 1 when nothing is said.
    pub(super) least: usize,
    /// `None`: as many as there are.
    pub(super) most: Option<usize>,
    pub(super) separator: String,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { least: 1, most: Some(1), separator: ",".into() }
    }
}

#[derive(Debug)]
pub(super) struct Weighted {
    pub(super) weight: f64,
    pub(super) value: Sequence,
}

/// `__~dir/name(x=1)__`
#[derive(Debug)]
pub(super) struct Wildcard {
    pub(super) span: Span,
    pub(super) method: Option<Method>,
    pub(super) name: Sequence,
    pub(super) variables: Vec<(String, Sequence)>,
}

/// `${x?=!value}`
#[derive(Debug)]
pub(super) struct Assign {
    pub(super) name: String,
    /// Drawn once instead of at every use.
    pub(super) immediate: bool,
    /// `?=` leaves a value that exists.
    pub(super) overwrite: bool,
    pub(super) value: Sequence,
}

/// `${x:default}`
#[derive(Debug)]
pub(super) struct Use {
    pub(super) span: Span,
    pub(super) name: String,
    pub(super) default: Option<Sequence>,
}

/// `%{wrapper ... $$inner}`
#[derive(Debug)]
pub(super) struct Wrap {
    pub(super) wrapper: Sequence,
    pub(super) inner: Sequence,
}

/// The text of a sequence that is nothing but text.
pub(super) fn literal(sequence: &[Piece]) -> Option<&str> {
    match sequence {
        [] => Some(""),
        [Piece::Text(text)] => Some(text),
        _ => None,
    }
}
