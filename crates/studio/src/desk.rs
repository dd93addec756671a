//! Where lanes get their work.
//!
//! A lane is a thread that has jobs rendered somewhere: by a device of this machine, or by others. It takes jobs from its
//! [`Desk`], gets a [`Ticket`] for each, and ends every ticket. Leases, progress, saving and what is told of it all are
//! the same whatever lane a job went through.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tarim_library::{Claim, Fit, Id, Job, JobError};
use tarim_recipe::Recipe;

use crate::core::Core;
use crate::error::{ErrorKind, Problem, StudioError};
use crate::events::{Event, JobEnd, Topic};
use crate::live::Stop;
use crate::lock;
use crate::settings::Settings;
use crate::shared;
use crate::signal::Heard;
use crate::ticket::Ticket;

/// Has jobs rendered somewhere. See [`Desk`].
pub trait Lane: Send + Sync {
    /// A short name, of `a-z`, `0-9`, `:` and `-`, that no other lane of this process has.
    fn name(&self) -> String;

    /// Works until [`Desk::leaving`]. Tickets that are open when it returns go back to the queue.
    fn run(&self, desk: &Desk);
}

/// What a lane would like to work on.
pub struct Wish<'a> {
    /// The model that it holds, by its hash.
    pub model: Option<&'a str>,
    /// The same by where it lies.
    pub model_path: Option<&'a Path>,
    /// Where models lie that others hold, which had better be left to those.
    pub avoid: &'a [String],
    /// Whether a job goes along with those chosen before; not asked about the first.
    pub fits: &'a mut dyn FnMut(&[Job], &Job) -> Fit,
}

/// What a look at the queue led to.
pub enum Claimed {
    /// Jobs, the lane's until it ends their tickets.
    Jobs(Vec<Ticket>),
    /// There is nothing to do until something happens.
    Nothing,
    /// The queue cannot be asked now; people were told why.
    Hindered,
}

/// A lane's place in the studio.
pub struct Desk {
    core: Arc<Core>,
    worker: String,
    leave: Arc<AtomicBool>,
    heard: Mutex<Heard>,
}

/// Rings a desk's bell, from any thread.
#[derive(Clone)]
pub struct Waker(Arc<Core>);

impl Waker {
    /// Ends the wait of every lane.
    pub fn wake(&self) {
        self.0.queue.ring();
    }
}

/// Jobs at which a renderer failed, and how often when they were alone.
#[derive(Default)]
pub(crate) struct Suspects(Mutex<HashMap<Id, u32>>);

impl Suspects {
    /// A job that was among several when their renderer failed: next time it goes alone.
    pub(crate) fn add(&self, job: Id) {
        lock(&self.0).entry(job).or_default();
    }

    /// A job that was alone when its renderer failed. Returns how often that was.
    pub(crate) fn blame(&self, job: Id) -> u32 {
        let mut suspects = lock(&self.0);
        let failures = suspects.entry(job).or_default();
        *failures += 1;
        *failures
    }

    pub(crate) fn clear(&self, job: Id) {
        lock(&self.0).remove(&job);
    }

    pub(crate) fn has(&self, job: Id) -> bool {
        lock(&self.0).contains_key(&job)
    }
}

impl Desk {
    pub(crate) fn new(core: &Arc<Core>, lane: &str, leave: Arc<AtomicBool>) -> Self {
        Self {
            core: Arc::clone(core),
            worker: format!("{}#{lane}", core.worker),
            leave,
            heard: Mutex::default(),
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The lane's name in the rows of its jobs; no other lane of any process has it.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// Takes jobs, unless the queue is paused or cannot be worked on.
    pub fn claim(&self, wish: Wish<'_>) -> Claimed {
        let Wish { model, model_path, avoid, fits: wanted } = wish;
        let core = &self.core;
        if core.halted().is_some() || self.leaving() {
            return Claimed::Nothing;
        }
        let Ok((library, alive)) = core.shelf() else { return Claimed::Nothing };
        let claim = Claim {
            worker: &self.worker,
            now: core.now(),
            lease_ms: core.lease_ms(),
            prefer_model: model,
            prefer_path: model_path,
            avoid_paths: avoid,
        };
        // One that failed among others must not take others down again.
        let mut fits = |chosen: &[Job], job: &Job| match chosen.first() {
            Some(first) if core.suspects.has(first.id) => Fit::Full,
            _ if core.suspects.has(job.id) => Fit::No,
            _ => wanted(chosen, job),
        };
        let jobs = match library.claim_several(&claim, &mut fits) {
            Ok(jobs) => jobs,
            // Another program holds the index, or the disk is full: jobs wait, and so does the lane.
            Err(error) => {
                let code = match error.code() {
                    "disk_full" => "disk_full",
                    "read_only" => "library_read_only",
                    _ => "queue_unreadable",
                };
                core.hinder(Some(Problem::of(code, error.into())));
                return Claimed::Hindered;
            }
        };
        core.hinder(None);
        if jobs.is_empty() {
            return Claimed::Nothing;
        }
        let mut tickets = Vec::with_capacity(jobs.len());
        for job in jobs {
            match Recipe::from_json(&job.recipe) {
                Ok(recipe) => {
                    core.live.begin(
                        &job,
                        &self.worker,
                        recipe.steps,
                        &library,
                        alive.clone(),
                        &core.broadcast,
                    );
                    tickets.push(Ticket::new(core, &library, job, recipe, &self.worker));
                }
                Err(error) => {
                    let error = StudioError::caused(ErrorKind::BadInput, &error);
                    self.refuse(&library, &job, error.hint("submit it again from the history"));
                }
            }
        }
        core.changed(&[Topic::Queue, Topic::History]);
        if core.closing_at_once() {
            core.live.stop(None, Stop::Requeue);
        }
        Claimed::Jobs(tickets)
    }

    /// Ends a job that cannot even be read.
    fn refuse(&self, library: &tarim_library::Library, job: &Job, error: StudioError) {
        let row = JobError {
            code: error.kind.name().to_owned(),
            message: error.message.clone(),
            hint: error.hint.clone(),
        };
        if let Err(error) = library.fail_job(job.id, &self.worker, &row, self.core.now()) {
            self.core.notice(Problem::of("queue_not_written", error.into()));
        }
        self.core.broadcast.send(&Event::JobEnded {
            job: job.id.to_string(),
            request: job.request.to_string(),
            end: JobEnd::Failed(error),
        });
    }

    /// Waits until something happens (jobs were added, settings changed, the studio closes, a [`Waker`] was used), or as
    /// long as `limit` says.
    pub fn wait(&self, limit: Option<Duration>) {
        if !self.leaving() {
            self.core.queue.wait(&mut lock(&self.heard), limit);
        }
    }

    /// Ends [`Self::wait`] from another thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.core))
    }

    /// Whether the lane is to end: the studio closes, or the lane is not wanted any more.
    pub fn leaving(&self) -> bool {
        self.core.closing() || self.leave.load(Ordering::SeqCst)
    }

    /// Why nothing is to be begun until somebody lets the queue go on.
    pub fn halted(&self) -> Option<Problem> {
        self.core.halted()
    }

    /// Begins nothing new until somebody lets the queue go on, and says why.
    pub fn halt(&self, problem: Problem) {
        self.core.halt(problem);
    }

    /// Tells people something.
    pub fn notice(&self, problem: Problem) {
        self.core.notice(problem);
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.core.settings.get()
    }

    /// With every how many steps previews are wanted; 0 while nobody looks.
    pub fn preview_every(&self) -> u32 {
        let core = &self.core;
        let looked_at = core.broadcast.has_listeners()
            || core.library().is_ok_and(|library| shared::watched(library.root()));
        if looked_at { core.settings.get().preview_every } else { 0 }
    }
}

/// Sentences that were passed on already.
#[derive(Default)]
pub(crate) struct Said(Mutex<HashSet<String>>);

impl Said {
    /// Whether it is new.
    pub(crate) fn first(&self, sentence: &str) -> bool {
        lock(&self.0).insert(sentence.to_owned())
    }
}

/// When a lane began something.
pub(crate) fn since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}
