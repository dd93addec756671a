//! The thread that looks at the clock: leases of this process, other processes' changes, and what dead ones left behind.

use std::sync::Arc;
use std::time::Instant;

use tarim_library::{JobFilter, Lease, Library, Recovery, State};

use crate::alive;
use crate::core::Core;
use crate::events::Topic;
use crate::keeper::Chore;
use crate::live::{InWork, Stop};
use crate::sets::conditions;
use crate::shared::{Looking, Showing};
use crate::signal::Heard;

/// After how many beginnings, each of which ended with its process, a job is given up.
pub(crate) const MOST_ATTEMPTS: u32 = 10;
/// The most jobs that can be in work at once, over all processes.
const MOST_RUNNING: u32 = 1000;

/// Runs until the studio has closed.
pub(crate) fn run(core: &Arc<Core>) {
    let timing = core.surroundings.timing;
    let mut renewed = Instant::now();
    let mut recovered = Instant::now();
    let mut seen: Option<(Arc<Library>, i64)> = None;
    let mut heard = Heard::default();
    let (mut showing, mut looking) = (Showing::default(), Looking::default());
    while !core.watched_out() {
        core.reload_settings();
        // A guest without listeners has nothing to look for.
        let active = core.owner() || core.broadcast.has_listeners();
        core.watch.wait(&mut heard, active.then_some(timing.poll));
        let Ok(library) = core.library() else { continue };
        let foreign = foreign_change(&library, &mut seen);
        if foreign {
            core.changed(&[Topic::Pictures, Topic::Collections, Topic::History, Topic::Queue, Topic::Sets]);
            core.queue.ring();
            obey(core, &library);
        }
        if core.owner() {
            conditions::look(core, &library);
            showing.update(core, &library);
        }
        if core.broadcast.has_listeners() {
            looking.update(core, &library);
        }
        if core.owner() && renewed.elapsed() >= timing.lease / 4 {
            renewed = Instant::now();
            renew(core);
            // After our own lease is fresh, so that our own job is not taken for a lost one.
            if recovered.elapsed() >= timing.lease / 2 {
                recovered = Instant::now();
                core.recover(&library);
            }
        }
    }
    showing.clear(core);
}

/// Whether another process has changed the library since the last look.
fn foreign_change(library: &Arc<Library>, seen: &mut Option<(Arc<Library>, i64)>) -> bool {
    let Ok(version) = library.foreign_version() else { return false };
    let last = seen.replace((Arc::clone(library), version));
    last.is_some_and(|(old, last)| Arc::ptr_eq(&old, library) && last != version)
}

/// Does to the jobs in work what another process wishes.
fn obey(core: &Core, library: &Arc<Library>) {
    // "After the current picture" is another state, so a pause means now.
    let paused = library.queue_state().is_ok_and(|state| state.paused);
    for InWork { job: id, worker, library: its } in core.live.jobs() {
        if !Arc::ptr_eq(&its, library) {
            continue;
        }
        if let Ok(job) = library.job(id) {
            let ours = job.state == State::Running && job.worker.as_deref() == Some(&worker);
            if !ours {
                // Just ended here, or taken over; the former makes no difference.
                core.live.stop(Some(id), Stop::Lost);
            } else if job.cancel_requested {
                core.live.stop(Some(id), Stop::Cancel);
            }
        }
        if paused {
            core.live.stop(Some(id), Stop::Requeue);
        }
    }
}

fn renew(core: &Core) {
    let until = core.now().plus_ms(core.lease_ms()).ms;
    for InWork { job: id, worker, library } in core.live.jobs() {
        match library.renew_lease(id, &worker, until) {
            Ok(Lease::CancelRequested) => drop(core.live.stop(Some(id), Stop::Cancel)),
            Ok(Lease::Lost) => drop(core.live.stop(Some(id), Stop::Lost)),
            // One that cannot be renewed now is tried again before it runs out.
            Ok(Lease::Held) | Err(_) => {}
        }
    }
}

impl Core {
    /// How long a job is ours without a sign of life.
    pub(crate) fn lease_ms(&self) -> i64 {
        i64::try_from(self.surroundings.timing.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// Looks after the jobs of processes that are gone.
    pub(crate) fn recover(&self, library: &Arc<Library>) {
        let now = self.now();
        let filter = JobFilter { state: State::Running, offset: 0, limit: MOST_RUNNING };
        for job in library.jobs(&filter).unwrap_or_default() {
            if let Some(worker) = &job.worker
                && alive::is_dead(library.root(), worker, &self.worker)
            {
                // In its name: it cannot do so itself any more.
                let _ = library.renew_lease(job.id, worker, now.ms - 1);
            }
        }
        // What cannot be done now is done at the next turn.
        let Ok(recovered) = library.recover_expired(now, MOST_ATTEMPTS) else { return };
        if recovered.is_empty() {
            return;
        }
        for job in recovered.iter().filter(|job| job.recovery == Recovery::Adopted) {
            let _ = self.chores.send(Chore::Thumbnail(Arc::clone(library), job.id));
        }
        self.changed(&[Topic::Pictures, Topic::History, Topic::Queue]);
        self.queue.ring();
    }
}
