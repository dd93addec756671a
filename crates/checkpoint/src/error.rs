//! What can be wrong with a model, where, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// This crate's result.
pub type Result<T, E = CheckpointError> = std::result::Result<T, E>;

/// Why a model could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// There is nothing at this path.
    #[error("there is no model at {}{}", path.display(), near_names(near))]
    NotFound {
        /// The path as given.
        path: PathBuf,
        /// Names of models beside it that are spelt alike, nearest first.
        near: Vec<String>,
    },
    /// The operating system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Weights stored as a Python pickle.
    #[error(
        "{} is a Python pickle ({what}), which can run any program when it is opened, so Tarim does not open it; \
         use the model's .safetensors version, or convert it (for example with A1111's checkpoint merger, \
         \"No interpolation\" and format safetensors, or with diffusers' `save_pretrained(safe_serialization=True)`)",
        path.display()
    )]
    Pickle {
        /// File or folder.
        path: PathBuf,
        /// How that was told.
        what: String,
    },
    /// Neither a safetensors file nor a diffusers folder.
    #[error("{} is no model file: {problem}", path.display())]
    UnknownFormat {
        /// File or folder.
        path: PathBuf,
        /// What it is instead, and what to do.
        problem: String,
    },
    /// The file contradicts itself or is incomplete.
    #[error(
        "{} is damaged: {}{problem}; download or copy it again",
        path.display(),
        tensor.as_ref().map(|name| format!("tensor `{name}` ")).unwrap_or_default()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The tensor at fault, where it is one.
        tensor: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// A part of the model (UNet, VAE, text encoder) is not there.
    #[error("{} has no {part}: {problem}", path.display())]
    MissingPart {
        /// File or folder.
        path: PathBuf,
        /// "UNet", "VAE", "text encoder".
        part: &'static str,
        /// What was looked for, and what to do.
        problem: String,
    },
    /// Tensors that the configuration asks for are missing or have other shapes.
    #[error("{}: the {part} does not fit its configuration: {problem}", path.display())]
    Unfit {
        /// File or folder.
        path: PathBuf,
        /// "UNet", "VAE", "text encoder".
        part: &'static str,
        /// The first few tensors at fault and their number.
        problem: String,
    },
    /// A known kind of file that is not a Stable Diffusion 1 or 2 model.
    #[error("{}: this is {what}; {advice}", path.display())]
    Unsupported {
        /// File or folder.
        path: PathBuf,
        /// What it is, with its article: "an SDXL model".
        what: String,
        /// What can be done.
        advice: String,
    },
    /// A configuration file that cannot be read.
    #[error("{} cannot be understood: {problem}", path.display())]
    Config {
        /// The JSON file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
    /// A configuration asks for arithmetic that Tarim does not do.
    #[error("{}: {problem}", path.display())]
    Option {
        /// The JSON or safetensors file.
        path: PathBuf,
        /// Option, value, and what is supported.
        problem: OptionProblem,
    },
}

/// An option of a configuration, and why its value cannot be honoured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("option `{option}` is {value}: {reason}")]
pub struct OptionProblem {
    /// The name in the configuration file.
    pub option: &'static str,
    /// Its value, as JSON.
    pub value: String,
    /// Why not.
    pub reason: String,
}

impl CheckpointError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, tensor: Option<&str>, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), tensor: tensor.map(str::to_owned), problem: problem.into() }
    }

    pub(crate) fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        Self::Unsupported { path: path.to_owned(), what: what.into(), advice: "not supported yet".into() }
    }
}

fn near_names(near: &[String]) -> String {
    match near {
        [] => String::new(),
        names => {
            format!("; is it {}?", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or "))
        }
    }
}
