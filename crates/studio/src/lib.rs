//! The studio: the service behind every door (window, browser, terminal).
//!
//! What belongs here: the queue and the renderers it feeds, submission, models, settings, inputs, styles, presets, and the
//! events that tell listeners of it all. What does not: the wire (the `api` crate), files and rows themselves (`library`),
//! drawing (the renderer process). Everything is synchronous, with threads; the clock, randomness and the home folders
//! come from the caller, in [`Surroundings`].

mod alive;
mod core;
mod derive;
mod desk;
mod error;
mod estimate;
mod events;
pub mod farm;
mod files;
pub mod found_recipe;
pub mod inputs;
mod keeper;
mod lane;
mod live;
pub mod models;
pub mod presets;
pub mod prompts;
mod queue;
mod runner;
mod saver;
pub mod sets;
pub mod settings;
mod shared;
mod signal;
mod studio;
pub mod styles;
mod submit;
mod surroundings;
mod tasks;
#[cfg(test)]
mod tests;
mod ticket;
mod watch;

pub use derive::{Derived, Enlargement, MOST_DERIVED, MOST_FACTOR, REDRAW_STRENGTH};
pub use desk::{Claimed, Desk, Lane, Waker, Wish};
pub use error::{ErrorKind, Problem, Result, StudioError};
pub use events::{Event, JobEnd, JobProgress, JobStage, Listener, TaskKind, TaskProgress, Topic};
pub use live::{Preview, Stop};
pub use queue::{Queue, QueuedJob, Which};
pub use studio::{How, Studio};
pub use submit::{Estimate, MOST_PICTURES, Record, Submission, Submitted};
pub use surroundings::{Clock, Origin, Random, Renderers, Role, Surroundings, Timing};
pub use tasks::Task;
pub use ticket::{Finished, Ticket};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks even after a panic elsewhere: every value guarded in this crate is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
