//! Workbooks of Excel.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};

use super::{WriteError, WriteOptions, number};
use crate::{
    problem::{Code, Problem},
    read::MAX_ROWS,
    table::Table,
};

/// The most characters of a cell, counted as UTF-16.
const MOST_CHARACTERS: usize = 32_767;
const MOST_COLUMNS: usize = 16_384;

pub(super) fn write(
    table: &Table,
    options: &WriteOptions,
    problems: &mut Vec<Problem>,
) -> Result<Vec<u8>, WriteError> {
    let columns = table.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(table.columns.len());
    let too_large = |what, most, found| WriteError::TooLarge { format: "a workbook", what, most, found };
    if columns > MOST_COLUMNS {
        return Err(too_large("columns", MOST_COLUMNS, columns));
    }
    if table.rows.len() >= MAX_ROWS {
        return Err(too_large("rows", MAX_ROWS - 1, table.rows.len()));
    }
    let mut workbook = Workbook::new();
    // One table always makes the same file.
    if let Ok(date) = ExcelDateTime::from_ymd(2000, 1, 1) {
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&date));
    }
    let sheet = workbook.add_worksheet();
    let name = options.sheet.as_deref().map(sheet_name).filter(|name| !name.is_empty());
    sheet.set_name(name.as_deref().unwrap_or("Prompts")).map_err(WriteError::failed)?;
    let bold = Format::new().set_bold();
    for (index, column) in (0_u16..).zip(&table.columns) {
        let name = shortened(&column.name).unwrap_or(&column.name);
        sheet.write_string_with_format(0, index, name, &bold).map_err(WriteError::failed)?;
        let longest =
            table.rows.iter().take(200).map(|row| row.cell(usize::from(index)).chars().count()).max();
        let width = longest.unwrap_or(0).max(column.name.chars().count()).clamp(8, 60);
        sheet.set_column_width(index, width as f64 + 2.0).map_err(WriteError::failed)?;
    }
    sheet.set_freeze_panes(1, 0).map_err(WriteError::failed)?;
    for (index, row) in table.rows.iter().enumerate() {
        let line = index as u32 + 1;
        for (place, cell) in (0_u16..).zip(&row.cells) {
            if cell.is_empty() {
                continue;
            }
            let field = table.columns.get(usize::from(place)).and_then(|column| column.field);
            let written = if let Some(value) = number(field, cell) {
                sheet.write_number(line, place, value)
            } else if let Some(short) = shortened(cell) {
                let message =
                    format!("a cell of a workbook holds {MOST_CHARACTERS} characters; the rest was cut off");
                let mut problem = Problem::error(Code::Lossy, message).at_row(table.number(index));
                problem.column = table.columns.get(usize::from(place)).map(|column| column.name.clone());
                problems.push(problem);
                sheet.write_string(line, place, short)
            } else {
                sheet.write_string(line, place, cell)
            };
            written.map_err(WriteError::failed)?;
        }
    }
    workbook.save_to_buffer().map_err(WriteError::failed)
}

/// As much of a text as a cell holds, if it is not all of it.
fn shortened(text: &str) -> Option<&str> {
    // A byte of UTF-8 is at most one unit of UTF-16.
    if text.len() <= MOST_CHARACTERS {
        return None;
    }
    let mut units = 0;
    let cut = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > MOST_CHARACTERS
    });
    cut.and_then(|(end, _)| text.get(..end))
}

/// A sheet's name has at most 31 characters, and not all of them.
fn sheet_name(name: &str) -> String {
    let kept =
        name.chars().filter(|c| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\') && !c.is_control());
    let mut units = 0;
    let short: String = kept
        .take_while(|c| {
            units += c.len_utf16();
            units <= 31
        })
        .collect();
    short.trim_matches(['\'', ' ']).to_owned()
}
