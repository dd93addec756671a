//! A model as lists show it: what it is, or what is wrong with it and what to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tarim_checkpoint::{Checkpoint, CheckpointError, Family, Layout, TokenizerSource};
use tarim_recipe::{ModelDefaults, ModelFacts, sha256};

use super::facts::{self, ModelError};
use crate::error::Problem;

/// How many files of a model's folder count for its stamp.
const MOST_FILES: usize = 1_000;

/// A model that was found.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its id: stays the same while it lies in its place.
    pub id: String,
    /// File stem or folder name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The folder that it was found through.
    pub folder: PathBuf,
    /// Whether it is the starter model.
    pub starter: bool,
    /// What sort of model it is, for people; empty when it cannot be told.
    pub kind: String,
    /// Its family, where it can be told.
    pub family: Option<Family>,
    /// Folder or single file.
    pub layout: Layout,
    /// Bytes on the disk.
    pub bytes: u64,
    /// What is wrong with it and what to do.
    pub problem: Option<Problem>,
    /// What rendering needs to know; `None` when it cannot be used.
    pub facts: Option<ModelFacts>,
    /// Its tokenizer; `None` when it cannot be used.
    pub(super) tokenizer: Option<TokenizerSource>,
    /// Changes when its files do.
    pub(super) stamp: String,
}

impl Model {
    /// Whether it can be used.
    pub fn usable(&self) -> bool {
        self.facts.is_some()
    }

    /// `sd1`, `sd2`; empty when it cannot be told.
    pub fn family_name(&self) -> &'static str {
        match self.family {
            Some(Family::Sd1) => "sd1",
            Some(Family::Sd2) => "sd2",
            None => "",
        }
    }

    /// `diffusers-folder` or `single-file`.
    pub fn layout_name(&self) -> &'static str {
        match self.layout {
            Layout::DiffusersFolder => "diffusers-folder",
            Layout::SingleFile => "single-file",
        }
    }
}

/// The id of the model at a path.
pub(super) fn id_of(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    sha256(real.as_os_str().as_encoded_bytes()).chars().take(16).collect()
}

/// Looks into a model. Never fails: what is wrong is part of the description.
pub(super) fn describe(path: &Path, folder: &Path, starter: bool, stamp: String) -> Model {
    let mut model = Model {
        id: id_of(path),
        name: facts::name_of(path),
        path: path.to_owned(),
        folder: folder.to_owned(),
        starter,
        kind: String::new(),
        family: None,
        layout: if path.is_dir() { Layout::DiffusersFolder } else { Layout::SingleFile },
        bytes: bytes_of(path),
        problem: None,
        facts: None,
        tokenizer: None,
        stamp,
    };
    // Files from anywhere are read here, and one of them must not end the search through all the others.
    if catch_unwind(AssertUnwindSafe(|| look_into(&mut model))).is_err() {
        model.facts = None;
        model.problem = Some(Problem {
            code: "model_unreadable".to_owned(),
            message: "it could not be read, through a fault in Tarim".to_owned(),
            hint: Some("report this, with the file's origin".to_owned()),
        });
    }
    model
}

fn look_into(model: &mut Model) {
    let checkpoint = match facts::open(&model.path) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            model.problem = Some(problem(&error));
            return;
        }
    };
    model.kind = checkpoint.kind().to_string();
    model.family = Some(checkpoint.kind().family);
    model.layout = checkpoint.layout();
    model.bytes = checkpoint.files().iter().map(|file| length(file)).sum();
    if let Err(error) = checkpoint.check() {
        model.problem = Some(problem(&error.into()));
        return;
    }
    let defaults = facts::defaults(checkpoint.path()).unwrap_or_else(|error| {
        // The model works without its maker's recommendations.
        model.problem = Some(problem(&error));
        ModelDefaults::default()
    });
    model.facts = Some(facts::facts_with(&checkpoint, defaults));
    model.tokenizer = Some(checkpoint.tokenizer().clone());
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

/// Files of a model: itself, or what lies in its folder and one level below.
fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        let beside = [facts::recommendations(path), path.with_extension("yaml")];
        return [path.to_owned()].into_iter().chain(beside).collect();
    }
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        entries.filter_map(Result::ok).map(|entry| entry.path()).take(MOST_FILES).collect()
    };
    let (folders, mut files): (Vec<_>, Vec<_>) = entries(path).into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| entries(folder)));
    // Previews and read-mes do not decide what a model computes.
    files.retain(|file| {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        ending.is_some_and(|ending| ["safetensors", "json", "txt", "bin"].contains(&ending.as_str()))
    });
    files.sort();
    files.truncate(MOST_FILES);
    files
}

fn bytes_of(path: &Path) -> u64 {
    if path.is_dir() { files_of(path).iter().map(|file| length(file)).sum() } else { length(path) }
}

/// Changes when a file of the model is replaced, written to, added or taken away.
pub(super) fn stamp_of(path: &Path) -> String {
    let mut text = String::new();
    for file in files_of(path) {
        let Ok(found) = file.metadata() else { continue };
        let age = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanoseconds = age.map_or(0, |age| age.as_nanos());
        text.push_str(&format!("{}\n{} {nanoseconds}\n", file.display(), found.len()));
    }
    sha256(text.as_bytes()).chars().take(32).collect()
}

/// What a person should know and do, without the path, which stands beside it.
fn problem(error: &ModelError) -> Problem {
    let problem = |code: &str, message: String, hint: &str| Problem {
        code: code.to_owned(),
        message,
        hint: Some(hint.to_owned()),
    };
    let again = "download or copy it again";
    let error = match error {
        ModelError::Checkpoint(error) => error,
        ModelError::Recommendations { .. } => {
            let hint = "mend or remove the file; the model works without it";
            return problem("model_recommendations", error.to_string(), hint);
        }
        ModelError::Tokenizer(_) => return problem("model_incomplete", error.to_string(), again),
    };
    match error {
        CheckpointError::NotFound { .. } => {
            problem("model_missing", "it is not there any more".into(), "look through the folders again")
        }
        CheckpointError::Io { source, .. } => problem(
            "model_unreadable",
            format!("it cannot be read: {source}"),
            "check the file's permissions and the disk",
        ),
        CheckpointError::Pickle { what, .. } => problem(
            "model_pickle",
            format!("it is a Python pickle ({what}), which can run any program when it is opened"),
            "fetch the model's .safetensors version, or convert it with a tool you trust",
        ),
        CheckpointError::UnknownFormat { problem: what, .. } => problem(
            "model_unknown",
            format!("it is no model file: {what}"),
            "models are diffusers folders and .safetensors files",
        ),
        CheckpointError::Damaged { tensor, problem: what, .. } => {
            let place = tensor.as_ref().map(|name| format!("tensor `{name}` ")).unwrap_or_default();
            problem("model_damaged", format!("it is damaged or cut off: {place}{what}"), again)
        }
        CheckpointError::MissingPart { part, problem: what, .. } => {
            problem("model_incomplete", format!("it has no {part}: {what}"), again)
        }
        CheckpointError::Unfit { part, problem: what, .. } => {
            let message = format!("its {part} does not fit its configuration: {what}");
            problem("model_incomplete", message, again)
        }
        CheckpointError::Unsupported { what, advice, .. } => {
            let code = match what.as_str() {
                what if what.contains("SDXL") => "model_sdxl",
                what if what.contains("LoRA") => "model_lora",
                _ => "model_unsupported",
            };
            let yet = advice == "not supported yet";
            let hint = if yet {
                "choose a model of Stable Diffusion 1 or 2; this kind is not supported yet"
            } else {
                advice
            };
            problem(code, format!("this is {what}"), hint)
        }
        CheckpointError::Config { path, problem: what } => {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            problem("model_config", format!("its `{file}` cannot be understood: {what}"), again)
        }
        CheckpointError::Option { problem: what, .. } => problem(
            "model_unsupported",
            format!("it asks for something that is not supported: {what}"),
            "choose another version of the model",
        ),
        other => problem("model_unreadable", other.to_string(), again),
    }
}

/// Opens a model that was described before.
pub(super) fn checkpoint(model: &Model) -> Result<Checkpoint, ModelError> {
    facts::open(&model.path)
}
