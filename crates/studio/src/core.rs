//! What all threads of the studio share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use tarim_library::{JobFilter, Library, LibraryError, Moment, State};
use tarim_render::DeviceChoice;

use crate::alive::Alive;
use crate::desk::{Lane, Said, Suspects};
use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::estimate::Speeds;
use crate::events::{Broadcast, Event, Topic};
use crate::keeper::Chore;
use crate::lane::Slots;
use crate::live::{Live, Stop};
use crate::lock;
use crate::models::Models;
use crate::saver::Saver;
use crate::settings::{Settings, Store};
use crate::signal::Signal;
use crate::surroundings::{Role, Surroundings};
use crate::tasks::Tasks;

/// How many finished jobs are asked for their speed at the start.
const JOBS_REMEMBERED: u32 = 200;

/// Stops the saving of a picture at some step.
#[cfg(test)]
pub(crate) type SaveFault = Arc<dyn Fn(tarim_library::SaveStep) -> std::io::Result<()> + Send + Sync>;

/// Shared by the studio and its threads.
pub(crate) struct Core {
    pub(crate) surroundings: Surroundings,
    /// This studio's name in the rows of its jobs.
    pub(crate) worker: String,
    pub(crate) broadcast: Broadcast,
    pub(crate) settings: Store,
    pub(crate) models: Models,
    /// The devices of this machine and their renderers.
    pub(crate) slots: Slots,
    /// Lanes that were added and do not work yet.
    added: Mutex<Vec<Arc<dyn Lane>>>,
    pub(crate) live: Live,
    /// The way to the thread that saves pictures; `None` in a guest, and once the studio closes.
    saver: Mutex<Option<Saver>>,
    pub(crate) suspects: Suspects,
    /// Warnings of renderers that were passed on already.
    pub(crate) said: Said,
    pub(crate) speeds: Mutex<Speeds>,
    pub(crate) tasks: Tasks,
    /// Wakes the lanes.
    pub(crate) queue: Signal,
    /// Wakes the thread that keeps the lanes.
    pub(crate) lanes: Signal,
    /// Wakes the thread that watches the clock and other processes.
    pub(crate) watch: Signal,
    /// Small work for the background.
    pub(crate) chores: Sender<Chore>,
    shelf: Mutex<Shelf>,
    /// What was wrong with the settings when they were read.
    pub(crate) settings_problems: Vec<Problem>,
    /// Why nothing is rendered although jobs wait; taken back when somebody lets the queue go on.
    halted: Mutex<Option<Problem>>,
    /// Why the queue cannot be worked on for now; it is tried again without being asked.
    hindered: Mutex<Option<Problem>>,
    closing: AtomicU8,
    watched_out: AtomicBool,
    /// Stands in for a disk that fails, in tests.
    #[cfg(test)]
    pub(crate) save_fault: Mutex<Option<SaveFault>>,
}

/// The library in use, or why there is none.
struct Shelf {
    library: Result<Arc<Library>>,
    /// Where it is, or should be.
    folder: PathBuf,
    /// What was found when it was opened.
    found: Vec<Problem>,
    /// Says to other processes that this one lives.
    alive: Option<Arc<Alive>>,
}

impl Core {
    pub(crate) fn new(surroundings: Surroundings, chores: Sender<Chore>) -> Self {
        let folder = &surroundings.config_folder;
        let (settings, settings_problems) =
            Store::open(folder, Settings::new(surroundings.default_library.clone()));
        let models =
            Models::new(folder, surroundings.starter_model.clone(), surroundings.model_folders.clone());
        models.set_default(settings.get().default_model);
        let mut random = [0; 4];
        (surroundings.random)(&mut random);
        let none = StudioError::new(ErrorKind::Internal, "the library is not open yet");
        Self {
            // A process id comes again, in a container always the same one.
            worker: format!(
                "{}/{}/{:08x}",
                surroundings.machine,
                std::process::id(),
                u32::from_le_bytes(random)
            ),
            broadcast: Broadcast::default(),
            settings,
            models,
            slots: Slots::new(Arc::clone(&surroundings.renderers)),
            added: Mutex::default(),
            live: Live::new(surroundings.timing.progress),
            saver: Mutex::default(),
            suspects: Suspects::default(),
            said: Said::default(),
            speeds: Mutex::default(),
            tasks: Tasks::default(),
            queue: Signal::default(),
            lanes: Signal::default(),
            watch: Signal::default(),
            chores,
            shelf: Mutex::new(Shelf {
                library: Err(none),
                folder: PathBuf::new(),
                found: Vec::new(),
                alive: None,
            }),
            settings_problems,
            halted: Mutex::default(),
            hindered: Mutex::default(),
            closing: AtomicU8::new(0),
            watched_out: AtomicBool::new(false),
            surroundings,
            #[cfg(test)]
            save_fault: Mutex::default(),
        }
    }

    /// Now, with the local clock's offset.
    pub(crate) fn now(&self) -> Moment {
        let now = self.surroundings.now();
        let ms = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Moment::new(i64::try_from(ms).unwrap_or(i64::MAX), (self.surroundings.utc_offset_minutes)(now))
    }

    pub(crate) fn owner(&self) -> bool {
        self.surroundings.role == Role::Owner
    }

    /// Opens the library in a folder and uses it from now on. On an error there is none in use.
    pub(crate) fn open_library(self: &Arc<Self>, folder: &Path) {
        let opened = Library::open(folder, self.now());
        let mut found = Vec::new();
        let (library, alive) = match opened {
            Ok((library, report)) => {
                if let Some(damage) = &report.damaged {
                    found.push(Problem {
                        code: "library_rebuilt".to_owned(),
                        message: format!(
                            "the library's index was damaged ({}) and is made again from the pictures; the damaged one is kept as `{}`",
                            damage.reason,
                            damage.kept.display()
                        ),
                        hint: Some("check the disk; pictures, ratings and tags are in the files".to_owned()),
                    });
                }
                let alive = if self.owner() { Alive::declare(library.root(), &self.worker) } else { None };
                let alive = alive.map(Arc::new);
                (Ok(Arc::new(library)), alive)
            }
            Err(error) => (Err(StudioError::from(error)), None),
        };
        let damaged = !found.is_empty();
        *lock(&self.shelf) = Shelf { library, folder: folder.to_owned(), found, alive };
        let Ok(library) = self.library() else { return };
        self.remember_speeds(&library);
        if self.owner() {
            self.recover(&library);
            // Also quiet work: what happened to the files while nobody watched.
            let _ = if damaged { self.rebuild() } else { self.reconcile(true) };
            let _ = self.chores.send(Chore::WriteBack);
        }
    }

    /// The folder that the library is in, or should be.
    pub(crate) fn library_folder(&self) -> PathBuf {
        lock(&self.shelf).folder.clone()
    }

    /// The library in use.
    pub(crate) fn library(&self) -> Result<Arc<Library>> {
        lock(&self.shelf).library.clone()
    }

    /// The same, with what says to other processes that this one lives.
    pub(crate) fn shelf(&self) -> Result<(Arc<Library>, Option<Arc<Alive>>)> {
        let shelf = lock(&self.shelf);
        shelf.library.clone().map(|library| (library, shelf.alive.clone()))
    }

    /// Why there is no library, and what was found when it was opened.
    pub(crate) fn library_problems(&self) -> Vec<Problem> {
        let shelf = lock(&self.shelf);
        let failed = shelf.library.as_ref().err().map(|error| {
            let code = match error.kind {
                ErrorKind::ReadOnly => "library_read_only",
                ErrorKind::LibraryNewer => "library_newer",
                ErrorKind::LibraryDamaged => "library_damaged",
                ErrorKind::DiskFull => "disk_full",
                _ => "library_unavailable",
            };
            Problem::of(code, error.clone())
        });
        failed.into_iter().chain(shelf.found.iter().cloned()).collect()
    }

    fn remember_speeds(&self, library: &Library) {
        let filter = JobFilter { state: State::Done, offset: 0, limit: JOBS_REMEMBERED };
        let jobs = library.jobs(&filter).unwrap_or_default();
        let mut speeds = Speeds::default();
        speeds.remember(jobs.into_iter().filter_map(|job| job.timings));
        *lock(&self.speeds) = speeds;
    }

    /// The device that the settings name, as measurements name it.
    pub(crate) fn device_name(&self) -> String {
        let device = self.settings.get().device;
        if device != DeviceChoice::Auto {
            return device.to_string();
        }
        match self.slots.known(device) {
            Some(known) => known.id.to_string(),
            None => lock(&self.speeds).last_device().unwrap_or_default(),
        }
    }

    pub(crate) fn changed(&self, topics: &[Topic]) {
        self.broadcast.changed(topics);
    }

    pub(crate) fn notice(&self, problem: Problem) {
        self.broadcast.send(&Event::Notice(problem));
    }

    /// Stops working on the queue until somebody lets it go on, and says why. Other processes may be able to do what this
    /// one cannot, and a later start tries again, so the queue itself stays as it is.
    pub(crate) fn halt(&self, problem: Problem) {
        *lock(&self.halted) = Some(problem.clone());
        self.notice(problem);
        self.changed(&[Topic::Queue]);
    }

    pub(crate) fn halted(&self) -> Option<Problem> {
        lock(&self.halted).clone()
    }

    pub(crate) fn unhalt(&self) {
        lock(&self.halted).take();
        // What was wrong may have been the device.
        self.lanes.ring();
        self.queue.ring();
    }

    /// Adds a lane that works until the studio closes.
    pub(crate) fn add_lane(&self, lane: Arc<dyn Lane>) {
        lock(&self.added).push(lane);
        self.lanes.ring();
    }

    pub(crate) fn take_added_lanes(&self) -> Vec<Arc<dyn Lane>> {
        std::mem::take(&mut *lock(&self.added))
    }

    pub(crate) fn saver(&self) -> Option<Saver> {
        lock(&self.saver).clone()
    }

    /// Where pictures are saved from now on; without one, they are not.
    pub(crate) fn set_saver(&self, saver: Option<Saver>) {
        *lock(&self.saver) = saver;
    }

    /// Says why the queue cannot be worked on for now, or that it can again.
    pub(crate) fn hinder(&self, problem: Option<Problem>) {
        if std::mem::replace(&mut *lock(&self.hindered), problem.clone()) == problem {
            return;
        }
        if let Some(problem) = problem {
            self.notice(problem);
        }
        self.changed(&[Topic::Queue]);
    }

    pub(crate) fn hindered(&self) -> Option<Problem> {
        lock(&self.hindered).clone()
    }

    /// Begins to close. What is in work finishes, unless it is to stop at once.
    pub(crate) fn begin_closing(&self, at_once: bool) {
        self.closing.fetch_max(if at_once { 2 } else { 1 }, Ordering::SeqCst);
        if at_once {
            self.live.stop(None, Stop::Requeue);
        }
        self.queue.ring();
        self.lanes.ring();
        self.watch.ring();
    }

    pub(crate) fn closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn closing_at_once(&self) -> bool {
        self.closing.load(Ordering::SeqCst) > 1
    }

    /// Until the last job has ended, its lease is looked after.
    pub(crate) fn stop_watching(&self) {
        self.watched_out.store(true, Ordering::SeqCst);
        self.watch.ring();
    }

    pub(crate) fn watched_out(&self) -> bool {
        self.watched_out.load(Ordering::SeqCst)
    }

    pub(crate) fn close_library(&self) {
        let closed = StudioError::new(ErrorKind::Conflict, "the studio is closed");
        let mut shelf = lock(&self.shelf);
        shelf.library = Err(closed);
        shelf.found.clear();
        shelf.alive = None;
    }
}

impl From<LibraryError> for StudioError {
    fn from(error: LibraryError) -> Self {
        let kind = match error.code() {
            "read_only" => ErrorKind::ReadOnly,
            "disk_full" => ErrorKind::DiskFull,
            "library_newer" => ErrorKind::LibraryNewer,
            "library_damaged" => ErrorKind::LibraryDamaged,
            "not_found" => ErrorKind::NotFound,
            "bad_name" | "not_a_picture" | "picture_too_large" | "picture_damaged" => ErrorKind::BadInput,
            "library_busy" => ErrorKind::Conflict,
            _ => ErrorKind::Io,
        };
        let hint = error.hint().map(str::to_owned);
        Self { hint, ..Self::caused(kind, &error) }
    }
}
