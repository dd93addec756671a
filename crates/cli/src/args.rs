//! The command line's grammar.

pub(crate) mod gallery;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tarim_recipe::{Emphasis, MaskFill, NoiseSource, Precision, ResizeMode, Seed};
use tarim_render::DeviceChoice;

use crate::farm::args::FarmOptions;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed for a reason without a number of its own
  2    the command line cannot be understood
  3    a value, file or model cannot be used as asked
  4    the renderer is missing, crashed, or ran out of memory
  5    a picture cannot be written
  6    the render farm cannot be reached or is full
  130  stopped by Ctrl-C; pictures finished before are kept

Environment:
  TARIM_MODEL     the model to use when none is named (else models/starter, looked for
                  above the program and above the current folder)
  TARIM_LIBRARY   the folder of pictures (else the one in the settings)
  TARIM_CONFIG    the folder of settings, styles and presets
  TARIM_RENDERER  the renderer program (else tarim-renderer beside this program)
  LIBTORCH        the libtorch folder, the one that holds `lib` (else the one that
                  `cargo xtask setup` fetched)";

/// Draw pictures with Stable Diffusion on this machine.
#[derive(Parser)]
#[command(name = "tarim", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Render(Box<RenderOptions>),
    Inspect(InspectOptions),
    Tokens(TokensOptions),
    Doctor(DoctorOptions),
    Serve(ServeOptions),
    Library(LibraryOptions),
    Queue(Box<QueueOptions>),
    History(SearchOptions),
    Gallery(gallery::GalleryOptions),
    Farm(Box<FarmOptions>),
}

impl Command {
    /// Whether the output is for programs.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Render(options) => options.json,
            Self::Inspect(options) => options.json,
            Self::Tokens(options) => options.json,
            Self::Doctor(options) => options.json,
            Self::Serve(_) => false,
            Self::Library(options) => options.json,
            Self::Queue(options) => options.json,
            Self::History(options) => options.json,
            Self::Farm(options) => options.json,
            Self::Gallery(options) => options.json(),
        }
    }
}

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

/// Show what a picture or a model file holds
#[derive(Args)]
pub(crate) struct InspectOptions {
    /// A picture, a .safetensors file or a diffusers folder
    pub(crate) path: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show how a prompt is read and cut into tokens
#[derive(Args)]
pub(crate) struct TokensOptions {
    /// The prompt
    pub(crate) prompt: String,
    /// Use this model's vocabulary instead of CLIP's own
    #[arg(short, long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
    /// How prompt weights are read
    #[arg(long)]
    pub(crate) emphasis: Option<EmphasisName>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Test the renderer, libtorch and the device
#[derive(Args)]
pub(crate) struct DoctorOptions {
    /// The device to test: auto, cpu, cuda:N or mps
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceChoice,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Open the studio in a browser: the same as the window's, on this machine
#[derive(Args)]
pub(crate) struct ServeOptions {
    /// Where to listen. An address that other machines can reach needs the token that is printed
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7860")]
    pub(crate) listen: SocketAddr,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER")]
    pub(crate) library: Option<PathBuf>,
    /// Open the address in a browser
    #[arg(long)]
    pub(crate) open: bool,
}

/// Look after the folder of pictures and its index
#[derive(Args)]
pub(crate) struct LibraryOptions {
    #[command(subcommand)]
    pub(crate) command: LibraryCommand,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) library: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Subcommand)]
pub(crate) enum LibraryCommand {
    /// Say where it is and how much is in it
    Info,
    /// Make the index again from the files alone
    Rebuild,
    /// Take note of files that were moved, renamed, deleted or added
    Reconcile,
}

/// See, fill and work on the queue
#[derive(Args)]
pub(crate) struct QueueOptions {
    #[command(subcommand)]
    pub(crate) command: QueueCommand,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) library: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum QueueCommand {
    /// Show what runs, waits and failed
    List,
    /// Put pictures into the queue; prints the request's id
    Add(Box<QueueAddOptions>),
    /// Work until the queue is empty or paused. A window or `tarim serve` with the same library does so by itself
    Run,
    /// Start nothing new
    Pause,
    /// Go on
    Resume,
    /// Cancel jobs, or all of them
    Cancel {
        /// Ids of jobs
        ids: Vec<String>,
    },
    /// Queue failed jobs again, or all of them
    Retry {
        /// Ids of jobs
        ids: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct QueueAddOptions {
    /// What the picture should show, in A1111's prompt language
    pub(crate) prompt: Option<String>,
    /// What it should not show
    #[arg(short, long, value_name = "PROMPT")]
    pub(crate) negative: Option<String>,
    /// A model's name, id or path
    #[arg(short, long)]
    pub(crate) model: Option<String>,
    /// Start from a recipe: a picture that carries one, a recipe's JSON, or an infotext; other options override it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) recipe: Option<PathBuf>,
    /// How many pictures, each with the next seed
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
    /// Seed of the first picture; drawn when not given
    #[arg(short, long, allow_negative_numbers = true)]
    pub(crate) seed: Option<Seed>,
    /// Solver steps
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u32>,
    /// Guidance (CFG) scale, 0 to 100; 1 is none
    #[arg(long, value_name = "SCALE", allow_negative_numbers = true)]
    pub(crate) guidance: Option<f64>,
    /// Solver, such as `Euler a` or `DPM++ 2M Karras`
    #[arg(long, value_name = "NAME")]
    pub(crate) sampler: Option<String>,
    /// Noise levels, such as `Karras` or `SGM Uniform`
    #[arg(long, value_name = "NAME")]
    pub(crate) schedule: Option<String>,
    /// Width in pixels, a multiple of 8
    #[arg(long, value_name = "PIXELS")]
    pub(crate) width: Option<u32>,
    /// Height in pixels, a multiple of 8
    #[arg(long, value_name = "PIXELS")]
    pub(crate) height: Option<u32>,
    /// A picture to start from
    #[arg(short, long, value_name = "PICTURE")]
    pub(crate) init: Option<PathBuf>,
    /// How much of it is drawn anew: 0 keeps the picture, 1 ignores it
    #[arg(long)]
    pub(crate) strength: Option<f64>,
    /// A tag for the pictures; can be given several times
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// The project that they belong to
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// Higher goes first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) priority: i32,
}

/// Find requests, such as `fox rating:>=4 -blurry "exact words"`
#[derive(Args)]
pub(crate) struct SearchOptions {
    /// Words and filters; none finds everything, latest first
    pub(crate) query: Vec<String>,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u32,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER")]
    pub(crate) library: Option<PathBuf>,
    /// Print a line of JSON for each
    #[arg(long)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
