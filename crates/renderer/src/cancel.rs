//! Which jobs are no longer wanted.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarim_render::JobId;

/// Cancels that have arrived for jobs that have not ended. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Cancels(Arc<Mutex<HashSet<JobId>>>);

impl Cancels {
    fn jobs(&self) -> MutexGuard<'_, HashSet<JobId>> {
        // Whole at every moment, whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, job: JobId) {
        self.jobs().insert(job);
    }

    pub(crate) fn has(&self, job: JobId) -> bool {
        self.jobs().contains(&job)
    }

    /// Forgets a job that has ended.
    pub(crate) fn forget(&self, job: JobId) {
        self.jobs().remove(&job);
    }
}
