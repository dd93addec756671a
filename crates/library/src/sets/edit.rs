//! Edits of a set, each of which can be taken back and made again.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{
    key_of,
    rows::{COLUMNS, GAP, SetRow, cells_text, from_row},
};
use crate::{
    error::{LibraryError, Result},
    id::Id,
    library::Library,
    moment::Moment,
};

/// How many edits of a set can be taken back.
const MOST_EDITS: i64 = 500;
/// How much their log may take, compressed, in bytes. The last edit is kept whatever it takes.
const MOST_BYTES: i64 = 64 << 20;

/// A row before or after an edit: its position and cells.
type Version = (f64, Vec<String>);

/// What an edit changed: each thing before and after.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Changes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rows: BTreeMap<i64, (Option<Version>, Option<Version>)>,
}

/// An edit under way: all of it happens, or none.
pub struct SetEdit<'a> {
    db: &'a Connection,
    set: i64,
    next_row: i64,
    changes: Changes,
}

impl Library {
    /// Edits a set. `label` says what is done, for whoever may want to take it back.
    pub fn edit_set<T>(
        &self,
        id: Id,
        label: &str,
        now: Moment,
        work: impl FnOnce(&mut SetEdit<'_>) -> Result<T>,
    ) -> Result<T> {
        self.database().write(|db| {
            let set = key_of(db, id)?;
            let next_row =
                db.query_row("SELECT next_row FROM sets WHERE set_key = ?1", [set], |row| row.get(0))?;
            let mut edit = SetEdit { db, set, next_row, changes: Changes::default() };
            let value = work(&mut edit)?;
            edit.log(label, now)?;
            Ok(value)
        })
    }

    /// Takes the last edit back, and says what it was; `None` when there is none.
    pub fn undo_set(&self, id: Id, now: Moment) -> Result<Option<String>> {
        self.replay(id, now, true)
    }

    /// Makes the edit again that was taken back last.
    pub fn redo_set(&self, id: Id, now: Moment) -> Result<Option<String>> {
        self.replay(id, now, false)
    }

    fn replay(&self, id: Id, now: Moment, back: bool) -> Result<Option<String>> {
        self.database().write(|db| {
            let set = key_of(db, id)?;
            let at: i64 =
                db.query_row("SELECT edit FROM sets WHERE set_key = ?1", [set], |row| row.get(0))?;
            let edit = if back { at } else { at + 1 };
            let found: Option<(String, Vec<u8>)> = db
                .prepare_cached("SELECT label, changes FROM set_edits WHERE set_key = ?1 AND edit = ?2")?
                .query_row([set, edit], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((label, changes)) = found else { return Ok(None) };
            let changes = unpack(&changes)?;
            let pick = |change: (String, String)| if back { change.0 } else { change.1 };
            if let Some(columns) = changes.columns {
                db.prepare_cached("UPDATE sets SET columns = ?2 WHERE set_key = ?1")?
                    .execute(params![set, pick(columns)])?;
            }
            if let Some(settings) = changes.settings {
                db.prepare_cached("UPDATE sets SET settings = ?2 WHERE set_key = ?1")?
                    .execute(params![set, pick(settings)])?;
            }
            for (row, (before, after)) in changes.rows {
                put(db, set, row, if back { before } else { after }.as_ref())?;
            }
            db.prepare_cached(
                "UPDATE sets SET edit = ?2, revision = revision + 1, changed = ?3 WHERE set_key = ?1",
            )?
            .execute(params![set, if back { edit - 1 } else { edit }, now.ms])?;
            Ok(Some(label))
        })
    }
}

impl SetEdit<'_> {
    /// A row as it is now.
    pub fn row(&self, row: i64) -> Result<Option<SetRow>> {
        read(self.db, self.set, row)
    }

    /// The rows from this one on, in their order; from the first when none is named.
    pub fn rows_from(&self, row: Option<i64>, limit: usize) -> Result<Vec<SetRow>> {
        let start = match row {
            None => None,
            Some(row) => match self.row(row)? {
                Some(found) => Some((found.position, found.row)),
                None => return Ok(Vec::new()),
            },
        };
        let (position, row) = start.unwrap_or((f64::MIN, i64::MIN));
        let sql = format!(
            "SELECT {COLUMNS} FROM set_rows WHERE set_key = ?1 AND (position, set_row) >= (?2, ?3)
             ORDER BY position, set_row LIMIT ?4"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![self.set, position, row, limit], from_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Replaces a row's cells. Returns whether there is such a row.
    pub fn set_cells(&mut self, row: i64, cells: Vec<String>) -> Result<bool> {
        let Some(found) = self.row(row)? else { return Ok(false) };
        if found.cells != cells {
            self.change(row, Some((found.position, cells)))?;
        }
        Ok(true)
    }

    /// Adds rows behind one, or in front of all, and returns their ids.
    pub fn insert(&mut self, behind: Option<i64>, rows: Vec<Vec<String>>) -> Result<Vec<i64>> {
        let places = self.places(behind, rows.len())?;
        let mut ids = Vec::with_capacity(rows.len());
        for (position, cells) in places.into_iter().zip(rows) {
            let row = self.next_row;
            self.next_row += 1;
            self.change(row, Some((position, cells)))?;
            ids.push(row);
        }
        Ok(ids)
    }

    /// Adds rows behind the last one.
    pub fn append(&mut self, rows: Vec<Vec<String>>) -> Result<Vec<i64>> {
        let last = self
            .db
            .prepare_cached(
                "SELECT set_row FROM set_rows WHERE set_key = ?1 ORDER BY position DESC, set_row DESC LIMIT 1",
            )?
            .query_row([self.set], |row| row.get(0))
            .optional()?;
        self.insert(last, rows)
    }

    /// Deletes rows. Returns how many there were.
    pub fn delete(&mut self, rows: &[i64]) -> Result<usize> {
        let mut deleted = 0;
        for row in rows {
            if self.row(*row)?.is_some() {
                self.change(*row, None)?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Moves rows behind one, or in front of all; they come in the order that is given.
    pub fn shift(&mut self, rows: &[i64], behind: Option<i64>) -> Result<usize> {
        // Out of the way first, so that the place is free however near they stand.
        let mut taken = Vec::new();
        for row in rows.iter().filter(|row| Some(**row) != behind) {
            if let Some(found) = self.row(*row)? {
                self.change(*row, None)?;
                taken.push(found);
            }
        }
        let places = self.places(behind, taken.len())?;
        for (position, row) in places.into_iter().zip(&taken) {
            self.change(row.row, Some((position, row.cells.clone())))?;
        }
        Ok(taken.len())
    }

    /// Replaces the columns.
    pub fn set_columns(&mut self, columns: String) -> Result<()> {
        let before: String =
            self.db.query_row("SELECT columns FROM sets WHERE set_key = ?1", [self.set], |row| row.get(0))?;
        self.db
            .prepare_cached("UPDATE sets SET columns = ?2 WHERE set_key = ?1")?
            .execute(params![self.set, columns])?;
        let first = self.changes.columns.take().map_or(before, |change| change.0);
        self.changes.columns = Some((first, columns)).filter(|(before, after)| before != after);
        Ok(())
    }

    /// Replaces the settings.
    pub fn set_settings(&mut self, settings: String) -> Result<()> {
        let before: String =
            self.db
                .query_row("SELECT settings FROM sets WHERE set_key = ?1", [self.set], |row| row.get(0))?;
        self.db
            .prepare_cached("UPDATE sets SET settings = ?2 WHERE set_key = ?1")?
            .execute(params![self.set, settings])?;
        let first = self.changes.settings.take().map_or(before, |change| change.0);
        self.changes.settings = Some((first, settings)).filter(|(before, after)| before != after);
        Ok(())
    }

    /// Positions for new rows behind one, or in front of all.
    fn places(&mut self, behind: Option<i64>, count: usize) -> Result<Vec<f64>> {
        for attempt in 0..2 {
            let low = match behind {
                None => None,
                Some(row) => match self.row(row)? {
                    Some(found) => Some(found.position),
                    None => return Err(self.no_row()),
                },
            };
            let above = "SELECT min(position) FROM set_rows WHERE set_key = ?1 AND position > ?2";
            let high: Option<f64> = self
                .db
                .prepare_cached(above)?
                .query_row(params![self.set, low.unwrap_or(f64::MIN)], |row| row.get(0))?;
            let (low, step) = match (low, high) {
                (low, None) => (low.unwrap_or(0.0), GAP),
                (None, Some(high)) => (high - GAP * (count + 1) as f64, GAP),
                (Some(low), Some(high)) => (low, (high - low) / (count + 1) as f64),
            };
            let places: Vec<f64> = (1..=count).map(|n| low + step * n as f64).collect();
            let apart = std::iter::once(low).chain(places.iter().copied());
            let distinct = apart.zip(places.iter().copied().chain(high)).all(|(a, b)| a < b);
            if distinct || attempt > 0 {
                return Ok(places);
            }
            self.spread()?;
        }
        Ok(Vec::new())
    }

    /// Gives all rows new positions, with room between them.
    fn spread(&mut self) -> Result<()> {
        for (index, row) in self.rows_from(None, usize::MAX >> 1)?.into_iter().enumerate() {
            self.change(row.row, Some(((index + 1) as f64 * GAP, row.cells)))?;
        }
        Ok(())
    }

    fn no_row(&self) -> LibraryError {
        let id = self.db.query_row("SELECT id FROM sets WHERE set_key = ?1", [self.set], |row| row.get(0));
        id.map_or_else(LibraryError::from, |id| LibraryError::NotFound { what: "such row in the set", id })
    }

    fn change(&mut self, row: i64, after: Option<Version>) -> Result<()> {
        if !self.changes.rows.contains_key(&row) {
            let before = self.row(row)?.map(|row| (row.position, row.cells));
            self.changes.rows.insert(row, (before, None));
        }
        put(self.db, self.set, row, after.as_ref())?;
        if let Some(change) = self.changes.rows.get_mut(&row) {
            change.1 = after;
        }
        Ok(())
    }

    /// Writes down what was done, unless nothing was.
    fn log(self, label: &str, now: Moment) -> Result<()> {
        let Self { db, set, next_row, mut changes } = self;
        changes.rows.retain(|_, (before, after)| before != after);
        if changes.columns.is_none() && changes.settings.is_none() && changes.rows.is_empty() {
            return Ok(());
        }
        let packed = pack(&changes)?;
        let last: i64 = db.query_row("SELECT edit FROM sets WHERE set_key = ?1", [set], |row| row.get(0))?;
        // What was taken back before cannot be made again after something else was done.
        db.prepare_cached("DELETE FROM set_edits WHERE set_key = ?1 AND edit > ?2")?.execute([set, last])?;
        db.prepare_cached(
            "INSERT INTO set_edits (set_key, edit, label, bytes, changes) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![set, last + 1, label, packed.len(), packed])?;
        db.prepare_cached(
            "UPDATE sets SET edit = ?2, next_row = ?3, revision = revision + 1, changed = ?4 WHERE set_key = ?1",
        )?
        .execute(params![set, last + 1, next_row, now.ms])?;
        db.prepare_cached(
            "DELETE FROM set_edits WHERE set_key = ?1 AND edit <= ?2 AND (edit <= ?2 - ?3 OR edit < ?2 AND
                (SELECT sum(bytes) FROM set_edits later WHERE later.set_key = ?1 AND later.edit >= set_edits.edit) > ?4)",
        )?
        .execute([set, last + 1, MOST_EDITS, MOST_BYTES])?;
        Ok(())
    }
}

fn read(db: &Connection, set: i64, row: i64) -> Result<Option<SetRow>> {
    let sql = format!("SELECT {COLUMNS} FROM set_rows WHERE set_key = ?1 AND set_row = ?2");
    Ok(db.prepare_cached(&sql)?.query_row([set, row], from_row).optional()?)
}

fn put(db: &Connection, set: i64, row: i64, version: Option<&Version>) -> Result<()> {
    match version {
        None => db
            .prepare_cached("DELETE FROM set_rows WHERE set_key = ?1 AND set_row = ?2")?
            .execute([set, row])?,
        Some((position, cells)) => db
            .prepare_cached(
                "INSERT INTO set_rows (set_key, set_row, position, cells) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET position = excluded.position, cells = excluded.cells",
            )?
            .execute(params![set, row, position, cells_text(cells)])?,
    };
    Ok(())
}

fn pack(changes: &Changes) -> Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    let json = serde_json::to_vec(changes).map_err(unreadable)?;
    packer.write_all(&json).and_then(|()| packer.finish()).map_err(unreadable)
}

fn unpack(packed: &[u8]) -> Result<Changes> {
    let mut json = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut json).map_err(unreadable)?;
    serde_json::from_slice(&json).map_err(unreadable)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> LibraryError {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error)).into()
}
