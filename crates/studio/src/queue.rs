//! The queue as people see it, and what they do with it.

use std::collections::HashMap;

use tarim_library::{Id, Job, JobFilter, Library, Place, State};
use tarim_recipe::Recipe;

use crate::core::Core;
use crate::error::Result;
use crate::estimate::{Seconds, Work};
use crate::events::{Event, JobEnd, JobProgress, Topic};
use crate::live::{Preview, Stop};
use crate::lock;
use crate::shared;
use crate::studio::Studio;

/// How many waiting jobs are listed.
const WAITING_LISTED: u32 = 500;
/// How many failed jobs are listed.
const FAILED_LISTED: u32 = 100;
/// How many running jobs are listed.
const RUNNING_LISTED: u32 = 100;

/// The queue as it is.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Nothing new starts.
    pub paused: bool,
    /// It pauses after the picture in work.
    pub stop_after_current: bool,
    /// What is being rendered, here and by other processes.
    pub running: Vec<QueuedJob>,
    /// What waits, in order: the first 500.
    pub waiting: Vec<QueuedJob>,
    /// How many wait in all.
    pub waiting_total: u32,
    /// What failed and was neither retried nor cleared, latest first: the first 100.
    pub failed: Vec<QueuedJob>,
    /// How many failed in all.
    pub failed_total: u32,
    /// Seconds until the queue is empty; `None` while nothing comparable was measured.
    pub seconds_left: Option<f64>,
}

/// A job, with what else a list shows of it.
#[derive(Clone, Debug)]
pub struct QueuedJob {
    /// The row.
    pub job: Job,
    /// Its recipe, where it can be read.
    pub recipe: Option<Recipe>,
    /// How many pictures its request has.
    pub count: u32,
    /// What it is doing, where it is in work; of another process's a second ago.
    pub progress: Option<JobProgress>,
}

/// Which jobs something is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These.
    Jobs(Vec<Id>),
    /// All of a request.
    Request(Id),
    /// All.
    All,
}

impl Studio {
    /// The queue.
    pub fn queue(&self) -> Result<Queue> {
        let core = self.core();
        let library = core.library()?;
        let list = |state, limit| library.jobs(&JobFilter { state, offset: 0, limit });
        let mut counts = HashMap::new();
        let mut view = |jobs: Vec<Job>| -> Vec<QueuedJob> {
            jobs.into_iter().map(|job| view(core, &library, job, &mut counts)).collect()
        };
        let state = library.queue_state()?;
        let totals = library.queue_totals()?;
        let running = view(list(State::Running, RUNNING_LISTED)?);
        let running = with_others(core, &library, running);
        let waiting = view(list(State::Queued, WAITING_LISTED)?);
        let failed = view(list(State::Failed, FAILED_LISTED)?);
        let seconds_left = seconds_left(core, &running, &waiting, totals.counts.queued);
        Ok(Queue {
            // Also where the row could not be changed, as on a full disk.
            paused: state.paused || core.halted().is_some(),
            stop_after_current: state.stop_after_current,
            running,
            waiting,
            waiting_total: totals.counts.queued,
            failed,
            failed_total: totals.counts.failed,
            seconds_left,
        })
    }

    /// Pauses the queue or lets it go on. The picture in work finishes (`finish_current`), or stops and waits again.
    pub fn pause(&self, paused: bool, finish_current: bool) -> Result<()> {
        let core = self.core();
        let library = core.library()?;
        match (paused, finish_current) {
            (true, true) => library.set_stop_after_current(true)?,
            (true, false) => {
                library.set_paused(true)?;
                core.live.stop(None, Stop::Requeue);
            }
            (false, _) => {
                library.set_paused(false)?;
                core.unhalt();
            }
        }
        core.queue.ring();
        core.changed(&[Topic::Queue]);
        Ok(())
    }

    /// Cancels jobs that wait or run, and returns how many there were.
    pub fn cancel(&self, which: &Which) -> Result<usize> {
        let core = self.core();
        let library = core.library()?;
        let now = core.now();
        let (before, cancelled) = match which {
            Which::Jobs(ids) => {
                let open = ids.iter().filter(|id| {
                    library.job(**id).is_ok_and(|job| matches!(job.state, State::Queued | State::Running))
                });
                let count = open.count();
                (library.cancel_jobs(ids, now)?, count)
            }
            Which::Request(request) => {
                let outcome = library.request(*request)?.outcome;
                (library.cancel_request(*request, now)?, (outcome.queued + outcome.running) as usize)
            }
            Which::All => {
                let counts = library.queue_totals()?.counts;
                (library.cancel_all(now)?, (counts.queued + counts.running) as usize)
            }
        };
        for job in core.live.jobs() {
            if job.library.job(job.job).is_ok_and(|row| row.cancel_requested) {
                core.live.stop(Some(job.job), Stop::Cancel);
            }
        }
        // Those that run say so when they have stopped. Of thousands the first ones must do: whoever hears of them asks
        // for the queue anyway.
        for (job, request) in before.some {
            let (job, request) = (job.to_string(), request.to_string());
            core.broadcast.send(&Event::JobEnded { job, request, end: JobEnd::Cancelled });
        }
        core.changed(&[Topic::Queue, Topic::History]);
        Ok(cancelled)
    }

    /// Queues failed jobs again, with the same recipes, and returns how many.
    pub fn retry(&self, which: &Which) -> Result<usize> {
        let core = self.core();
        let library = core.library()?;
        let retried = match which {
            Which::Jobs(ids) => library.retry_jobs(ids)?,
            Which::Request(request) => library.retry_failed(Some(*request))?,
            Which::All => library.retry_failed(None)?,
        };
        core.changed(&[Topic::Queue, Topic::History]);
        core.queue.ring();
        Ok(retried)
    }

    /// Takes failed jobs off the list, and returns how many. The history keeps them.
    pub fn clear_failed(&self, which: &Which) -> Result<usize> {
        let core = self.core();
        let library = core.library()?;
        let cleared = match which {
            Which::Jobs(ids) => library.dismiss_jobs(ids)?,
            Which::Request(request) => library.dismiss_failed(Some(*request))?,
            Which::All => library.dismiss_failed(None)?,
        };
        core.changed(&[Topic::Queue]);
        Ok(cleared)
    }

    /// Moves waiting jobs, which keep their order among themselves, before another one or to the end.
    pub fn move_jobs(&self, ids: &[Id], before: Option<Id>) -> Result<()> {
        let core = self.core();
        core.library()?.move_jobs(ids, before.map_or(Place::Last, Place::Before))?;
        core.changed(&[Topic::Queue]);
        Ok(())
    }

    /// Gives waiting jobs a priority.
    pub fn prioritise(&self, ids: &[Id], priority: i32) -> Result<()> {
        let core = self.core();
        core.library()?.set_priority(ids, priority)?;
        core.changed(&[Topic::Queue]);
        Ok(())
    }

    /// What a job looks like by now.
    pub fn preview(&self, job: Id) -> Option<Preview> {
        let core = self.core();
        core.live.preview(job).or_else(|| {
            let library = core.library().ok()?;
            shared::preview(library.root(), &core.worker, &job.to_string())
        })
    }
}

fn view(core: &Core, library: &Library, job: Job, counts: &mut HashMap<Id, u32>) -> QueuedJob {
    let count = *counts
        .entry(job.request)
        .or_insert_with(|| library.request(job.request).map_or(job.number + 1, |request| request.count));
    QueuedJob {
        recipe: Recipe::from_json(&job.recipe).ok(),
        count,
        progress: core.live.progress(job.id),
        job,
    }
}

/// Adds where the jobs of other processes are.
fn with_others(core: &Core, library: &Library, mut running: Vec<QueuedJob>) -> Vec<QueuedJob> {
    if running.iter().any(|job| job.progress.is_none()) {
        let mut others = shared::elsewhere(library.root(), &core.worker);
        for job in running.iter_mut().filter(|job| job.progress.is_none()) {
            job.progress = others.remove(&job.job.id.to_string()).map(|(_, progress)| progress);
        }
    }
    running
}

fn seconds_left(core: &Core, running: &[QueuedJob], waiting: &[QueuedJob], total: u32) -> Option<f64> {
    let device = core.device_name();
    let expected = |job: &QueuedJob| {
        let work = Work::of(job.recipe.as_ref()?, &device);
        core.expect(&work).map(|seconds| seconds.total(work.steps))
    };
    let mut sum = 0.0;
    for job in running {
        sum += job.progress.as_ref().and_then(|progress| progress.seconds_left).or_else(|| expected(job))?;
    }
    let mut listed = 0.0;
    for job in waiting {
        listed += expected(job)?;
    }
    // Those further down are taken to be like those that are listed.
    let scale = if waiting.is_empty() { 0.0 } else { f64::from(total) / waiting.len() as f64 };
    let devices = core.settings.get().devices().len() as f64;
    Some((sum + listed * scale.max(if waiting.is_empty() { 0.0 } else { 1.0 })) / devices)
}

impl Core {
    /// What a picture will take.
    pub(crate) fn expect(&self, work: &Work) -> Option<Seconds> {
        lock(&self.speeds).expect(work)
    }
}
