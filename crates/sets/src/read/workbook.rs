//! Workbooks of Excel.

use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use zip::ZipArchive;

use super::{Format, MAX_BYTES, MAX_CELLS, MAX_COLUMNS, ReadError, ReadOptions, ReadSet, grid};
use crate::problem::{Code, Problem};

/// A cell that holds something: row and column counted from 0, and its text.
pub(super) type Cell = (u32, u32, String);

#[allow(clippy::needless_pass_by_value)] // to be handed to `map_err`
fn damaged(reason: impl ToString) -> ReadError {
    ReadError::Damaged { format: "workbook", reason: reason.to_string() }
}

/// Which workbook an archive is. It must not unpack to more than may be read: a small file can hold a very large one.
pub(super) fn kind(bytes: &[u8]) -> Result<Format, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut names = Vec::new();
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|error| {
            if error.to_string().to_lowercase().contains("password") {
                ReadError::Password
            } else {
                damaged(error)
            }
        })?;
        names.push(file.name().map_err(damaged)?.into_owned());
        // What the archive says of its sizes need not be true. Whoever reads it next checks its contents.
        let left = MAX_BYTES - unpacked;
        unpacked += std::io::copy(&mut file.take(left + 1), &mut std::io::sink()).unwrap_or(0);
        if unpacked > MAX_BYTES {
            let what = format!("the workbook unpacks to more than {} MiB", MAX_BYTES >> 20);
            return Err(ReadError::TooLarge { what });
        }
    }
    if names.iter().any(|name| name == "content.xml") {
        Ok(Format::Ods)
    } else if names.iter().any(|name| name.starts_with("xl/")) {
        if names.iter().any(|name| name == "xl/workbook.bin") {
            return Err(damaged("it is a binary workbook (.xlsb); save it as .xlsx"));
        }
        Ok(Format::Xlsx)
    } else {
        Err(damaged("it is an archive of something else"))
    }
}

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<ReadSet, ReadError> {
    // The library computes the addresses of cells without checks, and stops where overflow is checked.
    std::panic::catch_unwind(|| read_sheet(bytes, options))
        .unwrap_or_else(|_| Err(damaged("a number in it is far too large")))
}

fn read_sheet(bytes: &[u8], options: &ReadOptions) -> Result<ReadSet, ReadError> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsxError::Password => ReadError::Password,
        error => damaged(error),
    })?;
    let mut set = ReadSet::new(Format::Xlsx);
    let sheets = workbook.sheets_metadata().to_vec();
    let sheets: Vec<_> = sheets.into_iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    set.sheets = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let wanted: Vec<String> = match &options.sheet {
        Some(name) if set.sheets.contains(name) => vec![name.clone()],
        Some(name) => return Err(ReadError::NoSheet { name: name.clone(), sheets: set.sheets }),
        None => {
            let visible = sheets.iter().filter(|sheet| sheet.visible == SheetVisible::Visible);
            visible.map(|sheet| sheet.name.clone()).collect()
        }
    };
    for name in &wanted {
        let mut problems = Vec::new();
        let cells = cells(&mut workbook, name, &mut problems)?;
        if cells.iter().any(|(_, _, text)| !text.trim().is_empty()) {
            set.problems = problems;
            set.sheet = Some(name.clone());
            set.table = table(cells, options, &mut set.problems)?;
            note_other_sheets(&mut set, options);
            return Ok(set);
        }
    }
    Err(empty(&wanted))
}

pub(super) fn empty(wanted: &[String]) -> ReadError {
    let what = match wanted {
        [name] => format!("the sheet {name:?}"),
        _ => "every sheet of the workbook".to_owned(),
    };
    ReadError::Empty { what }
}

pub(super) fn note_other_sheets(set: &mut ReadSet, options: &ReadOptions) {
    if let (None, Some(read)) = (&options.sheet, &set.sheet)
        && set.sheets.len() > 1
    {
        let others: Vec<&str> = set.sheets.iter().filter(|name| *name != read).map(String::as_str).collect();
        let message = format!("the sheet {read:?} was read; there are also {}", others.join(", "));
        set.problems.push(Problem::note(Code::NoHeader, message));
    }
}

/// Cells in their rows.
pub(super) fn table(
    mut cells: Vec<Cell>,
    options: &ReadOptions,
    problems: &mut Vec<Problem>,
) -> Result<crate::table::Table, ReadError> {
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    let mut cells = cells.into_iter().peekable();
    let mut total = 0;
    let rows = std::iter::from_fn(|| {
        let row = cells.peek()?.0;
        let mut texts: Vec<String> = Vec::new();
        while let Some((_, column, text)) = cells.next_if(|(other, _, _)| *other == row) {
            let column = column as usize;
            if column < MAX_COLUMNS {
                texts.resize(texts.len().max(column + 1), String::new());
                if let Some(cell) = texts.get_mut(column) {
                    *cell = text;
                }
            }
        }
        total += texts.len();
        (total <= MAX_CELLS).then(|| (row.saturating_add(1), texts))
    });
    grid::table(rows, options.header, problems)
}

fn cells(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Cell>, ReadError> {
    // The sheet is read cell by cell: a range from the first to the last of them may not fit in memory.
    let mut reader = workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
    let mut cells: Vec<Cell> = Vec::new();
    let mut beyond = None;
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let text = match cell.get_value() {
            DataRef::Empty => continue,
            DataRef::Error(error) => {
                problems.push(
                    Problem::warning(
                        Code::CellError,
                        format!("the cell {} holds the error {error}", address(row, column)),
                    )
                    .at_row(row.saturating_add(1))
                    .hint("put the formula right in the spreadsheet; the cell was read as empty"),
                );
                continue;
            }
            DataRef::Int(value) => value.to_string(),
            DataRef::Float(value) => number(*value),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Bool(value) => value.to_string(),
            DataRef::DateTime(value) => {
                if value.is_duration() {
                    value.to_string()
                } else {
                    date(value.to_ymd_hms_milli())
                }
            }
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        };
        if column as usize >= MAX_COLUMNS {
            beyond = beyond.or(Some((row, column)));
            continue;
        }
        if cells.len() >= MAX_CELLS {
            let message = format!("there are more than {MAX_CELLS} cells; the rest was not read");
            problems.push(Problem::warning(Code::TooLarge, message).at_row(row.saturating_add(1)));
            break;
        }
        cells.push((row, column, text));
    }
    if let Some((row, column)) = beyond {
        let message =
            format!("the cell {} is beyond the {MAX_COLUMNS} columns that are read", address(row, column));
        problems.push(Problem::warning(Code::TooLarge, message).at_row(row.saturating_add(1)));
    }
    Ok(cells)
}

/// A number as it is typed: `20` and not `20.0`. Spreadsheets show 15 digits, and more are noise of binary fractions.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e17 {
        return format!("{value:.0}");
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn date((year, month, day, hour, minute, second, _): (u16, u8, u8, u8, u8, u8, u16)) -> String {
    let day = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { day } else { format!("{day} {hour:02}:{minute:02}:{second:02}") }
}

/// `AB12`.
fn address(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect::<String>() + &(row.saturating_add(1)).to_string()
}
