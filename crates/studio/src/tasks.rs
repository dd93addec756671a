//! Long work that is not a render: in threads of its own, with its progress as events.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tarim_library::{Progress, ScanProblem, ScanReport};

use crate::core::Core;
use crate::error::Result;
use crate::events::{Event, TaskKind, TaskProgress, Topic};
use crate::lock;

/// The least time between two messages about a task.
const EVERY: Duration = Duration::from_millis(100);

/// The tasks under way.
#[derive(Default)]
pub(crate) struct Tasks {
    running: Mutex<Vec<Running>>,
    /// Held by whoever compares files and index: two at once would take each other's work for changes.
    files: Mutex<()>,
}

struct Running {
    id: String,
    /// What it is, and of what: there is never a second one of the same.
    key: (TaskKind, String),
    thread: Option<JoinHandle<()>>,
}

/// A task's way to say how far it is.
pub struct Task {
    core: Arc<Core>,
    progress: TaskProgress,
    /// Told to nobody, unless something comes of it.
    quiet: bool,
    told: Option<Instant>,
}

impl Task {
    /// So much is done, of so much. Says whether to go on: when the studio closes, tasks end early.
    pub fn progress(&mut self, done: u64, total: Option<u64>) -> bool {
        self.progress.done = u32::try_from(done).unwrap_or(u32::MAX);
        self.progress.total = total.map(|total| u32::try_from(total).unwrap_or(u32::MAX));
        if !self.quiet && self.told.is_none_or(|told| told.elapsed() >= EVERY) {
            self.told = Some(Instant::now());
            self.core.broadcast.send(&Event::Task(self.progress.clone()));
        }
        !self.core.closing()
    }

    /// Something could not be done.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.progress.problems.push(problem.into());
    }

    /// Files that could not be read.
    fn unreadable(&mut self, report: &ScanReport) {
        for ScanProblem { path, message } in &report.problems {
            self.problem(format!("{path}: {message}"));
        }
        let more = report.unreadable.saturating_sub(report.problems.len() as u64);
        if more > 0 {
            self.problem(format!("and {more} more files that cannot be read"));
        }
    }

    /// What was asked about these topics before is out of date.
    pub fn changed(&self, topics: &[Topic]) {
        self.core.changed(topics);
    }
}

impl Core {
    /// Starts a task, unless one for the same is under way, and returns its id.
    pub(crate) fn start_task(
        self: &Arc<Self>,
        kind: TaskKind,
        what: &str,
        quiet: bool,
        work: impl FnOnce(&mut Task) + Send + 'static,
    ) -> String {
        let key = (kind, what.to_owned());
        let mut running = lock(&self.tasks.running);
        if let Some(same) = running.iter().find(|running| running.key == key) {
            return same.id.clone();
        }
        let id = format!("{:032x}", u128::from_le_bytes(self.surroundings.random_bytes()));
        let progress = TaskProgress {
            task: id.clone(),
            kind,
            done: 0,
            total: None,
            finished: false,
            problems: Vec::new(),
        };
        let mut task = Task { core: Arc::clone(self), progress, quiet, told: None };
        let thread = thread::spawn(move || {
            // A panic in there must not leave the task on the list for ever.
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut task)));
            if ended.is_err() {
                task.problem("it ended because of a fault in Tarim");
            }
            lock(&task.core.tasks.running).retain(|running| running.id != task.progress.task);
            task.progress.finished = true;
            if !task.quiet || !task.progress.problems.is_empty() {
                task.core.broadcast.send(&Event::Task(task.progress));
            }
        });
        running.push(Running { id: id.clone(), key, thread: Some(thread) });
        id
    }

    /// Waits for all tasks; while closing they end early.
    pub(crate) fn join_tasks(&self) {
        let threads: Vec<_> =
            lock(&self.tasks.running).iter_mut().filter_map(|task| task.thread.take()).collect();
        for thread in threads {
            // A panic was caught inside.
            let _ = thread.join();
        }
    }

    /// Looks through the folders of models.
    pub(crate) fn scan_models(self: &Arc<Self>) -> String {
        self.start_task(TaskKind::ScanModels, "", false, |task| {
            task.core.models.scan(&task.core.settings.get().model_folders);
            task.changed(&[Topic::Models]);
        })
    }

    /// Makes the index again from the files.
    pub(crate) fn rebuild(self: &Arc<Self>) -> Result<String> {
        let library = self.library()?;
        let now = self.now();
        Ok(self.start_task(TaskKind::Rebuild, "", false, move |task| {
            let core = Arc::clone(&task.core);
            let _alone = lock(&core.tasks.files);
            let result =
                library.rebuild(now, &mut |Progress { done, total }| task.progress(done, Some(total)));
            match result {
                Ok(report) => task.unreadable(&report),
                Err(error) => task.problem(error.to_string()),
            }
            task.changed(&EVERYTHING);
        }))
    }

    /// Looks for files that were moved, renamed, deleted or added.
    pub(crate) fn reconcile(self: &Arc<Self>, quiet: bool) -> Result<String> {
        let library = self.library()?;
        let now = self.now();
        Ok(self.start_task(TaskKind::Reconcile, "", quiet, move |task| {
            let core = Arc::clone(&task.core);
            let _alone = lock(&core.tasks.files);
            let result =
                library.reconcile(now, &mut |Progress { done, total }| task.progress(done, Some(total)));
            match result {
                Ok(report) => {
                    let changes =
                        report.added + report.moved + report.changed + report.missing + report.returned;
                    if changes > 0 {
                        task.changed(&EVERYTHING);
                    }
                    // Files that are no pictures of ours are told to whoever asked, not at each start.
                    if !quiet {
                        task.unreadable(&report);
                    }
                }
                Err(error) if quiet => drop(error),
                Err(error) => task.problem(error.to_string()),
            }
        }))
    }
}

/// Everything that a look at the files can change.
const EVERYTHING: [Topic; 4] = [Topic::Pictures, Topic::Collections, Topic::History, Topic::Library];
