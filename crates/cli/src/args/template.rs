//! The grammar of `tarim template`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tarim_recipe::template::Method;

/// See what prompts a template makes, and how many
///
/// Nothing is drawn, and no library is needed.
#[derive(Args)]
pub(crate) struct TemplateOptions {
    #[command(subcommand)]
    pub(crate) command: TemplateCommand,
    /// The folder of wildcards (.txt, .yaml, .json); else `wildcards` in the folder of settings
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) wildcards: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum TemplateCommand {
    /// Print prompts of a template, one a line
    Preview {
        /// The template, a file that holds it, or `-` for what is piped in
        template: String,
        /// How it is expanded
        #[arg(long, default_value = "random")]
        mode: Mode,
        /// Seed of the draws; drawn when not given, and then told
        #[arg(short, long)]
        seed: Option<u64>,
        /// At most this many
        #[arg(short, long, default_value_t = 10)]
        limit: u32,
        /// Draw each prompt by itself, as rows of a set do, so that one may come twice
        #[arg(long)]
        repeat: bool,
    },
    /// Print how many prompts a template makes, exactly
    Count {
        /// The template, a file that holds it, or `-` for what is piped in
        template: String,
        /// Count the prompts until they begin again in this mode
        #[arg(long, default_value = "combinatorial")]
        mode: Mode,
    },
}

/// How a template is expanded.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    /// Drawn by lot
    Random,
    /// Every combination
    Combinatorial,
    /// All choices in turn, side by side
    Cyclic,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Combinatorial => "combinatorial",
            Self::Cyclic => "cyclic",
        }
    }
}

impl From<Mode> for Method {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Random => Self::Random,
            Mode::Combinatorial => Self::Combinatorial,
            Mode::Cyclic => Self::Cyclic,
        }
    }
}
