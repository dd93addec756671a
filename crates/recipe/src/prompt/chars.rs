//! What Python's `re` and `float` mean by white space, words and numbers: A1111's rules are written in them.

use std::ops::Range;

/// `\s` of a Python `str` pattern.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `\w` of a Python `str` pattern.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `text` without trailing `\s`.
pub(super) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// The text from byte `at`, or nothing.
pub(super) fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// Places of `\bWORD\b`.
pub(super) fn keyword<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    occurrences(text, word).filter(|(_, separate)| *separate).map(|(range, _)| range)
}

/// Places of `word`, and whether each stands by itself.
pub(super) fn occurrences<'a>(
    text: &'a str,
    word: &'a str,
) -> impl Iterator<Item = (Range<usize>, bool)> + 'a {
    text.match_indices(word).map(move |(start, _)| {
        let end = start + word.len();
        let before = text.get(..start).unwrap_or_default().chars().next_back();
        let after = rest(text, end).chars().next();
        (start..end, !before.is_some_and(is_word) && !after.is_some_and(is_word))
    })
}

/// Python's `float` of ASCII text, finite values only.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim_matches(is_space).parse().ok().filter(|it: &f64| it.is_finite())
}
