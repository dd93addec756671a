//! Names that people give: of projects, tags and collections.

use unicode_normalization::UnicodeNormalization;

use crate::error::{LibraryError, Result};

/// The longest name, in bytes.
const MAX_BYTES: usize = 200;

/// A name as it is stored: NFC, without spaces around it, in one line.
pub(crate) fn clean(what: &'static str, name: &str) -> Result<String> {
    let bad = |reason| LibraryError::BadName { what, reason, name: name.to_owned() };
    let clean: String = name.trim().nfc().collect();
    if clean.is_empty() {
        Err(bad("it is empty"))
    } else if clean.len() > MAX_BYTES {
        Err(bad("it is too long"))
    } else if clean.chars().any(char::is_control) {
        Err(bad("it holds control characters"))
    } else {
        Ok(clean)
    }
}

/// A name from a file, where nobody can be asked for another.
pub(crate) fn cleaned(name: &str) -> Option<String> {
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut clean: String = plain.trim().nfc().collect();
    while clean.len() > MAX_BYTES {
        clean.pop();
    }
    (!clean.is_empty()).then_some(clean)
}
