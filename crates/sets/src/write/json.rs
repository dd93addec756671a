//! JSON and JSON Lines.

use serde_json::Value;

use super::number;
use crate::{
    problem::{Code, Problem, shown},
    table::{Row, Table},
};

pub(super) fn write(table: &Table, problems: &mut Vec<Problem>) -> Vec<u8> {
    let names = names(table, problems);
    let rows: Vec<String> = rows(table, &names).collect();
    format!("[\n{}\n]\n", rows.join(",\n")).into_bytes()
}

pub(super) fn write_lines(table: &Table, problems: &mut Vec<Problem>) -> Vec<u8> {
    let names = names(table, problems);
    rows(table, &names).map(|row| row + "\n").collect::<String>().into_bytes()
}

/// The names of the columns as JSON. An object has each name once.
fn names(table: &Table, problems: &mut Vec<Problem>) -> Vec<Option<String>> {
    let mut seen = std::collections::HashSet::new();
    let name = |column: &crate::table::Column| {
        if seen.insert(column.name.clone()) {
            return Some(Value::from(column.name.as_str()).to_string());
        }
        let message = format!("there are two columns named {}; the second was left out", shown(&column.name));
        problems.push(Problem::warning(Code::Lossy, message).in_column(&column.name));
        None
    };
    table.columns.iter().map(name).collect()
}

/// The objects. The first has every column, so that none is lost and their order is kept; the others what they hold.
fn rows<'a>(table: &'a Table, names: &'a [Option<String>]) -> impl Iterator<Item = String> + 'a {
    table.rows.iter().enumerate().map(move |(index, row)| object(table, names, row, index == 0))
}

fn object(table: &Table, names: &[Option<String>], row: &Row, whole: bool) -> String {
    let mut members = Vec::new();
    for (index, (column, name)) in table.columns.iter().zip(names).enumerate() {
        let (cell, Some(name)) = (row.cell(index), name) else { continue };
        if cell.is_empty() && !whole {
            continue;
        }
        // Numbers are written as they were typed.
        let value = match number(column.field, cell) {
            Some(_) => cell.to_owned(),
            None => Value::from(cell).to_string(),
        };
        members.push(format!("{name}: {value}"));
    }
    format!("{{{}}}", members.join(", "))
}
