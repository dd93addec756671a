//! From rows of cells to a table: where the header is, and which columns there are.

use super::{MAX_COLUMNS, MAX_ROWS, ReadError};
use crate::{
    field::Field,
    problem::{Code, Problem},
    table::{Column, Table},
};

/// How many rows above the header (a title, a date) are looked over.
const MOST_ROWS_ABOVE: usize = 10;

/// A table of numbered rows. `header` says whether the first row names the columns; otherwise it is found out.
pub(super) fn table(
    rows: impl Iterator<Item = (u32, Vec<String>)>,
    header: Option<bool>,
    problems: &mut Vec<Problem>,
) -> Result<Table, ReadError> {
    let filled = |cells: &[String]| cells.iter().any(|cell| !cell.trim().is_empty());
    let mut rows = rows.filter(|(_, cells)| filled(cells)).peekable();
    let mut first: Vec<(u32, Vec<String>)> = rows.by_ref().take(MOST_ROWS_ABOVE).collect();
    if first.is_empty() {
        return Err(ReadError::Empty { what: "the table".to_owned() });
    }
    let known = |cells: &[String]| cells.iter().filter(|cell| Field::find(cell).is_some()).count();
    let place = match header {
        Some(true) => Some(0),
        Some(false) => None,
        None if first.first().is_some_and(|(_, cells)| known(cells) > 0) => Some(0),
        // A title may stand above the names; a prompt that happens to be a word like `text` is no header.
        None => first.iter().position(|(_, cells)| known(cells) >= 2).or_else(|| {
            let one_column = first.iter().all(|(_, cells)| used(cells) <= 1);
            (!one_column).then_some(0)
        }),
    };
    let mut table = Table::default();
    if let Some(place) = place {
        let (number, names) = first.drain(..=place).next_back().unwrap_or_default();
        if place > 0 {
            problems.push(
                Problem::note(Code::NoHeader, format!("row {number} was taken for the names of the columns"))
                    .at_row(number),
            );
        }
        let width = used(&names);
        table.columns =
            names.into_iter().take(width.min(MAX_COLUMNS)).map(|name| Column::named(name.trim())).collect();
        if width > MAX_COLUMNS {
            let message = format!("there are {width} columns; the first {MAX_COLUMNS} were read");
            problems.push(Problem::warning(Code::TooLarge, message).at_row(number));
        }
    } else {
        let number = first.first().map_or(1, |(number, _)| *number);
        table.columns = vec![Field::Prompt.into()];
        if header.is_none() {
            problems.push(
                Problem::note(Code::NoHeader, "there are no column names; each row was read as a prompt")
                    .at_row(number),
            );
        } else {
            let width = first.iter().map(|(_, cells)| used(cells)).max().unwrap_or(1);
            table.columns.extend((2..=width.min(MAX_COLUMNS)).map(|n| Column::named(format!("column {n}"))));
        }
    }
    for (number, mut cells) in first.into_iter().chain(rows) {
        if table.rows.len() >= MAX_ROWS {
            let message = format!("there are more than {MAX_ROWS} rows; the rest was not read");
            problems.push(Problem::warning(Code::TooLarge, message).at_row(number));
            break;
        }
        cells.truncate(used(&cells).min(MAX_COLUMNS));
        cells.shrink_to_fit();
        table.push_numbered(number, cells);
    }
    Ok(table)
}

/// The number of cells up to the last that holds anything.
fn used(cells: &[String]) -> usize {
    cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1)
}
