//! The studio: the service behind every door (window, browser, terminal).
//!
//! What belongs here: the queue and the renderers it feeds, submission, models, settings, inputs, styles, presets, and the
//! events that tell listeners of it all. What does not: the wire (the `api` crate), files and rows themselves (`library`),
//! drawing (the renderer process). Everything is synchronous, with threads; the clock, randomness and the home folders
//! come from the caller, in [`Surroundings`].

mod error;
mod events;
pub mod found_recipe;
pub mod inputs;
pub mod models;
pub mod presets;
pub mod prompts;
pub mod settings;
mod studio;
pub mod styles;
mod surroundings;

pub use error::{ErrorKind, Problem, Result, StudioError};
pub use events::{Event, JobEnd, JobProgress, JobStage, Listener, TaskKind, TaskProgress, Topic};
pub use studio::{How, Studio};
pub use surroundings::{Clock, Origin, Random, Renderers, Role, Surroundings};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks even after a panic elsewhere: every value guarded in this crate is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
