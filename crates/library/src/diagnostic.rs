//! Remarks on texts that people write: queries and name templates.

use std::ops::Range;

/// A remark about a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The part, in bytes.
    pub span: Range<usize>,
    /// What about it.
    pub message: String,
    /// What may have been meant, to be put in the part's place.
    pub suggestion: Option<String>,
}

/// The nearest of some words, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let near = known.into_iter().map(|name| (strsim::damerau_levenshtein(&folded, name), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance * 3 <= folded.chars().count()).then_some(name)
}
