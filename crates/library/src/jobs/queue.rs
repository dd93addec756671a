//! What people do with the queue.

use rusqlite::{Connection, OptionalExtension, params};

use super::{COLUMNS, Job, NewJob, State, find, from_row};
use crate::{
    error::{LibraryError, Result},
    facts::Facts,
    id::Id,
    library::Library,
    moment::Moment,
    picture::WriteError,
    requests::{self, NewRequest, Outcome},
};

/// Whether new jobs are begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// No new job is begun.
    pub paused: bool,
    /// No new job is begun once those that run have ended; then the queue is paused.
    pub stop_after_current: bool,
}

/// The queue in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QueueTotals {
    /// Jobs in each state, without those that were dismissed.
    pub counts: Outcome,
    /// Mean duration of the last pictures, in seconds.
    pub seconds_per_picture: Option<f64>,
}

/// Where moved jobs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In front of all.
    First,
    /// Behind all.
    Last,
    /// In front of this one, with its priority.
    Before(Id),
    /// Behind this one, with its priority.
    After(Id),
}

/// Which jobs to list.
#[derive(Clone, Debug)]
pub struct JobFilter {
    /// In which state: running and queued ones come in the order of the queue, others the last finished first.
    pub state: State,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

/// The order in which jobs are begun.
pub(super) const ORDER: &str = "priority DESC, position, job";
/// How many of the last pictures the mean is taken over.
const MEAN_OVER: u32 = 20;

/// What was cancelled before it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancelled {
    /// How many jobs that waited.
    pub waiting: usize,
    /// The first of them, at most [`Self::MOST_NAMED`]: job and request.
    pub some: Vec<(Id, Id)>,
}

impl Cancelled {
    /// The most that are named one by one.
    pub const MOST_NAMED: usize = 100;
}

impl Library {
    /// Adds a request to the history and its jobs to the end of the queue, all or nothing.
    pub fn enqueue(&self, request: &NewRequest, jobs: &[NewJob]) -> Result<()> {
        let recipes = recipes(jobs)?;
        self.database().write(|db| {
            let mut end = end_of_queue(db)?;
            insert(db, request, jobs, &recipes, None, &mut end)
        })
    }

    /// A job.
    pub fn job(&self, id: Id) -> Result<Job> {
        self.database().read(|db| find(db, id))
    }

    /// The jobs in one state.
    pub fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>> {
        let order = match filter.state {
            State::Queued | State::Running => ORDER,
            State::Done | State::Failed | State::Cancelled => "finished DESC, job",
        };
        // The state stands in the text, so that the partial indexes apply.
        let state = filter.state.name();
        let shown = shown(filter.state);
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs j WHERE state = '{state}' {shown} ORDER BY {order} LIMIT ?1 OFFSET ?2"
        );
        self.database().read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![filter.limit, filter.offset.cast_signed()], from_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A request's jobs, in their order.
    pub fn request_jobs(&self, request: Id) -> Result<Vec<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs j WHERE request = ?1 ORDER BY number");
        self.database().read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map([request], from_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Cancels jobs: queued ones at once, running ones by asking their worker. Those that are over stay as they are.
    pub fn cancel_jobs(&self, ids: &[Id], now: Moment) -> Result<Cancelled> {
        self.database().write(|db| {
            let mut cancelled = Cancelled::default();
            ids.iter().try_for_each(|id| cancel(db, "id = ?1", &[id], now, &mut cancelled))?;
            Ok(cancelled)
        })
    }

    /// Cancels what is left of a request.
    pub fn cancel_request(&self, request: Id, now: Moment) -> Result<Cancelled> {
        self.cancel_where("request = ?1", &[&request], now)
    }

    /// Cancels everything that is queued or running.
    pub fn cancel_all(&self, now: Moment) -> Result<Cancelled> {
        self.cancel_where("state IN ('queued', 'running')", &[], now)
    }

    fn cancel_where(&self, which: &str, values: &[&Id], now: Moment) -> Result<Cancelled> {
        self.database().write(|db| {
            let mut cancelled = Cancelled::default();
            cancel(db, which, values, now, &mut cancelled)?;
            Ok(cancelled)
        })
    }

    /// Puts failed and cancelled jobs at the end of the queue again. Returns how many.
    pub fn retry_jobs(&self, ids: &[Id]) -> Result<usize> {
        self.database().write(|db| {
            let mut retried = 0;
            for id in ids {
                retried += db
                    .prepare_cached(
                        "UPDATE jobs SET state = 'queued', attempts = 0, cancel_requested = 0, worker = NULL,
                            lease_until = NULL, output_path = NULL, error_code = NULL, error_message = NULL,
                            error_hint = NULL, started = NULL, finished = NULL, dismissed = 0,
                            position = (SELECT coalesce(max(position), 0) + 1 FROM jobs WHERE state = 'queued')
                         WHERE id = ?1 AND state IN ('failed', 'cancelled')",
                    )?
                    .execute([id])?;
            }
            Ok(retried)
        })
    }

    /// Puts all failed jobs, or those of one request, at the end of the queue again. Returns how many.
    pub fn retry_failed(&self, request: Option<Id>) -> Result<usize> {
        let ids: Vec<Id> = self.database().read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id FROM jobs WHERE state = 'failed' AND dismissed = 0 AND (?1 IS NULL OR request = ?1)
                 ORDER BY job",
            )?;
            let rows = statement.query_map([request], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        self.retry_jobs(&ids)
    }

    /// Takes failed and cancelled jobs out of the queue's lists; the history keeps them. Returns how many.
    pub fn dismiss_jobs(&self, ids: &[Id]) -> Result<usize> {
        self.database().write(|db| {
            let mut dismissed = 0;
            for id in ids {
                dismissed += db
                    .prepare_cached(
                        "UPDATE jobs SET dismissed = 1
                         WHERE id = ?1 AND state IN ('failed', 'cancelled') AND dismissed = 0",
                    )?
                    .execute([id])?;
            }
            Ok(dismissed)
        })
    }

    /// Takes all failed jobs, or those of one request, out of the queue's lists. Returns how many.
    pub fn dismiss_failed(&self, request: Option<Id>) -> Result<usize> {
        self.database().write(|db| {
            let mut dismiss = db.prepare_cached(
                "UPDATE jobs SET dismissed = 1
                 WHERE state = 'failed' AND dismissed = 0 AND (?1 IS NULL OR request = ?1)",
            )?;
            Ok(dismiss.execute([request])?)
        })
    }

    /// Sets the priority of queued jobs.
    pub fn set_priority(&self, ids: &[Id], priority: i32) -> Result<()> {
        self.database().write(|db| {
            for id in ids {
                db.prepare_cached("UPDATE jobs SET priority = ?2 WHERE id = ?1 AND state = 'queued'")?
                    .execute(params![id, priority])?;
            }
            Ok(())
        })
    }

    /// Moves queued jobs, which keep their order among themselves; they take the priority of their new surroundings.
    pub fn move_jobs(&self, ids: &[Id], place: Place) -> Result<()> {
        self.database().write(|db| {
            let mut queue = Vec::new();
            let mut statement = db.prepare("SELECT id, priority FROM jobs WHERE state = 'queued' ORDER BY priority DESC, position, job")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                queue.push((row.get::<_, Id>(0)?, row.get::<_, i32>(1)?));
            }
            let (moved, mut rest): (Vec<_>, Vec<_>) = queue.into_iter().partition(|(id, _)| ids.contains(id));
            let found = |id| rest.iter().position(|(other, _)| *other == id);
            let gone = |id| LibraryError::NotFound { what: "queued job", id };
            let (at, priority) = match place {
                Place::First => (0, rest.first().map(|job| job.1)),
                Place::Last => (rest.len(), rest.last().map(|job| job.1)),
                // A job put beside itself stays.
                Place::Before(id) | Place::After(id) if ids.contains(&id) => return Ok(()),
                Place::Before(id) => found(id).map(|at| (at, Some(rest[at].1))).ok_or_else(|| gone(id))?,
                Place::After(id) => found(id).map(|at| (at + 1, Some(rest[at].1))).ok_or_else(|| gone(id))?,
            };
            let moved = moved.into_iter().map(|(id, own)| (id, priority.unwrap_or(own)));
            rest.splice(at..at, moved);
            let mut update = db.prepare_cached(
                "UPDATE jobs SET position = ?2, priority = ?3 WHERE id = ?1 AND (position <> ?2 OR priority <> ?3)",
            )?;
            for (index, (id, priority)) in rest.iter().enumerate() {
                update.execute(params![id, index as f64 + 1.0, priority])?;
            }
            Ok(())
        })
    }

    /// Whether new jobs are begun.
    pub fn queue_state(&self) -> Result<QueueState> {
        self.database().read(queue_state)
    }

    /// Pauses the queue, or lets it go on. What runs, runs on.
    pub fn set_paused(&self, paused: bool) -> Result<()> {
        self.database().write(|db| {
            db.execute("UPDATE queue SET paused = ?1, stop_after_current = 0", [paused])?;
            Ok(())
        })
    }

    /// Lets the queue pause by itself once the pictures that run are finished, or takes that back.
    pub fn set_stop_after_current(&self, stop: bool) -> Result<()> {
        self.database().write(|db| {
            db.execute("UPDATE queue SET stop_after_current = ?1", [stop])?;
            super::work::pause_when_idle(db)
        })
    }

    /// The queue in numbers.
    pub fn queue_totals(&self) -> Result<QueueTotals> {
        self.database().read(|db| {
            let mut counts = Outcome::default();
            for state in State::ALL {
                let sql =
                    format!("SELECT count(*) FROM jobs WHERE state = '{}' {}", state.name(), shown(state));
                counts.add(state, db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?);
            }
            let mean: Option<f64> = db
                .prepare_cached(
                    "SELECT avg(seconds) FROM (
                        SELECT (finished - started) / 1000.0 AS seconds FROM jobs
                        WHERE state = 'done' AND started IS NOT NULL ORDER BY finished DESC LIMIT ?1)",
                )?
                .query_row([MEAN_OVER], |row| row.get(0))?;
            Ok(QueueTotals { counts, seconds_per_picture: mean })
        })
    }
}

/// Where jobs of a batch belong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InBatch {
    /// The batch's key.
    pub(crate) key: i64,
    /// The row of the set.
    pub(crate) row: Option<i64>,
    /// Whether the batch is paused.
    pub(crate) held: bool,
}

/// The recipes of jobs, as they are stored. To be called before the database is locked.
pub(crate) fn recipes(jobs: &[NewJob]) -> Result<Vec<String>> {
    jobs.iter().map(|job| Ok(job.recipe.canonical_json().map_err(WriteError::from)?)).collect()
}

/// The position of the last job that waits.
pub(crate) fn end_of_queue(db: &Connection) -> Result<f64> {
    let mut last = db.prepare_cached("SELECT coalesce(max(position), 0) FROM jobs WHERE state = 'queued'")?;
    Ok(last.query_row([], |row| row.get(0))?)
}

/// Adds a request and its jobs behind `end`, which moves on.
pub(crate) fn insert(
    db: &Connection,
    request: &NewRequest,
    jobs: &[NewJob],
    recipes: &[String],
    batch: Option<InBatch>,
    end: &mut f64,
) -> Result<()> {
    let facts = jobs.first().map(|job| Facts::from(&job.recipe)).unwrap_or_default();
    let size = jobs.first().map_or((0, 0), |job| (job.recipe.size.width(), job.recipe.size.height()));
    requests::insert(db, request, &facts, size, jobs.len(), batch)?;
    let mut add = db.prepare_cached(
        "INSERT INTO jobs (id, request, number, recipe, model_hash, model_path, preview, parent, derivation, priority,
            position, created, batch, held, picture_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    for (number, (job, recipe)) in jobs.iter().zip(recipes).enumerate() {
        *end += 1.0;
        let key = if job.open_precision { job.recipe.open_picture_key() } else { job.recipe.picture_key() };
        add.execute(params![
            job.id,
            request.id,
            number,
            recipe,
            job.recipe.model.hash,
            job.model_path.to_string_lossy(),
            job.preview,
            job.parent,
            job.derivation.map(|derivation| derivation as i64),
            job.priority,
            *end,
            request.created.ms,
            batch.map(|batch| batch.key),
            batch.is_some_and(|batch| batch.held),
            key.0,
        ])?;
    }
    Ok(())
}

/// The rest of the condition under which the partial indexes hold a state's jobs.
fn shown(state: State) -> &'static str {
    match state {
        State::Failed | State::Cancelled => "AND dismissed = 0",
        State::Queued | State::Running | State::Done => "",
    }
}

pub(super) fn queue_state(db: &Connection) -> Result<QueueState> {
    let mut statement = db.prepare_cached("SELECT paused, stop_after_current FROM queue")?;
    let state = statement
        .query_row([], |row| Ok(QueueState { paused: row.get(0)?, stop_after_current: row.get(1)? }))
        .optional()?;
    Ok(state.unwrap_or_default())
}

/// Cancels the jobs that `which` names.
fn cancel(
    db: &Connection,
    which: &str,
    values: &[&Id],
    now: Moment,
    cancelled: &mut Cancelled,
) -> Result<()> {
    let sql = format!(
        "UPDATE jobs SET state = 'cancelled', finished = {} WHERE state = 'queued' AND {which}
         RETURNING id, request",
        now.ms
    );
    // Not kept prepared: the time is in the text.
    let mut update = db.prepare(&sql)?;
    let mut rows = update.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        cancelled.waiting += 1;
        if cancelled.some.len() < Cancelled::MOST_NAMED {
            cancelled.some.push((row.get(0)?, row.get(1)?));
        }
    }
    let sql = format!("UPDATE jobs SET cancel_requested = 1 WHERE state = 'running' AND {which}");
    db.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}
