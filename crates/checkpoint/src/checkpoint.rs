//! A whole model, opened.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{ClipTextConfig, SchedulerConfig, UnetConfig, VaeConfig};
use crate::error::{CheckpointError, OptionProblem, Result};
use crate::expected::{ExpectedTensor, Fit};
use crate::kind::Kind;
use crate::weights::Weights;
use crate::{folder, near, single};

/// A model of Stable Diffusion's architecture: its configurations, and its weights mapped but not yet read.
#[derive(Debug)]
pub struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) layout: Layout,
    pub(crate) kind: Kind,
    pub(crate) unet: Part<UnetConfig>,
    pub(crate) vae: Part<VaeConfig>,
    pub(crate) text_encoder: Part<ClipTextConfig>,
    pub(crate) scheduler: SchedulerConfig,
    pub(crate) tokenizer: TokenizerSource,
    /// Every file that decides what the model computes.
    pub(crate) files: Vec<PathBuf>,
}

/// One network of a model.
#[derive(Clone, Debug)]
pub struct Part<C> {
    /// How it is built; already checked for options that Tarim does not support.
    pub config: C,
    /// Its tensors under diffusers' names.
    pub weights: Weights,
}

/// How a model is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A folder with `unet`, `vae`, `text_encoder`.
    DiffusersFolder,
    /// One `.safetensors` file as A1111 and ComfyUI use it, with the original repositories' names.
    SingleFile,
}

/// Where a model's tokenizer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenizerSource {
    /// This `tokenizer` folder.
    Folder(PathBuf),
    /// CLIP's own, which is built in.
    Clip {
        /// Chunks are filled up with token 0, as Stable Diffusion 2 wants, rather than with the end token.
        pads_with_zero: bool,
    },
}

impl Checkpoint {
    /// Opens a diffusers folder (or its `model_index.json`) or a single `.safetensors` file. Reads headers and
    /// configurations only.
    ///
    /// # Errors
    /// When there is nothing at `path`, it is something else (an SDXL model, a LoRA, a pickle…), a part is missing, a
    /// file contradicts itself, or a configuration asks for what Tarim does not support. Missing and misshapen tensors
    /// are left to [`Self::check`], so that such a model can be inspected.
    pub fn open(path: &Path) -> Result<Self> {
        let found = match std::fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CheckpointError::NotFound { path: path.to_owned(), near: near::names(path) });
            }
            Err(error) => return Err(CheckpointError::io(path, error)),
        };
        if found.is_dir() {
            return folder::open(path);
        }
        match (path.file_name().and_then(|name| name.to_str()), path.parent()) {
            (Some("model_index.json"), Some(parent)) => folder::open(parent),
            _ => single::open(path),
        }
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is stored.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Family, task and prediction.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// `UNet2DConditionModel`.
    pub fn unet(&self) -> &Part<UnetConfig> {
        &self.unet
    }

    /// `AutoencoderKL`.
    pub fn vae(&self) -> &Part<VaeConfig> {
        &self.vae
    }

    /// `CLIPTextModel`.
    pub fn text_encoder(&self) -> &Part<ClipTextConfig> {
        &self.text_encoder
    }

    /// What the model was trained with.
    pub fn scheduler(&self) -> &SchedulerConfig {
        &self.scheduler
    }

    /// Which tokenizer belongs to it.
    pub fn tokenizer(&self) -> &TokenizerSource {
        &self.tokenizer
    }

    /// Weight and configuration files that decide what the model computes.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Whether every tensor that the configurations ask for is there and of the right shape and type.
    ///
    /// # Errors
    /// [`CheckpointError::Unfit`] with the first few tensors at fault of the first part that does not fit.
    pub fn check(&self) -> Result<()> {
        for (part, fit) in self.fits() {
            if let Some(problem) = fit.problem() {
                return Err(CheckpointError::Unfit { path: self.path.clone(), part, problem });
            }
        }
        let (wanted, given) = (self.unet.config.context_dim(), self.text_encoder.config.hidden_size);
        if wanted != given {
            let problem = format!(
                "it takes prompts {wanted} wide, and the text encoder gives {given}; they are of different models"
            );
            return Err(CheckpointError::Unfit { path: self.path.clone(), part: UNET, problem });
        }
        Ok(())
    }

    /// Each part's name with what is missing, misshapen or superfluous in it.
    pub fn fits(&self) -> [(&'static str, Fit); 3] {
        let fit = |weights: &Weights, expected: Vec<ExpectedTensor>| weights.compare(&expected);
        [
            (TEXT_ENCODER, fit(&self.text_encoder.weights, self.text_encoder.config.expected_tensors())),
            (UNET, fit(&self.unet.weights, self.unet.config.expected_tensors())),
            (VAE, fit(&self.vae.weights, self.vae.config.expected_tensors())),
        ]
    }
}

pub(crate) const UNET: &str = "UNet";
pub(crate) const VAE: &str = "VAE";
pub(crate) const TEXT_ENCODER: &str = "text encoder";

/// Names the file in which an option is.
pub(crate) fn in_file<T>(path: &Path, result: Result<T, OptionProblem>) -> Result<T> {
    result.map_err(|problem| CheckpointError::Option { path: path.to_owned(), problem })
}
