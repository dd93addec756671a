//! Batches: runs of a prompt set or a comparison. A batch's requests and jobs name it; what is asked of a batch is answered
//! from them.

mod fill;
mod hold;
mod lookup;
mod numbers;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    error::{LibraryError, Result},
    id::Id,
    library::Library,
    moment::Moment,
    names,
};

pub use fill::BatchRow;
pub use hold::Hold;
pub(crate) use lookup::add_functions;
pub use lookup::{Existing, Place as ExistingPlace};
pub use numbers::{BatchCounts, BatchFailure, BatchModel, BatchPicture, Conditions};

/// Held jobs are queued ones that wait for their batch. Those that can be begun have an index of their own, so that a
/// claim does not step over thousands that cannot.
pub(crate) const CREATE: &str = "
CREATE TABLE batches (
    batch INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    set_id BLOB,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    created_offset INTEGER NOT NULL,
    -- What was asked for and what was planned, in the caller's own JSON.
    options TEXT NOT NULL,
    -- While rows are still to be submitted: where to go on, in the caller's own JSON.
    cursor TEXT,
    planned INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    -- Why no job of it is begun.
    hold TEXT CHECK (hold IN ('paused', 'time', 'battery', 'in_use')),
    -- After this moment none is begun, in milliseconds since 1970.
    finish_by INTEGER,
    spare_battery INTEGER NOT NULL,
    spare_user INTEGER NOT NULL,
    dismissed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batches_set ON batches (set_id, batch);
CREATE INDEX batches_conditional ON batches (batch)
    WHERE finish_by IS NOT NULL OR spare_battery <> 0 OR spare_user <> 0;
CREATE INDEX batches_unfilled ON batches (batch) WHERE cursor IS NOT NULL;
ALTER TABLE requests ADD COLUMN batch INTEGER REFERENCES batches;
ALTER TABLE requests ADD COLUMN set_row INTEGER;
ALTER TABLE jobs ADD COLUMN batch INTEGER REFERENCES batches;
ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN picture_key BLOB;
ALTER TABLE recipes ADD COLUMN picture_key BLOB;
UPDATE recipes SET picture_key = picture_key(recipe) WHERE recipe IS NOT NULL;
UPDATE jobs SET picture_key = picture_key(recipe) WHERE state IN ('queued', 'running') AND recipe IS NOT NULL;
CREATE INDEX requests_batch ON requests (batch, set_row) WHERE batch IS NOT NULL;
CREATE INDEX jobs_batch ON jobs (batch, state, finished, started) WHERE batch IS NOT NULL;
CREATE INDEX jobs_ready ON jobs (priority DESC, position, job) WHERE state = 'queued' AND held = 0;
CREATE INDEX jobs_picture_key ON jobs (picture_key) WHERE state IN ('queued', 'running');
CREATE INDEX recipes_picture_key ON recipes (picture_key) WHERE picture_key IS NOT NULL;
";

/// A batch as it is made, still without jobs.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Its id, drawn by the caller (UUID version 7).
    pub id: Id,
    /// The set that it runs.
    pub set: Option<Id>,
    /// Its name.
    pub name: String,
    /// Now.
    pub created: Moment,
    /// What was asked for and planned, in the caller's own JSON.
    pub options: String,
    /// Where submission begins, in the caller's own JSON.
    pub cursor: String,
    /// When jobs may be begun.
    pub conditions: Conditions,
}

/// A run of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Its id.
    pub id: Id,
    /// The set that it runs.
    pub set: Option<Id>,
    /// Its name.
    pub name: String,
    /// When it was started.
    pub created: Moment,
    /// What was asked for and planned, as it was given.
    pub options: String,
    /// While rows are still to be submitted: where to go on.
    pub cursor: Option<String>,
    /// How many pictures were submitted.
    pub planned: u64,
    /// How many were not, because they exist.
    pub skipped: u64,
    /// Why none of its jobs is begun.
    pub hold: Option<Hold>,
    /// When jobs may be begun.
    pub conditions: Conditions,
    /// What became of its jobs.
    pub counts: BatchCounts,
}

const COLUMNS: &str = "
    b.id, b.set_id, b.name, b.created, b.created_offset, b.options, b.cursor, b.planned, b.skipped, b.hold, b.finish_by,
    b.spare_battery, b.spare_user, b.batch";

fn from_row(row: &Row<'_>) -> rusqlite::Result<(i64, Batch)> {
    let batch = Batch {
        id: row.get(0)?,
        set: row.get(1)?,
        name: row.get(2)?,
        created: Moment { ms: row.get(3)?, offset_minutes: row.get(4)? },
        options: row.get(5)?,
        cursor: row.get(6)?,
        planned: row.get(7)?,
        skipped: row.get(8)?,
        hold: row.get::<_, Option<String>>(9)?.as_deref().and_then(Hold::from_name),
        conditions: Conditions {
            finish_by: row.get(10)?,
            spare_battery: row.get(11)?,
            spare_user: row.get(12)?,
        },
        counts: BatchCounts::default(),
    };
    Ok((row.get(13)?, batch))
}

impl Library {
    /// Makes a batch; [`fill_batch`](Self::fill_batch) gives it jobs.
    pub fn create_batch(&self, new: &NewBatch) -> Result<()> {
        let name = names::clean("batch", &new.name)?;
        self.database().write(|db| {
            db.prepare_cached(
                "INSERT INTO batches (id, set_id, name, created, created_offset, options, cursor, planned, skipped,
                    finish_by, spare_battery, spare_user)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, ?9, ?10)",
            )?
            .execute(params![
                new.id,
                new.set,
                name,
                new.created.ms,
                new.created.offset_minutes,
                new.options,
                new.cursor,
                new.conditions.finish_by,
                new.conditions.spare_battery,
                new.conditions.spare_user,
            ])?;
            Ok(())
        })
    }

    /// A batch.
    pub fn batch(&self, id: Id) -> Result<Batch> {
        self.database().read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM batches b WHERE b.id = ?1");
            let found = db.prepare_cached(&sql)?.query_row([id], from_row).optional()?;
            let (key, mut batch) = found.ok_or(LibraryError::NotFound { what: "batch", id })?;
            batch.counts = numbers::counts(db, key)?;
            Ok(batch)
        })
    }

    /// Batches, the newest first: of one set, or of all.
    pub fn batches(&self, set: Option<Id>, offset: u64, limit: u32) -> Result<Vec<Batch>> {
        self.listed("(?1 IS NULL OR b.set_id = ?1) AND dismissed = 0", set, offset, limit)
    }

    /// Batches whose submission was cut short.
    pub fn unfilled_batches(&self) -> Result<Vec<Batch>> {
        self.listed("?1 IS NULL AND b.cursor IS NOT NULL", None, 0, u32::MAX)
    }

    /// Batches that ask when their jobs may be begun, and have jobs that wait.
    pub fn conditional_batches(&self) -> Result<Vec<Batch>> {
        let which = "?1 IS NULL AND (b.finish_by IS NOT NULL OR b.spare_battery <> 0 OR b.spare_user <> 0)
            AND EXISTS (SELECT 1 FROM jobs j WHERE j.batch = b.batch AND j.state = 'queued')";
        self.listed(which, None, 0, u32::MAX)
    }

    fn listed(&self, which: &str, set: Option<Id>, offset: u64, limit: u32) -> Result<Vec<Batch>> {
        self.database().read(|db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM batches b WHERE {which} ORDER BY b.batch DESC LIMIT ?2 OFFSET ?3"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![set, limit, offset.cast_signed()], from_row)?;
            let found: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            found
                .into_iter()
                .map(|(key, mut batch)| {
                    batch.counts = numbers::counts(db, key)?;
                    Ok(batch)
                })
                .collect()
        })
    }

    /// Takes a batch off the list of batches. Its pictures, requests and jobs stay.
    pub fn dismiss_batch(&self, id: Id) -> Result<()> {
        self.database().write(|db| {
            let key = key_of(db, id)?;
            db.prepare_cached("UPDATE batches SET dismissed = 1 WHERE batch = ?1")?.execute([key])?;
            Ok(())
        })
    }
}

/// The key of a batch.
pub(crate) fn key_of(db: &Connection, id: Id) -> Result<i64> {
    let mut statement = db.prepare_cached("SELECT batch FROM batches WHERE id = ?1")?;
    let key = statement.query_row([id], |row| row.get(0)).optional()?;
    key.ok_or(LibraryError::NotFound { what: "batch", id })
}
