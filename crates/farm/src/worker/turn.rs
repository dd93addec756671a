//! The worker's round: look at the lanes, take a job, work on it, look again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt;
use tarim_render::{DeviceInfo, JobId, Pixels, Renderer};
use tokio::sync::{Semaphore, watch};

use super::choose::{Candidate, Chooser, Cost};
use super::{Holdings, WorkerEvent, WorkerOptions};
use crate::client::{LaneState, lock};
use crate::error::FarmError;
use crate::models;
use crate::protocol::{LaneKey, Token, VERSION, WorkerCard};
use crate::shelves::Shelves;

/// How long a look at the lanes counts.
const FRESH: Duration = Duration::from_millis(250);
/// How often an idle worker looks without being told to.
const IDLE: Duration = Duration::from_secs(1);
/// How often a lane whose jobs are all in work is asked for one that came back.
const SECOND_LOOK: Duration = Duration::from_millis(400);
/// How long it counts that a model is not shared.
const NOT_SHARED: Duration = Duration::from_secs(10);
/// Pictures on their way to the farm while the next one is drawn.
const UPLOADS: usize = 2;

/// What a worker starts with.
pub(super) struct Start {
    pub(super) shelves: Arc<Shelves>,
    pub(super) options: WorkerOptions,
    pub(super) renderer: Arc<dyn Renderer>,
    pub(super) holdings: Holdings,
    pub(super) device: DeviceInfo,
    pub(super) stop: watch::Receiver<u8>,
    pub(super) tell: Arc<dyn Fn(WorkerEvent) + Send + Sync>,
}

/// What all tasks of a worker share.
pub(super) struct Shared {
    pub(super) id: Token,
    pub(super) shelves: Arc<Shelves>,
    pub(super) options: WorkerOptions,
    pub(super) renderer: Arc<dyn Renderer>,
    pub(super) holdings: Holdings,
    pub(super) device: DeviceInfo,
    pub(super) tell: Arc<dyn Fn(WorkerEvent) + Send + Sync>,
    pub(super) now: Mutex<Now>,
    pub(super) pictures: AtomicU64,
    since_ms: i64,
}

/// What it is doing.
#[derive(Default)]
pub(super) struct Now {
    pub(super) loaded: Option<Token>,
    pub(super) job: Option<Current>,
    pub(super) speed: Option<f64>,
    pub(super) leaving: bool,
}

/// The job in work.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) job: Token,
    pub(super) number: JobId,
    pub(super) submitter: String,
    pub(super) cancelled: bool,
}

/// The worker's own task.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) stop: watch::Receiver<u8>,
    pub(super) uploads: Arc<Semaphore>,
    pub(super) last_number: u64,
    /// The inputs used last, by digest.
    pub(super) inputs: Vec<(Token, Arc<Pixels>)>,
    chooser: Chooser,
    lanes: Vec<LaneState>,
    looked: Option<Instant>,
    consumers: HashMap<LaneKey, PullConsumer>,
    tried: HashMap<LaneKey, Instant>,
    not_shared: HashMap<Token, Instant>,
}

pub(super) async fn run(start: Start) -> Result<u64, FarmError> {
    let Start { shelves, options, renderer, holdings, device, stop, tell } = start;
    if let Some(fetch) = &options.fetch {
        for (hash, name, path) in models::fetched(fetch) {
            holdings.add(hash, name, path);
        }
    }
    let shared = Arc::new(Shared {
        id: Token::random(),
        shelves,
        options,
        renderer,
        holdings,
        device,
        tell,
        now: Mutex::default(),
        pictures: AtomicU64::new(0),
        since_ms: jiff::Timestamp::now().as_millisecond(),
    });
    let names = &shared.shelves.names;
    let subscribe = |subject: String| async {
        let subscribed = shared.shelves.client.subscribe(subject).await;
        subscribed.map_err(|error| FarmError::server("let the worker listen", &error))
    };
    let mut wakes = subscribe(names.wake()).await?;
    let cancels = subscribe(names.all_cancels()).await?;
    shared.show().await;
    let showing = tokio::spawn(show_now_and_then(Arc::clone(&shared)));
    let cancelling = tokio::spawn(listen_for_cancels(Arc::clone(&shared), cancels));
    shared.tell(WorkerEvent::Ready { id: shared.id.clone(), device: shared.device.clone() });

    let mut worker = Worker {
        shared: Arc::clone(&shared),
        stop,
        uploads: Arc::new(Semaphore::new(UPLOADS)),
        last_number: 0,
        inputs: Vec::new(),
        chooser: Chooser::default(),
        lanes: Vec::new(),
        looked: None,
        consumers: HashMap::new(),
        tried: HashMap::new(),
        not_shared: HashMap::new(),
    };
    let mut failures = 0_u32;
    while *worker.stop.borrow() == 0 {
        match worker.next().await {
            Ok(Some(message)) => {
                failures = 0;
                worker.job(message).await;
            }
            Ok(None) => {
                failures = 0;
                tokio::select! {
                    _ = wakes.next() => worker.looked = None,
                    _ = worker.stop.changed() => {}
                    () = tokio::time::sleep(IDLE) => {}
                }
            }
            Err(error) => {
                failures += 1;
                if failures == 3 {
                    shared.tell(WorkerEvent::Trouble(error.to_string()));
                }
                worker.looked = None;
                let pause = Duration::from_millis(200 << failures.min(4));
                tokio::select! {
                    _ = worker.stop.changed() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
    // Pictures that are drawn already still reach the farm.
    let grace = shared.options.grace.max(Duration::from_secs(5));
    let _ = tokio::time::timeout(grace, worker.uploads.acquire_many(UPLOADS as u32)).await;
    showing.abort();
    cancelling.abort();
    let leave = async {
        let _ = shared.shelves.workers.purge(shared.id.as_str()).await;
        let _ = shared.shelves.client.flush().await;
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), leave).await;
    Ok(shared.pictures.load(Ordering::Relaxed))
}

impl Worker {
    /// The next job, where there is one for this worker.
    async fn next(&mut self) -> Result<Option<Message>, FarmError> {
        let now = Instant::now();
        if self.looked.is_none_or(|looked| now - looked > FRESH) {
            self.lanes = self.shared.shelves.lanes().await?;
            self.looked = Some(now);
        }
        let loaded = lock(&self.shared.now).loaded.clone();
        let mut candidates = Vec::new();
        for LaneState { key, waiting, .. } in self.lanes.clone() {
            // All of its jobs are in work: one may come back, which the server does not count as waiting.
            if waiting == 0 && self.tried.get(&key).is_some_and(|tried| now - *tried < SECOND_LOOK) {
                continue;
            }
            let cost = if self.shared.holdings.path(&key.model).is_none() {
                if !self.could_fetch(&key.model, now).await {
                    continue;
                }
                Cost::Fetch
            } else if loaded.as_ref() == Some(&key.model) {
                Cost::Loaded
            } else {
                Cost::Held
            };
            candidates.push(Candidate { key, cost });
        }
        for key in self.chooser.order(&candidates, self.shared.options.patience, now) {
            let fetch = candidates.iter().any(|one| one.key == key && one.cost == Cost::Fetch);
            if fetch && !self.fetch(&key.model).await {
                continue;
            }
            if let Some(message) = self.pull(&key).await? {
                self.chooser.served(&key.submitter, now);
                if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.key == key) {
                    lane.waiting = lane.waiting.saturating_sub(1);
                }
                return Ok(Some(message));
            }
            self.tried.insert(key.clone(), now);
            self.lanes.retain(|lane| lane.key != key);
        }
        Ok(None)
    }

    /// Takes one job out of a lane, without waiting for one.
    async fn pull(&mut self, key: &LaneKey) -> Result<Option<Message>, FarmError> {
        let shelves = &self.shared.shelves;
        if !self.consumers.contains_key(key) {
            let name = shelves.names.consumer(key);
            let consumer = shelves.jobs.get_consumer(&name).await.map_err(|error| FarmError::Server {
                what: "give out a job".to_owned(),
                reason: error.to_string(),
            })?;
            self.consumers.insert(key.clone(), consumer);
        }
        let Some(consumer) = self.consumers.get(key) else { return Ok(None) };
        let pulled = async {
            let mut messages = consumer
                .fetch()
                .max_messages(1)
                .messages()
                .await
                .map_err(|error| FarmError::server("give out a job", &error))?;
            let message = messages.next().await.transpose();
            message.map_err(|error| FarmError::Server {
                what: "give out a job".to_owned(),
                reason: error.to_string(),
            })
        };
        let pulled = tokio::time::timeout(Duration::from_secs(5), pulled).await.unwrap_or_else(|_| {
            Err(FarmError::Server { what: "give out a job".to_owned(), reason: "it timed out".to_owned() })
        });
        if pulled.is_err() {
            self.consumers.remove(key);
        }
        pulled
    }

    /// Whether a model that is not here could be fetched.
    async fn could_fetch(&mut self, model: &Token, now: Instant) -> bool {
        if self.shared.options.fetch.is_none() || self.not_shared.get(model).is_some_and(|until| now < *until)
        {
            return false;
        }
        if matches!(self.shared.shelves.manifest(model).await, Ok(Some(_))) {
            return true;
        }
        self.not_shared.insert(model.clone(), now + NOT_SHARED);
        false
    }

    /// Fetches a model, before a job is claimed that needs it.
    async fn fetch(&mut self, model: &Token) -> bool {
        let shared = &self.shared;
        let Some(options) = &shared.options.fetch else { return false };
        let Ok(Some(manifest)) = shared.shelves.manifest(model).await else { return false };
        let mut progress = |done: u64, total: u64| {
            shared.tell(WorkerEvent::Fetching { name: manifest.name.clone(), done, total });
        };
        let fetching = shared.shelves.fetch_model(&manifest, options, &mut progress);
        let fetched = tokio::select! {
            fetched = fetching => fetched,
            _ = self.stop.changed() => return false,
        };
        match fetched {
            Ok(path) => {
                // Others may have had to make room for it.
                for held in shared.holdings.list() {
                    if shared.holdings.path(&held.hash).is_some_and(|path| !path.exists()) {
                        shared.holdings.remove(&held.hash);
                    }
                }
                shared.holdings.add(model.clone(), manifest.name.clone(), path);
                shared.show().await;
                true
            }
            Err(error) => {
                shared.tell(WorkerEvent::Trouble(error.to_string()));
                // Not for every job anew: a disk that is full stays so for a while.
                self.not_shared.insert(model.clone(), Instant::now() + 6 * NOT_SHARED);
                false
            }
        }
    }
}

impl Shared {
    pub(super) fn tell(&self, event: WorkerEvent) {
        (self.tell)(event);
    }

    /// Renews the worker's card.
    pub(super) async fn show(&self) {
        let card = {
            let now = lock(&self.now);
            WorkerCard {
                version: VERSION,
                id: self.id.clone(),
                name: self.options.name.clone(),
                program: self.options.program.clone(),
                device: Some(self.device.clone()),
                models: self.holdings.list(),
                fetches_models: self.options.fetch.is_some(),
                loaded: now.loaded.clone(),
                job: now.job.as_ref().map(|current| current.job.clone()),
                working_for: now.job.as_ref().map(|current| current.submitter.clone()),
                pictures: self.pictures.load(Ordering::Relaxed),
                speed: now.speed,
                leaving: now.leaving,
                since_ms: self.since_ms,
                seen_ms: jiff::Timestamp::now().as_millisecond(),
            }
        };
        if let Ok(card) = serde_json::to_vec(&card) {
            // The next one comes soon.
            let _ = self.shelves.workers.put(self.id.as_str(), card.into()).await;
        }
    }
}

async fn show_now_and_then(shared: Arc<Shared>) {
    let ttl = shared.shelves.workers.status().await.map(|status| status.max_age());
    let every = (ttl.unwrap_or(Duration::from_secs(30)) / 4)
        .clamp(Duration::from_millis(100), Duration::from_secs(10));
    loop {
        tokio::time::sleep(every).await;
        shared.show().await;
    }
}

async fn listen_for_cancels(shared: Arc<Shared>, mut cancels: async_nats::Subscriber) {
    while let Some(message) = cancels.next().await {
        let Some(job) = message.subject.rsplit('.').next() else { continue };
        let number = {
            let mut now = lock(&shared.now);
            let current = now.job.as_mut().filter(|current| current.job.as_str() == job);
            current.map(|current| {
                current.cancelled = true;
                current.number
            })
        };
        if let Some(number) = number {
            shared.renderer.cancel(number);
        }
    }
}
