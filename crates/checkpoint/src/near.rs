//! Names of models that somebody may have meant.

use std::path::Path;

const OFFERED: usize = 3;

/// Models beside `path` with names like its own, nearest first.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Vec::new(),
    };
    let wanted = comparable(path);
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(usize, String)> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| looks_like_a_model(path))
        .filter_map(|path| {
            let name = comparable(&path);
            let distance = distance(&wanted, &name);
            let alike = distance * 3 <= wanted.len().max(name.len())
                || name.contains(&wanted)
                || wanted.contains(&name);
            alike.then(|| Some((distance, path.file_name()?.to_str()?.to_owned()))).flatten()
        })
        .collect();
    found.sort();
    found.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

fn looks_like_a_model(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    path.join("unet").is_dir() || (extension.eq_ignore_ascii_case("safetensors") && path.is_file())
}

/// Lower case, without an extension.
fn comparable(path: &Path) -> Vec<char> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.strip_suffix(".safetensors").unwrap_or(&name).chars().take(200).collect()
}

trait Contains {
    fn contains(&self, part: &Self) -> bool;
}

impl Contains for Vec<char> {
    fn contains(&self, part: &Self) -> bool {
        part.len() >= 3 && self.windows(part.len()).any(|window| window == part.as_slice())
    }
}

/// Levenshtein's.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
