//! Models: found, described, hashed, without libtorch.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tarim_checkpoint::{Checkpoint, CheckpointError, Task, TokenizerSource};
use tarim_recipe::{ModelDefaults, ModelFacts, ModelTask, Size};
use tarim_tokenizer::{SpecialTokens, Tokenizer};

use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};

/// Where the starter model lies below the project's folder.
const STARTER: &str = "models/starter";

/// The model named, else `TARIM_MODEL`, else the starter model above the program or the current folder.
pub(crate) fn locate(named: Option<&Path>, environment: &Environment) -> Result<PathBuf> {
    if let Some(path) = named.or(environment.model.as_deref()) {
        return Ok(path.to_owned());
    }
    environment
        .folders_above()
        .map(|folder| folder.join(STARTER))
        .find(|folder| folder.join("model_index.json").is_file())
        .ok_or_else(|| {
            Failure::bad_input("no model is named and the starter model was not found")
                .hint("name one with `--model PATH` or in the environment variable `TARIM_MODEL`")
        })
}

/// Opens a model's headers and configurations.
pub(crate) fn open(path: &Path) -> Result<Checkpoint> {
    Checkpoint::open(path).map_err(|error| explain(&error))
}

fn explain(error: &CheckpointError) -> Failure {
    let failure = Failure::from_error(Exit::BadInput, error);
    match error {
        CheckpointError::NotFound { .. } | CheckpointError::UnknownFormat { .. } => {
            failure.hint("name a diffusers folder (with model_index.json) or a .safetensors file")
        }
        CheckpointError::Unfit { .. } | CheckpointError::MissingPart { .. } => {
            failure.hint("`tarim inspect` lists what is there and what is not")
        }
        _ => failure,
    }
}

/// What rendering needs to know about a model. Half a model is refused here, before a renderer starts.
pub(crate) fn facts(checkpoint: &Checkpoint) -> Result<ModelFacts> {
    checkpoint.check().map_err(|error| explain(&error))?;
    let path = checkpoint.path();
    // `.` and `..` are no names.
    let real = path.canonicalize();
    let real = real.as_deref().unwrap_or(path);
    let name = if real.is_dir() { real.file_name() } else { real.file_stem() };
    Ok(ModelFacts {
        name: name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned()),
        hash: None,
        task: match checkpoint.kind().task {
            Task::TextToImage => ModelTask::TextToImage,
            Task::Inpainting => ModelTask::Inpainting,
            Task::InstructPix2Pix => ModelTask::InstructPix2Pix,
        },
        native_size: native_size(checkpoint),
        defaults: defaults(path)?,
    })
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

/// What the maker recommends: the member `defaults` of `tarim.json` in a folder, of `<name>.tarim.json` beside a single
/// file.
fn defaults(path: &Path) -> Result<ModelDefaults> {
    #[derive(Deserialize)]
    struct Recommendations {
        defaults: ModelDefaults,
    }
    let file = if path.is_dir() { path.join("tarim.json") } else { path.with_extension("tarim.json") };
    let Ok(text) = fs::read_to_string(&file) else { return Ok(ModelDefaults::default()) };
    let read: Recommendations = serde_json::from_str(&text).map_err(|error| {
        Failure::from_error(Exit::BadInput, &error)
            .context(format!("the model's recommendations `{}` cannot be read", file.display()))
            .hint("mend or remove the file; the model works without it")
    })?;
    Ok(read.defaults)
}

/// The vocabulary of a model; CLIP's own where none is named.
pub(crate) fn tokenizer(model: Option<&Path>) -> Result<Tokenizer> {
    let source = match model {
        Some(path) => open(path)?.tokenizer().clone(),
        None => TokenizerSource::Clip { pads_with_zero: false },
    };
    let tokenizer = match source {
        TokenizerSource::Folder(folder) => Tokenizer::open(&folder),
        TokenizerSource::Clip { pads_with_zero: true } => Tokenizer::clip(&SpecialTokens::padded_with_zero()),
        TokenizerSource::Clip { pads_with_zero: false } => Tokenizer::clip(&SpecialTokens::default()),
    };
    tokenizer.map_err(|error| Failure::from_error(Exit::BadInput, &error))
}
