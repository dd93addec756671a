//! Ctrl-C: the first stops the job and keeps what is finished, the second ends everything at once.

use std::process::exit;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tarim_render::{JobId, Renderer};

use crate::failure::{Exit, Failure, Result};
use crate::output;

/// What Ctrl-C stops.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    running: Arc<Mutex<Option<Running>>>,
}

#[derive(Clone)]
struct Running {
    renderer: Arc<dyn Renderer>,
    job: JobId,
}

impl Interrupt {
    /// Listens for Ctrl-C (and, on Unix, SIGTERM and SIGHUP) from now on.
    pub(crate) fn install() -> Result<Self> {
        let interrupt = Self::default();
        let count = AtomicU32::new(0);
        let listening = interrupt.clone();
        ctrlc::set_handler(move || listening.happened(count.fetch_add(1, Ordering::Relaxed))).map_err(
            |error| Failure::from_error(Exit::Failure, &error).context("Ctrl-C cannot be listened to"),
        )?;
        Ok(interrupt)
    }

    /// From now on, Ctrl-C cancels this job.
    pub(crate) fn watch(&self, renderer: Arc<dyn Renderer>, job: JobId) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { renderer, job });
    }

    fn happened(&self, before: u32) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match running {
            Some(Running { renderer, job }) if before == 0 => {
                output::note("stopping; pictures finished so far are kept (Ctrl-C again ends at once)");
                renderer.cancel(job);
            }
            Some(Running { renderer, .. }) => {
                output::note("ending at once");
                renderer.kill();
                exit(Exit::Cancelled.code().into());
            }
            // Nothing to lose yet; a renderer that is starting ends with our end of its pipe.
            None => exit(Exit::Cancelled.code().into()),
        }
    }
}
