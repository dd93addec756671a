//! One job: claimed, its inputs fetched, rendered, and ended one way or another.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use async_nats::jetstream::Message;
use tarim_recipe::Recipe;
use tarim_render::{Failure, FailureCode, JobEvent, JobId, Outcome, Pixels, Timings, ToRender, frame};
use tokio::sync::mpsc;

use super::WorkerEvent;
use super::finish::Drawn;
use super::lease::Lease;
use super::turn::{Current, Shared, Worker};
use crate::client::lock;
use crate::error::FarmError;
use crate::protocol::{EventHeader, JobMessage, Token, VERSION};
use crate::shelves::Shelves;
use crate::{models, pixels};

/// Progress is told no more often than this, previews no more often than the second.
const PROGRESS: Duration = Duration::from_millis(250);
const PREVIEWS: Duration = Duration::from_secs(1);
/// How many inputs are kept in memory: a run over one picture with many prompts needs it once.
const INPUTS: usize = 4;
/// How long a job rests whose try failed.
const REST: Duration = Duration::from_millis(500);

/// A claimed job.
pub(super) struct Claim {
    pub(super) message: JobMessage,
    pub(super) lease: Lease,
    pub(super) delivery: u32,
    pub(super) began: Instant,
}

/// How a try ended.
enum Try {
    Drawn(Box<Recipe>, Pixels, Timings, Vec<String>),
    /// It was taken back by its submitter.
    Cancelled,
    /// This worker is about to leave.
    Leaving,
    /// It failed; with a `true`, it would fail anywhere.
    Failed(Failure, bool),
}

impl Worker {
    /// Works on a job until it has ended or is on its way to the farm.
    pub(super) async fn job(&mut self, message: Message) {
        let shared = Arc::clone(&self.shared);
        let delivery = message.info().map_or(1, |info| u32::try_from(info.delivered).unwrap_or(u32::MAX));
        let (message, acker) = message.split();
        let lease = Lease::start(acker, shared.shelves.ack_wait);
        let read: Result<JobMessage, String> =
            serde_json::from_slice(&message.payload).map_err(|error| error.to_string());
        let claim = match read {
            Ok(read) if read.version == VERSION => {
                Claim { message: read, lease, delivery, began: Instant::now() }
            }
            Ok(read) => {
                let reason = format!(
                    "it is of version {} of the messages; this worker speaks {VERSION}",
                    read.version
                );
                return shared.give_up_unread(&message, lease, delivery, reason).await;
            }
            Err(reason) => return shared.give_up_unread(&message, lease, delivery, reason).await,
        };
        let job = claim.message.job.clone();
        let done = shared.shelves.names.done(&claim.message.submitter, &job);
        match Shelves::last(&shared.shelves.done, &done).await {
            // Whoever worked on it could not say so any more.
            Ok(Some(_)) => return claim.lease.done().await,
            Ok(None) => {}
            Err(_) => return claim.lease.give_back(None).await,
        }
        if delivery > claim.message.tries {
            let message =
                format!("it was tried {} times, and each time its worker ended or lost it", delivery - 1);
            let hint = Some(
                "draw it alone and watch the renderer; `tarim farm dead retry` tries it again".to_owned(),
            );
            return shared.give_up(claim, Failure { code: FailureCode::Crashed, message, hint }).await;
        }
        let submitter = match claim.message.submitter_name.as_str() {
            "" => claim.message.submitter.to_string(),
            name => name.to_owned(),
        };
        self.last_number += 1;
        let number = JobId(self.last_number);
        lock(&shared.now).job =
            Some(Current { job: job.clone(), number, submitter: submitter.clone(), cancelled: false });
        shared.tell(WorkerEvent::Begun { job: job.clone(), submitter, delivery });
        let begun = EventHeader::Begun {
            worker: shared.id.clone(),
            worker_name: shared.options.name.clone(),
            delivery,
        };
        shared.news(&claim.message, &begun, None).await;
        let end = self.attempt(&claim, number).await;
        lock(&shared.now).job = None;
        match end {
            Try::Drawn(recipe, pixels, timings, warnings) => {
                shared.measure(&recipe, &claim);
                let seconds = claim.began.elapsed().as_secs_f64();
                let drawn = Drawn { claim, recipe: *recipe, pixels, timings, warnings, seconds };
                // The next one is drawn meanwhile, but no more than a few wait.
                if let Ok(room) = Arc::clone(&self.uploads).acquire_owned().await {
                    tokio::spawn(async move {
                        shared.finish(drawn).await;
                        drop(room);
                    });
                }
            }
            Try::Cancelled => {
                claim.lease.done().await;
                shared.tell(WorkerEvent::Discarded { job });
            }
            Try::Leaving => claim.lease.give_back(None).await,
            Try::Failed(failure, true) => shared.give_up(claim, failure).await,
            Try::Failed(failure, false) if delivery >= claim.message.tries => {
                shared.give_up(claim, failure).await;
            }
            Try::Failed(failure, false) => {
                shared.news(&claim.message, &EventHeader::Again { failure: failure.clone() }, None).await;
                claim.lease.give_back(Some(REST * delivery.min(20))).await;
                shared.tell(WorkerEvent::Again { job, failure });
            }
        }
    }

    async fn attempt(&mut self, claim: &Claim, number: JobId) -> Try {
        let shared = Arc::clone(&self.shared);
        let bad =
            |message: String| Try::Failed(Failure { code: FailureCode::BadInput, message, hint: None }, true);
        let mut recipe = match Recipe::from_json(claim.message.recipe.get()) {
            Ok(recipe) => recipe,
            Err(error) => return bad(format!("its recipe cannot be read: {error}")),
        };
        if claim.message.any_precision {
            recipe.precision = shared.device.preferred_precision;
        }
        let mut images = [None, None];
        for (image, name) in images.iter_mut().zip([&claim.message.init, &claim.message.mask]) {
            let Some(name) = name else { continue };
            *image = match self.input(name).await {
                Ok(pixels) => Some(pixels),
                Err(error @ FarmError::Missing(_)) => return bad(format!("{error}; submit the job again")),
                Err(error) => {
                    let code = FailureCode::Other;
                    return Try::Failed(
                        Failure { code, message: error.to_string(), hint: error.hint() },
                        false,
                    );
                }
            };
        }
        let [init, mask] = images;
        let Some(model) = shared.holdings.path(&claim.message.model) else {
            let message = "the worker no longer has the model".to_owned();
            return Try::Failed(Failure { code: FailureCode::Model, message, hint: None }, false);
        };
        if let Some(fetch) = &shared.options.fetch {
            models::touch(fetch, &claim.message.model);
        }
        let job = tarim_render::Job {
            id: number,
            pictures: vec![ToRender { recipe: recipe.clone(), init, mask }],
            model,
            device: shared.device.id,
            together: 1,
            preview_every: claim.message.preview_every,
        };
        let renderer = Arc::clone(&shared.renderer);
        let events = match tokio::task::spawn_blocking(move || renderer.submit(job)).await {
            Ok(Ok(events)) => forward(events),
            Ok(Err(error)) => return failed(error.to_failure()),
            Err(_) => return failed(lost()),
        };
        self.follow(claim, number, recipe, events).await
    }

    /// Follows a job in the renderer up to its end.
    async fn follow(
        &mut self,
        claim: &Claim,
        number: JobId,
        recipe: Recipe,
        mut events: mpsc::UnboundedReceiver<JobEvent>,
    ) -> Try {
        let shared = Arc::clone(&self.shared);
        let mut picture = None;
        let mut warnings = Vec::new();
        let mut throttle = Throttle::default();
        let mut leave_at = None;
        loop {
            let asked = *self.stop.borrow();
            if asked > 0 && leave_at.is_none() {
                lock(&shared.now).leaving = true;
                leave_at = Some(Instant::now() + shared.options.grace);
            }
            if asked > 1 || leave_at.is_some_and(|at| at <= Instant::now()) {
                shared.renderer.cancel(number);
                return Try::Leaving;
            }
            let left =
                leave_at.map_or(Duration::from_hours(1), |at| at.saturating_duration_since(Instant::now()));
            let event = tokio::select! {
                event = events.recv() => event,
                _ = self.stop.changed() => continue,
                () = tokio::time::sleep(left) => continue,
            };
            match event {
                Some(JobEvent::Stage { stage, .. }) => {
                    shared.news(&claim.message, &EventHeader::Stage { stage }, None).await;
                }
                Some(JobEvent::Progress { step, steps, preview, .. }) => {
                    if throttle.admits(step == steps) {
                        let preview = preview.filter(|_| throttle.shows());
                        let shape = preview.as_ref().map(Pixels::shape);
                        let header = EventHeader::Progress { step, steps, preview: shape };
                        shared.news(&claim.message, &header, preview.as_ref()).await;
                    }
                }
                Some(JobEvent::Picture { pixels, timings, .. }) => picture = Some((pixels, timings)),
                Some(JobEvent::Warning(message)) => {
                    shared
                        .news(&claim.message, &EventHeader::Warning { message: message.clone() }, None)
                        .await;
                    warnings.push(message);
                }
                Some(JobEvent::Fewer(_)) => {}
                Some(JobEvent::PictureFailed { failure, .. } | JobEvent::Failed(failure)) => {
                    return self.renderer_failed(claim, failure);
                }
                Some(JobEvent::Done(outcome)) => {
                    lock(&shared.now).loaded = Some(claim.message.model.clone());
                    let cancelled = lock(&shared.now).job.as_ref().is_some_and(|current| current.cancelled);
                    return match (picture, outcome) {
                        _ if cancelled => Try::Cancelled,
                        (Some((pixels, timings)), _) => {
                            Try::Drawn(Box::new(recipe), pixels, timings, warnings)
                        }
                        (None, Outcome::Cancelled) => Try::Leaving,
                        (None, Outcome::Finished) => {
                            let message = "the renderer finished without a picture".to_owned();
                            Try::Failed(Failure { code: FailureCode::Internal, message, hint: None }, false)
                        }
                    };
                }
                None => return failed(lost()),
            }
        }
    }

    fn renderer_failed(&self, claim: &Claim, failure: Failure) -> Try {
        let shared = &self.shared;
        if lock(&shared.now).job.as_ref().is_some_and(|current| current.cancelled) {
            return Try::Cancelled;
        }
        lock(&shared.now).loaded = None;
        if failure.code == FailureCode::Model {
            // Another worker's copy may be whole; this one is not offered any more.
            shared.holdings.remove(&claim.message.model);
        }
        failed(failure)
    }

    /// An input, from memory or from the farm.
    async fn input(&mut self, name: &Token) -> Result<Arc<Pixels>, FarmError> {
        if let Some((_, pixels)) = self.inputs.iter().find(|(known, _)| known == name) {
            return Ok(Arc::clone(pixels));
        }
        let shelves = &self.shared.shelves;
        let bytes =
            shelves.get_object(&shelves.inputs, "the job's initial picture or mask", name.as_str()).await?;
        let pixels = Arc::new(pixels::decode(&bytes, name)?);
        self.inputs.insert(0, (name.clone(), Arc::clone(&pixels)));
        self.inputs.truncate(INPUTS);
        Ok(pixels)
    }
}

/// Whether another try, perhaps on another worker, may end otherwise.
fn failed(failure: Failure) -> Try {
    let everywhere = matches!(failure.code, FailureCode::BadInput | FailureCode::Internal);
    Try::Failed(failure, everywhere)
}

fn lost() -> Failure {
    Failure { code: FailureCode::Crashed, message: "the renderer is gone".to_owned(), hint: None }
}

/// From the renderer's channel to one that can be waited for beside other things.
fn forward(events: Receiver<JobEvent>) -> mpsc::UnboundedReceiver<JobEvent> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for event in events {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Lets a little of the progress through.
#[derive(Default)]
struct Throttle {
    told: Option<Instant>,
    shown: Option<Instant>,
}

impl Throttle {
    fn admits(&mut self, last: bool) -> bool {
        let admits = last || self.told.is_none_or(|told| told.elapsed() >= PROGRESS);
        if admits {
            self.told = Some(Instant::now());
        }
        admits
    }

    fn shows(&mut self) -> bool {
        let shows = self.shown.is_none_or(|shown| shown.elapsed() >= PREVIEWS);
        if shows {
            self.shown = Some(Instant::now());
        }
        shows
    }
}

impl Shared {
    /// Tells the submitter.
    pub(super) async fn news(&self, message: &JobMessage, header: &EventHeader, preview: Option<&Pixels>) {
        let bytes = preview.map(Pixels::bytes).unwrap_or_default();
        if let Ok(frame) = frame::encode(header, &[bytes]) {
            self.shelves.tell(self.shelves.names.event(&message.submitter, &message.job), frame).await;
        }
    }

    /// Takes note of how fast it was.
    fn measure(&self, recipe: &Recipe, claim: &Claim) {
        let work =
            f64::from(recipe.size.width()) * f64::from(recipe.size.height()) * f64::from(recipe.steps) / 1e6;
        let speed = work / claim.began.elapsed().as_secs_f64().max(1e-3);
        let mut now = lock(&self.now);
        now.speed = Some(now.speed.map_or(speed, |before| 0.8 * before + 0.2 * speed));
    }
}
