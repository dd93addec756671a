//! How a worker takes jobs: one, or several that it can work on at once.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::{COLUMNS, Job, find, from_row, queue::queue_state};
use crate::{error::Result, id::Id, library::Library, moment::Moment};

/// How far down the queue a worker looks for jobs of the model that it has in memory: far enough to load models seldom,
/// near enough to cost nothing in a queue of a hundred thousand.
const WINDOW: u32 = 1000;
/// How far down the queue jobs are looked for that go along with the first.
const NEAR: u32 = 128;

/// A worker's wish for jobs.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Who asks; unique among all processes.
    pub worker: &'a str,
    /// Now.
    pub now: Moment,
    /// How long the jobs are the worker's without [`Library::renew_lease`].
    pub lease_ms: i64,
    /// The model that the worker has in memory, by its hash: among jobs of equal priority, those of this model come first.
    pub prefer_model: Option<&'a str>,
    /// The same by where it lies, for jobs whose model has not been hashed yet.
    pub prefer_path: Option<&'a Path>,
    /// Where models lie that other workers have in memory: among jobs of equal priority, those of these come last.
    pub avoid_paths: &'a [String],
}

impl<'a> Claim<'a> {
    /// The wish of a worker that has no model in memory.
    pub fn new(worker: &'a str, now: Moment, lease_ms: i64) -> Self {
        Self { worker, now, lease_ms, prefer_model: None, prefer_path: None, avoid_paths: &[] }
    }
}

/// Whether a job goes along with those chosen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It does not; a later one may.
    No,
    /// No more are wanted.
    Full,
}

impl Library {
    /// Takes the next job of the queue, if there is one and the queue is not paused. Nobody else gets it.
    pub fn claim(&self, claim: &Claim<'_>) -> Result<Option<Job>> {
        Ok(self.claim_several(claim, &mut |_, _| Fit::Full)?.pop())
    }

    /// Takes the next job and those that go along with it: further ones of the same priority and model for which `fits`
    /// says so, given those chosen before.
    pub fn claim_several(
        &self,
        claim: &Claim<'_>,
        fits: &mut dyn FnMut(&[Job], &Job) -> Fit,
    ) -> Result<Vec<Job>> {
        // A look first: workers ask often, and looking takes no lock.
        let waiting = self.database().read(|db| {
            let mut statement =
                db.prepare_cached("SELECT 1 FROM jobs WHERE state = 'queued' AND held = 0 LIMIT 1")?;
            Ok(statement.query_row([], |_| Ok(())).optional()?.is_some() && may_begin(db)?)
        })?;
        if !waiting {
            return Ok(Vec::new());
        }
        self.database().write(|db| {
            if !may_begin(db)? {
                return Ok(Vec::new());
            }
            let Some(first) = first(db, claim)? else { return Ok(Vec::new()) };
            let mut chosen = vec![first];
            choose(db, &mut chosen, fits)?;
            chosen.iter_mut().try_for_each(|job| take(db, claim, job))?;
            Ok(chosen)
        })
    }
}

/// The job that is next for this worker.
fn first(db: &Connection, claim: &Claim<'_>) -> Result<Option<Job>> {
    let found = |id: Option<Id>| id.map(|id| find(db, id)).transpose();
    if claim.prefer_model.is_none() && claim.prefer_path.is_none() && claim.avoid_paths.is_empty() {
        let sql = "SELECT id FROM jobs WHERE state = 'queued' AND held = 0 ORDER BY priority DESC, position, job LIMIT 1";
        return found(db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?);
    }
    let avoided = serde_json::to_string(claim.avoid_paths).unwrap_or_else(|_| "[]".to_owned());
    let sql = format!(
        "SELECT id FROM (
            SELECT job, id, model_hash, model_path, priority, position FROM jobs
            WHERE state = 'queued' AND held = 0
            ORDER BY priority DESC, position, job LIMIT {WINDOW})
         ORDER BY priority DESC, coalesce(model_hash = ?1, 0) OR coalesce(model_path = ?2, 0) DESC,
            model_path IN (SELECT value FROM json_each(?3)), position, job
         LIMIT 1"
    );
    let path = claim.prefer_path.map(Path::to_string_lossy);
    found(
        db.prepare_cached(&sql)?
            .query_row(params![claim.prefer_model, path, avoided], |row| row.get(0))
            .optional()?,
    )
}

/// Adds those that go along with the first.
fn choose(db: &Connection, chosen: &mut Vec<Job>, fits: &mut dyn FnMut(&[Job], &Job) -> Fit) -> Result<()> {
    let Some(first) = chosen.first() else { return Ok(()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs j WHERE state = 'queued' AND held = 0 AND priority = ?1 AND model_path = ?2 AND id <> ?3
         ORDER BY position, job LIMIT {NEAR}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let model = first.model_path.to_string_lossy().into_owned();
    let mut rows = statement.query(params![first.priority, model, first.id])?;
    while let Some(row) = rows.next()? {
        let job = from_row(row)?;
        match fits(chosen, &job) {
            Fit::Yes => chosen.push(job),
            Fit::No => {}
            Fit::Full => break,
        }
    }
    Ok(())
}

fn take(db: &Connection, claim: &Claim<'_>, job: &mut Job) -> Result<()> {
    db.prepare_cached(
        "UPDATE jobs SET state = 'running', worker = ?1, lease_until = ?2, started = ?3, attempts = attempts + 1,
            output_path = NULL
         WHERE id = ?4",
    )?
    .execute(params![claim.worker, claim.now.ms + claim.lease_ms, claim.now.ms, job.id])?;
    *job = find(db, job.id)?;
    Ok(())
}

fn may_begin(db: &Connection) -> Result<bool> {
    let state = queue_state(db)?;
    Ok(!state.paused && !state.stop_after_current)
}
