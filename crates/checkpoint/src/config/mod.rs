//! Configurations as diffusers and transformers write them, with their defaults.
//!
//! Reading keeps what the file says; `check` refuses, by name, what Tarim's networks do not do.

mod read;
mod scheduler;
mod text;
mod unet;
mod vae;

pub(crate) use read::{read_json, read_optional_json};
pub use scheduler::{BetaSchedule, PredictionType, SchedulerConfig, TimestepSpacing};
pub use text::ClipTextConfig;
pub use unet::UnetConfig;
pub use vae::VaeConfig;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::error::OptionProblem;

/// One value for all levels of a network, or one for each, the shallowest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// For all levels.
    One(T),
    /// For each level.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The value for this level; `None` past the end of a list.
    pub fn get(&self, level: usize) -> Option<&T> {
        match self {
            Self::One(value) => Some(value),
            Self::Many(values) => values.get(level),
        }
    }

    /// All values that occur.
    pub fn values(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// A whole network has fewer levels, layers and channels than these; more is an error or an attack.
pub(crate) const MAX_LEVELS: usize = 8;
pub(crate) const MAX_LAYERS: u32 = 100;
pub(crate) const MAX_WIDTH: u32 = 1 << 16;

/// Refuses `value` of `option` unless `supported`.
pub(crate) fn require(
    supported: bool,
    option: &'static str,
    value: &impl Serialize,
    reason: impl Into<String>,
) -> Result<(), OptionProblem> {
    if supported {
        return Ok(());
    }
    let value = serde_json::to_string(value).unwrap_or_else(|_| "unreadable".into());
    Err(OptionProblem { option, value, reason: reason.into() })
}

/// Refuses what is not within 1 and `most`.
pub(crate) fn require_size(option: &'static str, value: u32, most: u32) -> Result<(), OptionProblem> {
    require((1..=most).contains(&value), option, &value, format!("it must be 1 to {most}"))
}

/// Refuses a list that has not one entry a level.
pub(crate) fn require_length<T: Serialize>(
    option: &'static str,
    value: &OneOrMany<T>,
    levels: usize,
) -> Result<(), OptionProblem> {
    let fits = match value {
        OneOrMany::One(_) => true,
        OneOrMany::Many(values) => values.len() == levels,
    };
    require(fits, option, value, format!("the network has {levels} levels (block_out_channels)"))
}

/// Activations by diffusers' names.
pub(crate) const ACTIVATIONS: [&str; 5] = ["silu", "swish", "mish", "gelu", "relu"];
