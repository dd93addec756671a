//! One model: opened, checked and described, without libtorch.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tarim_checkpoint::{Checkpoint, CheckpointError, Task, TokenizerSource};
use tarim_recipe::{
    Draft, Environment, ModelDefaults, ModelFacts, ModelTask, Precision, Recipe, Seed, Size, prepare,
};
use tarim_tokenizer::{SpecialTokens, Tokenizer, TokenizerError};

use crate::error::{ErrorKind, StudioError};

/// Where the starter model lies below the project's folder, and below the folder of an installed program's files.
const STARTER: &str = "models/starter";
/// The largest `tarim.json` that is read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Its files say so.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its maker's recommendations are no such thing.
    #[error("the model's recommendations `{}` cannot be read: {reason}", .path.display())]
    Recommendations {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Its tokenizer cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

impl ModelError {
    /// What to do next, where the message does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Checkpoint(CheckpointError::NotFound { .. } | CheckpointError::UnknownFormat { .. }) => {
                Some("name a diffusers folder (with model_index.json) or a .safetensors file")
            }
            Self::Checkpoint(CheckpointError::Unfit { .. } | CheckpointError::MissingPart { .. }) => {
                Some("`tarim inspect` lists what is there and what is not")
            }
            Self::Recommendations { .. } => Some("mend or remove the file; the model works without it"),
            _ => None,
        }
    }
}

impl From<ModelError> for StudioError {
    fn from(error: ModelError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self { hint, ..Self::caused(ErrorKind::Model, &error) }
    }
}

/// The starter model in one of these folders.
pub fn starter_in<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Option<PathBuf> {
    folders
        .into_iter()
        .map(|folder| folder.join(STARTER))
        .find(|folder| folder.join("model_index.json").is_file())
}

/// Opens a model's headers and configurations.
pub fn open(path: &Path) -> Result<Checkpoint, ModelError> {
    Ok(Checkpoint::open(path)?)
}

/// File stem or folder name. `.` and `..` are no names, and neither is the revision in a Hugging Face cache
/// (`models--author--name/snapshots/<revision>`).
pub fn name_of(path: &Path) -> String {
    let real = match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    };
    let cached = |folder: &Path| {
        let snapshots = folder.parent().filter(|parent| parent.ends_with("snapshots"))?;
        let repository = snapshots.parent()?.file_name()?.to_str()?.strip_prefix("models--")?;
        repository.rsplit("--").next().map(str::to_owned)
    };
    if real.is_dir() {
        let own = || real.file_name().map(|name| name.to_string_lossy().into_owned());
        return cached(&real).or_else(own).unwrap_or_else(|| "model".to_owned());
    }
    real.file_stem().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// What rendering needs to know about a model. Half a model is refused here, before a renderer starts.
pub fn facts(checkpoint: &Checkpoint) -> Result<ModelFacts, ModelError> {
    checkpoint.check()?;
    Ok(facts_with(checkpoint, defaults(checkpoint.path())?))
}

/// The same with given recommendations, of a model that was checked.
pub(super) fn facts_with(checkpoint: &Checkpoint, defaults: ModelDefaults) -> ModelFacts {
    ModelFacts {
        name: name_of(checkpoint.path()),
        hash: None,
        task: match checkpoint.kind().task {
            Task::TextToImage => ModelTask::TextToImage,
            Task::Inpainting => ModelTask::Inpainting,
            Task::InstructPix2Pix => ModelTask::InstructPix2Pix,
        },
        native_size: native_size(checkpoint),
        defaults,
    }
}

/// The size of the latents in training, in pixels; Stable Diffusion 1's where the model does not say.
fn native_size(checkpoint: &Checkpoint) -> Size {
    let factor = checkpoint.vae().config.factor();
    let sides = checkpoint.unet().config.sample_size.as_ref().map_or(&[][..], |size| size.values());
    match *sides {
        [side] => Size::nearest(side.saturating_mul(factor), side.saturating_mul(factor)),
        [height, width] => Size::nearest(width.saturating_mul(factor), height.saturating_mul(factor)),
        _ => Size::nearest(512, 512),
    }
}

/// The file with the maker's recommendations, where there may be one: `tarim.json` in a folder, `<name>.tarim.json`
/// beside a single file.
pub(super) fn recommendations(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("tarim.json") } else { path.with_extension("tarim.json") }
}

/// What the maker recommends: the member `defaults` of that file.
pub(super) fn defaults(path: &Path) -> Result<ModelDefaults, ModelError> {
    #[derive(Deserialize)]
    struct Recommendations {
        defaults: ModelDefaults,
    }
    let file = recommendations(path);
    let wrong = |reason: String| ModelError::Recommendations { path: file.clone(), reason };
    match fs::metadata(&file) {
        Ok(found) if found.len() > MOST_BYTES => {
            return Err(wrong(format!("it has {} bytes, far too many", found.len())));
        }
        Ok(_) => {}
        Err(_) => return Ok(ModelDefaults::default()),
    }
    let text = fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
    let read: Recommendations = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(read.defaults)
}

/// The settings that a model is used with when nothing else is said, without prompt, seed and precision.
pub fn default_draft(facts: &ModelFacts) -> Draft {
    // A picture to start from, as some models ask for one.
    let draft = Draft { init_picture: Some("0".repeat(64)), ..Draft::default() };
    let environment = Environment { fresh_seed: Seed(0), precision: Precision::Fp32 };
    let Ok((recipe, _)) = prepare(&draft, facts, &environment) else { return Draft::default() };
    let Draft { image_guidance_scale, strength, .. } = Draft::from(&recipe);
    let pix2pix = facts.task == ModelTask::InstructPix2Pix;
    let draft = Draft::from(&Recipe { init: None, ..recipe });
    Draft {
        model: None,
        prompt: None,
        negative_prompt: draft.negative_prompt.filter(|prompt| !prompt.text.is_empty()),
        seed: None,
        precision: None,
        noise_source: None,
        emphasis: None,
        image_guidance_scale: image_guidance_scale.filter(|_| pix2pix),
        strength: strength.filter(|_| pix2pix),
        ..draft
    }
}

/// The vocabulary of a model; CLIP's own where none is given.
pub fn tokenizer(model: Option<&Checkpoint>) -> Result<Tokenizer, ModelError> {
    let clip = TokenizerSource::Clip { pads_with_zero: false };
    Ok(match model.map_or(&clip, Checkpoint::tokenizer) {
        TokenizerSource::Folder(folder) => Tokenizer::open(folder)?,
        TokenizerSource::Clip { pads_with_zero: true } => {
            Tokenizer::clip(&SpecialTokens::padded_with_zero())?
        }
        TokenizerSource::Clip { pads_with_zero: false } => Tokenizer::clip(&SpecialTokens::default())?,
    })
}
