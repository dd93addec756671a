//! Models on this machine: found in place, described, hashed, without libtorch.

mod commands;
mod describe;
mod facts;
mod hashes;
mod scan;
#[cfg(test)]
mod tests;
mod tokenizers;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tarim_checkpoint::TokenizerSource;
use tarim_recipe::{ModelFacts, ModelRef};
use tarim_tokenizer::Tokenizer;

pub use describe::Model;
pub use facts::{ModelError, default_draft, facts, name_of, open, starter_in, tokenizer};

use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::lock;
use hashes::Hashes;

/// Models up to this size are hashed while they are looked for.
const HASHED_AT_ONCE: u64 = 64 << 20;
/// How long a question for a model waits for the search that is under way.
const PATIENCE: Duration = Duration::from_secs(20);

/// All models, and the folders they were found in. Every method may be called from any thread.
pub struct Models {
    starter: Option<PathBuf>,
    built_in: Vec<PathBuf>,
    hashes: Hashes,
    /// Id of the model that is used when none is named; `None` is the starter model.
    default: Mutex<Option<String>>,
    state: Mutex<State>,
    /// Told when a search has ended.
    searched: Condvar,
    /// Held while a search is under way.
    search: Mutex<()>,
    tokenizers: Mutex<Vec<(TokenizerSource, Arc<Tokenizer>)>>,
}

#[derive(Default)]
struct State {
    models: Vec<Arc<Model>>,
    folders: Vec<ModelFolder>,
    scanning: bool,
}

/// A folder that was looked through.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Models found in it.
    pub models: usize,
    /// Whether it came with the program.
    pub built_in: bool,
    /// What is wrong with it.
    pub problem: Option<Problem>,
}

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Usable models first, by name.
    pub models: Vec<Arc<Model>>,
    /// The folders.
    pub folders: Vec<ModelFolder>,
    /// Whether a search is under way.
    pub scanning: bool,
}

/// A model to render with.
#[derive(Clone, Debug)]
pub struct FoundModel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What rendering needs to know; the hash where it is known.
    pub facts: ModelFacts,
}

impl Models {
    /// The starter model is there at once; everything else after [`Self::scan`].
    pub fn new(config_folder: &Path, starter: Option<PathBuf>, built_in: Vec<PathBuf>) -> Self {
        let models = Self {
            starter,
            built_in,
            hashes: Hashes::open(config_folder),
            default: Mutex::default(),
            state: Mutex::default(),
            searched: Condvar::new(),
            search: Mutex::default(),
            tokenizers: Mutex::default(),
        };
        if let Some(starter) = &models.starter {
            let stamp = describe::stamp_of(starter);
            let model = models.describe(starter, starter, true, stamp);
            lock(&models.state).models.push(Arc::new(model));
        }
        models
    }

    /// Looks through all folders; models whose files have not changed are not opened again. One search at a time.
    pub fn scan(&self, folders: &[PathBuf]) {
        let _one = lock(&self.search);
        let known: HashMap<PathBuf, Arc<Model>> = {
            let mut state = lock(&self.state);
            state.scanning = true;
            state.models.iter().map(|model| (model.path.clone(), Arc::clone(model))).collect()
        };
        // Whatever happens, nobody waits for a search that has ended.
        let _end = End(self);
        let mut models: Vec<Arc<Model>> = Vec::new();
        let mut ids = HashSet::new();
        let mut looked_through = Vec::new();
        let starter = self.starter.iter().map(|path| (path, true));
        let built_in = self.built_in.iter().map(|path| (path, true));
        for (folder, built_in) in starter.chain(built_in).chain(folders.iter().map(|path| (path, false))) {
            let is_starter = self.starter.as_ref() == Some(folder);
            let found = scan::find(folder);
            let mut count = 0;
            for path in &found.candidates {
                if !ids.insert(describe::id_of(path)) {
                    continue;
                }
                count += 1;
                let stamp = describe::stamp_of(path);
                let same = known.get(path).filter(|old| old.stamp == stamp && old.folder == *folder);
                let model = match same {
                    Some(old) => Arc::clone(old),
                    None => Arc::new(self.describe(path, folder, is_starter, stamp)),
                };
                models.push(model);
            }
            let problem = folder_problem(&found, count);
            looked_through.push(ModelFolder { path: folder.clone(), models: count, built_in, problem });
        }
        models.sort_by_cached_key(|model| (!model.usable(), model.name.to_lowercase(), model.path.clone()));
        let mut state = lock(&self.state);
        state.models = models;
        state.folders = looked_through;
    }

    fn describe(&self, path: &Path, folder: &Path, starter: bool, stamp: String) -> Model {
        let model = describe::describe(path, folder, starter, stamp);
        if model.usable() && model.bytes <= HASHED_AT_ONCE {
            // Without its hash it works too.
            let _ = self.hashes.compute(path, &mut |_, _| true);
        }
        model
    }

    /// Everything that was found.
    pub fn overview(&self) -> Overview {
        let state = lock(&self.state);
        Overview { models: state.models.clone(), folders: state.folders.clone(), scanning: state.scanning }
    }

    /// The model of this id, usable or not; waits for a search that is under way.
    pub fn get(&self, id: &str) -> Result<Arc<Model>> {
        let by_id = |state: &State| state.models.iter().find(|model| model.id == id).cloned();
        let deadline = Instant::now() + PATIENCE;
        let mut state = lock(&self.state);
        loop {
            if let Some(model) = by_id(&state) {
                return Ok(model);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !state.scanning || left.is_zero() {
                let shown: String = id.chars().take(80).collect();
                return Err(StudioError::new(
                    ErrorKind::NotFound,
                    format!("there is no model `{shown}` here"),
                )
                .hint("choose one from the list of models, or look through the folders again"));
            }
            (state, _) = self.searched.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Which model is used when none is named; `None` is the starter model.
    pub fn set_default(&self, id: Option<String>) {
        *lock(&self.default) = id;
    }

    /// Id of the model that is used when none is named, as far as it is known now.
    pub fn default_id(&self) -> Option<String> {
        let chosen = lock(&self.default).clone();
        chosen.or_else(|| starter_or_usable(&lock(&self.state)).map(|model| model.id.clone()))
    }

    /// The model of this id, to render with; without one the default model.
    pub fn find(&self, id: Option<&str>) -> Result<FoundModel> {
        let model = match id {
            Some(id) => self.get(id)?,
            None => self.first()?,
        };
        self.found(&model)
    }

    /// The model that a recipe or an infotext means: by its hash or the beginning of it, else by its name.
    pub fn matching(&self, wanted: &ModelRef) -> Option<FoundModel> {
        let usable: Vec<Arc<Model>> =
            self.overview().models.into_iter().filter(|model| model.usable()).collect();
        let hash = wanted.hash.as_deref().map(str::to_ascii_lowercase).filter(|hash| hash.len() >= 8);
        let by_hash = hash.as_ref().and_then(|hash| {
            usable.iter().find(|model| self.hash_known(model).is_some_and(|known| known.starts_with(hash)))
        });
        let by_name = || {
            // A model of that name whose hash is known to be another is another.
            usable.iter().find(|model| {
                model.name.to_lowercase() == wanted.name.to_lowercase()
                    && (hash.is_none() || self.hash_known(model).is_none())
            })
        };
        self.found(by_hash.or_else(by_name)?).ok()
    }

    fn found(&self, model: &Arc<Model>) -> Result<FoundModel> {
        let stamp = describe::stamp_of(&model.path);
        let model = if stamp == model.stamp {
            Arc::clone(model)
        } else {
            self.replace(self.describe(&model.path, &model.folder, model.starter, stamp))
        };
        let Some(mut facts) = model.facts.clone() else {
            let problem = model.problem.clone();
            let (message, hint) = problem.map_or((String::new(), None), |it| (it.message, it.hint));
            let message = format!("the model {} cannot be used: {message}", model.name);
            return Err(StudioError { kind: ErrorKind::Model, message, hint });
        };
        facts.hash = self.hash_known(&model);
        Ok(FoundModel { id: model.id.clone(), name: model.name.clone(), path: model.path.clone(), facts })
    }

    /// The model that is used when none is named.
    fn first(&self) -> Result<Arc<Model>> {
        let chosen = lock(&self.default).clone();
        if let Some(id) = chosen {
            return self.get(&id).map_err(|_| {
                StudioError::new(ErrorKind::Model, "the model that is used by default is not there any more")
                    .hint("choose another one, or bring its folder back")
            });
        }
        let deadline = Instant::now() + PATIENCE;
        let mut state = lock(&self.state);
        loop {
            if let Some(model) = starter_or_usable(&state) {
                return Ok(model);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !state.scanning || left.is_zero() {
                return Err(StudioError::new(ErrorKind::Model, "there is no model that can be used")
                    .hint("add a folder with models of Stable Diffusion 1 or 2 under Models"));
            }
            (state, _) = self.searched.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn replace(&self, model: Model) -> Arc<Model> {
        let model = Arc::new(model);
        let mut state = lock(&self.state);
        if let Some(place) = state.models.iter_mut().find(|old| old.id == model.id) {
            *place = Arc::clone(&model);
        }
        model
    }

    /// A model's hash, where it was computed before.
    pub fn hash_known(&self, model: &Model) -> Option<String> {
        self.hashes.get(&model.path, &model.stamp)
    }

    /// The SHA-256 of the model at a path, in hexadecimal digits: from memory, else by reading all of it.
    pub fn hash(&self, path: &Path) -> Result<String> {
        // It is never asked to stop.
        Ok(self.hash_while(path, &mut |_, _| true)?.unwrap_or_default())
    }

    /// The same; `progress` is told how many bytes are done, and how many there are, and says whether to go on. `None`
    /// when not.
    pub fn hash_while(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Option<String>> {
        self.hashes.compute(path, progress)
    }
}

fn starter_or_usable(state: &State) -> Option<Arc<Model>> {
    let starter = state.models.iter().find(|model| model.starter && model.usable());
    starter.or_else(|| state.models.iter().find(|model| model.usable())).cloned()
}

/// Ends a search, also one that panicked.
struct End<'a>(&'a Models);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.scanning = false;
        self.0.searched.notify_all();
    }
}

fn folder_problem(found: &scan::Found, models: usize) -> Option<Problem> {
    let problem = |code: &str, message: String, hint: &str| {
        Some(Problem { code: code.to_owned(), message, hint: Some(hint.to_owned()) })
    };
    if let (0, Some(first)) = (models, found.trouble.first()) {
        let hint = "check that the folder is there and may be read, or remove it from the list";
        return problem("model_folder_unreadable", first.clone(), hint);
    }
    if found.cut_short {
        let message = "the folder holds more than was looked through".to_owned();
        return problem("model_folder_too_large", message, "add the folder with the models in it instead");
    }
    if !found.trouble.is_empty() {
        let message = found.trouble.join("; ");
        return problem("model_folder_partly", message, "check the permissions there, and broken links");
    }
    (models == 0).then(|| Problem {
        code: "model_folder_empty".to_owned(),
        message: "there is no model in this folder".to_owned(),
        hint: Some("models are diffusers folders and .safetensors files".to_owned()),
    })
}
