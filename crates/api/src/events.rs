//! The one stream of events. Progress may be lost and is throttled; everything else is only a nudge to ask again, so a
//! listener that missed something is right again after its next question.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tarim_studio::{Listener, Studio};
use ts_rs::TS;

use crate::error::WireError;
use crate::wire::{app::Problem, library::TaskProgress, queue::JobProgress};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StudioEvent {
    /// What was asked about these topics before may be out of date.
    Changed {
        /// The topics.
        topics: Vec<Topic>,
    },
    /// A job goes on.
    Progress(JobProgress),
    /// A job has ended.
    JobEnded {
        /// The job.
        job: String,
        /// The request it belongs to.
        request: String,
        /// How.
        end: JobEnd,
    },
    /// Long work goes on or has ended.
    Task(TaskProgress),
    /// Something to tell a person now.
    Notice(Problem),
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum JobEnd {
    /// It became the picture of the same id.
    Done {
        /// Seconds that it took.
        seconds: f64,
    },
    /// It failed.
    Failed {
        /// Why.
        error: WireError,
    },
    /// It was cancelled.
    Cancelled,
    /// It was stopped and waits again.
    Requeued,
}

/// What can be out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Pictures, their judgement, the trash.
    Pictures,
    /// Collections.
    Collections,
    /// Requests and their outcomes.
    History,
    /// The queue.
    Queue,
    /// Models and their folders.
    Models,
    /// Settings, styles, presets.
    Settings,
    /// Prompt sets, their rows, and their runs.
    Sets,
    /// The library as a whole: another folder, rebuilt.
    Library,
}

/// What happens in a studio from now on, for one listener of one door.
pub struct Events(Listener);

/// Begins to listen. A listener that is slow misses progress, never a change.
pub fn subscribe(studio: &Studio) -> Events {
    Events(studio.subscribe())
}

impl Events {
    /// The next event; `None` when there is none within `limit`, or when the studio has closed.
    pub fn next(&self, limit: Duration) -> Option<StudioEvent> {
        self.0.next(limit).map(Into::into)
    }

    /// Whether the studio has closed and nothing waits any more.
    pub fn closed(&self) -> bool {
        self.0.closed()
    }
}
