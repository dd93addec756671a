//! The rows of a set: read in pages or in chunks, added in their thousands.

use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::key_of;
use crate::{
    error::{LibraryError, Result},
    id::Id,
    library::Library,
};

/// The distance between the positions of rows that were added one after the other. Halves of it make room between them.
pub(super) const GAP: f64 = 65536.0;

/// A row of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetRow {
    /// Its id within the set; it keeps it wherever it is moved.
    pub row: i64,
    /// Where it stands: rows are in the order of this.
    pub position: f64,
    /// Its cells; columns name places in this list, which may be shorter than the last of them.
    pub cells: Vec<String>,
}

/// From where rows are read on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowPlace {
    /// [`SetRow::position`] of the last row that was read.
    pub position: f64,
    /// Its id.
    pub row: i64,
}

impl SetRow {
    /// Its place, to read on from.
    pub fn place(&self) -> RowPlace {
        RowPlace { position: self.position, row: self.row }
    }
}

pub(super) const COLUMNS: &str = "set_row, position, cells";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<SetRow> {
    let cells: String = row.get(2)?;
    let cells = read_cells(&cells)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, Box::new(error)))?;
    Ok(SetRow { row: row.get(0)?, position: row.get(1)?, cells })
}

pub(super) fn read_cells(text: &str) -> serde_json::Result<Vec<String>> {
    serde_json::from_str(text)
}

/// Without the empty cells at its end.
pub(super) fn cells_text(cells: &[String]) -> String {
    let used = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    // A list of texts, which always has JSON.
    serde_json::to_string(&cells[..used]).unwrap_or_else(|_| "[]".to_owned())
}

impl Library {
    /// A page of a set's rows, in their order.
    pub fn set_rows(&self, set: Id, offset: u64, limit: u32) -> Result<Vec<SetRow>> {
        self.database().read(|db| {
            let key = key_of(db, set)?;
            let sql = format!(
                "SELECT {COLUMNS} FROM set_rows WHERE set_key = ?1 ORDER BY position, set_row LIMIT ?2 OFFSET ?3"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![key, limit, offset.cast_signed()], from_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The next rows behind a place, or the first ones.
    pub fn set_rows_behind(&self, set: Id, place: Option<RowPlace>, limit: u32) -> Result<Vec<SetRow>> {
        let place = place.unwrap_or(RowPlace { position: f64::MIN, row: i64::MIN });
        self.database().read(|db| {
            let key = key_of(db, set)?;
            let sql = format!(
                "SELECT {COLUMNS} FROM set_rows WHERE set_key = ?1 AND (position, set_row) > (?2, ?3)
                 ORDER BY position, set_row LIMIT ?4"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![key, place.position, place.row, limit], from_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// How many rows stand before this one; what people count from 1 is one more.
    pub fn set_row_index(&self, set: Id, row: i64) -> Result<u64> {
        self.database().read(|db| {
            let key = key_of(db, set)?;
            let mut at =
                db.prepare_cached("SELECT position FROM set_rows WHERE set_key = ?1 AND set_row = ?2")?;
            let position: Option<f64> = at.query_row([key, row], |row| row.get(0)).optional()?;
            let position = position.ok_or(LibraryError::NotFound { what: "row of the set", id: set })?;
            let mut count = db.prepare_cached(
                "SELECT count(*) FROM set_rows WHERE set_key = ?1 AND (position, set_row) < (?2, ?3)",
            )?;
            Ok(count.query_row(params![key, position, row], |row| row.get(0))?)
        })
    }
}

/// Adds rows behind the last one.
pub(super) fn append(db: &Connection, set: i64, rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let mut next: i64 =
        db.query_row("SELECT next_row FROM sets WHERE set_key = ?1", [set], |row| row.get(0))?;
    let mut position: f64 =
        db.query_row("SELECT coalesce(max(position), 0) FROM set_rows WHERE set_key = ?1", [set], |row| {
            row.get(0)
        })?;
    let mut insert = db
        .prepare_cached("INSERT INTO set_rows (set_key, set_row, position, cells) VALUES (?1, ?2, ?3, ?4)")?;
    for cells in rows {
        position += GAP;
        insert.execute(params![set, next, position, cells_text(&cells)])?;
        next += 1;
    }
    db.prepare_cached("UPDATE sets SET next_row = ?2 WHERE set_key = ?1")?.execute([set, next])?;
    Ok(())
}
