//! The line of parameters, `Key: value, Key: "quoted, value"`.
//!
//! A1111 reads it with one regular expression, `\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)`, applied
//! again and again. The scanner below finds the same matches in one pass.

use serde_json::Value;

/// How values in brackets are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Brackets {
    /// As A1111 does: they end at the first comma like any other.
    Split,
    /// `[…]` and `{…}` are one value, for programs that write lists and JSON without quotes.
    Whole,
}

/// The parameters of a line in their order, quotes removed.
pub(super) fn pairs(line: &str, brackets: Brackets) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    let mut brackets = brackets;
    while let Some((key, after)) = next_key(rest) {
        let value_text = after.trim_start_matches(is_space);
        let value = if let Some(end) = quoted(value_text) {
            &value_text[..end]
        } else {
            let whole = if brackets == Brackets::Whole { bracketed(value_text) } else { Bracketed::No };
            match whole {
                Bracketed::To(end) => &value_text[..end],
                Bracketed::No => value_text.split(',').next().unwrap_or_default(),
                Bracketed::Broken => {
                    // One search that fails to the end of the text is enough: the reader's time stays linear.
                    brackets = Brackets::Split;
                    value_text.split(',').next().unwrap_or_default()
                }
            }
        };
        let after = &value_text[value.len()..];
        rest = after.strip_prefix(',').unwrap_or(after);
        pairs.push((key.to_owned(), unquote(value)));
    }
    pairs
}

/// The first key of a text and what follows its colon. A key is a run of letters, digits, `_`, space, `-` and `/`
/// before a colon, from its first letter, digit or `_` on, and at least two characters long.
fn next_key(text: &str) -> Option<(&str, &str)> {
    let mut key_start = None;
    for (index, c) in text.char_indices() {
        let in_word = c.is_alphanumeric() || c == '_';
        match (key_start, c) {
            (Some(start), ':') => {
                let key = &text[start..index];
                if key.chars().nth(1).is_some() {
                    return Some((key, &text[index + 1..]));
                }
                key_start = None;
            }
            (None, _) if in_word => key_start = Some(index),
            (Some(_), _) if !(in_word || matches!(c, ' ' | '-' | '/')) => key_start = None,
            _ => {}
        }
    }
    None
}

/// The length of a quoted value that is followed by a comma or the end.
fn quoted(text: &str) -> Option<usize> {
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next().filter(|(_, escaped)| *escaped != '\n')?;
            }
            '"' => {
                let end = index + 2;
                return (end > 2 && is_end(&text[end..])).then_some(end);
            }
            _ => {}
        }
    }
    None
}

enum Bracketed {
    No,
    To(usize),
    Broken,
}

/// The length of a value in brackets that is followed by a comma or the end.
fn bracketed(text: &str) -> Bracketed {
    if !text.starts_with(['[', '{']) {
        return Bracketed::No;
    }
    let (mut depth, mut in_string) = (0_usize, false);
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' if in_string => {
                chars.next();
            }
            '"' => in_string = !in_string,
            '[' | '{' if !in_string => depth += 1,
            ']' | '}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    let end = index + 1;
                    return if is_end(&text[end..]) { Bracketed::To(end) } else { Bracketed::Broken };
                }
            }
            _ => {}
        }
    }
    Bracketed::Broken
}

fn is_end(text: &str) -> bool {
    text.is_empty() || text.starts_with(',')
}

/// Whether a value must be quoted to be read back equal. A1111 quotes for a comma, a line feed or a colon; the other
/// cases are ones that its reader would change.
fn needs_quotes(value: &str) -> bool {
    value.contains([',', ':'])
        || value.contains(char::is_control)
        || value.starts_with(['"', '[', '{'])
        || value.trim_matches(is_space).len() != value.len()
}

/// A value as it stands in the line.
pub(super) fn quote(value: &str) -> String {
    if needs_quotes(value) { Value::from(value).to_string() } else { value.to_owned() }
}

fn unquote(value: &str) -> String {
    let quoted = value.starts_with('"') && value.ends_with('"');
    let unquoted = if quoted { serde_json::from_str(value).ok() } else { None };
    unquoted.unwrap_or_else(|| value.to_owned())
}

/// What Python's `str.strip` and `\s` take for white space.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
