//! Names that Windows, macOS and Linux take.

use unicode_normalization::UnicodeNormalization;

/// Stands for the counter while a name is made; nobody's text keeps it.
pub(super) const OPEN: char = '\u{f8ff}';

/// Names may have 255 bytes, or UTF-16 units, of which there are never more. Counter, ending, sidecar and what users add
/// want some, and Windows counts the whole path.
const MAX_STEM_BYTES: usize = 150;
const MAX_FOLDER_BYTES: usize = 80;

/// A folder's name; empty if nothing is left.
pub(super) fn folder(text: &str) -> String {
    let name = clean(&text.replace(OPEN, ""), MAX_FOLDER_BYTES);
    if is_reserved(&name) { format!("_{name}") } else { name }
}

/// A file's name without its ending.
pub(super) fn stem(text: &str) -> String {
    let name = clean(text, MAX_STEM_BYTES);
    if name.is_empty() {
        "picture".to_owned()
    } else if is_reserved(&name) {
        format!("_{name}")
    } else {
        name
    }
}

fn clean(text: &str, most: usize) -> String {
    let safe = |c: char| match c {
        '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => Some('_'),
        c if c.is_control() => Some(' '),
        // What cannot be seen, and what turns the direction of writing, so that `fox\u{202e}gnp.exe` is what it looks like.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => None,
        c => Some(c),
    };
    let mut name: String = text.nfc().filter_map(safe).collect();
    // Beginning with a dot means hidden, and `.tarim` is ours; ending with a dot or a space means trouble on Windows.
    let front = name.trim_start_matches(|c: char| c == '.' || c.is_whitespace()).len();
    name.drain(..name.len() - front);
    shorten(&mut name, most);
    let end = name
        .trim_end_matches(|c: char| c == '.' || c == '-' || c == '_' || c == ',' || c.is_whitespace())
        .len();
    name.truncate(end);
    name
}

/// Cuts a name, but not its counter.
fn shorten(name: &mut String, most: usize) {
    while name.len() > most {
        let last = name.char_indices().rev().find(|(_, c)| *c != OPEN).map(|(at, _)| at);
        match last {
            Some(at) => name.remove(at),
            None => return,
        };
    }
}

/// Names that mean devices on Windows, whatever follows their first dot.
fn is_reserved(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    let numbered = |prefix| {
        let number = first.strip_prefix(prefix).unwrap_or_default();
        let mut digits = number.chars();
        digits.next().is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c)) && digits.next().is_none()
    };
    matches!(first.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
}
