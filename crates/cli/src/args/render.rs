//! The grammar of `tarim render`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tarim_recipe::{Emphasis, MaskFill, NoiseSource, Precision, ResizeMode, Seed};
use tarim_render::DeviceChoice;

use super::EXIT_CODES;

/// Render pictures; prints the path of each
///
/// What is not given comes from `--recipe`, then from the model's recommendations, then from the usual defaults.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct RenderOptions {
    /// What the picture should show, in A1111's prompt language
    pub(crate) prompt: Option<String>,
    /// What it should not show
    #[arg(short, long, value_name = "PROMPT")]
    pub(crate) negative: Option<String>,
    /// A diffusers folder or a .safetensors file
    #[arg(short, long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
    /// Start from a recipe: a picture that carries one, a recipe's JSON, or an infotext; other options override it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) recipe: Option<PathBuf>,
    /// Seed of the first picture; drawn when not given
    #[arg(short, long, allow_negative_numbers = true)]
    pub(crate) seed: Option<Seed>,
    /// How many pictures, each with the next seed
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
    /// A picture file (.png; `{seed}` and `{index}` are replaced) or a folder, made if missing. Nothing is overwritten
    #[arg(short, long, value_name = "PATH", default_value = ".")]
    pub(crate) out: PathBuf,

    /// Solver steps, 1 to 1000
    #[arg(long, value_name = "N", help_heading = "Sampling")]
    pub(crate) steps: Option<u32>,
    /// Guidance (CFG) scale, 0 to 100; 1 is none
    #[arg(long, value_name = "SCALE", allow_negative_numbers = true, help_heading = "Sampling")]
    pub(crate) guidance: Option<f64>,
    /// Guidance rescale, 0 to 1
    #[arg(long, value_name = "PHI", help_heading = "Sampling")]
    pub(crate) guidance_rescale: Option<f64>,
    /// Solver, such as `Euler a` or `DPM++ 2M Karras`
    #[arg(long, value_name = "NAME", help_heading = "Sampling")]
    pub(crate) sampler: Option<String>,
    /// Noise levels, such as `Karras` or `SGM Uniform`
    #[arg(long, value_name = "NAME", help_heading = "Sampling")]
    pub(crate) schedule: Option<String>,
    /// Noise added back by ancestral and SDE samplers and DDIM, 0 to 1
    #[arg(long, help_heading = "Sampling")]
    pub(crate) eta: Option<f64>,
    /// Width in pixels, a multiple of 8
    #[arg(long, value_name = "PIXELS", help_heading = "Sampling")]
    pub(crate) width: Option<u32>,
    /// Height in pixels, a multiple of 8
    #[arg(long, value_name = "PIXELS", help_heading = "Sampling")]
    pub(crate) height: Option<u32>,
    /// Layers of the text encoder to leave out, as A1111 counts: 1 is none
    #[arg(long, value_name = "N", help_heading = "Sampling")]
    pub(crate) clip_skip: Option<u8>,
    /// How prompt weights are applied
    #[arg(long, help_heading = "Sampling")]
    pub(crate) emphasis: Option<EmphasisName>,
    /// A second seed to mix in
    #[arg(long, value_name = "SEED", help_heading = "Sampling")]
    pub(crate) variation_seed: Option<Seed>,
    /// How much of the second seed, 0 to 1
    #[arg(long, value_name = "STRENGTH", help_heading = "Sampling")]
    pub(crate) variation_strength: Option<f64>,
    /// Noise as torch's CPU generator or as CUDA's makes it
    #[arg(long, help_heading = "Sampling")]
    pub(crate) rng: Option<Rng>,

    /// A picture to start from
    #[arg(short, long, value_name = "PICTURE", help_heading = "Starting from a picture")]
    pub(crate) init: Option<PathBuf>,
    /// How much is drawn anew: 0 keeps the picture, 1 ignores it
    #[arg(long, help_heading = "Starting from a picture")]
    pub(crate) strength: Option<f64>,
    /// How a picture of another shape is fitted
    #[arg(long, help_heading = "Starting from a picture")]
    pub(crate) resize: Option<Resize>,
    /// Guidance towards the picture, for instruct-pix2pix models
    #[arg(long, value_name = "SCALE", help_heading = "Starting from a picture")]
    pub(crate) image_guidance: Option<f64>,
    /// Where to draw: white is drawn, black is kept; of the picture's size
    #[arg(long, value_name = "PICTURE", help_heading = "Starting from a picture")]
    pub(crate) mask: Option<PathBuf>,
    /// What the masked area holds at first
    #[arg(long, help_heading = "Starting from a picture")]
    pub(crate) mask_mode: Option<MaskMode>,
    /// Blur of the mask's edge in pixels, 0 to 64
    #[arg(long, value_name = "PIXELS", help_heading = "Starting from a picture")]
    pub(crate) mask_blur: Option<u32>,
    /// Draw where the mask is black
    #[arg(long, help_heading = "Starting from a picture")]
    pub(crate) mask_invert: bool,
    /// Render only the masked area, with so many pixels around it
    #[arg(long, value_name = "PADDING", num_args = 0..=1, default_missing_value = "32",
        help_heading = "Starting from a picture")]
    pub(crate) only_masked: Option<u32>,

    /// Where to render: auto, cpu, cuda:N or mps
    #[arg(long, default_value_t, help_heading = "Running")]
    pub(crate) device: DeviceChoice,
    /// Arithmetic; auto is what the device does well
    #[arg(long, help_heading = "Running")]
    pub(crate) precision: Option<PrecisionName>,
    /// Keep a rough picture of the state beside the output while rendering (tarim.preview.png)
    #[arg(long, help_heading = "Running")]
    pub(crate) preview: bool,
    /// Print JSON lines about everything that happens
    #[arg(long, help_heading = "Running")]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Rng {
    Cpu,
    Nv,
}

impl From<Rng> for NoiseSource {
    fn from(rng: Rng) -> Self {
        match rng {
            Rng::Cpu => Self::Cpu,
            Rng::Nv => Self::Nv,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionName {
    Auto,
    Fp32,
    Bf16,
    Fp16,
}

impl PrecisionName {
    /// The precision named; `None` for `auto`.
    pub(crate) fn precision(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::Fp32 => Some(Precision::Fp32),
            Self::Bf16 => Some(Precision::Bf16),
            Self::Fp16 => Some(Precision::Fp16),
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum MaskMode {
    /// Colours spread inwards from the edge
    Fill,
    /// What the picture has there
    Original,
    /// Pure noise
    LatentNoise,
    /// Nothing
    LatentNothing,
}

impl From<MaskMode> for MaskFill {
    fn from(mode: MaskMode) -> Self {
        match mode {
            MaskMode::Fill => Self::Fill,
            MaskMode::Original => Self::Original,
            MaskMode::LatentNoise => Self::LatentNoise,
            MaskMode::LatentNothing => Self::LatentNothing,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Resize {
    /// To the size, whatever the shape
    Stretch,
    /// Cover the size and cut the rest
    Crop,
    /// Fit inside and fill the rest
    Fill,
}

impl From<Resize> for ResizeMode {
    fn from(resize: Resize) -> Self {
        match resize {
            Resize::Stretch => Self::Stretch,
            Resize::Crop => Self::Crop,
            Resize::Fill => Self::Fill,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum EmphasisName {
    /// As A1111
    Original,
    /// As A1111's "No norm"
    NoNorm,
    /// Weights are read and not applied
    Ignore,
    /// Weights are not read
    None,
    /// As ComfyUI
    ComfyUi,
}

impl From<EmphasisName> for Emphasis {
    fn from(name: EmphasisName) -> Self {
        match name {
            EmphasisName::Original => Self::Original,
            EmphasisName::NoNorm => Self::NoNorm,
            EmphasisName::Ignore => Self::Ignore,
            EmphasisName::None => Self::None,
            EmphasisName::ComfyUi => Self::ComfyUi,
        }
    }
}
