//! A worker: takes jobs from the farm, has them rendered by a renderer process, and gives the pictures back.

mod choose;
mod finish;
mod job;
mod lease;
mod turn;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tarim_render::{DeviceChoice, DeviceInfo, Failure, Renderer};
use tokio::sync::watch;

use crate::client::{lock, runtime};
use crate::connection::Connection;
use crate::error::FarmError;
use crate::models::FetchOptions;
use crate::protocol::{HeldModel, Token};
use crate::shelves::{FarmOptions, Shelves};

/// What a worker is and may do.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Its name, for people.
    pub name: String,
    /// Tarim's version.
    pub program: String,
    /// Where it renders.
    pub device: DeviceChoice,
    /// How long a job in work may go on after [`Stop::stop`]; then it is given back.
    pub grace: Duration,
    /// Whether it fetches models that it does not have.
    pub fetch: Option<FetchOptions>,
    /// How long a submitter may wait for a model that would first have to be loaded, before it goes ahead of others whose
    /// model is in memory.
    pub patience: Duration,
}

impl WorkerOptions {
    /// A worker with the usual options.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            device: DeviceChoice::Auto,
            grace: Duration::from_secs(20),
            fetch: None,
            patience: Duration::from_mins(1),
        }
    }
}

/// What a worker tells whoever runs it.
#[derive(Clone, Debug)]
pub enum WorkerEvent {
    /// It is on the farm and takes jobs.
    Ready {
        /// Its id there.
        id: Token,
        /// What it renders on.
        device: DeviceInfo,
    },
    /// It begins a job.
    Begun {
        /// Which.
        job: Token,
        /// Whose.
        submitter: String,
        /// For the how-manieth time the job is tried.
        delivery: u32,
    },
    /// A picture is on the farm.
    Finished {
        /// Of which job.
        job: Token,
        /// How long it took.
        seconds: f64,
    },
    /// A picture was drawn and is not needed: another worker was faster, or the job was taken back.
    Discarded {
        /// Of which job.
        job: Token,
    },
    /// A try failed; the job goes to whoever takes it next.
    Again {
        /// Which.
        job: Token,
        /// Why.
        failure: Failure,
    },
    /// A job was given up.
    Dead {
        /// Which.
        job: Token,
        /// Why.
        failure: Failure,
    },
    /// A model is being fetched.
    Fetching {
        /// Its name.
        name: String,
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Something that goes on by itself, such as a lost connection.
    Trouble(String),
}

/// The models that a worker has. Clones share it, so that they can be added while it works.
#[derive(Clone, Debug, Default)]
pub struct Holdings(Arc<Mutex<HashMap<Token, (String, PathBuf)>>>);

impl Holdings {
    /// Adds a model.
    pub fn add(&self, hash: Token, name: impl Into<String>, path: PathBuf) {
        lock(&self.0).insert(hash, (name.into(), path));
    }

    pub(crate) fn path(&self, hash: &Token) -> Option<PathBuf> {
        lock(&self.0).get(hash).map(|(_, path)| path.clone())
    }

    pub(crate) fn remove(&self, hash: &Token) {
        lock(&self.0).remove(hash);
    }

    pub(crate) fn list(&self) -> Vec<HeldModel> {
        let held = lock(&self.0);
        let mut list: Vec<_> = held
            .iter()
            .map(|(hash, (name, _))| HeldModel { hash: hash.clone(), name: name.clone() })
            .collect();
        list.sort_by(|a, b| a.hash.cmp(&b.hash));
        list
    }
}

/// Ends a worker. Clones share it.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<u8>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Stop {
    /// Takes no more jobs; the one in work may end within the grace period. Said again, it is given back at once.
    pub fn stop(&self) {
        self.0.send_modify(|times| *times = times.saturating_add(1));
    }

    /// Whether it was said.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() > 0
    }

    fn listen(&self) -> watch::Receiver<u8> {
        self.0.subscribe()
    }
}

/// Works until it is stopped. Gives the number of pictures that it put on the farm.
///
/// The renderer is a process of its own (`tarim_render::LocalRenderer`), so an abort inside it costs one try of one job.
pub fn work(
    connection: &Connection,
    farm: &FarmOptions,
    options: WorkerOptions,
    renderer: Arc<dyn Renderer>,
    holdings: Holdings,
    stop: &Stop,
    tell: impl Fn(WorkerEvent) + Send + Sync + 'static,
) -> Result<u64, FarmError> {
    let starting = Arc::clone(&renderer);
    let hello = starting.start()?;
    let device = hello.device(options.device).cloned().ok_or_else(|| {
        let there: Vec<String> = hello.devices.iter().map(|device| format!("`{}`", device.id)).collect();
        FarmError::Options(format!(
            "there is no device `{}`; there are: {}",
            options.device,
            there.join(", ")
        ))
    })?;
    let runtime = runtime()?;
    let tell: Arc<dyn Fn(WorkerEvent) + Send + Sync> = Arc::new(tell);
    let heard = Arc::clone(&tell);
    let on_link = move |there: bool| {
        let words =
            if there { "connected to the farm" } else { "the connection to the farm is lost; trying again" };
        heard(WorkerEvent::Trouble(words.to_owned()));
    };
    let outcome = runtime.block_on(async {
        let shelves = Arc::new(Box::pin(Shelves::open(connection, farm, on_link)).await?);
        turn::run(turn::Start { shelves, options, renderer, holdings, device, stop: stop.listen(), tell })
            .await
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}
