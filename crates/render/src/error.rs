//! Why a renderer cannot be had.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::ending::Ending;
use crate::messages::{Failure, FailureCode, PROTOCOL};

/// Why a renderer did not start or did not take a job. [`RenderError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// No renderer program was found.
    #[error("the renderer `tarim-renderer` was not found; looked for {}", list(tried))]
    ProgramMissing {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// The program could not be run at all.
    #[error("could not run the renderer `{}`", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system found no libtorch for the program.
    #[error("the renderer cannot find libtorch: {detail}")]
    LibtorchMissing {
        /// The loader's words.
        detail: String,
    },
    /// The libtorch found is not the one that the program was built for.
    #[error("the renderer found a libtorch of another version than it was built for: {detail}")]
    LibtorchMismatch {
        /// The loader's words.
        detail: String,
    },
    /// The program did not say hello.
    #[error("the renderer `{}` did not answer within {} s", program.display(), after.as_secs())]
    NoAnswer {
        /// The program.
        program: PathBuf,
        /// How long we waited.
        after: Duration,
    },
    /// The program speaks another version of our messages.
    #[error("the renderer `{}` speaks version {theirs} of the render messages; this program speaks {PROTOCOL}", program.display())]
    Protocol {
        /// The program.
        program: PathBuf,
        /// Its version.
        theirs: u32,
    },
    /// The program wrote something else than messages.
    #[error("`{}` does not speak to us as a renderer does: {detail}", program.display())]
    NotARenderer {
        /// The program.
        program: PathBuf,
        /// What was read.
        detail: String,
    },
    /// The process ended while it was needed.
    #[error("the renderer {ending}{}", tail(stderr))]
    Ended {
        /// How.
        ending: Ending,
        /// The last lines that it wrote to stderr.
        stderr: String,
    },
    /// The renderer refused what it was asked.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// The job cannot be spelled as a message.
    #[error("the job cannot be handed to the renderer: {0}")]
    Unspeakable(String),
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    names.join(", ")
}

/// Stderr as an addition to a message, where there is any.
fn tail(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; its last words: {stderr}") }
}

impl RenderError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::ProgramMissing { .. } => {
                "build it with `cargo xtask setup`, or name it in the environment variable `TARIM_RENDERER`"
            }
            Self::Spawn { .. } => "check that the file exists and may be executed",
            Self::LibtorchMissing { .. } => {
                "run `cargo xtask setup`, or point `LIBTORCH` at a libtorch folder (the one that holds `lib`)"
            }
            Self::LibtorchMismatch { .. } => {
                "run `cargo xtask setup` for the version that fits, and unset `LIBTORCH` or point it there"
            }
            Self::NoAnswer { .. } => "the machine may be very busy; `tarim doctor` says more",
            Self::Protocol { .. } => "program and renderer must come from the same build: build both again",
            Self::NotARenderer { .. } => "check what `TARIM_RENDERER` names",
            Self::Ended { ending, .. } => return ending.hint().map(str::to_owned),
            Self::Refused(failure) => return failure.hint.clone(),
            Self::Unspeakable(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// The same as a job's failure.
    pub fn to_failure(&self) -> Failure {
        let code = match self {
            Self::Ended { ending, .. } => ending.code(),
            Self::Refused(failure) => failure.code,
            Self::Unspeakable(_) => FailureCode::BadInput,
            _ => FailureCode::Crashed,
        };
        Failure { code, message: self.to_string(), hint: self.hint() }
    }
}
