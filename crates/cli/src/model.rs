//! Models: found, described, hashed, without libtorch. What they are is the studio's to say; here it gets the command
//! line's words.

use std::path::{Path, PathBuf};

use tarim_checkpoint::Checkpoint;
use tarim_recipe::ModelFacts;
use tarim_studio::models::{self, ModelError};
use tarim_tokenizer::Tokenizer;

use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};

/// The model named, else `TARIM_MODEL`, else the starter model above the program or the current folder.
pub(crate) fn locate(named: Option<&Path>, environment: &Environment) -> Result<PathBuf> {
    if let Some(path) = named.or(environment.model.as_deref()) {
        return Ok(path.to_owned());
    }
    environment.starter_model().ok_or_else(|| {
        Failure::bad_input("no model is named and the starter model was not found")
            .hint("name one with `--model PATH` or in the environment variable `TARIM_MODEL`")
    })
}

/// Opens a model's headers and configurations.
pub(crate) fn open(path: &Path) -> Result<Checkpoint> {
    models::open(path).map_err(|error| explain(&error))
}

fn explain(error: &ModelError) -> Failure {
    let failure = Failure::from_error(Exit::BadInput, error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What rendering needs to know about a model. Half a model is refused here, before a renderer starts.
pub(crate) fn facts(checkpoint: &Checkpoint) -> Result<ModelFacts> {
    models::facts(checkpoint).map_err(|error| explain(&error))
}

/// The vocabulary of a model; CLIP's own where none is named.
pub(crate) fn tokenizer(model: Option<&Path>) -> Result<Tokenizer> {
    let checkpoint = model.map(open).transpose()?;
    models::tokenizer(checkpoint.as_ref()).map_err(|error| explain(&error))
}
