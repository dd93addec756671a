//! The fake inside the caller's process.

use std::collections::HashSet;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use super::play::play;
use super::{Script, TroubleKind, hello, self_test};
use crate::device::DeviceChoice;
use crate::error::RenderError;
use crate::messages::{Failure, FailureCode, Hello, JobId, Outcome, PROTOCOL, SelfTestReport};
use crate::port::{Job, JobEvent, Renderer};
use crate::process::lock;

/// A renderer that only pretends, for tests of whatever uses one. It notes the jobs that it was given.
pub struct FakeRenderer {
    script: Script,
    work: Mutex<Sender<(Job, Sender<JobEvent>)>>,
    cancelled: Arc<Mutex<HashSet<JobId>>>,
    seen: Mutex<Vec<Job>>,
}

impl FakeRenderer {
    /// A fake that follows the script.
    pub fn new(script: Script) -> Self {
        let (work, jobs) = mpsc::channel::<(Job, Sender<JobEvent>)>();
        let cancelled: Arc<Mutex<HashSet<JobId>>> = Arc::default();
        let stopped = Arc::clone(&cancelled);
        let played = script.clone();
        thread::spawn(move || {
            for (job, events) in jobs {
                let is_cancelled = || lock(&stopped).contains(&job.id);
                let mut emit = |event| drop(events.send(event));
                let end = play(&played, &job.recipe, job.count, job.preview_every, &is_cancelled, &mut emit);
                if let Err(trouble) = end {
                    emit(consequence(trouble, is_cancelled()));
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
        lock(&self.cancelled).insert(job);
    }

    fn self_test(&self, _: DeviceChoice) -> Result<SelfTestReport, RenderError> {
        Ok(self_test())
    }

    fn kill(&self) {
        let jobs: Vec<JobId> = lock(&self.seen).iter().map(|job| job.id).collect();
        lock(&self.cancelled).extend(jobs);
    }
}
