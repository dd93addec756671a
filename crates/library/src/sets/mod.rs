//! Prompt sets: tables whose rows become requests. What columns and settings mean is the caller's business; kept here are
//! rows in their order, and a log of edits that can be taken back, also after a restart.

mod edit;
mod rows;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    error::{LibraryError, Result},
    id::Id,
    library::Library,
    moment::Moment,
    names,
};

pub use edit::SetEdit;
pub use rows::{RowPlace, SetRow};

pub(crate) const CREATE: &str = "
CREATE TABLE sets (
    set_key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Both the caller's own JSON.
    columns TEXT NOT NULL,
    settings TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    -- Counts the edits, taken back and made again ones too.
    revision INTEGER NOT NULL DEFAULT 0,
    -- The id of the next row; ids are never used again.
    next_row INTEGER NOT NULL DEFAULT 1,
    -- The last edit in force: those after it were taken back.
    edit INTEGER NOT NULL DEFAULT 0,
    trashed_at INTEGER
) STRICT;
CREATE TABLE set_rows (
    set_key INTEGER NOT NULL REFERENCES sets ON DELETE CASCADE,
    set_row INTEGER NOT NULL,
    position REAL NOT NULL,
    -- A JSON list of texts; a column names its place in it, so that columns come and go without touching rows.
    cells TEXT NOT NULL,
    PRIMARY KEY (set_key, set_row)
) STRICT, WITHOUT ROWID;
CREATE INDEX set_rows_order ON set_rows (set_key, position, set_row);
CREATE TABLE set_edits (
    set_key INTEGER NOT NULL REFERENCES sets ON DELETE CASCADE,
    edit INTEGER NOT NULL,
    label TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    -- What was before and after, as compressed JSON.
    changes BLOB NOT NULL,
    PRIMARY KEY (set_key, edit)
) STRICT, WITHOUT ROWID;
";

/// A set as it is made.
#[derive(Clone, Debug)]
pub struct NewSet {
    /// Its id, drawn by the caller (UUID version 7).
    pub id: Id,
    /// Its name; sets may share one.
    pub name: String,
    /// Its columns, in the caller's own JSON.
    pub columns: String,
    /// Everything else, in the caller's own JSON.
    pub settings: String,
    /// Now.
    pub created: Moment,
}

/// A set without its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its columns, as they were given.
    pub columns: String,
    /// Its settings, as they were given.
    pub settings: String,
    /// How many rows it has.
    pub rows: u64,
    /// When it was made, in milliseconds since 1970.
    pub created: i64,
    /// When it was changed last.
    pub changed: i64,
    /// Another number after every edit.
    pub revision: i64,
    /// When it was moved to the trash.
    pub trashed_at: Option<i64>,
    /// What would be taken back.
    pub undo: Option<String>,
    /// What would be made again.
    pub redo: Option<String>,
}

const COLUMNS: &str = "
    s.id, s.name, s.columns, s.settings, (SELECT count(*) FROM set_rows r WHERE r.set_key = s.set_key), s.created,
    s.changed, s.revision, s.trashed_at,
    (SELECT label FROM set_edits e WHERE e.set_key = s.set_key AND e.edit = s.edit),
    (SELECT label FROM set_edits e WHERE e.set_key = s.set_key AND e.edit = s.edit + 1)";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Set> {
    Ok(Set {
        id: row.get(0)?,
        name: row.get(1)?,
        columns: row.get(2)?,
        settings: row.get(3)?,
        rows: row.get(4)?,
        created: row.get(5)?,
        changed: row.get(6)?,
        revision: row.get(7)?,
        trashed_at: row.get(8)?,
        undo: row.get(9)?,
        redo: row.get(10)?,
    })
}

impl Library {
    /// Makes a set of these rows, all or nothing.
    pub fn create_set(&self, new: &NewSet, rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
        let name = names::clean("set", &new.name)?;
        self.database().write(|db| {
            db.prepare_cached(
                "INSERT INTO sets (id, name, columns, settings, created, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            )?
            .execute(params![new.id, name, new.columns, new.settings, new.created.ms])?;
            let set = db.last_insert_rowid();
            rows::append(db, set, rows)
        })
    }

    /// The sets, the last changed first, or those in the trash.
    pub fn sets(&self, trashed: bool) -> Result<Vec<Set>> {
        self.database().read(|db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM sets s WHERE (s.trashed_at IS NOT NULL) = ?1 ORDER BY s.changed DESC, s.set_key DESC"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map([trashed], from_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A set.
    pub fn set(&self, id: Id) -> Result<Set> {
        self.database().read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM sets s WHERE s.id = ?1");
            let set = db.prepare_cached(&sql)?.query_row([id], from_row).optional()?;
            set.ok_or(LibraryError::NotFound { what: "set", id })
        })
    }

    /// Gives a set another name.
    pub fn rename_set(&self, id: Id, name: &str, now: Moment) -> Result<()> {
        let name = names::clean("set", name)?;
        self.database().write(|db| {
            let key = key_of(db, id)?;
            db.prepare_cached("UPDATE sets SET name = ?2, changed = ?3 WHERE set_key = ?1")?
                .execute(params![key, name, now.ms])?;
            Ok(())
        })
    }

    /// Copies a set with its rows, but without the log of its edits.
    pub fn duplicate_set(&self, id: Id, copy: &NewSet) -> Result<()> {
        let name = names::clean("set", &copy.name)?;
        self.database().write(|db| {
            let from = key_of(db, id)?;
            db.prepare_cached(
                "INSERT INTO sets (id, name, columns, settings, created, changed, next_row)
                 SELECT ?2, ?3, ?4, ?5, ?6, ?6, next_row FROM sets WHERE set_key = ?1",
            )?
            .execute(params![
                from,
                copy.id,
                name,
                copy.columns,
                copy.settings,
                copy.created.ms
            ])?;
            let to = db.last_insert_rowid();
            db.prepare_cached(
                "INSERT INTO set_rows (set_key, set_row, position, cells)
                 SELECT ?2, set_row, position, cells FROM set_rows WHERE set_key = ?1",
            )?
            .execute([from, to])?;
            Ok(())
        })
    }

    /// Moves a set to the trash, or takes it out.
    pub fn trash_set(&self, id: Id, trashed: bool, now: Moment) -> Result<()> {
        self.database().write(|db| {
            let key = key_of(db, id)?;
            db.prepare_cached("UPDATE sets SET trashed_at = ?2 WHERE set_key = ?1")?
                .execute(params![key, trashed.then_some(now.ms)])?;
            Ok(())
        })
    }

    /// Deletes a set that is in the trash for good. Its runs and pictures stay.
    pub fn delete_set(&self, id: Id) -> Result<()> {
        self.database().write(|db| {
            let deleted = db
                .prepare_cached("DELETE FROM sets WHERE id = ?1 AND trashed_at IS NOT NULL")?
                .execute([id])?;
            if deleted == 0 { Err(LibraryError::NotFound { what: "set in the trash", id }) } else { Ok(()) }
        })
    }
}

/// The key of a set.
pub(crate) fn key_of(db: &Connection, id: Id) -> Result<i64> {
    let mut statement = db.prepare_cached("SELECT set_key FROM sets WHERE id = ?1")?;
    let key = statement.query_row([id], |row| row.get(0)).optional()?;
    key.ok_or(LibraryError::NotFound { what: "set", id })
}
