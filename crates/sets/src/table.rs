//! The table of a set: columns, rows and their cells, all of them text.

use serde::{Deserialize, Serialize};

use crate::field::Field;

/// A row's identity, which it keeps while rows are moved, added and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "number"))]
#[serde(transparent)]
pub struct RowId(pub u64);

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct Column {
    /// The header, as its author wrote it.
    pub name: String,
    /// What it means; `None` for a column that is only kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
}

impl Column {
    /// A column by its header, whose meaning is looked up.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { field: Field::find(&name), name }
    }
}

impl From<Field> for Column {
    fn from(field: Field) -> Self {
        Self { name: field.name().to_owned(), field: Some(field) }
    }
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct Row {
    /// Its identity in the table.
    pub id: RowId,
    /// Its number in the file it was read from, counted from 1 as the program that made the file shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// A cell for each column; cells that are missing at the end are empty.
    pub cells: Vec<String>,
}

impl Row {
    /// The text of a cell, empty where there is none.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// Whether every cell is blank.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// The table of a prompt set.
///
/// ```
/// # use tarim_sets::{Column, Field, Table};
/// let mut table = Table::new([Column::from(Field::Prompt), Column::named("步数")]);
/// let id = table.push(["a fox", "20"]);
/// table.set(id, 1, "30");
/// assert_eq!(table.row(id).map(|row| row.cell(1)), Some("30"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Table {
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The rows, in their order.
    pub rows: Vec<Row>,
    /// The identity that the next row gets.
    #[serde(default)]
    next_id: RowId,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), ..Self::default() }
    }

    /// A new row at the end.
    pub fn push<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) -> RowId {
        self.insert(self.rows.len(), cells)
    }

    /// A new row before the one at `index`, or at the end.
    pub fn insert<C: Into<String>>(&mut self, index: usize, cells: impl IntoIterator<Item = C>) -> RowId {
        let id = self.fresh_id();
        let row = Row { id, number: None, cells: cells.into_iter().map(Into::into).collect() };
        self.rows.insert(index.min(self.rows.len()), row);
        id
    }

    /// A row as it was read.
    pub(crate) fn push_numbered(&mut self, number: u32, cells: Vec<String>) -> RowId {
        let id = self.fresh_id();
        self.rows.push(Row { id, number: Some(number), cells });
        id
    }

    fn fresh_id(&mut self) -> RowId {
        // Rows that were put in by hand, or came over the wire, may have any identity.
        let id = self.next_id;
        self.next_id = RowId(id.0 + 1);
        id
    }

    /// A row by its identity.
    pub fn row(&self, id: RowId) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Changes a cell; whether there is such a row.
    pub fn set(&mut self, id: RowId, column: usize, text: impl Into<String>) -> bool {
        let Some(row) = self.rows.iter_mut().find(|row| row.id == id) else { return false };
        if row.cells.len() <= column {
            row.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = row.cells.get_mut(column) {
            *cell = text.into();
        }
        true
    }

    /// The index of the column for a field, added at the end if there is none.
    pub fn column(&mut self, field: Field) -> usize {
        self.position(field).unwrap_or_else(|| {
            self.columns.push(field.into());
            self.columns.len() - 1
        })
    }

    /// The index of the first column for a field.
    pub fn position(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|column| column.field == Some(field))
    }

    /// What a row's number is for its reader: the one of its file, or its place in the table counted from 1.
    pub fn number(&self, index: usize) -> u32 {
        let number = self.rows.get(index).and_then(|row| row.number);
        number.unwrap_or_else(|| u32::try_from(index + 1).unwrap_or(u32::MAX))
    }
}
