//! The queue.

use tarim_library::State;
use tarim_recipe::Size;
use tarim_studio::{ErrorKind, QueuedJob, StudioError, Which as StudioWhich};

use super::Answer;
use crate::convert;
use crate::dispatch::Door;
use crate::error::{ErrorCode, WireError};
use crate::wire::queue::{Job, JobState, MoveJobs, PauseQueue, PrioritiseJobs, Queue, Which, WhichJobs};
use crate::wire::{Changed, Empty};

/// Priorities beyond this are a slip.
const HIGHEST_PRIORITY: i32 = 1_000_000;

pub(crate) fn get_queue(door: &Door<'_>, _: Empty) -> Answer<Queue> {
    let queue = door.studio.queue()?;
    let jobs = |jobs: Vec<QueuedJob>| jobs.into_iter().map(job).collect();
    Ok(Queue {
        paused: queue.paused,
        stop_after_current: queue.stop_after_current,
        running: jobs(queue.running),
        waiting: jobs(queue.waiting),
        waiting_total: queue.waiting_total,
        failed: jobs(queue.failed),
        failed_total: queue.failed_total,
        seconds_left: queue.seconds_left.filter(|seconds| seconds.is_finite()),
    })
}

pub(crate) fn pause_queue(door: &Door<'_>, request: PauseQueue) -> Answer<Queue> {
    door.studio.pause(request.paused, request.finish_current)?;
    get_queue(door, Empty {})
}

pub(crate) fn cancel_jobs(door: &Door<'_>, request: WhichJobs) -> Answer<Changed> {
    changed(door.studio.cancel(&which(&request.which)?)?)
}

pub(crate) fn retry_jobs(door: &Door<'_>, request: WhichJobs) -> Answer<Changed> {
    changed(door.studio.retry(&which(&request.which)?)?)
}

pub(crate) fn clear_failed(door: &Door<'_>, request: WhichJobs) -> Answer<Changed> {
    changed(door.studio.clear_failed(&which(&request.which)?)?)
}

pub(crate) fn move_jobs(door: &Door<'_>, request: MoveJobs) -> Answer<Queue> {
    let ids = convert::ids(&request.ids)?;
    let before = request.before.as_deref().map(convert::id).transpose()?;
    door.studio.move_jobs(&ids, before)?;
    get_queue(door, Empty {})
}

pub(crate) fn prioritise_jobs(door: &Door<'_>, request: PrioritiseJobs) -> Answer<Queue> {
    if request.priority.checked_abs().is_none_or(|priority| priority > HIGHEST_PRIORITY) {
        let message =
            format!("the priority {} is out of range; 0 is usual, higher goes first", request.priority);
        return Err(WireError::new(ErrorCode::BadInput, message));
    }
    door.studio.prioritise(&convert::ids(&request.ids)?, request.priority)?;
    get_queue(door, Empty {})
}

fn changed(number: usize) -> Answer<Changed> {
    Ok(Changed { changed: convert::count(number) })
}

fn which(which: &Which) -> Answer<StudioWhich> {
    Ok(match which {
        Which::Jobs(jobs) => StudioWhich::Jobs(convert::ids(jobs)?),
        Which::Request(request) => StudioWhich::Request(convert::id(request)?),
        Which::All => StudioWhich::All,
    })
}

fn job(QueuedJob { job, recipe, count, progress }: QueuedJob) -> Job {
    let size = recipe.as_ref().map(|recipe| recipe.size);
    let name = || job.model_path.file_stem().map(|name| name.to_string_lossy().into_owned());
    Job {
        id: job.id.to_string(),
        request: job.request.to_string(),
        index: job.number,
        count,
        state: match job.state {
            State::Queued => JobState::Queued,
            State::Running => JobState::Running,
            State::Done => JobState::Done,
            State::Failed => JobState::Failed,
            State::Cancelled => JobState::Cancelled,
        },
        prompt: recipe.as_ref().map(|recipe| recipe.prompt.text.clone()).unwrap_or_default(),
        model: recipe.as_ref().map(|recipe| recipe.model.name.clone()).or_else(name).unwrap_or_default(),
        seed: recipe.as_ref().map(|recipe| recipe.seed.0.to_string()).unwrap_or_default(),
        width: size.map_or(0, Size::width),
        height: size.map_or(0, Size::height),
        steps: recipe.as_ref().map_or(0, |recipe| recipe.steps),
        priority: job.priority,
        created: job.created as f64,
        attempts: job.attempts,
        error: job.error.map(|error| {
            let kind = ErrorKind::from_name(&error.code);
            StudioError { kind, message: error.message, hint: error.hint }.into()
        }),
        progress: progress.map(Into::into),
    }
}
