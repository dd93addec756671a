//! The queue: one job a picture.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Millis, create::Submit};
use crate::error::WireError;

/// The queue as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Queue {
    /// Nothing new starts.
    pub paused: bool,
    /// It pauses after the picture in work.
    pub stop_after_current: bool,
    /// What is being rendered.
    pub running: Vec<Job>,
    /// What waits, in order: the first 500.
    pub waiting: Vec<Job>,
    /// How many wait in all.
    pub waiting_total: u32,
    /// What failed and was neither retried nor cleared, latest first: the first 100.
    pub failed: Vec<Job>,
    /// How many failed in all.
    pub failed_total: u32,
    /// Seconds until the queue is empty, from measured speed; absent while nothing was measured.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
}

/// One picture to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Job {
    /// Its id, which becomes the picture's.
    pub id: String,
    /// The request it belongs to.
    pub request: String,
    /// Which picture of the request, from 0.
    pub index: u32,
    /// How many the request has.
    pub count: u32,
    /// Its state.
    pub state: JobState,
    /// The prompt.
    pub prompt: String,
    /// The model's name.
    pub model: String,
    /// The seed.
    pub seed: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Solver steps.
    pub steps: u32,
    /// Higher goes first.
    pub priority: i32,
    /// When it was queued.
    pub created: Millis,
    /// How often it was begun.
    pub attempts: u32,
    /// Why it failed.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<WireError>,
    /// What it is doing, while it runs.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<JobProgress>,
}

/// States of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits.
    Queued,
    /// Is being rendered, here or by another process.
    Running,
    /// Has become a picture.
    Done,
    /// Ended with an error.
    Failed,
    /// Was cancelled.
    Cancelled,
}

/// What a running job is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct JobProgress {
    /// The job's id.
    pub job: String,
    /// The request's id.
    pub request: String,
    /// What it does now.
    pub stage: JobStage,
    /// Steps done.
    pub step: u32,
    /// Steps in all.
    pub steps: u32,
    /// Counts the previews: part of the preview's address; 0 while there is none.
    pub preview: u32,
    /// Seconds until this picture is there, where that can be told.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
}

/// What a renderer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobStage {
    /// Starting the renderer.
    Starting,
    /// Reading the model.
    LoadingModel,
    /// Encoding prompts and the initial picture.
    Encoding,
    /// Stepping.
    Sampling,
    /// Turning latents into pixels.
    Decoding,
    /// Writing the file.
    Saving,
}

/// Pause or go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PauseQueue {
    /// Whether nothing new starts.
    pub paused: bool,
    /// Let the picture in work finish (true), or stop it and queue it again (false).
    #[serde(default)]
    pub finish_current: bool,
}

/// Which jobs to cancel, retry or clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// These.
    Jobs(Vec<String>),
    /// All of a request.
    Request(String),
    /// All.
    All,
}

/// See [`Which`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WhichJobs {
    /// Which ones.
    pub which: Which,
}

/// Move waiting jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MoveJobs {
    /// Which ones; they keep their order among themselves.
    pub ids: Vec<String>,
    /// To stand before this one; at the end when absent.
    #[ts(optional)]
    #[serde(default)]
    pub before: Option<String>,
}

/// Set the priority of waiting jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrioritiseJobs {
    /// Which ones.
    pub ids: Vec<String>,
    /// Higher goes first; 0 is usual.
    pub priority: i32,
}

/// Ask how long something would take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EstimateRequest {
    /// What would be submitted.
    pub submit: Submit,
}

/// How long it would take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Estimate {
    /// Seconds for all its pictures, from measured speed; absent while nothing was measured.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Bytes that the pictures will roughly take.
    pub bytes: f64,
}
