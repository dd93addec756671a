//! Model files of Stable Diffusion, opened: what kind of model it is, how its networks are built, and where their
//! weights lie, for diffusers folders and A1111's single `.safetensors` files alike.
//!
//! What belongs here: reading, checking and naming what is in model files. What does not: computing with it
//! (`tarim-diffusion`), so that the command line and the window can look into models without libtorch.
//!
//! Weights stay where they are, in memory-mapped files: opening a model reads headers and configurations only. Every
//! tensor is one contiguous run of bytes under diffusers' name for it; where a single file has another shape for the
//! same elements (a 1×1 convolution for a matrix, one matrix for three), the view is of the right part in diffusers'
//! shape.

mod checkpoint;
mod config;
mod dtype;
mod error;
mod expected;
mod finite;
mod folder;
mod hash;
mod header;
mod kind;
mod map;
mod near;
mod recognise;
mod single;
mod summary;
mod weights;

pub use checkpoint::{Checkpoint, Layout, Part, TokenizerSource};
pub use config::{
    BetaSchedule, ClipTextConfig, OneOrMany, PredictionType, SchedulerConfig, TimestepSpacing, UnetConfig,
    VaeConfig,
};
pub use dtype::Dtype;
pub use error::{CheckpointError, OptionProblem, Result};
pub use expected::{ExpectedTensor, Fit};
pub use finite::{NotFinite, Thoroughness};
pub use hash::ContentHash;
pub use kind::{Family, Kind, Task};
pub use summary::{PartSummary, Summary};
pub use weights::{TensorView, Weights};
