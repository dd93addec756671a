//! The thread that works on the queue: takes a job, has it rendered, records how it ended, takes the next.

mod render;
mod save;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tarim_library::{Claim, Id, Job, JobError, Library};
use tarim_recipe::Recipe;

use crate::alive::Alive;
use crate::core::Core;
use crate::error::{ErrorKind, Problem, StudioError};
use crate::events::{Event, JobEnd, Topic};
use crate::live::Stop;

/// How an attempt at a job ended.
enum End {
    /// Its picture is in the library.
    Done,
    /// It was asked to stop.
    Stopped(Stop),
    /// It cannot be rendered.
    Failed(StudioError),
    /// The renderer failed, perhaps for reasons that are not the job's.
    Again(StudioError),
    /// Nothing can be rendered or saved until somebody does something about it.
    Halt(Problem),
    /// It is rendered and could not be saved; its row was put right as far as it could be. Where there is a reason, nothing
    /// more can be saved until somebody does something about it.
    Unsaved(Option<Problem>),
}

/// What a look at the queue led to.
enum Turn {
    /// A job was worked on.
    Worked,
    /// There is nothing to do until something happens.
    Nothing,
    /// The queue could not be asked.
    Hindered,
}

/// Works on the queue until the studio closes.
pub(crate) fn run(core: &Arc<Core>) {
    let mut runner = Runner {
        core,
        renderer_failures: HashMap::new(),
        save_failures: 0,
        warned: HashSet::new(),
        last_id: 0,
        last_save: 0.0,
    };
    while !core.closing() {
        let turn = runner.turn();
        runner.release_idle();
        match turn {
            Turn::Worked => {}
            Turn::Nothing => core.queue.wait(runner.until_release()),
            Turn::Hindered => core.queue.wait(Some(core.surroundings.timing.retry)),
        }
    }
    core.lane.release();
}

struct Runner<'a> {
    core: &'a Arc<Core>,
    /// How often the renderer failed at jobs that are not done yet.
    renderer_failures: HashMap<Id, u32>,
    /// How many pictures in a row could not be saved.
    save_failures: u32,
    /// Warnings of renderers that were passed on already.
    warned: HashSet<String>,
    /// Number of the last job that a renderer got.
    last_id: u64,
    /// Seconds that the last picture took to be written.
    last_save: f64,
}

impl Runner<'_> {
    /// Does one job, if there is one.
    fn turn(&mut self) -> Turn {
        let core = self.core;
        if core.halted().is_some() {
            return Turn::Nothing;
        }
        let Ok((library, alive)) = core.shelf() else { return Turn::Nothing };
        let model = core.lane.model();
        let claim = Claim {
            worker: &core.worker,
            now: core.now(),
            lease_ms: core.lease_ms(),
            prefer_model: model.as_deref(),
        };
        match library.claim(&claim) {
            Ok(job) => {
                core.hinder(None);
                let Some(job) = job else { return Turn::Nothing };
                self.work(&library, alive, &job);
                Turn::Worked
            }
            // Another program holds the index, or the disk is full: jobs wait, and so do we.
            Err(error) => {
                let code = match error.code() {
                    "disk_full" => "disk_full",
                    "read_only" => "library_read_only",
                    _ => "queue_unreadable",
                };
                core.hinder(Some(Problem::of(code, error.into())));
                Turn::Hindered
            }
        }
    }

    fn work(&mut self, library: &Arc<Library>, alive: Option<Arc<Alive>>, job: &Job) {
        let core = self.core;
        let began = Instant::now();
        let recipe = Recipe::from_json(&job.recipe);
        let steps = recipe.as_ref().map_or(0, |recipe| recipe.steps);
        core.live.begin(job, steps, library, alive, &core.broadcast);
        core.changed(&[Topic::Queue, Topic::History]);
        if core.closing_at_once() {
            core.live.stop(Some(job.id), Stop::Requeue);
        }
        let end = match recipe {
            // A fault in here must cost this job alone.
            Ok(recipe) => catch_unwind(AssertUnwindSafe(|| self.render(library, job, recipe)))
                .unwrap_or_else(|_| {
                    core.lane.kill();
                    End::Failed(StudioError::new(ErrorKind::Internal, "a fault in Tarim ended the job"))
                }),
            Err(error) => End::Failed(
                StudioError::caused(ErrorKind::BadInput, &error).hint("submit it again from the history"),
            ),
        };
        // Recorded before the job leaves memory: until then its lease is looked after.
        let end = self.settle(library, job, end, began);
        core.live.end();
        if let Some(end) = end {
            core.broadcast.send(&Event::JobEnded {
                job: job.id.to_string(),
                request: job.request.to_string(),
                end,
            });
        }
        core.changed(&[Topic::Pictures, Topic::Queue, Topic::History]);
    }

    /// Records how a job ended, and says what to tell of it.
    fn settle(&mut self, library: &Library, job: &Job, end: End, began: Instant) -> Option<JobEnd> {
        let core = self.core;
        let (worker, now) = (&core.worker, core.now());
        let (recorded, told) = match end {
            End::Done => {
                self.renderer_failures.remove(&job.id);
                (Ok(()), JobEnd::Done { seconds: began.elapsed().as_secs_f64() })
            }
            End::Stopped(Stop::Cancel) => {
                self.renderer_failures.remove(&job.id);
                (library.cancel_running(job.id, worker, now).map(drop), JobEnd::Cancelled)
            }
            End::Stopped(Stop::Requeue) => (library.release_job(job.id, worker).map(drop), JobEnd::Requeued),
            End::Stopped(Stop::Lost) => return None,
            End::Again(error) => {
                let failures = self.renderer_failures.entry(job.id).or_default();
                *failures += 1;
                if *failures > 1 {
                    self.renderer_failures.remove(&job.id);
                    (fail(library, job, worker, &error, now), JobEnd::Failed(error))
                } else {
                    core.notice(Problem::of("renderer_failed_once", error));
                    (library.release_job(job.id, worker).map(drop), JobEnd::Requeued)
                }
            }
            End::Failed(error) => {
                self.renderer_failures.remove(&job.id);
                (fail(library, job, worker, &error, now), JobEnd::Failed(error))
            }
            End::Halt(problem) => {
                let released = library.release_job(job.id, worker).map(drop);
                core.halt(problem);
                (released, JobEnd::Requeued)
            }
            End::Unsaved(problem) => {
                if let Some(problem) = problem {
                    core.halt(problem);
                }
                (Ok(()), JobEnd::Requeued)
            }
        };
        if let Err(error) = recorded {
            // The lease will run out, and the job then be looked after as one of a process that was killed.
            core.notice(Problem::of("queue_not_written", error.into()));
        }
        Some(told)
    }

    /// Gives the renderer's memory back once it was idle for as long as the settings say.
    fn release_idle(&self) {
        if self.until_release().is_some_and(|left| left.is_zero()) {
            self.core.lane.release();
            self.core.changed(&[Topic::Queue]);
        }
    }

    /// How long until then; `None` when there is nothing to give back.
    fn until_release(&self) -> Option<Duration> {
        let minutes = self.core.settings.get().release_after_minutes;
        let limit = self.core.surroundings.timing.minute.saturating_mul(minutes);
        self.core.lane.idle().filter(|_| minutes > 0).map(|idle| limit.saturating_sub(idle))
    }
}

fn fail(
    library: &Library,
    job: &Job,
    worker: &str,
    error: &StudioError,
    now: tarim_library::Moment,
) -> Result<(), tarim_library::LibraryError> {
    let error = JobError {
        code: error.kind.name().to_owned(),
        message: error.message.clone(),
        hint: error.hint.clone(),
    };
    library.fail_job(job.id, worker, &error, now).map(drop)
}
