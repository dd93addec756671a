//! All that farm and workers agree on: names on the server and the messages behind them.
//!
//! **Where things are.** `P` is the farm's namespace (`tarim` unless the user says otherwise), so that several farms can
//! share a server. All subjects name the version of the messages ([`VERSION`]); a program of another version sees none of them.
//!
//! | what | name | what for |
//! |---|---|---|
//! | stream | `P-jobs` | work queue: `P.v1.job.PRIORITY.MODEL.SUBMITTER.JOB`, one message a job ([`JobMessage`]) |
//! | consumer on it | `PRIORITY-MODEL-SUBMITTER` | one lane: what one submitter wants of one model, explicit acks |
//! | stream | `P-done` | `P.v1.done.SUBMITTER.JOB`: how a job ended ([`DoneMessage`]), until it is picked up |
//! | stream | `P-dead` | `P.v1.dead.SUBMITTER.JOB`: jobs that were given up ([`DeadLetter`]) |
//! | subject | `P.v1.event.SUBMITTER.JOB` | what happens to a job ([`EventHeader`]), not kept |
//! | subject | `P.v1.cancel.JOB` | a job is no longer wanted, not kept |
//! | subject | `P.v1.wake` | there is something new to do, not kept |
//! | key-value bucket | `P-workers` | one key a worker ([`WorkerCard`]), gone when the worker no longer renews it |
//! | object store | `P-inputs` | initial pictures and masks (PNG), named by the digest of their pixels |
//! | object store | `P-pictures` | finished pictures (PNG), named `JOB.NONCE`, deleted when they are picked up |
//! | object store | `P-models` | models in parts: `HASH/manifest` ([`Manifest`]) and `HASH/FILE/PART` |
//!
//! **A job's identity** is its id, chosen by the submitter: it is the message's `Nats-Msg-Id`, and its subject may hold one
//! message only. A second submission changes nothing, and the first result stands: a later one of the same job is refused.
//!
//! **Deliveries.** A worker says every third of `ack_wait` that it is at work on a job. When it falls silent, the job goes to
//! the next one. A job that has been delivered [`JobMessage::tries`] times without an end is given up, by the worker that
//! gets it next, so that a job that kills workers ends on the list of dead letters and holds up nobody.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tarim_render::{DeviceInfo, Failure, PixelShape, Stage, Timings};

/// The version of names and messages.
pub const VERSION: u32 = 1;
/// The namespace that is used when none is named.
pub const DEFAULT_NAMESPACE: &str = "tarim";

/// Text that cannot be part of a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a name on the farm: use 1 to 64 letters, digits, `-` and `_`")]
pub struct NameError(pub String);

/// Text that can be part of a subject and of a consumer's name: a submitter's id, a job's id, a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl Token {
    /// Checks a name.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(fine) {
            return Ok(Self(text));
        }
        Err(NameError(text))
    }

    /// A new one that nobody else has.
    pub fn random() -> Self {
        let mut bytes = [0; 12];
        // Without randomness there is still the clock; ids only have to differ.
        if getrandom::fill(&mut bytes).is_err() {
            let now = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
            bytes.copy_from_slice(&now[..12]);
        }
        Self(hex(&bytes))
    }

    /// Hexadecimal digits of up to 32 bytes.
    pub(crate) fn hex(bytes: &[u8]) -> Self {
        Self(hex(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

impl TryFrom<String> for Token {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of a submitter's own jobs come first. Between submitters it changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before all others.
    High,
    /// As usual.
    #[default]
    Normal,
    /// When there is nothing else.
    Low,
}

impl Priority {
    const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    fn token(self) -> &'static str {
        match self {
            Self::High => "p0",
            Self::Normal => "p1",
            Self::Low => "p2",
        }
    }
}

/// What one submitter wants of one model, at one priority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Its priority among the submitter's own.
    pub priority: Priority,
    /// The model's SHA-256.
    pub model: Token,
    /// The submitter's id.
    pub submitter: Token,
}

/// The names of one farm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Token);

impl Names {
    /// The names in a namespace.
    pub fn new(namespace: Token) -> Self {
        Self(namespace)
    }

    /// The namespace.
    pub fn namespace(&self) -> &Token {
        &self.0
    }
    /// The stream of jobs.
    pub fn jobs_stream(&self) -> String {
        format!("{}-jobs", self.0)
    }
    /// The stream of ends.
    pub fn done_stream(&self) -> String {
        format!("{}-done", self.0)
    }
    /// The stream of dead letters.
    pub fn dead_stream(&self) -> String {
        format!("{}-dead", self.0)
    }
    /// The bucket of workers.
    pub fn workers_bucket(&self) -> String {
        format!("{}-workers", self.0)
    }
    /// The object store of inputs.
    pub fn inputs_store(&self) -> String {
        format!("{}-inputs", self.0)
    }
    /// The object store of finished pictures.
    pub fn pictures_store(&self) -> String {
        format!("{}-pictures", self.0)
    }
    /// The object store of models.
    pub fn models_store(&self) -> String {
        format!("{}-models", self.0)
    }

    fn subject(&self, rest: &str) -> String {
        format!("{}.v{VERSION}.{rest}", self.0)
    }

    /// All jobs.
    pub fn all_jobs(&self) -> String {
        self.subject("job.>")
    }
    /// All jobs of a submitter.
    pub fn jobs_of(&self, submitter: &Token) -> String {
        self.subject(&format!("job.*.*.{submitter}.*"))
    }
    /// One job, wherever it waits.
    pub fn job_anywhere(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("job.*.*.{submitter}.{job}"))
    }
    /// The jobs of a lane.
    pub fn lane(&self, lane: &LaneKey) -> String {
        self.subject(&format!("job.{}.{}.{}.*", lane.priority.token(), lane.model, lane.submitter))
    }
    /// A job's own subject.
    pub fn job(&self, lane: &LaneKey, job: &Token) -> String {
        self.subject(&format!("job.{}.{}.{}.{job}", lane.priority.token(), lane.model, lane.submitter))
    }
    /// The consumer of a lane.
    #[allow(clippy::unused_self)]
    pub fn consumer(&self, lane: &LaneKey) -> String {
        format!("{}-{}-{}", lane.priority.token(), lane.model, lane.submitter)
    }
    /// The lane that a consumer's filter names.
    pub fn read_lane(&self, filter: &str) -> Option<LaneKey> {
        let mut parts = filter.strip_prefix(&self.subject("job."))?.split('.');
        let priority = parts.next()?;
        let priority = Priority::ALL.into_iter().find(|known| known.token() == priority)?;
        let mut token = || parts.next().and_then(|part| Token::new(part).ok());
        Some(LaneKey { priority, model: token()?, submitter: token()? })
    }
    /// How all jobs of all submitters ended.
    pub fn all_done(&self) -> String {
        self.subject("done.>")
    }
    /// How a submitter's jobs ended.
    pub fn done_of(&self, submitter: &Token) -> String {
        self.subject(&format!("done.{submitter}.*"))
    }
    /// How a job ended.
    pub fn done(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("done.{submitter}.{job}"))
    }
    /// All dead letters.
    pub fn all_dead(&self) -> String {
        self.subject("dead.>")
    }
    /// A job's dead letter.
    pub fn dead(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("dead.{submitter}.{job}"))
    }
    /// What happens to a submitter's jobs.
    pub fn events_of(&self, submitter: &Token) -> String {
        self.subject(&format!("event.{submitter}.*"))
    }
    /// What happens to a job.
    pub fn event(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("event.{submitter}.{job}"))
    }
    /// All cancels.
    pub fn all_cancels(&self) -> String {
        self.subject("cancel.*")
    }
    /// A job is no longer wanted.
    pub fn cancel(&self, job: &Token) -> String {
        self.subject(&format!("cancel.{job}"))
    }
    /// There is something to do.
    pub fn wake(&self) -> String {
        self.subject("wake")
    }
}

/// One picture to draw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobMessage {
    /// [`VERSION`].
    pub version: u32,
    /// The job's id.
    pub job: Token,
    /// Whose it is.
    pub submitter: Token,
    /// The submitter's name, for people.
    #[serde(default)]
    pub submitter_name: String,
    /// The model's SHA-256, as `tarim-checkpoint` computes it.
    pub model: Token,
    /// The recipe's JSON, as it was spelled.
    pub recipe: Box<RawValue>,
    /// Whether the worker may take the arithmetic that its device does best instead of the recipe's.
    #[serde(default)]
    pub any_precision: bool,
    /// Digest of the initial picture's pixels.
    #[serde(default)]
    pub init: Option<Token>,
    /// Digest of the mask's.
    #[serde(default)]
    pub mask: Option<Token>,
    /// Among the submitter's own jobs.
    #[serde(default)]
    pub priority: Priority,
    /// A preview with every so many steps; 0 for none.
    #[serde(default)]
    pub preview_every: u32,
    /// How often it may be delivered before it is given up.
    pub tries: u32,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: i64,
}

impl JobMessage {
    /// Where it waits.
    pub fn lane(&self) -> LaneKey {
        LaneKey { priority: self.priority, model: self.model.clone(), submitter: self.submitter.clone() }
    }
}

/// How a job ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DoneMessage {
    /// [`VERSION`].
    pub version: u32,
    /// Which job.
    pub job: Token,
    /// The worker that ended it.
    pub worker: Token,
    /// Its name, for people.
    pub worker_name: String,
    /// The device.
    pub device: String,
    /// How often the job was delivered.
    pub deliveries: u32,
    /// How it ended.
    pub end: End,
}

/// How a job ended: with a picture, or with a reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Its picture is in the store.
    Finished(Box<Finished>),
    /// It was given up, and is a dead letter.
    Failed(Failure),
}

/// A finished picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// Its object's name.
    pub object: String,
    /// Digest of its pixels; see [`crate::digest`].
    pub digest: Token,
    /// Its size.
    pub shape: PixelShape,
    /// The recipe that it was really drawn with: the canonical JSON.
    pub recipe: String,
    /// Where the time went.
    #[serde(default)]
    pub timings: Timings,
    /// Seconds on the worker, from the claim to the last pixel.
    pub seconds: f64,
    /// What the renderer had to say.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What happens to a job: a frame (see `tarim_render::frame`) with this header and the preview's pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventHeader {
    /// A worker begins.
    Begun {
        /// Which.
        worker: Token,
        /// Its name.
        worker_name: String,
        /// For the how-manieth time it is tried, from 1.
        delivery: u32,
    },
    /// It goes into another stage.
    Stage {
        /// Which.
        stage: Stage,
    },
    /// Steps are done.
    Progress {
        /// So many.
        step: u32,
        /// Of so many.
        steps: u32,
        /// Size of the preview that follows.
        #[serde(default)]
        preview: Option<PixelShape>,
    },
    /// A try failed; it goes back into the queue.
    Again {
        /// Why.
        failure: Failure,
    },
    /// Something worth knowing.
    Warning {
        /// One sentence.
        message: String,
    },
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A job that was given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    /// [`VERSION`].
    pub version: u32,
    /// The job as it was submitted, or whatever came instead of one.
    pub job: Box<RawValue>,
    /// Why.
    pub reason: Failure,
    /// How often it was delivered.
    pub deliveries: u32,
    /// The worker that gave it up.
    pub worker_name: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What a worker says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerCard {
    /// [`VERSION`].
    pub version: u32,
    /// Its id.
    pub id: Token,
    /// Its name, for people.
    pub name: String,
    /// Tarim's version there.
    pub program: String,
    /// The device that it renders on.
    pub device: Option<DeviceInfo>,
    /// The models that it has.
    pub models: Vec<HeldModel>,
    /// Whether it fetches models that it does not have.
    pub fetches_models: bool,
    /// The model in memory.
    pub loaded: Option<Token>,
    /// The job that it works on.
    pub job: Option<Token>,
    /// Whose that is, for people.
    #[serde(default)]
    pub working_for: Option<String>,
    /// Pictures finished since it started.
    pub pictures: u64,
    /// Its speed over the last pictures, in megapixels times steps a second.
    pub speed: Option<f64>,
    /// Whether it takes no more jobs because it is about to leave.
    #[serde(default)]
    pub leaving: bool,
    /// When it started, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it said this, in milliseconds since 1970.
    pub seen_ms: i64,
}

/// A model that a worker has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldModel {
    /// Its SHA-256.
    pub hash: Token,
    /// Its name, for people.
    pub name: String,
}

/// What a shared model consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// The model's SHA-256.
    pub hash: Token,
    /// Its name: file or folder name.
    pub name: String,
    /// Whether it is a folder rather than a file.
    pub folder: bool,
    /// Its files.
    pub files: Vec<ManifestFile>,
}

/// A file of a shared model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its path below the folder, with `/` between its parts; the file's name where the model is a file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Token,
    /// Bytes of a part; the last one may be shorter.
    pub part_size: u64,
    /// SHA-256 of each part.
    pub parts: Vec<Token>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_read_back_from_their_filters() {
        let names = Names::new(Token::new("studio-7").unwrap());
        for priority in Priority::ALL {
            let lane = LaneKey {
                priority,
                model: Token::new("ab".repeat(32)).unwrap(),
                submitter: Token::new("me_2").unwrap(),
            };
            assert_eq!(names.read_lane(&names.lane(&lane)), Some(lane));
        }
        assert_eq!(names.read_lane("tarim.v1.job.p1.x.y.*"), None);
        assert_eq!(names.read_lane("studio-7.v1.job.p9.x.y.*"), None);
    }

    #[test]
    fn names_that_would_change_a_subject_are_refused() {
        for bad in ["", "a.b", "*", ">", "a b", "楼兰", &"x".repeat(65)] {
            assert!(Token::new(bad).is_err(), "{bad}");
        }
        assert_ne!(Token::random(), Token::random());
    }
}
