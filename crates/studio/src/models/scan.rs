//! Looking for models in folders: in place, with limits, whatever is broken there.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How deep below a folder is looked.
const DEEPEST: usize = 8;
/// How many entries of folders are looked at in all; a home folder given by mistake must not be read for hours.
const MOST_ENTRIES: usize = 100_000;
/// How many models a folder gives.
const MOST_MODELS: usize = 5_000;

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Diffusers folders, `.safetensors` and `.ckpt` files, by path.
    pub(super) candidates: Vec<PathBuf>,
    /// What could not be read, one sentence each, the first few.
    pub(super) trouble: Vec<String>,
    /// Whether a limit ended the search.
    pub(super) cut_short: bool,
}

/// Finds what may be models in a folder that a user named.
///
/// In A1111's, Forge's and ComfyUI's folders only the sub-folders for whole models are looked through, so that LoRAs and
/// upscalers are not listed as broken models.
pub(super) fn find(folder: &Path) -> Found {
    let mut search = Search { found: Found::default(), seen: HashSet::new(), entries: 0 };
    if is_model_folder(folder) || folder.is_file() {
        search.found.candidates.push(folder.to_owned());
        return search.found;
    }
    let roots = known_roots(folder);
    if roots.is_empty() {
        search.look(folder, 0);
    }
    for root in roots {
        search.look(&root, 0);
    }
    search.found.candidates.sort();
    search.found.candidates.dedup();
    search.found
}

/// Folders for whole models in another program's folder; none in any other folder.
fn known_roots(folder: &Path) -> Vec<PathBuf> {
    // A1111 and Forge: `models/Stable-diffusion`; ComfyUI: `models/checkpoints`; Stability Matrix: `Models/StableDiffusion`.
    const WHOLE: [&str; 4] = ["stable-diffusion", "stablediffusion", "checkpoints", "diffusers"];
    let named = |folder: &Path, names: &[&str]| -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let matches = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
            name.is_some_and(|name| names.contains(&name.as_str())) && path.is_dir()
        };
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(matches).collect()
    };
    let models = named(folder, &["models"]);
    // The program's folder itself, or the one with the models.
    let places = models.iter().map(PathBuf::as_path).chain([folder]);
    let roots: Vec<PathBuf> = places.flat_map(|place| named(place, &WHOLE)).collect();
    // A folder of the user's own that happens to hold `diffusers` only is looked through as a whole.
    let telling = |root: &PathBuf| {
        !root.file_name().is_some_and(|name| name.to_string_lossy().eq_ignore_ascii_case("diffusers"))
    };
    if roots.iter().any(telling) { roots } else { Vec::new() }
}

/// Whether a folder is one model in diffusers' layout.
fn is_model_folder(folder: &Path) -> bool {
    folder.join("model_index.json").is_file()
        || ["unet", "vae", "text_encoder"].iter().all(|part| folder.join(part).is_dir())
}

struct Search {
    found: Found,
    /// Folders by their real path, so that links in a circle end.
    seen: HashSet<PathBuf>,
    entries: usize,
}

impl Search {
    fn look(&mut self, folder: &Path, depth: usize) {
        let real = match folder.canonicalize() {
            Ok(real) => real,
            Err(error) => return self.trouble(folder, &error),
        };
        if !self.seen.insert(real) {
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.trouble(folder, &error),
        };
        let mut paths = Vec::new();
        for entry in entries {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                self.found.cut_short = true;
                break;
            }
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.trouble(folder, &error),
            }
        }
        paths.sort();
        for path in paths {
            if self.found.candidates.len() >= MOST_MODELS || self.entries > MOST_ENTRIES {
                self.found.cut_short = true;
                return;
            }
            self.entry(path, depth);
        }
    }

    fn entry(&mut self, path: PathBuf, depth: usize) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Hidden folders hold caches and version control; macOS writes `._model.safetensors` beside files.
        if name.starts_with('.') || name == "__MACOSX" || name == "node_modules" {
            return;
        }
        let looks_like_weights = path.extension().is_some_and(|ending| {
            ending.eq_ignore_ascii_case("safetensors") || ending.eq_ignore_ascii_case("ckpt")
        });
        let kind = match fs::metadata(&path) {
            Ok(kind) => kind,
            Err(error) => {
                // A link to nowhere is worth a word where it looks like a model.
                if looks_like_weights || error.kind() != std::io::ErrorKind::NotFound {
                    self.trouble(&path, &error);
                }
                return;
            }
        };
        if kind.is_dir() {
            if is_model_folder(&path) {
                self.found.candidates.push(path);
            } else if depth < DEEPEST {
                self.look(&path, depth + 1);
            }
        } else if looks_like_weights && kind.is_file() {
            self.found.candidates.push(path);
        }
    }

    fn trouble(&mut self, path: &Path, error: &std::io::Error) {
        if self.found.trouble.len() < 5 {
            self.found.trouble.push(format!("`{}` cannot be read: {error}", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    fn names(root: &Path) -> Vec<String> {
        let below = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
        find(root).candidates.iter().map(below).collect()
    }

    #[test]
    fn other_programs_folders() {
        for (models, whole, other) in [
            ("models", "Stable-diffusion", "Lora"),
            ("models", "checkpoints", "loras"),
            ("Models", "StableDiffusion", "Lora"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path();
            touch(&root.join(models).join(whole).join("anime/a.safetensors"));
            touch(&root.join(models).join(whole).join("b.ckpt"));
            touch(&root.join(models).join(whole).join("b.txt"));
            touch(&root.join(models).join(other).join("style.safetensors"));
            touch(&root.join("outputs/x.safetensors"));
            assert_eq!(
                names(root),
                [format!("{models}/{whole}/anime/a.safetensors"), format!("{models}/{whole}/b.ckpt")]
            );
            assert_eq!(names(&root.join(models)).len(), 2);
            assert_eq!(names(&root.join(models).join(whole)).len(), 2);
        }
    }

    #[test]
    fn own_folders() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        touch(&root.join("a.SAFETENSORS"));
        touch(&root.join("deep/er/b.safetensors"));
        touch(&root.join("c/model_index.json"));
        touch(&root.join("c/unet/diffusion_pytorch_model.safetensors"));
        touch(&root.join("d/unet/x"));
        touch(&root.join("d/vae/x"));
        touch(&root.join("d/text_encoder/x"));
        touch(&root.join(".cache/e.safetensors"));
        touch(&root.join("._a.safetensors"));
        assert_eq!(names(root), ["a.SAFETENSORS", "c", "d", "deep/er/b.safetensors"]);
        assert_eq!(find(&root.join("c")).candidates, [root.join("c")]);
        let missing = find(&root.join("missing"));
        assert_eq!((missing.candidates.len(), missing.trouble.len()), (0, 1));
    }

    #[cfg(unix)]
    #[test]
    fn circles_and_broken_links() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        touch(&root.join("real/a.safetensors"));
        symlink(root, root.join("real/circle")).unwrap();
        symlink(root.join("real"), root.join("twin")).unwrap();
        symlink(root.join("nowhere"), root.join("gone.safetensors")).unwrap();
        let found = find(root);
        assert_eq!(found.candidates, [root.join("real/a.safetensors")]);
        assert_eq!(found.trouble.len(), 1, "{found:?}");
    }
}
