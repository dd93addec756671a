//! What listeners are told. Progress may be lost and is merged; everything else is only a nudge to ask again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Problem, StudioError};
use crate::lock;

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What was asked about these topics before may be out of date.
    Changed(BTreeSet<Topic>),
    /// A job goes on.
    Progress(JobProgress),
    /// A job has ended.
    JobEnded {
        /// The job's id.
        job: String,
        /// The request's id.
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
#[derive(Clone, Debug, PartialEq)]
pub enum JobEnd {
    /// It became the picture of the same id.
    Done {
        /// Seconds that it took.
        seconds: f64,
    },
    /// It failed.
    Failed(StudioError),
    /// It was cancelled.
    Cancelled,
    /// It was stopped and waits again.
    Requeued,
}

/// What can be out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// What a running job is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Counts the previews; 0 while there is none.
    pub preview: u32,
    /// Seconds until this picture is there, where that can be told.
    pub seconds_left: Option<f64>,
}

/// Stages of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Long work that is not a render.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskProgress {
    /// The task's id.
    pub task: String,
    /// What it is.
    pub kind: TaskKind,
    /// Items done.
    pub done: u32,
    /// Items in all, where that is known.
    pub total: Option<u32>,
    /// Whether it has ended.
    pub finished: bool,
    /// What could not be done.
    pub problems: Vec<String>,
}

/// Kinds of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Making the index again from the files.
    Rebuild,
    /// Looking for files that were moved, renamed, deleted or added.
    Reconcile,
    /// Looking for models.
    ScanModels,
    /// Computing a model's hash.
    HashModel,
}

/// Events beyond progress and topics that a slow listener may have waiting; the oldest go first.
const MOST_WAITING: usize = 256;

/// Where events go out from.
#[derive(Default)]
pub(crate) struct Broadcast {
    listeners: Mutex<Vec<Weak<Waiting>>>,
}

/// What waits for one listener.
#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    changed: BTreeSet<Topic>,
    /// Everything else, in order. Progress is merged in place.
    events: VecDeque<Event>,
    closed: bool,
}

/// Receives events. A listener that is slow misses progress, never a change.
pub struct Listener {
    waiting: Arc<Waiting>,
}

impl Broadcast {
    pub(crate) fn subscribe(&self) -> Listener {
        let waiting = Arc::new(Waiting::default());
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&waiting));
        Listener { waiting }
    }

    pub(crate) fn has_listeners(&self) -> bool {
        lock(&self.listeners).iter().any(|listener| listener.strong_count() > 0)
    }

    pub(crate) fn send(&self, event: &Event) {
        for listener in lock(&self.listeners).iter().filter_map(Weak::upgrade) {
            lock(&listener.state).add(event.clone());
            listener.news.notify_all();
        }
    }

    pub(crate) fn changed(&self, topics: &[Topic]) {
        self.send(&Event::Changed(topics.iter().copied().collect()));
    }

    /// Ends every listener, once it has what waits for it.
    pub(crate) fn close(&self) {
        for listener in lock(&self.listeners).drain(..).filter_map(|listener| listener.upgrade()) {
            lock(&listener.state).closed = true;
            listener.news.notify_all();
        }
    }
}

impl State {
    fn add(&mut self, event: Event) {
        match event {
            Event::Changed(topics) => {
                self.changed.extend(topics);
                return;
            }
            Event::Progress(ref progress) => {
                let same = |waiting: &&mut Event| match waiting {
                    Event::Progress(old) => old.job == progress.job,
                    _ => false,
                };
                if let Some(waiting) = self.events.iter_mut().find(same) {
                    *waiting = event;
                    return;
                }
            }
            Event::Task(ref task) => {
                let same = |waiting: &&mut Event| match waiting {
                    Event::Task(old) => old.task == task.task && !old.finished,
                    _ => false,
                };
                if let Some(waiting) = self.events.iter_mut().find(same) {
                    *waiting = event;
                    return;
                }
            }
            Event::JobEnded { ref job, .. } => {
                // What was going on before is of no interest any more.
                self.events.retain(|waiting| !matches!(waiting, Event::Progress(old) if old.job == *job));
            }
            Event::Notice(_) => {}
        }
        self.events.push_back(event);
        if self.events.len() > MOST_WAITING {
            self.events.pop_front();
        }
    }

    fn next(&mut self) -> Option<Event> {
        self.events
            .pop_front()
            .or_else(|| (!self.changed.is_empty()).then(|| Event::Changed(std::mem::take(&mut self.changed))))
    }
}

impl Listener {
    /// The next event; `None` when there is none within `limit`, or when the studio has closed (see [`Self::closed`]).
    pub fn next(&self, limit: Duration) -> Option<Event> {
        let deadline = Instant::now() + limit;
        let mut state = lock(&self.waiting.state);
        loop {
            if let Some(event) = state.next() {
                return Some(event);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return None;
            }
            (state, _) = self
                .waiting
                .news
                .wait_timeout(state, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Whether the studio has closed and nothing waits any more.
    pub fn closed(&self) -> bool {
        let state = lock(&self.waiting.state);
        state.closed && state.events.is_empty() && state.changed.is_empty()
    }
}
