//! The queue: one row a picture that is to be rendered.

mod claim;
mod queue;
mod work;

use std::path::PathBuf;

use rusqlite::{
    Connection, OptionalExtension, Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use tarim_recipe::Recipe;

use crate::{
    error::{LibraryError, Result},
    id::Id,
    pictures::Derivation,
};

pub use claim::{Claim, Fit};
pub use queue::{Cancelled, JobFilter, Place, QueueState, QueueTotals};
pub(crate) use queue::{InBatch, end_of_queue, insert, recipes};
pub use work::{Lease, Recovered, Recovery};

pub(crate) const CREATE: &str = "
CREATE TABLE jobs (
    job INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    request BLOB NOT NULL,
    number INTEGER NOT NULL,
    -- NULL while the picture of the same id holds it.
    recipe TEXT,
    model_hash TEXT,
    model_path TEXT NOT NULL,
    preview INTEGER NOT NULL,
    parent BLOB,
    derivation INTEGER,
    priority INTEGER NOT NULL,
    position REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    worker TEXT,
    lease_until INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    output_path TEXT,
    error_code TEXT,
    error_message TEXT,
    error_hint TEXT,
    timings TEXT,
    created INTEGER NOT NULL,
    started INTEGER,
    finished INTEGER,
    -- Failed and seen: the history keeps it, the queue does not show it any more.
    dismissed INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Nearly all jobs are done; what the queue asks for again and again must not depend on their number.
CREATE INDEX jobs_queued ON jobs (priority DESC, position, job) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_unfinished ON jobs (finished DESC, job) WHERE state IN ('failed', 'cancelled') AND dismissed = 0;
CREATE INDEX jobs_finished ON jobs (finished DESC) WHERE state = 'done';
CREATE INDEX jobs_request ON jobs (request, number, state);
CREATE TABLE queue (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    paused INTEGER NOT NULL,
    stop_after_current INTEGER NOT NULL
) STRICT;
INSERT INTO queue VALUES (1, 0, 0);
";

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waiting for a worker.
    Queued,
    /// A worker has it, until its lease ends.
    Running,
    /// There is a picture of the job's id.
    Done,
    /// It could not be rendered; the error says why.
    Failed,
    /// Given up on purpose.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Its name, here, in queries and in the database.
    pub fn name(self) -> &'static str {
        ["queued", "running", "done", "failed", "cancelled"][self as usize]
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_name(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// A picture to be rendered.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its id and that of the picture to come, drawn by the caller (UUID version 7).
    pub id: Id,
    /// What to render, prepared.
    pub recipe: Recipe,
    /// Whether the device is still to choose the precision; the recipe's is a stand-in then.
    pub open_precision: bool,
    /// Where the model lies.
    pub model_path: PathBuf,
    /// Whether someone wants to see the steps.
    pub preview: bool,
    /// Higher ones first; 0 is usual.
    pub priority: i32,
    /// The picture that this one comes from.
    pub parent: Option<Id>,
    /// How it comes from there.
    pub derivation: Option<Derivation>,
}

/// Why a job failed, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// A word for programs.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// A row of the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id and that of its picture.
    pub id: Id,
    /// The request that it belongs to.
    pub request: Id,
    /// Its place among the request's pictures, from 0.
    pub number: u32,
    /// What to render: canonical JSON, for [`Recipe::from_json`].
    pub recipe: String,
    /// SHA-256 of the model, where it is known.
    pub model_hash: Option<String>,
    /// Where the model lies.
    pub model_path: PathBuf,
    /// Whether someone wants to see the steps.
    pub preview: bool,
    /// The picture that this one comes from.
    pub parent: Option<Id>,
    /// How it comes from there.
    pub derivation: Option<Derivation>,
    /// Higher ones first.
    pub priority: i32,
    /// Where it is in its life.
    pub state: State,
    /// The batch that it belongs to.
    pub batch: Option<Id>,
    /// Whether it waits for its batch, which is paused.
    pub held: bool,
    /// Who has, or had it last.
    pub worker: Option<String>,
    /// Until when, in milliseconds since 1970.
    pub lease_until: Option<i64>,
    /// Whether the worker was asked to give it up.
    pub cancel_requested: bool,
    /// How many workers have begun it.
    pub attempts: u32,
    /// Where its picture is, or was about to be, relative to the library's folder.
    pub output_path: Option<String>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// What its worker says about the time it took; the worker's own JSON.
    pub timings: Option<String>,
    /// When it was queued, in milliseconds since 1970.
    pub created: i64,
    /// When it was begun last.
    pub started: Option<i64>,
    /// When it ended.
    pub finished: Option<i64>,
}

/// The columns of [`from_row`], in its order, of `jobs j`.
pub(crate) const COLUMNS: &str = "
    j.id, j.request, j.number,
    coalesce(j.recipe, (SELECT recipe FROM recipes JOIN pictures p USING (picture) WHERE p.id = j.id), ''),
    j.model_hash, j.model_path, j.preview, j.parent, j.derivation, j.priority, j.state, j.worker, j.lease_until,
    j.cancel_requested, j.attempts, j.output_path, j.error_code, j.error_message, j.error_hint, j.timings, j.created,
    j.started, j.finished, (SELECT id FROM batches b WHERE b.batch = j.batch), j.held";

pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Job> {
    let error = |code| {
        Ok::<_, rusqlite::Error>(JobError {
            code,
            message: row.get::<_, Option<_>>(17)?.unwrap_or_default(),
            hint: row.get(18)?,
        })
    };
    Ok(Job {
        id: row.get(0)?,
        request: row.get(1)?,
        number: row.get(2)?,
        recipe: row.get(3)?,
        model_hash: row.get(4)?,
        model_path: PathBuf::from(row.get::<_, String>(5)?),
        preview: row.get(6)?,
        parent: row.get(7)?,
        derivation: Derivation::from_number(row.get(8)?),
        priority: row.get(9)?,
        state: row.get(10)?,
        worker: row.get(11)?,
        lease_until: row.get(12)?,
        cancel_requested: row.get(13)?,
        attempts: row.get(14)?,
        output_path: row.get(15)?,
        error: row.get::<_, Option<String>>(16)?.map(error).transpose()?,
        timings: row.get(19)?,
        created: row.get(20)?,
        started: row.get(21)?,
        finished: row.get(22)?,
        batch: row.get(23)?,
        held: row.get(24)?,
    })
}

pub(crate) fn find(db: &Connection, id: Id) -> Result<Job> {
    let sql = format!("SELECT {COLUMNS} FROM jobs j WHERE j.id = ?1");
    let job = db.prepare_cached(&sql)?.query_row([id], from_row).optional()?;
    job.ok_or(LibraryError::NotFound { what: "job", id })
}
