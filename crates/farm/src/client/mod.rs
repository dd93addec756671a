//! The submitter's side: jobs out, news and pictures in.

mod admin;
mod collect;
mod follow;
mod submit;

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tarim_render::{Failure, Pixels, Stage};
use tokio::runtime::{Builder, Runtime};

use crate::connection::Connection;
use crate::error::FarmError;
use crate::protocol::{DoneMessage, JobMessage, LaneKey, Token};
use crate::shelves::{FarmOptions, Shelves};

pub(crate) use admin::LaneState;
pub use admin::{Letter, ModelPlace, Purged, Status, SubmitterStatus};
pub use collect::{Collected, Ready};
pub use submit::Submission;

/// How many settled jobs are remembered.
const SETTLED: usize = 10_000;

/// What the farm tells its submitter.
#[derive(Debug)]
pub enum FarmEvent {
    /// The connection is there (again).
    Connected,
    /// The connection is lost; it is being tried again.
    Disconnected,
    /// Something happened to a job.
    News {
        /// Which.
        job: Token,
        /// What.
        news: News,
    },
    /// A job has ended. Said once a process, and again by the next one until [`Farm::confirm`] is called.
    Ended {
        /// Which.
        job: Token,
        /// How.
        ended: Ended,
    },
}

/// What happens to a job.
#[derive(Debug)]
pub enum News {
    /// A worker begins.
    Begun {
        /// Its name.
        worker: String,
        /// For the how-manieth time the job is tried, from 1.
        delivery: u32,
    },
    /// It goes into another stage.
    Stage(Stage),
    /// Steps are done.
    Step {
        /// So many.
        step: u32,
        /// Of so many.
        steps: u32,
        /// A small picture of the state.
        preview: Option<Pixels>,
    },
    /// A try failed; the job went back into the queue.
    Again(Failure),
    /// Something worth knowing.
    Warning(String),
}

/// How a job ended.
#[derive(Debug)]
pub enum Ended {
    /// Its picture can be collected with [`Farm::collect`].
    Finished(Ready),
    /// It was given up and is a dead letter.
    Failed(Failure),
}

/// A farm, seen by one submitter. Dropping it leaves its jobs on the farm.
pub struct Farm {
    pub(crate) inner: Arc<Inner>,
    /// Always there until the farm is dropped.
    runtime: Option<Runtime>,
}

pub(crate) struct Inner {
    pub(crate) shelves: Shelves,
    submitter: Token,
    name: String,
    shown: String,
    state: Arc<Mutex<State>>,
    /// Whether the ends are read that were there when the listening began; what is submitted before may have ended already.
    caught_up: tokio::sync::watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    events: Option<Sender<FarmEvent>>,
    awaited: HashMap<Token, Awaited>,
    /// Ends of jobs that nobody waits for: of a process before this one, or of another that shares the id.
    unclaimed: HashMap<Token, Arrived>,
    settled: Settled,
    lanes: HashSet<LaneKey>,
}

/// Jobs whose end is of no interest any more, although one may still come: the latest of them.
#[derive(Default)]
struct Settled {
    jobs: HashSet<Token>,
    order: VecDeque<Token>,
}

impl Settled {
    fn insert(&mut self, job: Token) {
        if self.jobs.insert(job.clone()) {
            self.order.push_back(job);
        }
        // One that is forgotten and comes all the same is swept up as one that nobody waits for.
        if self.order.len() > SETTLED {
            self.order.pop_front().map(|job| self.jobs.remove(&job));
        }
    }

    fn remove(&mut self, job: &Token) {
        if self.jobs.remove(job) {
            self.order.retain(|known| known != job);
        }
    }

    fn contains(&self, job: &Token) -> bool {
        self.jobs.contains(job)
    }
}

struct Awaited {
    /// Everything that is needed to send it again; `None` when another process sent it.
    message: Option<JobMessage>,
    heard: Instant,
    /// Its end, once it is there.
    arrived: Option<Arrived>,
}

#[derive(Clone)]
struct Arrived {
    sequence: u64,
    done: Arc<DoneMessage>,
}

impl State {
    fn tell(&self, event: FarmEvent) {
        if let Some(events) = &self.events {
            // A listener that has gone does not care.
            let _ = events.send(event);
        }
    }
}

impl Farm {
    /// Connects as a submitter. The id must stay the same for the results of an earlier process to be found.
    pub fn connect(
        connection: &Connection,
        options: &FarmOptions,
        submitter: Token,
        name: impl Into<String>,
    ) -> Result<Self, FarmError> {
        let runtime = runtime()?;
        let state: Arc<Mutex<State>> = Arc::default();
        let told = Arc::clone(&state);
        let heard = move |there: bool| {
            lock(&told).tell(if there { FarmEvent::Connected } else { FarmEvent::Disconnected });
        };
        let shelves = runtime.block_on(Shelves::open(connection, options, heard))?;
        let inner = Inner {
            shelves,
            submitter,
            name: name.into(),
            shown: connection.shown(),
            state,
            // Nobody who does not listen waits.
            caught_up: tokio::sync::watch::Sender::new(true),
        };
        Ok(Self { inner: Arc::new(inner), runtime: Some(runtime) })
    }

    /// Begins to listen to what happens to this submitter's jobs. To be called once, before the first submission.
    pub fn follow(&self) -> Receiver<FarmEvent> {
        let (sender, receiver) = mpsc::channel();
        lock(&self.inner.state).events = Some(sender);
        self.inner.caught_up.send_replace(false);
        if let Some(runtime) = &self.runtime {
            runtime.spawn(follow::ends(Arc::clone(&self.inner)));
            runtime.spawn(follow::news(Arc::clone(&self.inner)));
            runtime.spawn(follow::audit(Arc::clone(&self.inner)));
        }
        receiver
    }

    /// Whether the server is connected at this moment.
    pub fn connected(&self) -> bool {
        self.inner.shelves.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Who this submitter is.
    pub fn submitter(&self) -> &Token {
        &self.inner.submitter
    }

    /// The server's address without secrets.
    pub fn address(&self) -> &str {
        &self.inner.shown
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = Result<T, FarmError>>) -> Result<T, FarmError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => Err(FarmError::Missing("the connection".to_owned())),
        }
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What was published goes out before the connection closes.
            let client = self.inner.shelves.client.clone();
            runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::from_millis(500), client.flush()).await;
            });
            runtime.shutdown_background();
        }
    }
}

/// A small runtime: there is more waiting than work.
pub(crate) fn runtime() -> Result<Runtime, FarmError> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("farm")
        .enable_all()
        .build()
        .map_err(|error| FarmError::io("the farm's threads could not be started", error))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole at every moment, whatever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
