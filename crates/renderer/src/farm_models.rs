//! The models of a worker: found in its folders, known by their hashes, which are remembered.
#![allow(clippy::print_stderr, reason = "stderr is the worker's log")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::UNIX_EPOCH;

use tarim_checkpoint::Checkpoint;
use tarim_farm::{Holdings, Token};

/// How deep below a folder models are looked for.
const DEEPEST: usize = 4;
/// The list of hashes in the cache.
const HASHES: &str = "hashes.json";

/// Where a worker keeps things unless it is told.
pub(crate) fn cache_folder() -> PathBuf {
    let cache = directories::BaseDirs::new().map(|dirs| dirs.cache_dir().to_owned());
    cache.unwrap_or_else(std::env::temp_dir).join("tarim")
}

/// Finds the models in folders and adds each once its hash is known, on a thread of its own: the worker begins with those
/// that were hashed before.
pub(crate) fn find(folders: Vec<PathBuf>, cache: PathBuf, holdings: Holdings) {
    thread::spawn(move || {
        let mut known = Known::read(cache.join(HASHES));
        let mut fresh = Vec::new();
        for path in folders.iter().flat_map(|folder| candidates(folder)) {
            match known.get(&path) {
                Some(hash) => add(&holdings, &hash, &path),
                None => fresh.push(path),
            }
        }
        for path in fresh {
            let hashed = Checkpoint::open(&path).and_then(|model| model.hash(&mut |_, _| {}));
            match hashed {
                Ok(hash) => {
                    known.add(&path, hash.hex());
                    add(&holdings, &hash.hex(), &path);
                    eprintln!("model {}: {}", hash.short(), path.display());
                }
                Err(error) => eprintln!("`{}` cannot be used: {error}", path.display()),
            }
        }
    });
}

fn add(holdings: &Holdings, hash: &str, path: &Path) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Ok(hash) = Token::new(hash) {
        holdings.add(hash, name, path.to_owned());
    }
}

/// Files and folders that look like whole models.
fn candidates(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(folder, 0, &mut found);
    found.sort();
    found
}

fn look(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors")) {
            found.push(path.to_owned());
        }
        return;
    }
    if path.join("model_index.json").is_file() {
        return found.push(path.to_owned());
    }
    if depth < DEEPEST {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            look(&entry.path(), depth + 1, found);
        }
    }
}

/// Hashes of earlier runs, by path and stamp.
struct Known {
    file: PathBuf,
    hashes: BTreeMap<String, (String, String)>,
}

impl Known {
    fn read(file: PathBuf) -> Self {
        // A list that cannot be read is made anew.
        let text = fs::read(&file).unwrap_or_default();
        Self { file, hashes: serde_json::from_slice(&text).unwrap_or_default() }
    }

    fn get(&self, path: &Path) -> Option<String> {
        let (stamp, hash) = self.hashes.get(&*path.to_string_lossy())?;
        (*stamp == stamp_of(path)).then(|| hash.clone())
    }

    fn add(&mut self, path: &Path, hash: String) {
        self.hashes.insert(path.to_string_lossy().into_owned(), (stamp_of(path), hash));
        if let Ok(text) = serde_json::to_vec_pretty(&self.hashes) {
            let beside = self.file.with_extension(format!("{}", std::process::id()));
            // Only a saving of time: without it the models are read again at the next start.
            let _ = self.file.parent().map(fs::create_dir_all);
            let _ = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &self.file));
        }
    }
}

/// Changes when the model's files do: sizes and times of all of them.
fn stamp_of(path: &Path) -> String {
    let mut parts = Vec::new();
    stamp_below(path, 0, &mut parts);
    parts.sort();
    tarim_recipe::sha256(parts.concat().as_bytes())
}

fn stamp_below(path: &Path, depth: usize, parts: &mut Vec<String>) {
    let Ok(data) = fs::metadata(path) else { return };
    if data.is_dir() {
        if depth < DEEPEST {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                stamp_below(&entry.path(), depth + 1, parts);
            }
        }
        return;
    }
    let changed = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    parts.push(format!("{}\n{}\n{}\n", path.display(), data.len(), changed.as_nanos()));
}
