//! The thread that saves finished pictures while the next ones are rendered.
//!
//! A picture that cannot be saved, because the disk is full or the folder gone, is kept in memory with its job, and tried
//! again when somebody lets the queue go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tarim_library::picture::WriteError;
use tarim_library::{Labels, LibraryError, NameTemplate, Picture, Save, Saved};
use tarim_recipe::Recipe;
use tarim_render::Timings;

use crate::core::Core;
use crate::error::{ErrorKind, Problem, StudioError};
use crate::estimate::{Measured, Work};
use crate::keeper::Chore;
use crate::live::Stop;
use crate::lock;
use crate::submit::Record;
use crate::ticket::{Finished, Ticket};

/// How many finished pictures wait while one is being saved; whoever has more waits too.
const WAITING: usize = 2;
/// How many pictures in a row may fail to be saved when neither room nor permission is what lacks.
const MOST_FAILURES: u32 = 3;
/// How much of pictures that cannot be saved is kept. What is more goes back to the queue, to be rendered again.
const MOST_KEPT: usize = 512 << 20;
/// How often it is looked whether those that are kept can be tried again.
const LOOK: Duration = Duration::from_millis(100);

/// The way to the thread.
#[derive(Clone)]
pub(crate) struct Saver(SyncSender<Box<Parcel>>);

/// A picture and its job.
pub(crate) struct Parcel {
    ticket: Ticket,
    recipe: Recipe,
    picture: Picture,
    measured: Measured,
    /// Whether its file may be there already.
    tried: bool,
}

/// The way, and its end for [`run`].
pub(crate) fn channel() -> (Saver, Receiver<Box<Parcel>>) {
    let (sender, receiver) = sync_channel(WAITING);
    (Saver(sender), receiver)
}

impl Saver {
    /// Has a picture saved; waits while too many wait.
    pub(crate) fn save(&self, ticket: Ticket, finished: Finished) {
        let Finished { recipe, pixels, timings, device, steps } = finished;
        let picture = Picture { width: pixels.width(), height: pixels.height(), rgb: pixels.into_bytes() };
        let mut work = Work::of(&recipe, &device);
        work.steps = steps.unwrap_or(work.steps);
        let Timings { load, encode, sample, decode } = timings;
        // Saving goes on beside the next render, so it does not count.
        let measured =
            Measured { work, load, encode, sample, decode, total: load + encode + sample + decode };
        // Where the thread is gone, so is the studio: the ticket goes back to the queue when it is dropped.
        let _ = self.0.send(Box::new(Parcel { ticket, recipe, picture, measured, tried: false }));
    }
}

/// Saves until nobody has pictures any more.
pub(crate) fn run(core: &Core, parcels: &Receiver<Box<Parcel>>) {
    let mut shelf = Shelf { core, kept: VecDeque::new(), failures: 0, again: None };
    loop {
        let next = if shelf.kept.is_empty() {
            parcels.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            parcels.recv_timeout(LOOK)
        };
        match next {
            Ok(parcel) => {
                // Behind those that wait: they were finished earlier.
                shelf.keep(parcel);
                if shelf.kept.len() == 1 || shelf.due() {
                    shelf.try_all();
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if shelf.due() {
                    shelf.try_all();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // A last attempt; what cannot be saved now is rendered again at the next start.
    shelf.try_all();
}

/// What became of an attempt.
enum Attempt {
    /// The ticket has ended.
    Over,
    /// It could not be saved.
    Failed(Box<Parcel>, LibraryError),
}

/// Pictures that are to be saved.
struct Shelf<'a> {
    core: &'a Core,
    kept: VecDeque<Box<Parcel>>,
    /// How many attempts in a row failed.
    failures: u32,
    /// When to try again without being asked.
    again: Option<Instant>,
}

impl Shelf<'_> {
    fn due(&self) -> bool {
        self.core.halted().is_none() && self.again.is_none_or(|again| again <= Instant::now())
    }

    fn keep(&mut self, parcel: Box<Parcel>) {
        let bytes: usize = self.kept.iter().map(|kept| kept.picture.rgb.len()).sum();
        if bytes + parcel.picture.rgb.len() > MOST_KEPT && !self.kept.is_empty() {
            return parcel.ticket.requeue();
        }
        self.kept.push_back(parcel);
    }

    /// Tries those that are kept, in order, up to the first that fails.
    fn try_all(&mut self) {
        while let Some(parcel) = self.kept.pop_front() {
            match self.attempt(parcel) {
                Attempt::Over => (self.failures, self.again) = (0, None),
                Attempt::Failed(parcel, error) => {
                    self.kept.push_front(parcel);
                    return self.failed(error);
                }
            }
        }
    }

    fn attempt(&self, mut parcel: Box<Parcel>) -> Attempt {
        match parcel.ticket.stopping() {
            // It is finished, so a pause is no reason to lose it.
            None | Some(Stop::Requeue) => {}
            Some(why) => {
                parcel.ticket.stopped(why);
                return Attempt::Over;
            }
        }
        if parcel.tried && self.is_written(&parcel) {
            self.done(*parcel);
            return Attempt::Over;
        }
        parcel.tried = true;
        match self.write(&parcel) {
            Ok(Saved::Recorded { .. }) => self.done(*parcel),
            Ok(Saved::LeaseLost) => parcel.ticket.stopped(Stop::Lost),
            Err(LibraryError::Write(error @ (WriteError::Pixels { .. } | WriteError::Recipe(_)))) => {
                parcel.ticket.fail(StudioError::caused(ErrorKind::Internal, &error));
            }
            // The file may be there all the same.
            Err(_) if self.is_written(&parcel) => self.done(*parcel),
            Err(error) => return Attempt::Failed(parcel, error),
        }
        Attempt::Over
    }

    /// Where that cannot be told now, it is asked again before the next attempt.
    fn is_written(&self, parcel: &Parcel) -> bool {
        let Ticket { library, job, worker, .. } = &parcel.ticket;
        library.adopt_if_written(job.id, worker, self.core.now()).unwrap_or(false)
    }

    fn done(&self, parcel: Parcel) {
        lock(&self.core.speeds).add(parcel.measured);
        let thumbnail = Chore::Thumbnail(Arc::clone(&parcel.ticket.library), parcel.ticket.job.id);
        parcel.ticket.done();
        let _ = self.core.chores.send(thumbnail);
    }

    /// The disk is full, the folder gone, or the index busy.
    fn failed(&mut self, error: LibraryError) {
        self.failures += 1;
        let code = match error.code() {
            "disk_full" => "disk_full",
            "read_only" => "library_read_only",
            "library_damaged" => "library_damaged",
            "library_folder" => "library_unavailable",
            // Such as an index that another program holds, or a network drive that was away for a moment.
            _ if self.failures < MOST_FAILURES => {
                self.again = Some(Instant::now() + self.core.surroundings.timing.retry);
                return self.core.notice(Problem::of("picture_not_saved", error.into()));
            }
            _ => "picture_not_saved",
        };
        (self.failures, self.again) = (0, None);
        self.core.halt(Problem::of(code, error.into()));
    }

    fn write(&self, parcel: &Parcel) -> Result<Saved, LibraryError> {
        let core = self.core;
        let Ticket { library, job, worker, .. } = &parcel.ticket;
        let request = library.request(job.request)?;
        let (template, _) = NameTemplate::parse(&core.settings.get().name_template);
        let mut labels = Labels::new(&parcel.recipe, concat!("Tarim ", env!("CARGO_PKG_VERSION")));
        labels.metadata.tags = Record::read(&request.draft).tags;
        let timings = serde_json::to_string(&parcel.measured).ok();
        let now = core.now();
        let save = Save {
            job,
            worker,
            recipe: &parcel.recipe,
            pixels: &parcel.picture,
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
}
