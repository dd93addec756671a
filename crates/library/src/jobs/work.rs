//! What workers do with the queue: take a job, keep it, hand in its picture.

use rusqlite::{Connection, OptionalExtension, params};
use tarim_recipe::Recipe;

use super::{COLUMNS, Job, JobError, State, from_row};
use crate::{
    entry::{self, Entry},
    error::Result,
    id::Id,
    library::Library,
    moment::Moment,
    picture::WriteError,
    pictures,
};

/// Whether a job is still the worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It is.
    Held,
    /// It is, and someone asks to give it up: stop, and call [`Library::cancel_running`].
    CancelRequested,
    /// It is not: the lease ran out and the job was given to another. Whatever was made of it counts for nothing.
    Lost,
}

/// A job whose worker was gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The job.
    pub id: Id,
    /// What was done about it.
    pub recovery: Recovery,
}

/// What is done about a job whose worker is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Its picture was on the disk, and only the note of it was missing: the job is done.
    Adopted,
    /// It is in the queue again.
    Requeued,
    /// It was to be cancelled and is now.
    Cancelled,
    /// It has cost too many workers already, and failed with the code `worker_lost`.
    GivenUp,
}

impl Library {
    /// Keeps a job for longer.
    pub fn renew_lease(&self, job: Id, worker: &str, lease_until: i64) -> Result<Lease> {
        self.database().write(|db| {
            let asked: Option<bool> = db
                .prepare_cached(
                    "UPDATE jobs SET lease_until = ?3 WHERE id = ?1 AND worker = ?2 AND state = 'running'
                     RETURNING cancel_requested",
                )?
                .query_row(params![job, worker, lease_until], |row| row.get(0))
                .optional()?;
            Ok(match asked {
                Some(false) => Lease::Held,
                Some(true) => Lease::CancelRequested,
                None => Lease::Lost,
            })
        })
    }

    /// Replaces a running job's recipe, as a worker does that fills in what only it knows (precision, the model's hash).
    pub fn set_recipe(&self, job: Id, worker: &str, recipe: &Recipe) -> Result<Lease> {
        let json = recipe.canonical_json().map_err(WriteError::from)?;
        self.database().write(|db| {
            let changed = db
                .prepare_cached(
                    "UPDATE jobs SET recipe = ?3, model_hash = ?4, picture_key = ?5
                     WHERE id = ?1 AND worker = ?2 AND state = 'running'",
                )?
                .execute(params![job, worker, json, recipe.model.hash, recipe.picture_key().0])?;
            Ok(if changed == 1 { Lease::Held } else { Lease::Lost })
        })
    }

    /// Ends a running job that was asked to be cancelled, or that the worker gives up on purpose.
    pub fn cancel_running(&self, job: Id, worker: &str, now: Moment) -> Result<Lease> {
        self.end(|db: &Connection| {
            Ok(db
                .prepare_cached(
                    "UPDATE jobs SET state = 'cancelled', finished = ?3, output_path = NULL
                     WHERE id = ?1 AND worker = ?2 AND state = 'running'",
                )?
                .execute(params![job, worker, now.ms])?)
        })
    }

    /// Ends a running job that cannot be rendered.
    pub fn fail_job(&self, job: Id, worker: &str, error: &JobError, now: Moment) -> Result<Lease> {
        self.end(|db: &Connection| {
            Ok(db
                .prepare_cached(
                    "UPDATE jobs SET state = 'failed', finished = ?3, output_path = NULL, error_code = ?4,
                        error_message = ?5, error_hint = ?6
                     WHERE id = ?1 AND worker = ?2 AND state = 'running'",
                )?
                .execute(params![job, worker, now.ms, error.code, error.message, error.hint])?)
        })
    }

    /// Puts a running job back where it was in the queue, as a worker does that stops for reasons of its own. The
    /// attempt does not count.
    pub fn release_job(&self, job: Id, worker: &str) -> Result<Lease> {
        self.end(|db: &Connection| {
            Ok(db
                .prepare_cached(
                    "UPDATE jobs SET state = 'queued', worker = NULL, lease_until = NULL, started = NULL,
                        output_path = NULL, attempts = max(attempts - 1, 0)
                     WHERE id = ?1 AND worker = ?2 AND state = 'running'",
                )?
                .execute(params![job, worker])?)
        })
    }

    fn end(&self, change: impl FnOnce(&Connection) -> Result<usize>) -> Result<Lease> {
        self.database().write(|db| {
            let changed = change(db)?;
            pause_when_idle(db)?;
            Ok(if changed == 1 { Lease::Held } else { Lease::Lost })
        })
    }

    /// Says where the job's picture is about to be, and keeps the job until then. To be called before the file is there,
    /// so that whoever finds the job abandoned knows where to look.
    pub(crate) fn set_output_path(
        &self,
        job: Id,
        worker: &str,
        path: &str,
        lease_until: i64,
    ) -> Result<Lease> {
        self.database().write(|db| {
            let changed = db
                .prepare_cached(
                    "UPDATE jobs SET output_path = ?3, lease_until = max(lease_until, ?4)
                     WHERE id = ?1 AND worker = ?2 AND state = 'running'",
                )?
                .execute(params![job, worker, path, lease_until])?;
            Ok(if changed == 1 { Lease::Held } else { Lease::Lost })
        })
    }

    /// Records a picture that is on the disk and ends its job, in one transaction.
    pub(crate) fn finish(
        &self,
        job: Id,
        worker: &str,
        entry: &Entry,
        timings: Option<&str>,
        now: Moment,
    ) -> Result<Lease> {
        self.database().write(|db| {
            let mut state = db.prepare_cached(
                "SELECT state = 'running' AND worker = ?2, state = 'done' AND output_path = ?3 FROM jobs WHERE id = ?1",
            )?;
            let (ours, adopted): (bool, bool) = state
                .query_row(params![job, worker, entry.path], |row| {
                    Ok((row.get::<_, Option<bool>>(0)?.unwrap_or(false), row.get::<_, Option<bool>>(1)?.unwrap_or(false)))
                })
                .optional()?
                .unwrap_or((false, false));
            if adopted {
                return Ok(Lease::Held);
            }
            if !ours {
                return Ok(Lease::Lost);
            }
            record(db, job, entry, timings, now)?;
            pause_when_idle(db)?;
            Ok(Lease::Held)
        })
    }

    /// Ends a job whose picture is on the disk although its worker was told of an error while it handed it in. Returns
    /// whether it is there. To be called before the picture is handed in once more, lest it be there twice.
    pub fn adopt_if_written(&self, job: Id, worker: &str, now: Moment) -> Result<bool> {
        let row = self.job(job)?;
        if row.state == State::Done {
            return Ok(true);
        }
        if row.state != State::Running || row.worker.as_deref() != Some(worker) {
            return Ok(false);
        }
        let found = row.output_path.as_deref().and_then(|path| entry::read(self.root(), path).ok());
        let Some(entry) = found.filter(|entry| entry.id == Some(job)) else { return Ok(false) };
        // As of one whose worker is gone: nobody else may have taken it meanwhile.
        let recovery = self.database().write(|db| recover(db, &row, Some(&entry), now, u32::MAX))?;
        Ok(recovery == Some(Recovery::Adopted))
    }

    /// Looks after jobs whose lease has run out: whoever had them is gone. To be called at the start and now and then.
    pub fn recover_expired(&self, now: Moment, max_attempts: u32) -> Result<Vec<Recovered>> {
        let expired: Vec<Job> = self.database().read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM jobs j WHERE state = 'running' AND lease_until < ?1");
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map([now.ms], from_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        let mut recovered = Vec::with_capacity(expired.len());
        for job in expired {
            // Reading the file takes its time, so it is done before the database is locked.
            let found = job.output_path.as_deref().and_then(|path| entry::read(self.root(), path).ok());
            let found = found.filter(|entry| entry.id == Some(job.id));
            let recovery =
                self.database().write(|db| recover(db, &job, found.as_ref(), now, max_attempts))?;
            recovered.extend(recovery.map(|recovery| Recovered { id: job.id, recovery }));
        }
        Ok(recovered)
    }
}

fn recover(
    db: &Connection,
    job: &Job,
    found: Option<&Entry>,
    now: Moment,
    max_attempts: u32,
) -> Result<Option<Recovery>> {
    // Its worker, or another process doing this, may have been faster.
    let same = db
        .prepare_cached(
            "SELECT 1 FROM jobs WHERE id = ?1 AND state = 'running' AND lease_until IS ?2 AND worker IS ?3",
        )?
        .query_row(params![job.id, job.lease_until, job.worker], |_| Ok(()))
        .optional()?;
    if same.is_none() {
        return Ok(None);
    }
    let recovery = if let Some(entry) = found {
        record(db, job.id, entry, None, now)?;
        Recovery::Adopted
    } else if job.cancel_requested {
        over(db, job.id, State::Cancelled, None, now)?;
        Recovery::Cancelled
    } else if job.attempts >= max_attempts {
        let error = JobError {
            code: "worker_lost".to_owned(),
            message: format!("the program ended {} times while it rendered this picture", job.attempts),
            hint: Some(
                "Close other programs to free memory, or choose a smaller size, and retry.".to_owned(),
            ),
        };
        over(db, job.id, State::Failed, Some(&error), now)?;
        Recovery::GivenUp
    } else {
        // Its position is as it was, so it is among the next.
        db.prepare_cached(
            "UPDATE jobs SET state = 'queued', worker = NULL, lease_until = NULL, started = NULL, output_path = NULL
             WHERE id = ?1",
        )?
        .execute([job.id])?;
        Recovery::Requeued
    };
    pause_when_idle(db)?;
    Ok(Some(recovery))
}

fn over(db: &Connection, job: Id, state: State, error: Option<&JobError>, now: Moment) -> Result<()> {
    db.prepare_cached(
        "UPDATE jobs SET state = ?2, finished = ?3, output_path = NULL, error_code = ?4, error_message = ?5,
            error_hint = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        job,
        state,
        now.ms,
        error.map(|error| &error.code),
        error.map(|error| &error.message),
        error.and_then(|error| error.hint.as_ref()),
    ])?;
    Ok(())
}

/// The picture's row, unless another process met the file and made it already, and the end of its job.
pub(crate) fn record(
    db: &Connection,
    job: Id,
    entry: &Entry,
    timings: Option<&str>,
    now: Moment,
) -> Result<()> {
    if pictures::key_of(db, job).is_err() {
        entry::insert(db, job, entry)?;
    }
    db.prepare_cached(
        "UPDATE jobs SET state = 'done', output_path = ?2, finished = ?3, timings = coalesce(?4, timings),
            recipe = NULL, error_code = NULL, error_message = NULL, error_hint = NULL
         WHERE id = ?1",
    )?
    .execute(params![job, entry.path, now.ms, timings])?;
    Ok(())
}

/// "Stop after the current picture" becomes a pause when there is no current picture any more.
pub(super) fn pause_when_idle(db: &Connection) -> Result<()> {
    db.prepare_cached(
        "UPDATE queue SET paused = 1, stop_after_current = 0
         WHERE stop_after_current = 1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running')",
    )?
    .execute([])?;
    Ok(())
}
