//! Hashes of models, remembered: computing one reads gigabytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::{describe, facts};
use crate::error::{ErrorKind, Result, StudioError};
use crate::{files, lock};

const FILE: &str = "models.json";
const MOST_BYTES: u64 = 16 << 20;

/// `models.json`: a cache, made again when it cannot be read.
pub(super) struct Hashes {
    path: PathBuf,
    known: Mutex<BTreeMap<String, Known>>,
    /// Models that are being read now, so that nobody reads one that somebody else is reading.
    reading: Mutex<BTreeMap<String, Arc<Mutex<()>>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Sizes and times of the files that were hashed.
    stamp: String,
    /// The hash.
    sha256: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    #[serde(default)]
    hashes: BTreeMap<String, Known>,
}

impl Hashes {
    pub(super) fn open(config_folder: &Path) -> Self {
        let path = config_folder.join(FILE);
        let known = read(&path);
        Self { path, known: Mutex::new(known), reading: Mutex::default() }
    }

    /// The hash of a model whose files have not changed since.
    pub(super) fn get(&self, path: &Path, stamp: &str) -> Option<String> {
        let known = lock(&self.known);
        known.get(&key(path)).filter(|known| known.stamp == stamp).map(|known| known.sha256.clone())
    }

    /// The hash of a model, computed when it is not known. `progress` is told bytes done and in all, and says whether to
    /// go on; `None` when not.
    pub(super) fn compute(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Option<String>> {
        let one = Arc::clone(lock(&self.reading).entry(key(path)).or_default());
        let _one = lock(&one);
        let stamp = describe::stamp_of(path);
        if let Some(hash) = self.get(path, &stamp) {
            return Ok(Some(hash));
        }
        let checkpoint = facts::open(path)?;
        let hash = checkpoint.hash_while(progress).map_err(facts::ModelError::from)?;
        let Some(hash) = hash.map(|hash| hash.hex()) else { return Ok(None) };
        if describe::stamp_of(path) != stamp {
            let message = format!("the model `{}` changed while it was read", path.display());
            return Err(
                StudioError::new(ErrorKind::Model, message).hint("try again when it is written whole")
            );
        }
        self.keep(path, Known { stamp, sha256: hash.clone() });
        Ok(Some(hash))
    }

    fn keep(&self, path: &Path, new: Known) {
        let mut known = lock(&self.known);
        // Another process may have added to it. Its entries are as good as ours.
        for (key, other) in read(&self.path) {
            known.entry(key).or_insert(other);
        }
        known.insert(key(path), new);
        let content = Content { hashes: known.clone() };
        if let Ok(text) = serde_json::to_vec_pretty(&content) {
            // Only a cache: without it the hash is computed once more.
            let _ = files::write_whole(&self.path, &text);
        }
    }
}

fn read(path: &Path) -> BTreeMap<String, Known> {
    let content = files::read_small(path, MOST_BYTES).ok().flatten().unwrap_or_default();
    let Content { mut hashes } = serde_json::from_slice(&content).unwrap_or_default();
    hashes.retain(|_, known| known.sha256.len() == 64 && known.sha256.bytes().all(|c| c.is_ascii_hexdigit()));
    hashes
}

fn key(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}
