//! The networks of Stable Diffusion 1 and 2, each built from its own configuration: shapes, names and formulas are
//! those of `transformers.CLIPTextModel`, `diffusers.UNet2DConditionModel` and `diffusers.AutoencoderKL`.
//!
//! A network is loaded once, in one type on one device, and used from one thread. Nothing here tracks gradients.

mod attention;
mod blocks;
pub mod clip;
mod embeddings;
mod flop;
mod layers;
pub(crate) mod layout;
mod resnet;
pub mod unet;
mod unet_plan;
pub mod vae;

pub use clip::{ClipTextModel, TextEncoding};
pub use unet::Unet;
pub use vae::{AutoencoderKl, Posterior};
