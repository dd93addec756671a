//! A job in a lane's hands, from its claim to its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tarim_library::{Job, JobError, Lease, Library};
use tarim_recipe::Recipe;
use tarim_render::{Pixels, Timings};

use crate::core::Core;
use crate::desk::since;
use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::estimate::Work;
use crate::events::{Event, JobEnd, JobStage, Topic};
use crate::inputs;
use crate::live::Stop;
use crate::submit::Record;

/// A job that a lane works on. Its lease is looked after while this lives; dropped, it goes back to the queue.
pub struct Ticket {
    pub(crate) core: Arc<Core>,
    pub(crate) library: Arc<Library>,
    pub(crate) job: Job,
    pub(crate) worker: String,
    recipe: Recipe,
    began: Instant,
    ended: bool,
}

/// A finished picture.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What it was rendered from; the model's hash filled in.
    pub recipe: Recipe,
    /// Its pixels, as the renderer gave them.
    pub pixels: Pixels,
    /// Where the time went.
    pub timings: Timings,
    /// What rendered it, as measurements name it: `cpu`, `cuda:0`, or a name of other machines.
    pub device: String,
    /// Steps that were really done, where that is known.
    pub steps: Option<u32>,
}

/// How a job ended, or why it did not.
pub(crate) enum End {
    Done,
    Stopped(Stop),
    Failed(StudioError),
    Requeued,
}

impl Ticket {
    pub(crate) fn new(
        core: &Arc<Core>,
        library: &Arc<Library>,
        job: Job,
        recipe: Recipe,
        worker: &str,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            library: Arc::clone(library),
            job,
            worker: worker.to_owned(),
            recipe,
            began: Instant::now(),
            ended: false,
        }
    }

    /// The job's row, as it was claimed.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// What to render.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Fills in what is known only now: the precision, the model's hash. On an error the job is to stop.
    pub fn set_recipe(&mut self, recipe: Recipe) -> Result<(), Stop> {
        if recipe == self.recipe {
            return Ok(());
        }
        match self.library.set_recipe(self.job.id, &self.worker, &recipe) {
            Ok(Lease::CancelRequested) => return Err(Stop::Cancel),
            Ok(Lease::Lost) => return Err(Stop::Lost),
            // Where it could not be written, its row says less than its picture will; that is all.
            Ok(Lease::Held) | Err(_) => {}
        }
        self.recipe = recipe;
        Ok(())
    }

    /// Whether the device is to choose the precision.
    pub fn precision_is_open(&self) -> bool {
        let request = self.library.request(self.job.request);
        request.is_ok_and(|request| Record::read(&request.draft).precision_is_open())
    }

    /// Where the model lies: where it lay when the job was queued, or wherever it was moved since.
    pub fn model(&self) -> PathBuf {
        if self.job.model_path.exists() || self.recipe.model.hash.is_none() {
            return self.job.model_path.clone();
        }
        let moved = self.core.models.matching(&self.recipe.model);
        moved.map_or_else(|| self.job.model_path.clone(), |model| model.path)
    }

    /// The initial picture and the mask that the recipe names.
    pub fn inputs(&self) -> Result<(Option<Pixels>, Option<Pixels>)> {
        let Some(init) = &self.recipe.init else { return Ok((None, None)) };
        let root = self.library.root();
        let mask = init.mask.as_ref().map(|mask| inputs::load_mask(root, &mask.picture)).transpose()?;
        Ok((Some(inputs::load(root, &init.picture)?), mask))
    }

    /// Says what is expected of it, by what pictures took on a device.
    pub fn expect_on(&self, device: &str) {
        let work = Work::of(&self.recipe, device);
        self.core.live.expect(self.job.id, self.core.expect(&work));
    }

    /// It goes into another stage.
    pub fn stage(&self, stage: JobStage) {
        self.core.live.stage(self.job.id, stage, &self.core.broadcast);
    }

    /// A step is done, the first being 1; with a rough picture where there is one.
    pub fn step(&self, step: u32, steps: u32, preview: Option<Pixels>) {
        self.core.live.step(self.job.id, step, steps, preview, &self.core.broadcast);
    }

    /// Whether and why it is to stop.
    pub fn stopping(&self) -> Option<Stop> {
        self.core.live.stopping(self.job.id)
    }

    /// Calls `tell` when it is to stop, perhaps more than once, from any thread. `tell` must not use the ticket.
    pub fn on_stop(&self, tell: impl Fn() + Send + Sync + 'static) {
        self.core.live.on_stop(self.job.id, Box::new(tell));
    }

    /// Hands the picture over to be saved, which ends the job. May wait while earlier ones are being saved.
    pub fn deliver(self, finished: Finished) {
        self.stage(JobStage::Saving);
        let saver = self.core.saver();
        match saver {
            Some(saver) => saver.save(self, finished),
            None => self.requeue(),
        }
    }

    /// It has stopped because it was asked to.
    pub fn stopped(self, why: Stop) {
        self.end(End::Stopped(why));
    }

    /// It goes back to where it was in the queue; the attempt does not count.
    pub fn requeue(self) {
        self.end(End::Requeued);
    }

    /// It cannot be rendered.
    pub fn fail(self, error: StudioError) {
        self.end(End::Failed(error));
    }

    /// What rendered it failed, perhaps for reasons that are not the job's: it is tried once more, and then fails. Of
    /// several that were rendered together nobody knows whose fault it was; next time each goes alone.
    pub fn failed_once(self, error: StudioError, alone: bool) {
        if !alone {
            self.core.suspects.add(self.job.id);
            self.requeue();
        } else if self.core.suspects.blame(self.job.id) > 1 {
            self.fail(error);
        } else {
            self.core.notice(Problem::of("renderer_failed_once", error));
            self.requeue();
        }
    }

    pub(crate) fn done(self) {
        self.end(End::Done);
    }

    fn end(mut self, end: End) {
        self.settle(end);
    }

    /// Records how it ended, and tells of it.
    fn settle(&mut self, end: End) {
        self.ended = true;
        let core = Arc::clone(&self.core);
        let (id, worker, now) = (self.job.id, &self.worker, core.now());
        if !matches!(end, End::Requeued | End::Stopped(Stop::Requeue)) {
            core.suspects.clear(id);
        }
        let (recorded, told) = match end {
            End::Done => (Ok(()), Some(JobEnd::Done { seconds: since(self.began) })),
            End::Stopped(Stop::Cancel) => {
                (self.library.cancel_running(id, worker, now).map(drop), Some(JobEnd::Cancelled))
            }
            End::Stopped(Stop::Lost) => (Ok(()), None),
            End::Requeued | End::Stopped(Stop::Requeue) => {
                (self.library.release_job(id, worker).map(drop), Some(JobEnd::Requeued))
            }
            End::Failed(error) => {
                let row = JobError {
                    code: error.kind.name().to_owned(),
                    message: error.message.clone(),
                    hint: error.hint.clone(),
                };
                (self.library.fail_job(id, worker, &row, now).map(drop), Some(JobEnd::Failed(error)))
            }
        };
        if let Err(error) = recorded {
            // The lease will run out, and the job then be looked after as one of a process that was killed.
            core.notice(Problem::of("queue_not_written", error.into()));
        }
        // Recorded before it leaves memory: until then its lease is looked after.
        core.live.end(id);
        if let Some(end) = told {
            if end == JobEnd::Requeued {
                core.queue.ring();
            }
            let (job, request) = (id.to_string(), self.job.request.to_string());
            core.broadcast.send(&Event::JobEnded { job, request, end });
        }
        core.changed(&[Topic::Pictures, Topic::Queue, Topic::History]);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // A fault in here must cost this job alone, and not come again and again.
        self.settle(if std::thread::panicking() {
            End::Failed(StudioError::new(ErrorKind::Internal, "a fault in Tarim ended the job"))
        } else {
            End::Requeued
        });
    }
}
