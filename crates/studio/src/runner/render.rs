//! One attempt at a job: renderer, precision, model, initial pictures, and then the renderer's events up to the last.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tarim_library::{Job, Lease, Library};
use tarim_recipe::{Precision, Recipe};
use tarim_render::{
    DeviceInfo, Failure, FailureCode, Hello, JobEvent, JobId, Outcome, RenderError, Renderer, Stage,
};

use super::{End, Runner};
use crate::error::{ErrorKind, Problem, StudioError};
use crate::estimate::Work;
use crate::events::JobStage;
use crate::inputs;
use crate::lane::no_such_device;
use crate::live::Stop;
use crate::submit::Record;

/// How often a renderer may end before it has said hello.
const STARTS: u32 = 3;
/// How soon a stop is noticed while the renderer starts.
const SOON: Duration = Duration::from_millis(50);

impl Runner<'_> {
    pub(super) fn render(&mut self, library: &Arc<Library>, job: &Job, mut recipe: Recipe) -> End {
        let core = self.core;
        let settings = core.settings.get();
        let renderer = match core.lane.renderer(settings.device) {
            Ok(renderer) => renderer,
            Err(error) => return End::Halt(Problem::of("renderer_missing", error.into())),
        };
        let hello = match self.start(&renderer) {
            Ok(hello) => hello,
            Err(end) => return end,
        };
        core.lane.greeted(&hello);
        let Some(device) = hello.device(settings.device) else {
            return End::Halt(Problem::of("device_missing", no_such_device(settings.device, &hello)));
        };

        // The recipe is whole from here on, also in the queue.
        let model = self.model(job, &recipe);
        let hash = self.hash(model.clone());
        recipe.precision = precision(library, job, &recipe, device, settings.precision);
        match library.set_recipe(job.id, &core.worker, &recipe) {
            Ok(Lease::Held) => {}
            Ok(Lease::CancelRequested) => return End::Stopped(Stop::Cancel),
            Ok(Lease::Lost) => return End::Stopped(Stop::Lost),
            Err(error) => return End::Failed(error.into()),
        }
        let work = Work::of(&recipe, &device.id.to_string());
        core.live.expect(core.expect(&work));

        let pictures = recipe.init.as_ref().map(|init| {
            let mask = init.mask.as_ref().map(|mask| inputs::load_mask(library.root(), &mask.picture));
            Ok::<_, StudioError>((inputs::load(library.root(), &init.picture)?, mask.transpose()?))
        });
        let (init, mask) = match pictures.transpose() {
            Ok(pictures) => pictures.map_or((None, None), |(init, mask)| (Some(init), mask)),
            Err(error) => return End::Failed(error),
        };

        self.last_id += 1;
        let id = JobId(self.last_id);
        let request = tarim_render::Job {
            id,
            recipe: recipe.clone(),
            count: 1,
            model,
            device: device.id,
            init,
            mask,
            preview_every: if core.broadcast.has_listeners() { settings.preview_every } else { 0 },
        };
        if let Some(stop) = core.live.stopping() {
            return End::Stopped(stop);
        }
        let events = {
            let renderer = Arc::clone(&renderer);
            match self.patiently(move || renderer.submit(request)) {
                Ok(Ok(events)) => events,
                Ok(Err(error)) => return renderer_failed(error.to_failure()),
                Err(stop) => return End::Stopped(stop),
            }
        };
        core.live.submitted(&renderer, id);

        // What counts for the next pictures begins here: for them the renderer is there already.
        let mut attempt = Attempt { recipe, hash: Some(hash), work, began: Instant::now(), saved: None };
        let end = events.iter().find_map(|event| self.happened(event, library, job, &mut attempt));
        let end = end.unwrap_or_else(|| {
            let gone = StudioError::new(ErrorKind::Renderer, "the renderer is gone");
            End::Again(gone.hint("try once more; `tarim doctor` tests the device"))
        });
        let end = attempt.saved.take().unwrap_or(end);
        match &end {
            // After a failure nobody knows what the renderer has in memory; after these it may be too much.
            End::Again(error) if error.kind == ErrorKind::OutOfMemory => core.lane.kill(),
            End::Failed(_) | End::Again(_) => core.lane.used(None),
            _ => core.lane.used(attempt.recipe.model.hash.clone()),
        }
        end
    }

    /// Takes note of an event. The last one gives the end.
    fn happened(
        &mut self,
        event: JobEvent,
        library: &Arc<Library>,
        job: &Job,
        attempt: &mut Attempt,
    ) -> Option<End> {
        let core = self.core;
        match event {
            JobEvent::Stage(stage) => {
                let stage = match stage {
                    Stage::LoadingModel => JobStage::LoadingModel,
                    Stage::Encoding => JobStage::Encoding,
                    Stage::Sampling => JobStage::Sampling,
                    Stage::Decoding => JobStage::Decoding,
                    _ => return None,
                };
                core.live.stage(stage, &core.broadcast);
            }
            JobEvent::Progress { step, steps, preview, .. } => {
                attempt.work.steps = steps;
                core.live.step(step, steps, preview, &core.broadcast);
            }
            JobEvent::Picture { pixels, timings, .. } => {
                core.live.stage(JobStage::Saving, &core.broadcast);
                attempt.learn_hash();
                attempt.saved = Some(self.save(library, job, attempt, pixels, timings));
            }
            JobEvent::Warning(message) => {
                if self.warned.insert(message.clone()) {
                    core.notice(Problem { code: "renderer_warning".to_owned(), message, hint: None });
                }
            }
            JobEvent::Done(Outcome::Finished) => {
                let none = StudioError::new(ErrorKind::Internal, "the renderer finished without a picture");
                return Some(End::Failed(none));
            }
            JobEvent::Done(Outcome::Cancelled) => {
                // Asked by nobody here: it waits again.
                return Some(End::Stopped(core.live.stopping().unwrap_or(Stop::Requeue)));
            }
            JobEvent::Failed(failure) => {
                // One that was to stop anyway has stopped.
                return Some(core.live.stopping().map_or_else(|| renderer_failed(failure), End::Stopped));
            }
        }
        None
    }

    /// Starts the renderer, unless it runs.
    fn start(&self, renderer: &Arc<dyn Renderer>) -> Result<Hello, End> {
        let mut tries = 0;
        loop {
            tries += 1;
            let starting = Arc::clone(renderer);
            let error = match self.patiently(move || starting.start()) {
                Ok(Ok(hello)) => return Ok(hello),
                Ok(Err(error)) => error,
                Err(stop) => return Err(End::Stopped(stop)),
            };
            let passing = matches!(
                error,
                RenderError::NoAnswer { .. } | RenderError::Ended { .. } | RenderError::Spawn { .. }
            );
            if passing && tries < STARTS {
                continue;
            }
            let code = match error {
                RenderError::ProgramMissing { .. } | RenderError::Refused(_) => "renderer_missing",
                RenderError::LibtorchMissing { .. } => "libtorch_missing",
                RenderError::LibtorchMismatch { .. } => "libtorch_mismatch",
                _ => "renderer_broken",
            };
            return Err(End::Halt(Problem::of(code, error.into())));
        }
    }

    /// Runs what may take long and cannot be interrupted; a stop leaves it alone to end by itself.
    fn patiently<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || drop(sender.send(work())));
        loop {
            match receiver.recv_timeout(SOON) {
                Ok(value) => return Ok(value),
                Err(RecvTimeoutError::Timeout) => {}
                // It panicked; nothing will come any more.
                Err(RecvTimeoutError::Disconnected) => return Err(Stop::Requeue),
            }
            if let Some(stop) = self.core.live.stopping() {
                return Err(stop);
            }
        }
    }

    /// Where the model lies: where it lay when the job was queued, or wherever it was moved since.
    fn model(&self, job: &Job, recipe: &Recipe) -> PathBuf {
        if job.model_path.exists() || recipe.model.hash.is_none() {
            return job.model_path.clone();
        }
        let moved = self.core.models.matching(&recipe.model);
        moved.map_or_else(|| job.model_path.clone(), |model| model.path)
    }

    /// Begins to compute the model's hash: for one of some gigabytes that takes seconds, which rendering need not wait
    /// for. It is known already unless the model is new or was changed.
    fn hash(&self, path: PathBuf) -> JoinHandle<Option<String>> {
        let core = Arc::clone(self.core);
        thread::spawn(move || core.models.hash(&path).ok())
    }
}

/// What the recipe says, unless the device was to choose and was not known when it was submitted.
fn precision(
    library: &Library,
    job: &Job,
    recipe: &Recipe,
    device: &DeviceInfo,
    chosen: Option<Precision>,
) -> Precision {
    let is_open = || {
        let request = library.request(job.request);
        request.is_ok_and(|request| Record::read(&request.draft).precision_is_open())
    };
    if recipe.precision == Precision::Fp32 && is_open() {
        return chosen.unwrap_or(device.preferred_precision);
    }
    recipe.precision
}

/// A job under way.
pub(super) struct Attempt {
    pub(super) recipe: Recipe,
    hash: Option<JoinHandle<Option<String>>>,
    pub(super) work: Work,
    pub(super) began: Instant,
    /// How saving its picture ended.
    saved: Option<End>,
}

impl Attempt {
    /// Before the picture is written: the model's hash goes into its recipe.
    fn learn_hash(&mut self) {
        if let Some(hash) = self.hash.take().and_then(|thread| thread.join().ok().flatten()) {
            self.recipe.model.hash = Some(hash);
        }
    }
}

fn renderer_failed(failure: Failure) -> End {
    match failure.code {
        // The process may have been ended from outside, or memory been short for a moment.
        FailureCode::Crashed | FailureCode::Stopped | FailureCode::OutOfMemory => End::Again(failure.into()),
        FailureCode::Device => End::Halt(Problem::of("device_missing", failure.into())),
        _ => End::Failed(failure.into()),
    }
}
