//! Letting a batch wait, and doing to all of its jobs what can be done to one.

use rusqlite::{Connection, params};

use super::key_of;
use crate::{error::Result, id::Id, library::Library, moment::Moment};

/// Why no job of a batch is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// Somebody paused it.
    Paused,
    /// The time until which it should run is over.
    Time,
    /// The machine runs on its battery.
    Battery,
    /// Somebody works at the machine.
    InUse,
}

impl Hold {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Paused, Self::Time, Self::Battery, Self::InUse];

    /// Its name.
    pub fn name(self) -> &'static str {
        ["paused", "time", "battery", "in_use"][self as usize]
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.name() == name)
    }
}

impl Library {
    /// Begins no job of a batch any more, or (`None`) lets it go on. What runs, runs on. Returns whether that is a change.
    pub fn hold_batch(&self, id: Id, hold: Option<Hold>) -> Result<bool> {
        self.database().write(|db| {
            let key = key_of(db, id)?;
            let changed = db
                .prepare_cached("UPDATE batches SET hold = ?2 WHERE batch = ?1 AND hold IS NOT ?2")?
                .execute(params![key, hold.map(Hold::name)])?;
            db.prepare_cached(
                "UPDATE jobs SET held = ?2 WHERE batch = ?1 AND state = 'queued' AND held <> ?2",
            )?
            .execute(params![key, hold.is_some()])?;
            Ok(changed > 0)
        })
    }

    /// Changes until when a batch may begin jobs, and what it waits for.
    pub fn set_batch_conditions(&self, id: Id, conditions: &super::Conditions) -> Result<()> {
        self.database().write(|db| {
            let key = key_of(db, id)?;
            db.prepare_cached(
                "UPDATE batches SET finish_by = ?2, spare_battery = ?3, spare_user = ?4 WHERE batch = ?1",
            )?
            .execute(params![
                key,
                conditions.finish_by,
                conditions.spare_battery,
                conditions.spare_user
            ])?;
            Ok(())
        })
    }

    /// Replaces what the caller keeps with a batch.
    pub fn set_batch_options(&self, id: Id, options: &str) -> Result<()> {
        self.database().write(|db| {
            let key = key_of(db, id)?;
            db.prepare_cached("UPDATE batches SET options = ?2 WHERE batch = ?1")?
                .execute(params![key, options])?;
            Ok(())
        })
    }

    /// Cancels what is left of a batch, and submits no more of it. Returns how many jobs waited or ran.
    pub fn cancel_batch(&self, id: Id, now: Moment) -> Result<usize> {
        self.database().write(|db| {
            let key = key_of(db, id)?;
            db.prepare_cached("UPDATE batches SET cursor = NULL WHERE batch = ?1")?.execute([key])?;
            let waiting = db
                .prepare_cached(
                    "UPDATE jobs SET state = 'cancelled', finished = ?2, held = 0 WHERE batch = ?1 AND state = 'queued'",
                )?
                .execute(params![key, now.ms])?;
            let running = db
                .prepare_cached("UPDATE jobs SET cancel_requested = 1 WHERE batch = ?1 AND state = 'running'")?
                .execute([key])?;
            Ok(waiting + running)
        })
    }

    /// Queues the failed jobs of a batch again, the cancelled ones too if that is wanted. Returns how many.
    pub fn retry_batch(&self, id: Id, cancelled: bool) -> Result<usize> {
        let ids: Vec<Id> = self.database().read(|db| {
            let key = key_of(db, id)?;
            let mut statement = db.prepare_cached(
                "SELECT id FROM jobs WHERE batch = ?1 AND (state = 'failed' OR state = 'cancelled' AND ?2) ORDER BY job",
            )?;
            let rows = statement.query_map(params![key, cancelled], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        let retried = self.retry_jobs(&ids)?;
        self.database().write(|db| {
            let key = key_of(db, id)?;
            follow(db, key)?;
            Ok(retried)
        })
    }
}

/// Jobs that were queued again wait if their batch does.
fn follow(db: &Connection, batch: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE jobs SET held = (SELECT hold IS NOT NULL FROM batches b WHERE b.batch = ?1)
         WHERE batch = ?1 AND state = 'queued'",
    )?
    .execute([batch])?;
    Ok(())
}
