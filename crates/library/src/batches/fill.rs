//! Submission of a batch: many requests and jobs in few transactions.

use rusqlite::params;

use super::key_of;
use crate::{
    error::Result,
    id::Id,
    jobs::{self, NewJob},
    library::Library,
    requests::NewRequest,
};

/// A row of a set as it is submitted: one request and its jobs.
#[derive(Clone, Debug)]
pub struct BatchRow {
    /// The row's id in the set.
    pub row: Option<i64>,
    /// The entry of the history.
    pub request: NewRequest,
    /// Its pictures.
    pub jobs: Vec<NewJob>,
}

impl Library {
    /// Submits rows of a batch, and notes where to go on (`None`: that was all), in one transaction. `skipped` is how many
    /// pictures on the way exist already.
    pub fn fill_batch(&self, batch: Id, rows: &[BatchRow], skipped: u64, cursor: Option<&str>) -> Result<()> {
        let recipes = rows.iter().map(|row| jobs::recipes(&row.jobs)).collect::<Result<Vec<_>>>()?;
        self.database().write(|db| {
            let key = key_of(db, batch)?;
            let held: bool =
                db.query_row("SELECT hold IS NOT NULL FROM batches WHERE batch = ?1", [key], |row| row.get(0))?;
            let mut end = jobs::end_of_queue(db)?;
            for (row, recipes) in rows.iter().zip(&recipes) {
                let batch = jobs::InBatch { key, row: row.row, held };
                jobs::insert(db, &row.request, &row.jobs, recipes, Some(batch), &mut end)?;
            }
            let submitted: usize = rows.iter().map(|row| row.jobs.len()).sum();
            db.prepare_cached(
                "UPDATE batches SET cursor = ?2, planned = planned + ?3, skipped = skipped + ?4 WHERE batch = ?1",
            )?
            .execute(params![key, cursor, submitted, skipped])?;
            Ok(())
        })
    }
}
