//! The fake inside the caller's process.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use super::play::{Part, play};
use super::{Cancelled, Script, TroubleKind, hello, self_test};
use crate::device::DeviceChoice;
use crate::error::RenderError;
use crate::messages::{Failure, FailureCode, Hello, JobId, Outcome, PROTOCOL, SelfTestReport};
use crate::port::{Job, JobEvent, Renderer};
use crate::process::lock;

/// A renderer that only pretends, for tests of whatever uses one. It notes the jobs that it was given.
pub struct FakeRenderer {
    script: Script,
    work: Mutex<Sender<(Job, Sender<JobEvent>)>>,
    cancelled: Arc<Mutex<Cancelled>>,
    seen: Mutex<Vec<Job>>,
}

impl FakeRenderer {
    /// A fake that follows the script.
    pub fn new(script: Script) -> Self {
        let (work, jobs) = mpsc::channel::<(Job, Sender<JobEvent>)>();
        let cancelled: Arc<Mutex<Cancelled>> = Arc::default();
        let stopped = Arc::clone(&cancelled);
        let played = script.clone();
        thread::spawn(move || {
            for (job, events) in jobs {
                let recipes: Vec<_> = job.pictures.iter().map(|picture| picture.recipe.clone()).collect();
                let part = Part {
                    recipes: &recipes,
                    together: job.together,
                    preview_every: job.preview_every,
                    cancelled: &|picture| lock(&stopped).has(job.id, picture),
                };
                let mut emit = |event| drop(events.send(event));
                if let Err(trouble) = play(&played, &part, &mut emit) {
                    emit(consequence(trouble, lock(&stopped).has(job.id, None)));
                }
            }
        });
        Self { script, work: Mutex::new(work), cancelled, seen: Mutex::default() }
    }

    /// The jobs submitted so far.
    pub fn jobs(&self) -> Vec<Job> {
        lock(&self.seen).clone()
    }
}

/// How a job ends whose process would have been lost.
fn consequence(trouble: TroubleKind, cancelled: bool) -> JobEvent {
    if cancelled {
        return JobEvent::Done(Outcome::Cancelled);
    }
    let code = match trouble {
        TroubleKind::AllocationFailure | TroubleKind::Kill => FailureCode::OutOfMemory,
        TroubleKind::Hang => FailureCode::Stopped,
        TroubleKind::Exit(_) | TroubleKind::Abort | TroubleKind::Garbage => FailureCode::Crashed,
    };
    JobEvent::Failed(Failure { code, message: format!("the script said {trouble:?}"), hint: None })
}

impl Renderer for FakeRenderer {
    fn start(&self) -> Result<Hello, RenderError> {
        let hello = hello(&self.script);
        if hello.protocol == PROTOCOL {
            return Ok(hello);
        }
        Err(RenderError::Protocol { program: "fake".into(), theirs: hello.protocol })
    }

    fn submit(&self, job: Job) -> Result<Receiver<JobEvent>, RenderError> {
        self.start()?;
        lock(&self.seen).push(job.clone());
        let (events, listener) = mpsc::channel();
        // The worker only ends with this value.
        let _ = lock(&self.work).send((job, events));
        Ok(listener)
    }

    fn cancel(&self, job: JobId) {
        lock(&self.cancelled).add(job, &[]);
    }

    fn cancel_picture(&self, job: JobId, picture: u32) {
        let count = lock(&self.seen).iter().find(|seen| seen.id == job).map_or(0, |job| job.pictures.len());
        let mut cancelled = lock(&self.cancelled);
        cancelled.add(job, &[picture]);
        if (0..count as u32).all(|picture| cancelled.has(job, Some(picture))) {
            cancelled.add(job, &[]);
        }
    }

    fn self_test(&self, _: DeviceChoice) -> Result<SelfTestReport, RenderError> {
        Ok(self_test())
    }

    fn kill(&self) {
        let mut cancelled = lock(&self.cancelled);
        lock(&self.seen).iter().for_each(|job| cancelled.add(job.id, &[]));
    }
}
