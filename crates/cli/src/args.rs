//! The command line's grammar.

pub(crate) mod gallery;
pub(crate) mod queue;
pub(crate) mod render;
pub(crate) mod sets;
pub(crate) mod template;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tarim_render::DeviceChoice;

use crate::farm::args::FarmOptions;
use queue::QueueOptions;
use render::{EmphasisName, RenderOptions};
use sets::{BatchOptions, GridOptions};
use template::TemplateOptions;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed for a reason without a number of its own; pictures of a set failed
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
    Template(TemplateOptions),
    Batch(Box<BatchOptions>),
    Grid(Box<GridOptions>),
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
            Self::Template(options) => options.json,
            Self::Batch(options) => options.json,
            Self::Grid(options) => options.json,
            Self::Farm(options) => options.json,
            Self::Gallery(options) => options.json(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
