//! The recipe: everything that determines a picture, as a value, and the languages it is written in.
//!
//! What belongs here: the [`Recipe`] and its JSON, names of samplers and schedules, [`prepare`](crate::prepare),
//! the prompt language and the infotext. What does not: I/O, threads, clocks, random sources, tensors.

mod names;
mod recipe;

pub use names::{Sampler, Schedule};
pub use recipe::*;
