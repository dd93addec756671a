//! The jobs in work, in memory: where they are, what they look like, and how to stop them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tarim_library::{Id, Job, Library};
use tarim_render::Pixels;

use crate::alive::Alive;
use crate::estimate::Seconds;
use crate::events::{Broadcast, Event, JobProgress, JobStage};
use crate::lock;

/// A rough picture of a job's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Counts a job's previews, from 1.
    pub number: u32,
    /// The picture as a PNG.
    pub png: Arc<[u8]>,
}

/// Why a job in work is to stop. What comes later in this list outweighs what comes earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// The queue is paused or the studio closes: the job waits again.
    Requeue,
    /// Somebody cancelled it.
    Cancel,
    /// It was given to another process: whatever comes of it here counts for nothing.
    Lost,
}

/// The jobs in work here.
pub(crate) struct Live {
    every: Duration,
    current: Mutex<BTreeMap<Id, Current>>,
}

struct Current {
    /// Whose it is, as its row says.
    worker: String,
    /// Where it comes from, which need not be the library that is open by now.
    library: Arc<Library>,
    _alive: Option<Arc<Alive>>,
    progress: JobProgress,
    preview: Option<Preview>,
    previews: u32,
    told: Option<Instant>,
    /// When the first step was done, and which it was: with the last one they give the speed.
    first_step: Option<(Instant, u32)>,
    expected: Option<Seconds>,
    stop: Option<Stop>,
    /// Tells whoever works on it that it is to stop.
    on_stop: Option<Box<dyn Fn() + Send + Sync>>,
}

/// A job in work, and whose it is.
pub(crate) struct InWork {
    pub(crate) job: Id,
    pub(crate) worker: String,
    pub(crate) library: Arc<Library>,
}

impl Live {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, current: Mutex::default() }
    }

    /// Begins a job.
    pub(crate) fn begin(
        &self,
        job: &Job,
        worker: &str,
        steps: u32,
        library: &Arc<Library>,
        alive: Option<Arc<Alive>>,
        broadcast: &Broadcast,
    ) {
        let progress = JobProgress {
            job: job.id.to_string(),
            request: job.request.to_string(),
            stage: JobStage::Starting,
            step: 0,
            steps,
            preview: 0,
            seconds_left: None,
        };
        broadcast.send(&Event::Progress(progress.clone()));
        let current = Current {
            worker: worker.to_owned(),
            library: Arc::clone(library),
            _alive: alive,
            progress,
            preview: None,
            previews: 0,
            told: None,
            first_step: None,
            expected: None,
            stop: None,
            on_stop: None,
        };
        lock(&self.current).insert(job.id, current);
    }

    /// Ends it.
    pub(crate) fn end(&self, job: Id) {
        // Dropped outside of the lock: what it tells of its stop may be the last that holds a renderer.
        let current = lock(&self.current).remove(&job);
        drop(current);
    }

    /// What a job is expected to take.
    pub(crate) fn expect(&self, job: Id, seconds: Option<Seconds>) {
        if let Some(current) = lock(&self.current).get_mut(&job) {
            current.expected = seconds;
        }
    }

    /// Whom to tell when it is to stop. Told at once if it is to stop already.
    pub(crate) fn on_stop(&self, job: Id, tell: Box<dyn Fn() + Send + Sync>) {
        if let Some(current) = lock(&self.current).get_mut(&job) {
            if current.stop.is_some() {
                tell();
            }
            current.on_stop = Some(tell);
        }
    }

    /// Asks a job to stop; all jobs where none is named. Returns whether there is any such.
    pub(crate) fn stop(&self, job: Option<Id>, why: Stop) -> bool {
        let mut current = lock(&self.current);
        let mut found = false;
        for (id, current) in current.iter_mut() {
            if job.is_none_or(|job| job == *id) {
                found = true;
                current.stop = current.stop.max(Some(why));
                if let Some(tell) = &current.on_stop {
                    tell();
                }
            }
        }
        found
    }

    /// Whether and why it is to stop.
    pub(crate) fn stopping(&self, job: Id) -> Option<Stop> {
        lock(&self.current).get(&job)?.stop
    }

    /// Whether anything is in work.
    pub(crate) fn busy(&self) -> bool {
        !lock(&self.current).is_empty()
    }

    /// The jobs in work.
    pub(crate) fn jobs(&self) -> Vec<InWork> {
        let current = lock(&self.current);
        let in_work = current.iter().map(|(job, current)| InWork {
            job: *job,
            worker: current.worker.clone(),
            library: Arc::clone(&current.library),
        });
        in_work.collect()
    }

    /// Where it is.
    pub(crate) fn progress(&self, job: Id) -> Option<JobProgress> {
        lock(&self.current).get(&job).map(|current| current.progress.clone())
    }

    /// Where all jobs of a library are, and what they look like.
    pub(crate) fn all(&self, library: &Arc<Library>) -> Vec<(JobProgress, Option<Preview>)> {
        let current = lock(&self.current);
        let its = current.values().filter(|current| Arc::ptr_eq(&current.library, library));
        its.map(|current| (current.progress.clone(), current.preview.clone())).collect()
    }

    /// What it looks like.
    pub(crate) fn preview(&self, job: Id) -> Option<Preview> {
        lock(&self.current).get(&job)?.preview.clone()
    }

    /// It goes into another stage.
    pub(crate) fn stage(&self, job: Id, stage: JobStage, broadcast: &Broadcast) {
        let mut current = lock(&self.current);
        let Some(current) = current.get_mut(&job) else { return };
        current.progress.stage = stage;
        current.progress.seconds_left = current.seconds_left();
        current.told = Some(Instant::now());
        broadcast.send(&Event::Progress(current.progress.clone()));
    }

    /// A step is done.
    pub(crate) fn step(
        &self,
        job: Id,
        step: u32,
        steps: u32,
        preview: Option<Pixels>,
        broadcast: &Broadcast,
    ) {
        // Encoded before anybody has to wait for the lock.
        let png = preview.and_then(|pixels| encode(&pixels));
        let mut current = lock(&self.current);
        let Some(current) = current.get_mut(&job) else { return };
        let now = Instant::now();
        current.first_step.get_or_insert((now, step));
        current.progress.stage = JobStage::Sampling;
        (current.progress.step, current.progress.steps) = (step, steps);
        if let Some(png) = png {
            current.previews += 1;
            current.preview = Some(Preview { number: current.previews, png });
            current.progress.preview = current.previews;
        }
        current.progress.seconds_left = current.seconds_left();
        if step == steps || current.told.is_none_or(|told| now.duration_since(told) >= self.every) {
            current.told = Some(now);
            broadcast.send(&Event::Progress(current.progress.clone()));
        }
    }
}

impl Current {
    /// From this job's own speed as soon as two steps give one, else from earlier pictures'.
    fn seconds_left(&self) -> Option<f64> {
        let JobProgress { step, steps, stage, .. } = self.progress;
        let after = self.expected.map_or(0.0, |seconds| seconds.after);
        if matches!(stage, JobStage::Decoding | JobStage::Saving) {
            return self.expected.map(|_| after);
        }
        let left = f64::from(steps.saturating_sub(step));
        match self.first_step {
            Some((at, first)) if step > first => {
                let a_step = at.elapsed().as_secs_f64() / f64::from(step - first);
                Some(left * a_step + after)
            }
            _ => self.expected.map(|seconds| {
                let before = if step == 0 { seconds.before } else { 0.0 };
                before + left * seconds.step + after
            }),
        }
    }
}

/// A preview as a PNG; one that cannot be encoded is none.
fn encode(pixels: &Pixels) -> Option<Arc<[u8]>> {
    let (width, height) = (pixels.width(), pixels.height());
    let colour = match pixels.shape().channels {
        tarim_render::Channels::Grey => image::ExtendedColorType::L8,
        tarim_render::Channels::Rgb => image::ExtendedColorType::Rgb8,
        tarim_render::Channels::Rgba => image::ExtendedColorType::Rgba8,
    };
    let mut png = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut png,
        image::codecs::png::CompressionType::Fast,
        image::codecs::png::FilterType::Sub,
    );
    image::ImageEncoder::write_image(encoder, pixels.bytes(), width, height, colour).ok()?;
    Some(png.into())
}
