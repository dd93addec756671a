//! Pictures kept to start from, by their content: `.tarim/inputs/<sha256>.<ending>` below the library's folder.

mod outpaint;

use std::fs;
use std::path::{Path, PathBuf};

use image::{ImageDecoder, ImageReader};
use tarim_library::INTERNAL_FOLDER;
use tarim_library::pixels::{self, Format, LoadError};
use tarim_render::{Channels, PixelShape, Pixels};

pub use outpaint::{Margins, Outpainted, outpaint};

use crate::error::{ErrorKind, Result, StudioError};
use crate::files;

const FOLDER: &str = "inputs";
const ENDINGS: [&str; 3] = ["png", "jpg", "webp"];
/// The largest file that is taken, in bytes.
pub const MOST_BYTES: usize = 128 << 20;

/// A picture that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// SHA-256 of the file's bytes.
    pub sha256: String,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// Where it is kept.
    pub path: PathBuf,
}

fn folder(library_root: &Path) -> PathBuf {
    library_root.join(INTERNAL_FOLDER).join(FOLDER)
}

/// Whether a text is the SHA-256 of something: 64 lower-case hexadecimal digits, and so no path.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Keeps a picture's bytes, once they are known to be a picture that can be used. The same bytes are kept once.
pub fn keep(library_root: &Path, bytes: &[u8]) -> Result<Input> {
    if bytes.len() > MOST_BYTES {
        let message = format!("the picture's file is larger than {} MiB", MOST_BYTES >> 20);
        return Err(StudioError::new(ErrorKind::BadInput, message).hint("make the picture smaller first"));
    }
    let sha256 = tarim_recipe::sha256(bytes);
    // A kept file that was damaged since is written again.
    if find(library_root, &sha256).is_some()
        && read(library_root, &sha256).is_ok()
        && let Ok(input) = info(library_root, &sha256)
    {
        return Ok(input);
    }
    let inputs = folder(library_root);
    let io = |error| StudioError::io("the picture cannot be kept", &error);
    fs::create_dir_all(&inputs).map_err(io)?;
    // Looked at under a temporary name, which is gone again when it is no picture.
    let draft = tempfile::Builder::new().prefix(".tarim-").suffix(".tmp").tempfile_in(&inputs).map_err(io)?;
    fs::write(draft.path(), bytes).map_err(io)?;
    let format = pixels::format_of(draft.path()).map_err(|error| explain(&error))?;
    let picture = pixels::load(draft.path()).map_err(|error| explain(&error))?;
    let ending = match format {
        Format::Png => "png",
        Format::Jpeg => "jpg",
        Format::WebP => "webp",
    };
    let path = inputs.join(format!("{sha256}.{ending}"));
    files::write_whole(&path, bytes)?;
    Ok(Input { sha256, width: picture.width, height: picture.height, path })
}

/// Where an input is kept; `None` when it is not, or the text is no SHA-256.
pub fn find(library_root: &Path, sha256: &str) -> Option<PathBuf> {
    if !is_sha256(sha256) {
        return None;
    }
    let folder = folder(library_root);
    ENDINGS.iter().map(|ending| folder.join(format!("{sha256}.{ending}"))).find(|path| path.is_file())
}

/// The same, or an error that says what to do.
pub fn path(library_root: &Path, sha256: &str) -> Result<PathBuf> {
    find(library_root, sha256).ok_or_else(|| {
        let shown: String = sha256.chars().take(64).collect();
        StudioError::new(ErrorKind::NotFound, format!("the picture {shown} is not kept in this library"))
            .hint("drop it once more")
    })
}

/// What is known of an input, from its header alone. It was decoded whole when it was kept.
pub fn info(library_root: &Path, sha256: &str) -> Result<Input> {
    let path = path(library_root, sha256)?;
    let (width, height) = upright_size(&path).map_err(|error| {
        StudioError::new(ErrorKind::BadInput, format!("the picture {sha256} cannot be read: {error}"))
            .hint("drop it once more")
    })?;
    Ok(Input { sha256: sha256.to_owned(), width, height, path })
}

fn upright_size(path: &Path) -> image::ImageResult<(u32, u32)> {
    use image::metadata::Orientation as Turned;
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let (width, height) = decoder.dimensions();
    Ok(match decoder.orientation() {
        Ok(Turned::Rotate90 | Turned::Rotate270 | Turned::Rotate90FlipH | Turned::Rotate270FlipH) => {
            (height, width)
        }
        _ => (width, height),
    })
}

fn read(library_root: &Path, sha256: &str) -> Result<pixels::Pixels> {
    let picture = pixels::load(&path(library_root, sha256)?).map_err(|error| explain(&error))?;
    if picture.sha256 != sha256 {
        let message = format!("the picture {sha256} was changed since it was kept");
        return Err(StudioError::new(ErrorKind::BadInput, message).hint("drop it once more"));
    }
    Ok(picture)
}

/// An input as colours, for a renderer.
pub fn load(library_root: &Path, sha256: &str) -> Result<Pixels> {
    let picture = read(library_root, sha256)?;
    for_renderer(picture.width, picture.height, Channels::Rgb, picture.rgb)
}

/// An input as a mask, 255 where to draw, for a renderer.
pub fn load_mask(library_root: &Path, sha256: &str) -> Result<Pixels> {
    let picture = read(library_root, sha256)?;
    let mask = picture.mask();
    for_renderer(picture.width, picture.height, Channels::Grey, mask)
}

fn for_renderer(width: u32, height: u32, channels: Channels, bytes: Vec<u8>) -> Result<Pixels> {
    Pixels::new(PixelShape { width, height, channels }, bytes)
        .map_err(|error| StudioError::caused(ErrorKind::Internal, &error))
}

/// A picture that cannot be used, without a path: whoever sent it has not named one.
fn explain(error: &LoadError) -> StudioError {
    let (kind, message, hint) = match error {
        LoadError::NotFound { .. } => {
            (ErrorKind::NotFound, "the picture is not there any more".to_owned(), None)
        }
        LoadError::Io { source, .. } => return StudioError::io("the picture cannot be read", source),
        LoadError::Format { what, .. } => (
            ErrorKind::BadInput,
            format!("the file is {what}"),
            Some("PNG, JPEG and WebP pictures can be used"),
        ),
        LoadError::TooLarge { what, .. } => {
            (ErrorKind::BadInput, format!("the picture is too large: {what}"), Some("make it smaller first"))
        }
        LoadError::Broken { reason, .. } => (
            ErrorKind::BadInput,
            format!("the picture is damaged: {reason}"),
            Some("save or download it again"),
        ),
    };
    StudioError { kind, message, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests;
