//! A finished picture on its way into the library.

use std::sync::Arc;
use std::time::Instant;

use tarim_library::picture::WriteError;
use tarim_library::{Job, Labels, Library, LibraryError, NameTemplate, Picture, Recovery, Save, Saved};
use tarim_render::{Pixels, Timings};

use super::render::Attempt;
use super::{End, Runner};
use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::estimate::Measured;
use crate::keeper::Chore;
use crate::live::Stop;
use crate::lock;
use crate::submit::Record;
use crate::watch::MOST_ATTEMPTS;

/// How many pictures in a row may fail to be saved when neither room nor permission is what lacks.
const MOST_FAILURES: u32 = 3;

impl Runner<'_> {
    /// Writes the picture and ends its job.
    pub(super) fn save(
        &mut self,
        library: &Arc<Library>,
        job: &Job,
        attempt: &Attempt,
        pixels: Pixels,
        timings: Timings,
    ) -> End {
        let core = self.core;
        let picture = Picture { width: pixels.width(), height: pixels.height(), rgb: pixels.into_bytes() };
        let measured = Measured {
            work: attempt.work.clone(),
            load: timings.load,
            encode: timings.encode,
            sample: timings.sample,
            decode: timings.decode,
            // Its own writing is still to come and takes as long as the last one's.
            total: attempt.began.elapsed().as_secs_f64() + self.last_save,
        };
        let saving = Instant::now();
        match self.write(library, job, attempt, &picture, &measured) {
            Ok(Saved::Recorded { .. }) => {}
            Ok(Saved::LeaseLost) => return End::Stopped(Stop::Lost),
            Err(LibraryError::Write(error @ (WriteError::Pixels { .. } | WriteError::Recipe(_)))) => {
                return End::Failed(StudioError::caused(ErrorKind::Internal, &error));
            }
            Err(error) => match self.after_failure(library, job, error) {
                End::Done => {}
                end => return end,
            },
        }
        self.save_failures = 0;
        self.last_save = saving.elapsed().as_secs_f64();
        lock(&core.speeds).add(measured);
        let _ = core.chores.send(Chore::Thumbnail(Arc::clone(library), job.id));
        End::Done
    }

    fn write(
        &self,
        library: &Library,
        job: &Job,
        attempt: &Attempt,
        picture: &Picture,
        measured: &Measured,
    ) -> Result<Saved, LibraryError> {
        let core = self.core;
        let request = library.request(job.request)?;
        let record = Record::read(&request.draft);
        let settings = core.settings.get();
        let (template, _) = NameTemplate::parse(record.name.as_ref().unwrap_or(&settings.name_template));
        let mut labels = Labels::new(&attempt.recipe, concat!("Tarim ", env!("CARGO_PKG_VERSION")));
        labels.metadata.tags = record.tags;
        let timings = serde_json::to_string(measured).ok();
        let now = core.now();
        let save = Save {
            job,
            worker: &core.worker,
            recipe: &attempt.recipe,
            pixels: picture,
            labels: &labels,
            template: &template,
            project: request.project.as_deref(),
            count: request.count,
            timings: timings.as_deref(),
            now,
            lease_until: now.plus_ms(core.lease_ms()).ms,
        };
        #[cfg(test)]
        if let Some(fault) = lock(&core.save_fault).clone() {
            return library.save_with(&save, &*fault);
        }
        library.save_picture(&save)
    }

    /// The disk is full, the folder gone, or the index busy. The file may be there all the same, so the job is treated as
    /// that of a process that was killed: done if its picture is there, else to do.
    fn after_failure(&mut self, library: &Library, job: &Job, error: LibraryError) -> End {
        let core = self.core;
        let now = core.now();
        let recovered = library
            .renew_lease(job.id, &core.worker, now.ms - 1)
            .and_then(|_| library.recover_expired(now, MOST_ATTEMPTS))
            .unwrap_or_default();
        let ours = recovered.iter().find(|recovered| recovered.id == job.id);
        if ours.is_some_and(|ours| ours.recovery == Recovery::Adopted) {
            return End::Done;
        }
        self.save_failures += 1;
        let code = match error.code() {
            "disk_full" => "disk_full",
            "read_only" => "library_read_only",
            "library_damaged" => "library_damaged",
            "library_folder" => "library_unavailable",
            // Such as an index that another program holds, or a network drive that was away for a moment.
            _ if self.save_failures < MOST_FAILURES => {
                core.notice(Problem::of("picture_not_saved", error.into()));
                return End::Unsaved(None);
            }
            _ => "picture_not_saved",
        };
        self.save_failures = 0;
        End::Unsaved(Some(Problem::of(code, error.into())))
    }
}
