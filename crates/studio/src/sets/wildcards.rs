//! Wildcards: lists of texts that templates draw from, in the folder `wildcards` beside the settings.

use std::fs;
use std::path::{Path, PathBuf};

use tarim_recipe::template::{WildcardSet, files};

use crate::error::Result;
use crate::studio::Studio;

const FOLDER: &str = "wildcards";
/// Files larger than this are no lists of texts.
const LARGEST_FILE: u64 = 16 << 20;
const MOST_FILES: usize = 5000;
const DEEPEST: usize = 12;

impl Studio {
    /// Where wildcards lie.
    pub fn wildcard_folder(&self) -> PathBuf {
        self.surroundings().config_folder.join(FOLDER)
    }

    /// All wildcards, and what in their folder cannot be read.
    pub fn wildcards(&self) -> Result<(WildcardSet, Vec<String>)> {
        Ok(read_wildcards(&self.wildcard_folder()))
    }
}

/// All wildcards of a folder, and what in it cannot be read.
pub fn read_wildcards(folder: &Path) -> (WildcardSet, Vec<String>) {
    let mut found = WildcardSet::new();
    let mut problems = Vec::new();
    let mut paths = Vec::new();
    collect(folder, 0, &mut paths);
    paths.sort();
    for path in paths.iter().take(MOST_FILES) {
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let text = match fs::metadata(path) {
            Ok(data) if data.len() > LARGEST_FILE => Err("it is too large".to_owned()),
            _ => fs::read_to_string(path).map_err(|error| error.to_string()),
        };
        let added = text.and_then(|text| found.insert_file(&name, &text).map_err(|error| error.to_string()));
        if let Err(reason) = added {
            problems.push(format!("{name}: {reason}"));
        }
    }
    if paths.len() > MOST_FILES {
        problems.push(format!("only the first {MOST_FILES} files are read"));
    }
    (found, problems)
}

/// The files of a folder and those below it. What cannot be looked into is passed over: there may be no folder at all.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && depth < DEEPEST {
            collect(&path, depth + 1, found);
        } else if path.to_str().is_some_and(files::is_wildcard_file) {
            found.push(path);
        }
    }
}
