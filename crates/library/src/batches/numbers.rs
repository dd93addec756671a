//! A batch in numbers, its failures, and its pictures.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::key_of;
use crate::{error::Result, id::Id, jobs::JobError, library::Library, requests::Outcome};

/// When jobs of a batch may be begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Not after this moment, in milliseconds since 1970.
    pub finish_by: Option<i64>,
    /// Not while the machine runs on its battery.
    pub spare_battery: bool,
    /// Not while somebody works at the machine.
    pub spare_user: bool,
}

/// What became of a batch's jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// How many are in which state.
    pub outcome: Outcome,
    /// When the first was begun, in milliseconds since 1970.
    pub first_started: Option<i64>,
    /// When the last one ended so far.
    pub last_finished: Option<i64>,
}

/// Jobs of a batch that failed for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFailure {
    /// The reason.
    pub error: JobError,
    /// How many.
    pub count: u32,
    /// The rows of the set, at most 100, in their order.
    pub rows: Vec<i64>,
    /// One of the jobs.
    pub job: Id,
}

/// A model that drew pictures of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchModel {
    /// Its name.
    pub name: String,
    /// Its hash, where it is known.
    pub hash: Option<String>,
    /// How many pictures.
    pub pictures: u32,
    /// The lowest and the highest seed.
    pub seeds: Option<(u64, u64)>,
}

/// A finished picture of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPicture {
    /// Its id.
    pub id: Id,
    /// The row of the set that it comes from.
    pub row: Option<i64>,
    /// Its number among the row's pictures, from 0.
    pub number: u32,
}

impl Library {
    /// Why jobs of a batch failed, the most frequent reason first.
    pub fn batch_failures(&self, id: Id) -> Result<Vec<BatchFailure>> {
        self.database().read(|db| {
            let key = key_of(db, id)?;
            let mut statement = db.prepare_cached(
                "SELECT coalesce(j.error_code, ''), coalesce(j.error_message, ''), j.error_hint, count(*), min(j.id),
                    (SELECT group_concat(set_row) FROM (SELECT DISTINCT r.set_row FROM jobs o JOIN requests r ON r.id = o.request
                        WHERE o.batch = ?1 AND o.state = 'failed' AND o.error_code IS j.error_code
                            AND o.error_message IS j.error_message ORDER BY r.set_row LIMIT 100))
                 FROM jobs j WHERE j.batch = ?1 AND j.state = 'failed'
                 GROUP BY j.error_code, j.error_message ORDER BY count(*) DESC, 2 LIMIT 200",
            )?;
            let rows = statement.query_map([key], |row| {
                let rows: Option<String> = row.get(5)?;
                Ok(BatchFailure {
                    error: JobError { code: row.get(0)?, message: row.get(1)?, hint: row.get(2)? },
                    count: row.get(3)?,
                    job: row.get(4)?,
                    rows: rows.unwrap_or_default().split(',').filter_map(|row| row.parse().ok()).collect(),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The finished pictures of a batch that are in the library, the last finished first.
    pub fn batch_pictures(&self, id: Id, offset: u64, limit: u32) -> Result<Vec<BatchPicture>> {
        self.database().read(|db| {
            let key = key_of(db, id)?;
            let mut statement = db.prepare_cached(
                "SELECT j.id, (SELECT set_row FROM requests r WHERE r.id = j.request), j.number FROM jobs j
                 WHERE j.batch = ?1 AND j.state = 'done'
                    AND EXISTS (SELECT 1 FROM pictures p WHERE p.id = j.id AND p.trashed_at IS NULL AND p.missing = 0)
                 ORDER BY j.finished DESC, j.job DESC LIMIT ?2 OFFSET ?3",
            )?;
            let rows = statement.query_map(params![key, limit, offset.cast_signed()], |row| {
                Ok(BatchPicture { id: row.get(0)?, row: row.get(1)?, number: row.get(2)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The rows of the set that are submitted.
    pub fn batch_rows(&self, id: Id) -> Result<HashSet<i64>> {
        self.database().read(|db| {
            let key = key_of(db, id)?;
            let mut statement =
                db.prepare_cached("SELECT set_row FROM requests WHERE batch = ?1 AND set_row IS NOT NULL")?;
            let rows = statement.query_map([key], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The models of a batch's finished pictures, most pictures first.
    pub fn batch_models(&self, id: Id) -> Result<Vec<BatchModel>> {
        self.database().read(|db| {
            let key = key_of(db, id)?;
            let mut statement = db.prepare_cached(
                "SELECT m.name, m.hash, count(*), min(p.seed), max(p.seed)
                 FROM jobs j JOIN pictures p ON p.id = j.id JOIN models m USING (model)
                 WHERE j.batch = ?1 AND j.state = 'done' GROUP BY m.model ORDER BY count(*) DESC, m.name",
            )?;
            let rows = statement.query_map([key], |row| {
                let seeds: (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
                Ok(BatchModel {
                    name: row.get(0)?,
                    hash: Some(row.get::<_, String>(1)?).filter(|hash| !hash.is_empty()),
                    pictures: row.get(2)?,
                    seeds: seeds
                        .0
                        .zip(seeds.1)
                        .map(|(low, high)| (low.cast_unsigned(), high.cast_unsigned())),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// What a batch's last finished jobs say about the time they took, the latest first.
    pub fn batch_timings(&self, id: Id, limit: u32) -> Result<Vec<(i64, Option<String>)>> {
        self.database().read(|db| {
            let key = key_of(db, id)?;
            let mut statement = db.prepare_cached(
                "SELECT finished, timings FROM jobs WHERE batch = ?1 AND state = 'done' ORDER BY finished DESC LIMIT ?2",
            )?;
            let rows = statement.query_map(params![key, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

pub(super) fn counts(db: &Connection, batch: i64) -> Result<BatchCounts> {
    let mut statement = db.prepare_cached(
        "SELECT state, count(*), min(started), max(finished) FROM jobs WHERE batch = ?1 GROUP BY state",
    )?;
    let mut rows = statement.query([batch])?;
    let mut counts = BatchCounts::default();
    while let Some(row) = rows.next()? {
        counts.outcome.add(row.get(0)?, row.get(1)?);
        let (started, finished): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
        counts.first_started = [counts.first_started, started].into_iter().flatten().min();
        counts.last_finished = counts.last_finished.max(finished);
    }
    Ok(counts)
}
