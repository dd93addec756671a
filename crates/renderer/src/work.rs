//! The thread that owns the pipeline: one task after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use tarim_diffusion::pipeline::{LoadOptions, Pipeline, Raster, RenderInputs};
use tarim_recipe::Precision;
use tarim_render::messages::{Event, RenderRequest};
use tarim_render::{Channels, DeviceChoice, Failure, FailureCode, JobId, Outcome, PixelShape, Pixels, Stage};

use crate::cancel::Cancels;
use crate::follow::Follower;
use crate::output::Output;
use crate::{device, failure};

/// What the thread is given to do.
pub(crate) enum Task {
    /// Render, with the payload that came along.
    Render(Box<RenderRequest>, Vec<u8>),
    SelfTest(DeviceChoice),
}

/// What the pipeline in memory was loaded from and for.
#[derive(Clone, PartialEq, Eq)]
struct Loaded {
    model: PathBuf,
    device: DeviceChoice,
    precision: Precision,
}

pub(crate) struct Worker {
    output: Output,
    cancels: Cancels,
    busy: Arc<AtomicBool>,
    /// The model used last stays for the next job.
    pipeline: Option<(Loaded, Pipeline)>,
}

impl Worker {
    pub(crate) fn new(output: Output, cancels: Cancels) -> Self {
        Self { output, cancels, busy: Arc::default(), pipeline: None }
    }

    /// Whether a task is under way.
    pub(crate) fn busy(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.busy)
    }

    pub(crate) fn run(&mut self, tasks: &Receiver<Task>) {
        for task in tasks {
            self.busy.store(true, Ordering::Relaxed);
            match task {
                Task::Render(request, payload) => self.job(&request, payload),
                Task::SelfTest(device) => self.self_test(device),
            }
            self.busy.store(false, Ordering::Relaxed);
        }
    }

    fn self_test(&self, device: DeviceChoice) {
        let result = catch_unwind(|| device::measure(device))
            .unwrap_or_else(|panic| Err(failure::of_panic(panic.as_ref())));
        self.output.send(&Event::SelfTestResult { device, result }, &[]);
    }

    fn job(&mut self, request: &RenderRequest, payload: Vec<u8>) {
        let job = request.job;
        // After a panic the pipeline, the only thing that outlives the job, is dropped.
        let result = catch_unwind(AssertUnwindSafe(|| self.render(request, payload)))
            .unwrap_or_else(|panic| Err(failure::of_panic(panic.as_ref())));
        let event = match result {
            Ok(outcome) => Event::Done { job, outcome },
            Err(failure) => {
                if matches!(failure.code, FailureCode::OutOfMemory | FailureCode::Internal) {
                    self.pipeline = None;
                }
                Event::Failed { job, failure }
            }
        };
        self.cancels.forget(job);
        self.output.send(&event, &[]);
    }

    fn render(&mut self, request: &RenderRequest, payload: Vec<u8>) -> Result<Outcome, Failure> {
        let job = request.job;
        if self.cancels.has(job) {
            return Ok(Outcome::Cancelled);
        }
        let [init, mask] = request.pictures(payload).map_err(|error| Failure {
            code: FailureCode::BadInput,
            message: format!("the job's pictures came damaged: {error}"),
            hint: None,
        })?;
        let (init, mask) = (init.map(raster).transpose()?, mask.map(raster).transpose()?);
        let mut load_seconds = self.load(request)?;
        let Some((_, pipeline)) = &mut self.pipeline else { return Ok(Outcome::Cancelled) };
        let mut warned = Vec::new();
        for index in 0..request.count {
            if self.cancels.has(job) {
                return Ok(Outcome::Cancelled);
            }
            let recipe = request.recipe.nth(index.into());
            let inputs = RenderInputs { recipe: &recipe, init: init.as_ref(), mask: mask.as_ref() };
            let mut follower = Follower::new(&self.output, &self.cancels, job, index, request.preview_every);
            let rendering =
                pipeline.render(&inputs, &mut follower).map_err(|error| failure::of_pipeline(&error))?;
            for message in rendering.warnings {
                // The same of each picture is said once.
                if !warned.contains(&message) {
                    self.output.send(&Event::Warning { job: Some(job), message: message.clone() }, &[]);
                    warned.push(message);
                }
            }
            let mut timings = follower.timings();
            timings.load = std::mem::take(&mut load_seconds);
            for picture in rendering.pictures {
                let shape =
                    PixelShape { width: picture.width, height: picture.height, channels: Channels::Rgb };
                let event = Event::Picture { job, picture: index, seed: picture.seed, shape, timings };
                self.output.send(&event, &picture.rgb);
            }
            if rendering.cancelled {
                return Ok(Outcome::Cancelled);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Loads the model, unless it is the one in memory. Gives the seconds that took.
    fn load(&mut self, request: &RenderRequest) -> Result<f64, Failure> {
        let RenderRequest { job, model, device, recipe, .. } = request;
        let wanted = Loaded { model: model.clone(), device: *device, precision: recipe.precision };
        if self.pipeline.as_ref().is_some_and(|(loaded, _)| *loaded == wanted) {
            return Ok(0.0);
        }
        let since = Instant::now();
        self.output.send(&Event::Stage { job: *job, stage: Stage::LoadingModel }, &[]);
        // Before the next one is loaded, so that there is room for it.
        self.pipeline = None;
        let options = LoadOptions {
            device: device::choice(*device),
            precision: Some(recipe.precision),
            ..LoadOptions::default()
        };
        let pipeline = Pipeline::load(model, &options).map_err(|error| failure::of_pipeline(&error))?;
        self.warn(*job, pipeline.notes());
        self.pipeline = Some((wanted, pipeline));
        Ok(since.elapsed().as_secs_f64())
    }

    fn warn(&self, job: JobId, messages: &[String]) {
        for message in messages {
            self.output.send(&Event::Warning { job: Some(job), message: message.clone() }, &[]);
        }
    }
}

fn raster(pixels: Pixels) -> Result<Raster, Failure> {
    let PixelShape { width, height, channels } = pixels.shape();
    Raster::new(width, height, channels.count() as u32, pixels.into_bytes())
        .map_err(|error| failure::of_pipeline(&error))
}
