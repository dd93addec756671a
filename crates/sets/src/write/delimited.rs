//! CSV and TSV.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::{WriteError, WriteOptions};
use crate::table::Table;

/// Characters that make a spreadsheet take a text for a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

pub(super) fn write(table: &Table, delimiter: char, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    let separator = u8::try_from(delimiter).ok().filter(|byte| matches!(byte, b',' | b';' | b'\t' | b'|'));
    let separator = separator.ok_or(WriteError::Delimiter(delimiter))?;
    let (start, end): (&[u8], _) =
        if options.for_excel { (b"\xef\xbb\xbf", Terminator::CRLF) } else { (b"", Terminator::Any(b'\n')) };
    let mut writer = WriterBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .terminator(end)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(start.to_vec());
    let names = table.columns.iter().map(|column| escaped(&column.name, options.for_excel));
    writer.write_record(names.map(String::into_bytes)).map_err(WriteError::failed)?;
    for row in &table.rows {
        let cells =
            (0..table.columns.len().max(row.cells.len())).map(|i| escaped(row.cell(i), options.for_excel));
        let cells: Vec<String> = cells.collect();
        // Rows that are longer than the header are kept as they are, so that they can be put right elsewhere, too.
        writer.write_record(&cells).map_err(WriteError::failed)?;
    }
    writer.into_inner().map_err(WriteError::failed)
}

/// A text that is no formula to a spreadsheet. One that begins with apostrophes already gets another one in any case, so
/// that [`unescape_formula`] always gives back what was there.
fn escaped(text: &str, for_excel: bool) -> String {
    let bare = text.trim_start_matches('\'');
    let formula =
        bare.starts_with(FORMULA) && (bare.len() < text.len() || (for_excel && !is_plain_number(text)));
    if formula { format!("'{text}") } else { text.to_owned() }
}

/// `-1` runs nothing.
fn is_plain_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

/// A text without the apostrophe that keeps spreadsheets from running it.
pub(crate) fn unescape_formula(text: String) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.to_owned(),
        _ => text,
    }
}
