//! OpenDocument spreadsheets. Rows and cells carry repeat counts that can stand for billions of cells, so they are read here,
//! within bounds, and not into a whole sheet at once.

use std::io::{Cursor, Read};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    Format, MAX_BYTES, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, ReadError, ReadOptions, ReadSet,
    workbook::{self, Cell},
};
use crate::problem::{Code, Problem};

#[allow(clippy::needless_pass_by_value)] // to be handed to `map_err`
fn damaged(reason: impl ToString) -> ReadError {
    ReadError::Damaged { format: "OpenDocument spreadsheet", reason: reason.to_string() }
}

fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<String, ReadError> {
    let mut text = String::new();
    let file = archive.by_name(name).map_err(damaged)?;
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(damaged)?;
    Ok(text)
}

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<ReadSet, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let manifest = part(&mut archive, "META-INF/manifest.xml").unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(ReadError::Password);
    }
    let content = part(&mut archive, "content.xml")?;
    let mut set = ReadSet::new(Format::Ods);
    let mut found = None;
    let mut reader = Reader::from_str(&content);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event().map_err(damaged)? {
            Event::Start(start) if start.name().as_ref() == "table:table" => {
                let name = attribute(&start, "table:name")?.unwrap_or_default();
                set.sheets.push(name.clone());
                let wanted = found.is_none() && options.sheet.as_ref().is_none_or(|wanted| *wanted == name);
                let mut sheet = Sheet::default();
                sheet.read(&mut reader, wanted)?;
                if wanted && sheet.cells.iter().any(|(_, _, text)| !text.trim().is_empty()) {
                    found = Some((name, sheet));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let Some((name, sheet)) = found else {
        return Err(match &options.sheet {
            Some(name) if !set.sheets.contains(name) => {
                ReadError::NoSheet { name: name.clone(), sheets: set.sheets }
            }
            Some(name) => workbook::empty(std::slice::from_ref(name)),
            None => workbook::empty(&set.sheets),
        });
    };
    set.problems = sheet.problems;
    set.sheet = Some(name);
    set.table = workbook::table(sheet.cells, options, &mut set.problems)?;
    workbook::note_other_sheets(&mut set, options);
    Ok(set)
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, ReadError> {
    let Some(attribute) = start.try_get_attribute(name).map_err(damaged)? else { return Ok(None) };
    Ok(Some(attribute.normalized_value(XmlVersion::Explicit1_0).map_err(damaged)?.into_owned()))
}

fn repeated(start: &BytesStart<'_>, name: &str) -> Result<u32, ReadError> {
    let text = attribute(start, name)?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(1).max(1))
}

#[derive(Default)]
struct Sheet {
    cells: Vec<Cell>,
    problems: Vec<Problem>,
    row: u32,
    full: bool,
}

/// The cell that is being read.
struct Open {
    repeated: u32,
    /// What the cell's attributes say, where the shown text may be rounded.
    value: Option<String>,
    text: String,
    paragraphs: u32,
}

impl Sheet {
    /// Reads up to the end of the table. `keep` is false for sheets that are only counted.
    fn read(&mut self, reader: &mut Reader<&[u8]>, keep: bool) -> Result<(), ReadError> {
        let (mut rows, mut column, mut row_begins) = (1, 0_u32, 0);
        let mut open: Option<Open> = None;
        let mut skipped = 0_u32;
        loop {
            let event = reader.read_event().map_err(damaged)?;
            let empty = matches!(event, Event::Empty(_));
            match event {
                Event::Start(start) | Event::Empty(start) => match start.name().as_ref() {
                    // A table inside of a cell, and notes on it, are no part of its value.
                    "table:table" | "office:annotation" | "draw:frame" => skipped += u32::from(!empty),
                    _ if skipped > 0 || !keep => {}
                    "table:table-row" => {
                        rows = repeated(&start, "table:number-rows-repeated")?;
                        (column, row_begins) = (0, self.cells.len());
                        if empty {
                            self.row = self.row.saturating_add(rows);
                        }
                    }
                    "table:table-cell" | "table:covered-table-cell" => {
                        let cell = self.open(&start)?;
                        if empty {
                            self.close(&mut column, cell);
                        } else {
                            open = Some(cell);
                        }
                    }
                    name => {
                        if let Some(cell) = &mut open {
                            cell.markup(name, &start)?;
                        }
                    }
                },
                Event::End(end) => match end.name().as_ref() {
                    "table:table" | "office:annotation" | "draw:frame" if skipped > 0 => skipped -= 1,
                    "table:table" => return Ok(()),
                    _ if skipped > 0 || !keep => {}
                    "table:table-row" => self.end_row(rows, row_begins),
                    "table:table-cell" | "table:covered-table-cell" => {
                        if let Some(cell) = open.take() {
                            self.close(&mut column, cell);
                        }
                    }
                    _ => {}
                },
                Event::Text(text) if skipped == 0 => {
                    if let Some(cell) = open.as_mut().filter(|cell| cell.paragraphs > 0) {
                        cell.text.push_str(&text.xml10_content());
                    }
                }
                Event::GeneralRef(reference) if skipped == 0 => {
                    if let Some(cell) = &mut open {
                        match reference.resolve_char_ref().map_err(damaged)? {
                            Some(c) => cell.text.push(c),
                            None => cell.text.extend(quick_xml::escape::resolve_predefined_entity(
                                &reference.xml10_content(),
                            )),
                        }
                    }
                }
                Event::Eof => return Err(damaged("it ends in the middle of a sheet")),
                _ => {}
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Open, ReadError> {
        let kind = attribute(start, "office:value-type")?;
        let value = match kind.as_deref() {
            Some("float" | "percentage" | "currency") => {
                let value = attribute(start, "office:value")?;
                value.map(|text| text.parse().map(workbook::number).unwrap_or(text))
            }
            Some("date") => attribute(start, "office:date-value")?,
            Some("time") => attribute(start, "office:time-value")?,
            Some("boolean") => attribute(start, "office:boolean-value")?,
            Some("string") => attribute(start, "office:string-value")?,
            _ => None,
        };
        if attribute(start, "calcext:value-type")?.as_deref() == Some("error") {
            self.problems.push(
                Problem::warning(Code::CellError, "a cell's formula ends in an error")
                    .at_row(self.row.saturating_add(1))
                    .hint("put the formula right in the spreadsheet"),
            );
        }
        let repeated = repeated(start, "table:number-columns-repeated")?;
        Ok(Open { repeated, value, text: String::new(), paragraphs: 0 })
    }

    fn close(&mut self, column: &mut u32, cell: Open) {
        let text = cell.value.unwrap_or(cell.text);
        let from = *column;
        *column = column.saturating_add(cell.repeated);
        if text.is_empty() {
            return;
        }
        let until = (*column).min(MAX_COLUMNS as u32);
        for column in from..until {
            self.push(self.row, column, text.clone());
        }
        if *column > MAX_COLUMNS as u32 {
            self.too_large(&format!("there are more than {MAX_COLUMNS} columns; the others were not read"));
        }
    }

    fn end_row(&mut self, rows: u32, row_begins: usize) {
        let cells: Vec<Cell> = self.cells.get(row_begins..).unwrap_or_default().to_vec();
        // Rows that repeat and hold something are rare, and never many but in a file that is meant to harm.
        if !cells.is_empty() {
            for row in self.row.saturating_add(1)..self.row.saturating_add(rows) {
                if self.full || row as usize > MAX_ROWS {
                    break;
                }
                for (_, column, text) in &cells {
                    self.push(row, *column, text.clone());
                }
            }
        }
        self.row = self.row.saturating_add(rows);
    }

    fn push(&mut self, row: u32, column: u32, text: String) {
        if self.cells.len() < MAX_CELLS {
            self.cells.push((row, column, text));
        } else {
            self.full = true;
            self.too_large(&format!("there are more than {MAX_CELLS} cells; the rest was not read"));
        }
    }

    fn too_large(&mut self, message: &str) {
        if !self.problems.iter().any(|problem| problem.code == Code::TooLarge) {
            let problem = Problem::warning(Code::TooLarge, message).at_row(self.row.saturating_add(1));
            self.problems.push(problem);
        }
    }
}

impl Open {
    /// What stands for text in a cell: paragraphs, spaces, tabs and line breaks.
    fn markup(&mut self, name: &str, start: &BytesStart<'_>) -> Result<(), ReadError> {
        match name {
            "text:p" => {
                if self.paragraphs > 0 {
                    self.text.push('\n');
                }
                self.paragraphs += 1;
            }
            "text:s" => {
                let count = repeated(start, "text:c")?.min(1000);
                self.text.extend(std::iter::repeat_n(' ', count as usize));
            }
            "text:tab" => self.text.push('\t'),
            "text:line-break" => self.text.push('\n'),
            _ => {}
        }
        Ok(())
    }
}
