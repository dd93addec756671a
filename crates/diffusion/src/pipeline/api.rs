//! What goes into the pipeline and what comes out.

use std::ops::{ControlFlow, Range};

use tarim_recipe::{Precision, Recipe, Seed};

use super::raster::Raster;
use crate::device::DeviceChoice;

/// How to load a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Where the networks live.
    pub device: DeviceChoice,
    /// Their arithmetic; `None` is what the device does well. Every recipe rendered must name the same.
    pub precision: Option<Precision>,
    /// How many pictures share a UNet call; `None` is 1.
    ///
    /// More than one is faster on a GPU, and for small pictures on a CPU. libtorch 2.11 chooses kernels and divides work by the size of
    /// a batch: on a CPU in float32, linear layers of one row, convolutions of few channels, and with several threads
    /// group norms give other last bits for 1 row than for 4. Only with 1 is a picture byte for byte the same whatever
    /// is rendered beside it; the conditional and the unconditional pass of a picture share a call all the same.
    pub pictures_per_call: Option<usize>,
}

/// One picture to render.
#[derive(Clone, Copy, Debug)]
pub struct RenderInputs<'a> {
    /// A prepared recipe: its seed is this picture's.
    pub recipe: &'a Recipe,
    /// The picture that `recipe.init` names, RGB, of any size. Needed exactly when the recipe has an `init`.
    pub init: Option<&'a Raster>,
    /// The mask that `recipe.init.mask` names, grey, of the initial picture's size: white is drawn.
    pub mask: Option<&'a Raster>,
}

/// A finished picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue (sRGB), rows from the top, without padding.
    pub rgb: Vec<u8>,
    /// The recipe's seed.
    pub seed: Seed,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The finished pictures, in the order of the inputs; fewer than those when it was cancelled, or when the
    /// observer did not want some any more.
    pub pictures: Vec<Picture>,
    /// Whether the observer broke it off.
    pub cancelled: bool,
    /// What is worth knowing and stopped nothing, one sentence each.
    pub warnings: Vec<String>,
    /// Calls of the UNet.
    pub unet_calls: u64,
    /// Rows in all those calls: with guidance two a picture and evaluation, without it one.
    pub unet_rows: u64,
}

/// What the pipeline is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Encoding prompts and the initial picture.
    Encoding,
    /// Stepping.
    Sampling,
    /// Turning latents into pixels.
    Decoding,
}

/// Where a render stands, after each step.
#[derive(Clone, Debug)]
pub struct StepReport<'a> {
    /// Which pictures of the call (indices into the inputs) made this step together.
    pub pictures: Range<usize>,
    /// Steps done, from 1 to `steps`.
    pub step: u32,
    /// Steps that these pictures take: with an initial picture fewer than the recipe's.
    pub steps: u32,
    /// A rough, small picture of each, RGB, one pixel a latent; empty unless asked for.
    pub previews: &'a [Raster],
}

/// Who follows a render and can stop it. Whatever the observer returns, the pipeline stays usable.
pub trait StepObserver {
    /// After each step. `Break` ends the render: pictures finished before stay.
    fn step(&mut self, report: &StepReport<'_>) -> ControlFlow<()>;

    /// Whether the coming report of `step` should carry previews. They cost little, but not nothing.
    fn wants_preview(&mut self, step: u32, steps: u32) -> bool {
        let _ = (step, steps);
        false
    }

    /// When pictures (indices into the inputs) go into another stage. `Break` as in [`Self::step`].
    fn stage(&mut self, pictures: Range<usize>, stage: Stage) -> ControlFlow<()> {
        let _ = (pictures, stage);
        ControlFlow::Continue(())
    }

    /// Finished latents before they are decoded: float32, channels first, in the scale that the UNet knows.
    fn latents(&mut self, index: usize, latents: &[f32]) {
        let _ = (index, latents);
    }

    /// Whether a picture that has come through its steps is still wanted; else it is not decoded.
    fn wants_picture(&mut self, index: usize) -> bool {
        let _ = index;
        true
    }

    /// When a picture is finished; it also comes back with the others at the end.
    fn picture(&mut self, index: usize, picture: &Picture) {
        let _ = (index, picture);
    }
}

/// Follows nothing.
impl StepObserver for () {
    fn step(&mut self, _: &StepReport<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
