//! Finding picture files.

use std::{collections::HashMap, fs, io, path::Path};

use super::ScanReport;
use crate::{
    error::{LibraryError, Result},
    files::modified_ns,
    metadata_chunks::SIDECAR_ENDING,
};

/// Endings of files that are pictures, in any case.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];
/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 64;

/// A file that may be a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundFile {
    /// Relative to where the search began, with `/` between its parts.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// When the file or its sidecar was changed last.
    pub(super) modified_ns: i64,
}

/// All picture files below a folder, by path. Hidden files and folders, Tarim's own among them, are left out, and links
/// are not followed, so nothing is met twice and nothing outside is met at all.
pub(super) fn pictures(root: &Path, below: &str, report: &mut ScanReport) -> Result<Vec<FoundFile>> {
    let mut files = Vec::new();
    match folder(root, below, 0, &mut files, report) {
        // The trash, before there was any.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => result.map_err(|source| LibraryError::io(root, source))?,
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn folder(
    root: &Path,
    below: &str,
    depth: usize,
    files: &mut Vec<FoundFile>,
    report: &mut ScanReport,
) -> io::Result<()> {
    let first = files.len();
    let mut sidecars = HashMap::new();
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let path = entry.path();
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            report.problem(&shown, "its name is not Unicode; rename it".to_owned());
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            if let Err(error) = folder(root, &path, depth + 1, files, report) {
                report.problem(&path, format!("the folder cannot be read ({error})"));
            }
        } else if kind.is_file() && is_picture(name) {
            // Gone since the folder was read.
            let Ok(stat) = entry.metadata() else { continue };
            files.push(FoundFile { path, bytes: stat.len(), modified_ns: modified_ns(&stat) });
        } else if let Some(picture) = path.strip_suffix(SIDECAR_ENDING).filter(|_| kind.is_file())
            && is_picture(picture)
            && let Ok(stat) = entry.metadata()
        {
            sidecars.insert(picture.to_owned(), modified_ns(&stat));
        }
    }
    // Files of folders below are among these, and their sidecars are not.
    for file in files.iter_mut().skip(first).filter(|_| !sidecars.is_empty()) {
        if let Some(sidecar) = sidecars.get(&file.path) {
            file.modified_ns = file.modified_ns.max(*sidecar);
        }
    }
    Ok(())
}

fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}
