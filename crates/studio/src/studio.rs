//! The studio as a whole: opened, asked, closed.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tarim_library::{Library, Moment};
use tarim_render::{DeviceChoice, DeviceInfo, Hello, SelfTestReport};

use crate::core::Core;
use crate::desk::Lane;
use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::events::{Event, Listener, TaskKind, Topic};
use crate::farm::FarmLane;
use crate::keeper::{self, Chore};
use crate::lane::no_such_device;
use crate::models::Models;
use crate::settings::{Settings, Store};
use crate::surroundings::Surroundings;
use crate::tasks::Task;
use crate::{lock, runner, saver, watch};

/// The service behind a door. Shared in an [`Arc`]; every method may be called from any thread. Dropping it stops what
/// is in work; its job waits for the next start.
pub struct Studio {
    core: Arc<Core>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    /// Works on the queue; a guest has none.
    runner: Option<JoinHandle<()>>,
    /// Saves pictures; a guest has none.
    saver: Option<JoinHandle<()>>,
    watch: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

/// How to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Let the picture in work finish.
    FinishCurrent,
    /// Stop it; its job waits for the next start.
    StopNow,
}

impl Studio {
    /// Opens settings and library, puts right what was left behind, and starts working on the queue.
    ///
    /// A library that cannot be opened is one of [`Self::problems`]; the studio opens all the same.
    pub fn open(surroundings: Surroundings) -> Result<Arc<Self>> {
        let (chores, receiver) = mpsc::channel();
        let core = Arc::new(Core::new(surroundings, chores));
        let folder = core.surroundings.library.clone().unwrap_or_else(|| core.settings.get().library_folder);
        core.open_library(&folder);
        core.scan_models();
        if core.owner() {
            core.add_lane(Arc::new(FarmLane));
        }
        let spawn = |name: &str, work: Box<dyn FnOnce(Arc<Core>) + Send>| {
            let core = Arc::clone(&core);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || work(core))
                .map_err(|error| StudioError::io("a thread cannot be started", &error))
        };
        let keeper = spawn("keeper", Box::new(move |core| keeper::run(&core, &receiver)))?;
        let watch = spawn("watch", Box::new(|core| watch::run(&core)))?;
        let runner =
            if core.owner() { Some(spawn("queue", Box::new(|core| runner::run(&core)))?) } else { None };
        let saver = if core.owner() {
            let (saver, parcels) = saver::channel();
            core.set_saver(Some(saver));
            Some(spawn("saver", Box::new(move |core| saver::run(&core, &parcels)))?)
        } else {
            None
        };
        let threads = Mutex::new(Some(Threads { runner, saver, watch, keeper }));
        let studio = Arc::new(Self { core, threads });
        studio.resume_in_background()?;
        Ok(studio)
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// What was passed in.
    pub fn surroundings(&self) -> &Surroundings {
        &self.core.surroundings
    }

    /// Now, with the local clock's offset.
    pub fn now(&self) -> Moment {
        self.core.now()
    }

    /// The library in use; the error says why there is none.
    pub fn library(&self) -> Result<Arc<Library>> {
        self.core.library()
    }

    /// Uses the library in another folder from now on. The picture in work still goes where it was going.
    pub fn use_library(&self, folder: &Path) -> Result<()> {
        if let Ok(library) = self.core.library()
            && folder.canonicalize().is_ok_and(|folder| folder == library.root())
        {
            return Ok(());
        }
        self.open_library(folder)
    }

    fn open_library(&self, folder: &Path) -> Result<()> {
        self.core.open_library(folder);
        self.core.unhalt();
        self.core.changed(&[
            Topic::Library,
            Topic::Pictures,
            Topic::Collections,
            Topic::History,
            Topic::Queue,
        ]);
        self.core.library().map(drop)
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.core.settings.get()
    }

    /// The settings and their file. Whoever changes them calls [`Self::settings_changed`].
    pub fn settings_store(&self) -> &Store {
        &self.core.settings
    }

    /// Acts on changed settings: another library, another device, another time to wait.
    pub fn settings_changed(&self, before: &Settings) -> Result<()> {
        let after = self.settings();
        self.core.changed(&[Topic::Settings]);
        if before.model_folders != after.model_folders {
            self.core.scan_models();
        }
        // A renderer for another device is of no use any more; one at work is given back after its picture.
        if before.devices() != after.devices() && !self.core.live.busy() {
            self.core.slots.release_others(&after.devices());
        }
        // The lanes look at the settings anew.
        self.core.lanes.ring();
        self.core.queue.ring();
        if before.library_folder != after.library_folder && self.surroundings().library.is_none() {
            return self.use_library(&after.library_folder);
        }
        Ok(())
    }

    /// Adds a lane to those of this machine's devices: it takes jobs from now on, until the studio closes. A guest works
    /// on nothing, and ignores it.
    pub fn add_lane(&self, lane: Arc<dyn Lane>) {
        self.core.add_lane(lane);
    }

    /// The models of this machine.
    pub fn models(&self) -> &Models {
        &self.core.models
    }

    /// Looks through the folders of models again, and returns the task's id.
    pub fn scan_models(&self) -> String {
        self.core.scan_models()
    }

    /// What stands in the way of work, worst first.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.core.library_problems();
        problems.extend(self.core.halted().or_else(|| self.core.hindered()));
        problems.extend(self.core.settings_problems.iter().cloned());
        problems
    }

    /// Listens to events from now on.
    pub fn subscribe(&self) -> Listener {
        let listener = self.core.broadcast.subscribe();
        self.core.watch.ring();
        listener
    }

    /// Tells every listener.
    pub fn tell(&self, event: &Event) {
        self.core.broadcast.send(event);
    }

    /// Tells every listener that what was asked about these topics before is out of date.
    pub fn changed(&self, topics: &[Topic]) {
        self.core.changed(topics);
    }

    /// Pictures' ratings, tags and the like were changed: tells listeners, and has the files follow.
    pub fn edited(&self, topics: &[Topic]) {
        self.core.changed(topics);
        let _ = self.core.chores.send(Chore::WriteBack);
    }

    /// Rows of the queue were added or changed by hand.
    pub(crate) fn wake_queue(&self) {
        self.core.queue.ring();
    }

    /// Starts long work, unless the same is under way (`what` tells works of one kind apart), and returns its id.
    pub fn start_task(
        &self,
        kind: TaskKind,
        what: &str,
        work: impl FnOnce(&mut Task) + Send + 'static,
    ) -> String {
        self.core.start_task(kind, what, false, work)
    }

    /// Makes the index again from the files, and returns the task's id.
    pub fn rebuild(&self) -> Result<String> {
        self.core.rebuild()
    }

    /// Looks for files that were moved, renamed, deleted or added, and returns the task's id. A library that could not be
    /// opened before is tried again: its drive may be back, or may be written to by now.
    pub fn reconcile(&self) -> Result<String> {
        if self.core.library().is_err() && !self.core.closing() {
            self.open_library(&self.core.library_folder())?;
        }
        self.core.reconcile(false)
    }

    /// The same without a word unless something has changed: for when somebody comes back to the window.
    pub fn look_again(&self) {
        // Without a library there is nothing to look at.
        let _ = self.core.reconcile(true);
    }

    /// A device as the renderer described it last; `None` until one was started.
    pub fn known_device(&self, device: DeviceChoice) -> Option<DeviceInfo> {
        self.core.slots.known(device)
    }

    /// The devices of this machine. Starts the renderer when needed.
    pub fn devices(&self) -> Result<Hello> {
        let slot = self.core.slots.of(self.settings().device);
        let hello = slot.renderer()?.start()?;
        slot.greeted(&hello);
        // Its idle time begins to count.
        self.core.queue.ring();
        Ok(hello)
    }

    /// Measures a device; takes some seconds. Not while something is rendered, which would spoil both.
    pub fn test_device(&self, device: DeviceChoice) -> Result<(DeviceInfo, SelfTestReport)> {
        if self.core.live.busy() {
            let busy = StudioError::new(ErrorKind::Conflict, "a picture is being rendered");
            return Err(busy.hint("pause the queue, or test when it is done"));
        }
        let hello = self.devices()?;
        let found = hello.device(device).cloned().ok_or_else(|| no_such_device(device, &hello))?;
        let renderer = self.core.slots.of(self.settings().device).renderer()?;
        let report = renderer.self_test(found.id)?;
        self.core.queue.ring();
        Ok((found, report))
    }

    /// Gives the renderer's memory back now, unless it is at work.
    pub fn release_renderer(&self) -> Result<()> {
        if self.core.live.busy() {
            let busy = StudioError::new(ErrorKind::Conflict, "a picture is being rendered");
            return Err(busy.hint("pause the queue first"));
        }
        self.core.slots.release_others(&[]);
        Ok(())
    }

    /// Stops the threads and waits for them. Later calls do nothing.
    pub fn close(&self, how: How) {
        // Before the lock: a second call may want to hurry the first one.
        self.core.begin_closing(how == How::StopNow);
        let Some(threads) = lock(&self.threads).take() else { return };
        // A panic in one was told by its message; closing goes on.
        if let Some(runner) = threads.runner {
            let _ = runner.join();
        }
        // With the last way to it gone, it saves what it has and ends.
        self.core.set_saver(None);
        if let Some(saver) = threads.saver {
            let _ = saver.join();
        }
        self.core.stop_watching();
        let _ = threads.watch.join();
        self.core.join_tasks();
        let _ = self.core.chores.send(Chore::Stop);
        let _ = threads.keeper.join();
        self.core.slots.release_others(&[]);
        self.core.close_library();
        self.core.broadcast.close();
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.close(How::StopNow);
    }
}
