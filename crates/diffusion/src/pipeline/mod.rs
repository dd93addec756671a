//! From a recipe to pictures.
//!
//! [`Pipeline::load`] opens a model; [`Pipeline::render_batch`] renders prepared recipes with it, each a function of the
//! recipe, its pictures and the kind of device alone. The parts, in the order of work: `text` and `emphasis` encode the
//! prompts, `start` prepares an initial picture and mask, `denoiser` evaluates the UNet with `guidance` for the samplers
//! of `tarim-sampling`, `vae` decodes, `start` pastes the result into the initial picture.
//!
//! What does not belong here: the arithmetic of samplers and noise (`tarim-sampling`), the prompt language
//! (`tarim-recipe`), files, clocks, processes.

mod api;
mod colours;
mod denoiser;
mod emphasis;
mod error;
mod guidance;
mod latents;
mod load;
mod noise;
mod raster;
mod render;
mod start;
mod text;
mod vae;

pub use api::{LoadOptions, Picture, RenderInputs, Rendering, Stage, StepObserver, StepReport};
pub use error::{PipelineError, Result};
pub use load::Pipeline;
pub use raster::Raster;
