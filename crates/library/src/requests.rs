//! The prompt history: every request that was submitted, also those that came to nothing. Rows are only ever added.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    error::{LibraryError, Result},
    facts::Facts,
    id::Id,
    jobs::{InBatch, State},
    library::Library,
    moment::Moment,
    names,
    pictures::{self, PictureSummary, SUMMARY, free_key},
    projects, search,
};

/// As with pictures, the key counts upwards with time.
pub(crate) const CREATE: &str = "
CREATE TABLE requests (
    request INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    created_offset INTEGER NOT NULL,
    day INTEGER NOT NULL,
    origin TEXT NOT NULL,
    draft TEXT NOT NULL,
    template TEXT,
    prompt TEXT NOT NULL,
    negative TEXT NOT NULL,
    model INTEGER REFERENCES models,
    sampler TEXT,
    schedule TEXT,
    steps INTEGER,
    guidance REAL,
    seed INTEGER,
    width INTEGER,
    height INTEGER,
    inpaint INTEGER NOT NULL,
    count INTEGER NOT NULL,
    project INTEGER REFERENCES projects,
    warnings TEXT NOT NULL
) STRICT;
CREATE INDEX requests_sampler ON requests (sampler, request);
CREATE INDEX requests_model ON requests (model, request);
CREATE INDEX requests_project ON requests (project, request) WHERE project IS NOT NULL;
";

/// A request as it is submitted.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Its id, drawn by the caller (UUID version 7).
    pub id: Id,
    /// Now.
    pub created: Moment,
    /// Which door it came through: `window`, `browser`, `terminal`, …
    pub origin: String,
    /// What was asked for, in the caller's own JSON; given back as it is.
    pub draft: String,
    /// The prompt before templates were resolved, where there was one.
    pub template: Option<String>,
    /// The prompt.
    pub prompt: String,
    /// The negative prompt.
    pub negative: String,
    /// The project that its pictures belong to; made if there is none of this name.
    pub project: Option<String>,
    /// What `prepare` remarked, for people.
    pub warnings: Vec<String>,
}

/// How many of a request's pictures are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Waiting.
    pub queued: u32,
    /// Being rendered.
    pub running: u32,
    /// Finished.
    pub done: u32,
    /// Not rendered because of an error.
    pub failed: u32,
    /// Given up on purpose.
    pub cancelled: u32,
}

impl Outcome {
    pub(crate) fn add(&mut self, state: State, count: u32) {
        *match state {
            State::Queued => &mut self.queued,
            State::Running => &mut self.running,
            State::Done => &mut self.done,
            State::Failed => &mut self.failed,
            State::Cancelled => &mut self.cancelled,
        } += count;
    }
}

/// An entry of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: Id,
    /// When it was submitted.
    pub created: Moment,
    /// Which door it came through.
    pub origin: String,
    /// What was asked for, as it was given.
    pub draft: String,
    /// The prompt's template, where there was one.
    pub template: Option<String>,
    /// Prompt, model, seed of the first picture, …
    pub facts: Facts,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// How many pictures were asked for.
    pub count: u32,
    /// The project's name.
    pub project: Option<String>,
    /// What was remarked when it was submitted.
    pub warnings: Vec<String>,
    /// What became of it.
    pub outcome: Outcome,
}

impl Library {
    /// An entry of the history.
    pub fn request(&self, id: Id) -> Result<Request> {
        self.database().read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM requests r WHERE r.id = ?1");
            let request = db.prepare_cached(&sql)?.query_row([id], from_row).optional()?;
            let mut request = request.ok_or(LibraryError::NotFound { what: "request", id })?;
            request.outcome = outcome(db, id)?;
            Ok(request)
        })
    }

    /// The pictures that a request made, in their order, at most `limit`; also those in the trash, which say so.
    pub fn request_pictures(&self, id: Id, limit: u32) -> Result<Vec<PictureSummary>> {
        self.database().read(|db| {
            let sql =
                format!("SELECT {SUMMARY} FROM pictures p WHERE p.request = ?1 ORDER BY p.picture LIMIT ?2");
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![id, limit], pictures::summary)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// The columns of [`from_row`], in its order.
pub(crate) const COLUMNS: &str = "
    r.id, r.created, r.created_offset, r.origin, r.draft, r.template, r.prompt, r.negative,
    (SELECT name FROM models m WHERE m.model = r.model), (SELECT hash FROM models m WHERE m.model = r.model),
    r.sampler, r.schedule, r.steps, r.guidance, r.seed, r.width, r.height, r.inpaint, r.count,
    (SELECT name FROM projects WHERE projects.project = r.project), r.warnings";

/// A request without its outcome.
pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Request> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Request {
        id: row.get(0)?,
        created: Moment { ms: row.get(1)?, offset_minutes: row.get(2)? },
        origin: row.get(3)?,
        draft: row.get(4)?,
        template: row.get(5)?,
        facts: Facts {
            prompt: row.get(6)?,
            negative: row.get(7)?,
            model: some(row.get(8)?),
            model_hash: some(row.get(9)?),
            sampler: row.get(10)?,
            schedule: row.get(11)?,
            steps: row.get(12)?,
            guidance: row.get(13)?,
            seed: row.get::<_, Option<i64>>(14)?.map(i64::cast_unsigned),
            init: None,
            inpaint: row.get(17)?,
        },
        size: row.get::<_, Option<u32>>(15)?.zip(row.get(16)?),
        count: row.get(18)?,
        project: row.get(19)?,
        warnings: row.get::<_, String>(20)?.lines().map(str::to_owned).collect(),
        outcome: Outcome::default(),
    })
}

/// What became of a request's jobs.
pub(crate) fn outcome(db: &Connection, id: Id) -> Result<Outcome> {
    let mut statement =
        db.prepare_cached("SELECT state, count(*) FROM jobs WHERE request = ?1 GROUP BY state")?;
    let mut rows = statement.query([id])?;
    let mut outcome = Outcome::default();
    while let Some(row) = rows.next()? {
        outcome.add(row.get(0)?, row.get(1)?);
    }
    Ok(outcome)
}

/// Adds a request. Its searchable values are those of its first job.
pub(crate) fn insert(
    db: &Connection,
    new: &NewRequest,
    first: &Facts,
    size: (u32, u32),
    count: usize,
    batch: Option<InBatch>,
) -> Result<()> {
    let key = free_key(db, "requests", "request", new.created.ms)?;
    let project = new.project.as_deref().map(|name| names::clean("project", name)).transpose()?;
    let project = project.map(|name| projects::project_of(db, &name)).transpose()?;
    let warnings: Vec<_> = new.warnings.iter().map(|text| text.replace(['\n', '\r'], " ")).collect();
    db.prepare_cached(
        "INSERT INTO requests (request, id, created, created_offset, day, origin, draft, template, prompt, negative,
            model, sampler, schedule, steps, guidance, seed, width, height, inpaint, count, project, warnings, batch,
            set_row)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24)",
    )?
    .execute(params![
        key,
        new.id,
        new.created.ms,
        new.created.offset_minutes,
        new.created.day(),
        new.origin,
        new.draft,
        new.template,
        new.prompt,
        new.negative,
        pictures::model_of(db, first.model.as_deref(), first.model_hash.as_deref())?,
        first.sampler,
        first.schedule,
        first.steps,
        first.guidance,
        first.seed.map(u64::cast_signed),
        size.0,
        size.1,
        first.inpaint,
        count,
        project,
        warnings.join("\n"),
        batch.map(|batch| batch.key),
        batch.and_then(|batch| batch.row),
    ])?;
    let words = words(&new.prompt, new.template.as_deref());
    search::index::add(db, search::index::REQUESTS, key, &words)
}

/// The text that is searched: people look for the words that they typed, and for those that they saw.
pub(crate) fn words(prompt: &str, template: Option<&str>) -> String {
    match template {
        Some(template) if template != prompt => format!("{prompt}\n{template}"),
        _ => prompt.to_owned(),
    }
}
