//! Small pictures for the gallery, made once and kept.
//!
//! WebP, by libwebp: at this size and quality a third of a JPEG's bytes, and 100,000 of them are to be kept and sent to
//! browsers.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::{
    error::{LibraryError, Result},
    files,
    id::Id,
    library::Library,
    pictures::PictureSummary,
    pixels,
};

const FOLDER: &str = "thumbnails";
/// libwebp's quality, 0 to 100.
const QUALITY: f32 = 80.0;

/// The longest side of a thumbnail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThumbnailSize {
    /// 480 pixels, for grids.
    Small,
    /// 1440 pixels, for looking at one.
    Large,
}

impl ThumbnailSize {
    /// Its longest side in pixels; smaller pictures stay as they are.
    pub fn pixels(self) -> u32 {
        match self {
            Self::Small => 480,
            Self::Large => 1440,
        }
    }
}

impl Library {
    /// A picture's thumbnail, a WebP file, made now if there is none of the picture as it is. That takes some 20
    /// milliseconds a megapixel.
    pub fn thumbnail(&self, id: Id, size: ThumbnailSize) -> Result<PathBuf> {
        let picture = self.summaries(&[id])?.into_iter().next();
        let picture = picture.ok_or(LibraryError::NotFound { what: "picture", id })?;
        let path = self.thumbnail_path(&picture, size);
        if !is_made(&path) {
            make(&self.file_of(&picture), &path, size)?;
        }
        Ok(path)
    }

    /// A picture's thumbnail if it is made already.
    pub fn thumbnail_if_made(&self, picture: &PictureSummary, size: ThumbnailSize) -> Option<PathBuf> {
        let path = self.thumbnail_path(picture, size);
        is_made(&path).then_some(path)
    }

    fn thumbnail_path(&self, picture: &PictureSummary, size: ThumbnailSize) -> PathBuf {
        let name = format!("{}-{:x}-{}.webp", picture.id, picture.version, size.pixels());
        folder_of(&self.internal(), picture.id).join(name)
    }
}

/// By the id's last byte, which is random; the first ones are the time.
fn folder_of(internal: &Path, id: Id) -> PathBuf {
    let [.., last] = id.bytes();
    internal.join(FOLDER).join(format!("{last:02x}"))
}

/// Without a sync a power cut can leave an empty file.
fn is_made(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|stat| stat.len() > 0)
}

fn make(source: &Path, target: &Path, size: ThumbnailSize) -> Result<()> {
    let pixels = pixels::load(source)?;
    let (width, height, rgb) = shrink(pixels.width, pixels.height, pixels.rgb, size.pixels());
    let encoded = webp::Encoder::from_rgb(&rgb, width, height).encode(QUALITY);
    let folder = target.parent().unwrap_or(target);
    fs::create_dir_all(folder)
        .and_then(|()| files::write_cache(target, &encoded))
        .map_err(|source| LibraryError::io(target, source))
}

/// Shrinks a picture to a longest side, with Lanczos' filter.
fn shrink(width: u32, height: u32, rgb: Vec<u8>, longest: u32) -> (u32, u32, Vec<u8>) {
    if width.max(height) <= longest {
        return (width, height, rgb);
    }
    let scale = f64::from(longest) / f64::from(width.max(height));
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    let mut small = Image::new(side(width), side(height), PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    let done = ImageRef::new(width, height, &rgb, PixelType::U8x3)
        .ok()
        .and_then(|large| Resizer::new().resize(&large, &mut small, &options).ok());
    match done {
        Some(()) => (small.width(), small.height(), small.into_vec()),
        // It refuses pictures whose bytes are not as many as their pixels, which `load` never gives.
        None => (width, height, rgb),
    }
}

/// Removes a picture's thumbnails, of all versions.
pub(crate) fn forget(internal: &Path, id: Id) {
    let folder = folder_of(internal, id);
    let prefix = id.to_string();
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            // What cannot be removed is in nobody's way.
            let _: io::Result<()> = fs::remove_file(entry.path());
        }
    }
}
