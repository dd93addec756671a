//! The grammar of `tarim queue`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tarim_recipe::Seed;

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
    #[command(flatten)]
    pub(crate) draft: DraftOptions,
    /// How many pictures, each with the next seed
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
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

/// What a picture should be, for commands that leave the drawing to the queue.
#[derive(Args)]
pub(crate) struct DraftOptions {
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
}
