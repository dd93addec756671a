//! The thread that owns the pipeline: one task after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use tarim_diffusion::pipeline::{LoadOptions, Pipeline, Raster};
use tarim_recipe::Precision;
use tarim_render::messages::{Event, RenderRequest};
use tarim_render::{
    DeviceChoice, Failure, FailureCode, JobId, Outcome, PixelLimit, PixelShape, Pixels, Stage,
};

use crate::batch::Batch;
use crate::cancel::Cancels;
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
    /// What the memory was seen to hold, with the model in memory.
    limits: PixelLimit,
}

impl Worker {
    pub(crate) fn new(output: Output, cancels: Cancels) -> Self {
        Self { output, cancels, busy: Arc::default(), pipeline: None, limits: PixelLimit::default() }
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
        let images = request.cut(payload).map_err(|error| Failure {
            code: FailureCode::BadInput,
            message: format!("the job's pictures came damaged: {error}"),
            hint: None,
        })?;
        let images = images.into_iter().map(raster).collect::<Result<Vec<_>, _>>()?;
        let load = self.load(request)?;
        let Some((_, pipeline)) = &mut self.pipeline else { return Ok(Outcome::Cancelled) };
        Batch {
            output: &self.output,
            cancels: &self.cancels,
            request,
            images: &images,
            limits: &mut self.limits,
            load,
            warned: Vec::new(),
            sent: false,
        }
        .render(pipeline)
    }

    /// Loads the model, unless it is the one in memory. Gives the seconds that took.
    fn load(&mut self, request: &RenderRequest) -> Result<f64, Failure> {
        let RenderRequest { job, model, device, .. } = request;
        let Some(recipe) = request.pictures.first().map(|picture| &picture.recipe) else {
            return Err(Failure {
                code: FailureCode::BadInput,
                message: "the job has no picture".to_owned(),
                hint: None,
            });
        };
        let wanted = Loaded { model: model.clone(), device: *device, precision: recipe.precision };
        if self.pipeline.as_ref().is_some_and(|(loaded, _)| *loaded == wanted) {
            return Ok(0.0);
        }
        let since = Instant::now();
        self.output.send(&Event::Stage { job: *job, stage: Stage::LoadingModel, pictures: Vec::new() }, &[]);
        // Before the next one is loaded, so that there is room for it.
        self.pipeline = None;
        self.limits = PixelLimit::default();
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
