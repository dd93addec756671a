//! The recipe: everything that determines a picture, as a value, and the languages it is written in.
//!
//! What belongs here: the [`Recipe`] and its JSON, names of samplers and schedules, [`prepare`],
//! the prompt language, the template language and the infotext. What does not: I/O, threads, clocks, random sources, tensors.

mod draft;
mod hash;
pub mod infotext;
mod json;
mod names;
mod picture_key;
mod postprocess;
mod prepare;
pub mod prompt;
mod recipe;
mod seed;
mod size;
pub mod template;
mod validate;

pub use draft::Draft;
pub use hash::sha256;
pub use infotext::{Infotext, infotext};
pub use json::{RECIPE_VERSION, RecipeJsonError};
pub use names::{Sampler, Schedule, UnknownName};
pub use picture_key::PictureKey;
pub use postprocess::{
    MAX_FINISHED_PIXELS, MAX_FINISHED_SIDE, MAX_POSTPROCESS, MIN_FINISHED_SIDE, Postprocess, ResizeFilter,
    postprocess_text, read_postprocess,
};
pub use prepare::{Environment, ModelDefaults, ModelFacts, ModelTask, PrepareError, Warning, prepare};
pub use recipe::*;
pub use seed::{Seed, SeedError};
pub use size::{Size, SizeError};
pub use validate::{FieldError, MAX_CLIP_SKIP, MAX_MASK_BLUR, MAX_PROMPT_BYTES, most_steps};
