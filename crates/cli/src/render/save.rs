//! Where pictures go.

use std::fs;
use std::path::{Path, PathBuf};

use tarim_library::picture::{self, WriteError};
use tarim_library::{IfExists, Labels, Picture};
use tarim_recipe::Recipe;
use tarim_render::Pixels;

use crate::failure::{Exit, Failure, Result};

/// The name of pictures that nobody named.
const STEM: &str = "tarim";
/// Endings that ask for something that is not written.
const OTHER_FORMATS: [&str; 9] = ["jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "jxl"];

/// What `--out` means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    folder: PathBuf,
    name: Name,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    /// The next free number after this stem.
    Numbered(String),
    /// One picture, this name.
    Exact(String),
    /// `{seed}` and `{index}` to be replaced.
    Pattern(String),
}

/// A picture on the disk.
pub(crate) struct Saved {
    pub(crate) path: PathBuf,
    pub(crate) warning: Option<String>,
}

impl Target {
    /// Understands `--out`, makes its folder, and makes sure that pictures can be written there.
    pub(crate) fn new(out: &Path, count: u32) -> Result<Self> {
        let target = Self::understand(out, count, out.is_dir())?;
        let failed = |error: &std::io::Error| {
            Failure::from_error(Exit::Output, error)
                .context(format!("nothing can be written to the folder `{}`", target.folder.display()))
                .hint("choose another place with `--out`, or change the folder's permissions")
        };
        fs::create_dir_all(&target.folder).map_err(|error| failed(&error))?;
        // Now, not after minutes of rendering.
        tempfile::Builder::new()
            .prefix(".tarim-")
            .suffix(".tmp")
            .tempfile_in(&target.folder)
            .map_err(|error| failed(&error))?;
        if let Name::Exact(name) = &target.name
            && target.folder.join(name).symlink_metadata().is_ok()
        {
            return Err(Failure::bad_input(format!("`{}` exists already", out.display()))
                .hint("choose another name, or give a folder: pictures in it are numbered"));
        }
        Ok(target)
    }

    fn understand(out: &Path, count: u32, is_folder: bool) -> Result<Self> {
        let ending =
            out.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        let numbered =
            |folder: &Path| Self { folder: folder.to_owned(), name: Name::Numbered(STEM.to_owned()) };
        if is_folder {
            return Ok(numbered(out));
        }
        if OTHER_FORMATS.contains(&ending.as_str()) {
            let message = format!("`{}` asks for {ending}, and only PNG is written", out.display());
            return Err(Failure::bad_input(message).hint("end the name with .png"));
        }
        let Some(name) = out.file_name().filter(|_| ending == "png") else { return Ok(numbered(out)) };
        let name = name.to_str().ok_or_else(|| {
            Failure::bad_input(format!("the file name `{}` is not valid Unicode", out.display()))
        })?;
        let folder = match out.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let stem = out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = if name.contains("{seed}") || name.contains("{index}") {
            Name::Pattern(name.to_owned())
        } else if count > 1 {
            Name::Numbered(stem)
        } else {
            Name::Exact(name.to_owned())
        };
        Ok(Self { folder, name })
    }

    /// Writes picture `index` of the run. An existing file is never touched: where one is in the way after all, the
    /// picture gets a number.
    pub(crate) fn save(&self, index: u32, pixels: Pixels, recipe: &Recipe) -> Result<Saved> {
        let picture = tarim_library::postprocess(picture_of(pixels), &recipe.postprocess)
            .map_err(|error| Failure::from_error(Exit::BadInput, &error))?;
        let labels = labels(recipe);
        let failed = |error: &WriteError| Failure::from_error(Exit::Output, error);
        let numbered = |stem: &str| {
            let written = picture::write_new(&self.folder, stem, &picture, recipe, &labels);
            written.map(plain).map_err(|error| failed(&error))
        };
        let name = match &self.name {
            Name::Numbered(stem) => return Ok(Saved { path: numbered(stem)?, warning: None }),
            Name::Exact(name) => name.clone(),
            Name::Pattern(pattern) => pattern
                .replace("{seed}", &recipe.seed.to_string())
                .replace("{index}", &format!("{:04}", index + 1)),
        };
        let path = plain(self.folder.join(&name));
        match picture::write(&path, &picture, recipe, &labels, IfExists::Refuse) {
            Ok(()) => Ok(Saved { path, warning: None }),
            Err(WriteError::Exists { .. }) => {
                let saved = numbered(Path::new(&name).file_stem().and_then(|s| s.to_str()).unwrap_or(STEM))?;
                let warning = format!(
                    "`{}` exists already; the picture was written to `{}`",
                    path.display(),
                    saved.display()
                );
                Ok(Saved { path: saved, warning: Some(warning) })
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// Writes a preview over the one before it.
    pub(crate) fn save_preview(&self, pixels: Pixels, recipe: &Recipe) -> Result<PathBuf> {
        let path = plain(self.folder.join(format!("{STEM}.preview.png")));
        picture::write(&path, &picture_of(pixels), recipe, &labels(recipe), IfExists::Replace)
            .map_err(|error| Failure::from_error(Exit::Output, &error))?;
        Ok(path)
    }
}

/// A path below the current folder without a leading `./`.
fn plain(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
}

fn picture_of(pixels: Pixels) -> Picture {
    Picture { width: pixels.width(), height: pixels.height(), rgb: pixels.into_bytes() }
}

fn labels(recipe: &Recipe) -> Labels {
    Labels::new(recipe, concat!("Tarim ", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_is_a_file_a_pattern_or_a_folder() {
        let check = |out: &str, count, is_folder, expected: Result<(&str, Name), &str>| {
            let found = Target::understand(Path::new(out), count, is_folder);
            let expected = expected.map(|(folder, name)| Target { folder: folder.into(), name });
            assert_eq!(found.map_err(|failure| failure.message), expected.map_err(str::to_owned));
        };
        let numbered = |stem: &str| Name::Numbered(stem.to_owned());
        check(".", 1, true, Ok((".", numbered("tarim"))));
        check("新/楼兰", 2, false, Ok(("新/楼兰", numbered("tarim"))));
        check("a.png", 1, false, Ok((".", Name::Exact("a.png".to_owned()))));
        check("画/狐.PNG", 1, false, Ok(("画", Name::Exact("狐.PNG".to_owned()))));
        check("画/狐.png", 3, false, Ok(("画", numbered("狐"))));
        check("a.png", 3, true, Ok(("a.png", numbered("tarim"))));
        check("x/{seed}.png", 3, false, Ok(("x", Name::Pattern("{seed}.png".to_owned()))));
        check("a.jpg", 1, false, Err("`a.jpg` asks for jpg, and only PNG is written"));
    }
}
