//! Stable Diffusion on libtorch: the only crate that names `tch`.
//!
//! What belongs here: the networks, the devices they run on, and the pipeline that draws a prepared recipe with them.
//! What does not: prompts and recipes (`tarim-recipe`), samplers and noise schedules (`tarim-sampling`), reading model
//! files (`tarim-checkpoint`), processes and messages (`tarim-render`).
//!
//! Whatever a model file or a caller holds, public functions answer with an error value.

// libtorch counts in i64; no picture, prompt or network comes near its end.
#![allow(clippy::cast_possible_wrap)]

pub mod device;
mod error;
pub mod nets;
pub mod pipeline;
mod weights;

pub use error::{DiffusionError, Result};
