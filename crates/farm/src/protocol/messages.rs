//! The messages, all of them JSON.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tarim_render::{DeviceInfo, Failure, PixelShape, Stage, Timings};

use super::{LaneKey, Priority, Token};

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
