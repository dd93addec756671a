//! A bell that is not lost when nobody listens yet, and that everybody hears who waits for it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::lock;

/// The bell.
#[derive(Default)]
pub(crate) struct Signal {
    /// How often it rang.
    rung: Mutex<u64>,
    bell: Condvar,
}

/// How much of a bell somebody has heard.
#[derive(Debug, Default)]
pub(crate) struct Heard(u64);

impl Signal {
    pub(crate) fn ring(&self) {
        *lock(&self.rung) += 1;
        self.bell.notify_all();
    }

    /// Waits until it rings, unless it did since it was heard last, or as long as `limit` says.
    pub(crate) fn wait(&self, heard: &mut Heard, limit: Option<Duration>) {
        let deadline = limit.map(|limit| Instant::now() + limit);
        let mut rung = lock(&self.rung);
        while *rung == heard.0 {
            rung = match deadline {
                None => self.bell.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    self.bell.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        heard.0 = *rung;
    }
}
