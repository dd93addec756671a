//! Which jobs and pictures were cancelled.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarim_render::JobId;

/// Pictures of jobs; no picture is the whole job.
type All = HashSet<(JobId, Option<u32>)>;

/// Cancels that have arrived for jobs that have not ended: of a picture, or of all. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Cancels(Arc<Mutex<All>>);

impl Cancels {
    fn all(&self) -> MutexGuard<'_, All> {
        // Whole at every moment, whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No pictures are all pictures.
    pub(crate) fn add(&self, job: JobId, pictures: &[u32]) {
        let mut all = self.all();
        if pictures.is_empty() {
            all.insert((job, None));
        }
        all.extend(pictures.iter().map(|picture| (job, Some(*picture))));
    }

    /// Whether the whole job is to stop.
    pub(crate) fn has(&self, job: JobId) -> bool {
        self.all().contains(&(job, None))
    }

    /// Whether a picture is not to be finished.
    pub(crate) fn has_picture(&self, job: JobId, picture: u32) -> bool {
        let all = self.all();
        all.contains(&(job, None)) || all.contains(&(job, Some(picture)))
    }

    /// Forgets a job that has ended.
    pub(crate) fn forget(&self, job: JobId) {
        self.all().retain(|(cancelled, _)| *cancelled != job);
    }
}
