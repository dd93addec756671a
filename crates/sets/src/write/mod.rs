//! From a table back to a file.

/// Characters that make a spreadsheet take a text for a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// A text without the apostrophe that keeps spreadsheets from running it.
pub(crate) fn unescape_formula(text: String) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.to_owned(),
        _ => text,
    }
}
