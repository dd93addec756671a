//! The job in work, in memory: where it is, what it looks like, and how to stop it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tarim_library::{Id, Job, Library};
use tarim_render::{JobId, Pixels, Renderer};

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
pub(crate) enum Stop {
    /// The queue is paused or the studio closes: the job waits again.
    Requeue,
    /// Somebody cancelled it.
    Cancel,
    /// It was given to another process: whatever comes of it here counts for nothing.
    Lost,
}

/// The job in work, if there is one.
pub(crate) struct Live {
    every: Duration,
    current: Mutex<Option<Current>>,
}

struct Current {
    job: Id,
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
    handle: Option<(Arc<dyn Renderer>, JobId)>,
}

impl Live {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, current: Mutex::default() }
    }

    /// Begins a job.
    pub(crate) fn begin(
        &self,
        job: &Job,
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
        *lock(&self.current) = Some(Current {
            job: job.id,
            library: Arc::clone(library),
            _alive: alive,
            progress,
            preview: None,
            previews: 0,
            told: None,
            first_step: None,
            expected: None,
            stop: None,
            handle: None,
        });
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        lock(&self.current).take();
    }

    /// What the job is expected to take.
    pub(crate) fn expect(&self, seconds: Option<Seconds>) {
        if let Some(current) = lock(&self.current).as_mut() {
            current.expected = seconds;
        }
    }

    /// Where to turn to stop it. Says so at once if it is to stop already.
    pub(crate) fn submitted(&self, renderer: &Arc<dyn Renderer>, id: JobId) {
        if let Some(current) = lock(&self.current).as_mut() {
            current.handle = Some((Arc::clone(renderer), id));
            if current.stop.is_some() {
                renderer.cancel(id);
            }
        }
    }

    /// Asks the job to stop; any job where none is named. Returns whether it is the one in work.
    pub(crate) fn stop(&self, job: Option<Id>, why: Stop) -> bool {
        let mut current = lock(&self.current);
        let Some(current) = current.as_mut().filter(|current| job.is_none_or(|job| job == current.job))
        else {
            return false;
        };
        current.stop = current.stop.max(Some(why));
        if let Some((renderer, id)) = &current.handle {
            renderer.cancel(*id);
        }
        true
    }

    /// Whether and why it is to stop.
    pub(crate) fn stopping(&self) -> Option<Stop> {
        lock(&self.current).as_ref()?.stop
    }

    /// The job in work.
    pub(crate) fn job(&self) -> Option<Id> {
        lock(&self.current).as_ref().map(|current| current.job)
    }

    /// The same, with its library.
    pub(crate) fn job_and_library(&self) -> Option<(Id, Arc<Library>)> {
        lock(&self.current).as_ref().map(|current| (current.job, Arc::clone(&current.library)))
    }

    /// Where it is.
    pub(crate) fn progress(&self, job: Id) -> Option<JobProgress> {
        let current = lock(&self.current);
        let current = current.as_ref().filter(|current| current.job == job)?;
        Some(current.progress.clone())
    }

    /// What it looks like.
    pub(crate) fn preview(&self, job: Id) -> Option<Preview> {
        let current = lock(&self.current);
        current.as_ref().filter(|current| current.job == job)?.preview.clone()
    }

    /// It goes into another stage.
    pub(crate) fn stage(&self, stage: JobStage, broadcast: &Broadcast) {
        let mut current = lock(&self.current);
        let Some(current) = current.as_mut() else { return };
        current.progress.stage = stage;
        current.progress.seconds_left = current.seconds_left();
        current.told = Some(Instant::now());
        broadcast.send(&Event::Progress(current.progress.clone()));
    }

    /// A step is done.
    pub(crate) fn step(&self, step: u32, steps: u32, preview: Option<Pixels>, broadcast: &Broadcast) {
        // Encoded before anybody has to wait for the lock.
        let png = preview.and_then(|pixels| encode(&pixels));
        let mut current = lock(&self.current);
        let Some(current) = current.as_mut() else { return };
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
