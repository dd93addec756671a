//! The ellipsis of a wrap.

use std::ops::Range;

/// Ellipses of several scripts and directions, as dynamic prompts has them.
const ELLIPSES: &[char] =
    &['\u{1801}', '\u{2026}', '\u{22ee}', '\u{22ef}', '\u{22f0}', '\u{22f1}', '\u{fe19}'];

/// The place of the first run of ellipses, or of three dots or more.
pub(super) fn marker(text: &str) -> Option<Range<usize>> {
    let start = match (text.find(ELLIPSES), text.find("...")) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    let rest = text.get(start..)?;
    let dots = rest.starts_with('.');
    let length = rest.find(|c| if dots { c != '.' } else { !ELLIPSES.contains(&c) });
    Some(start..start + length.unwrap_or(rest.len()))
}

/// The text in the place of the marker; after everything if there is none.
pub(super) fn wrapped(wrapper: &str, inner: &str) -> String {
    let at = marker(wrapper).unwrap_or(wrapper.len()..wrapper.len());
    let mut text = wrapper.to_owned();
    text.replace_range(at, inner);
    text
}
