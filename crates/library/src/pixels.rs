//! Pictures to start from: decoded with limits, upright, flattened, and known by their content.

use std::{
    fs::File,
    io::{self, BufRead, Cursor, Read, Seek},
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};

/// The longest side that is decoded.
pub const MAX_SIDE: u32 = 32_768;
/// The most pixels that are decoded.
pub const MAX_PIXELS: u64 = 128_000_000;
/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// The most memory that a decoder may ask for, in bytes: 16-bit RGBA at [`MAX_PIXELS`].
const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

pub(crate) const PNG_SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// A decoded picture: rows from the top, nothing between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green and blue, `width * height * 3` bytes; what is transparent lies on white.
    pub rgb: Vec<u8>,
    /// Opacity, `width * height` bytes, where some of it is not 255.
    pub alpha: Option<Vec<u8>>,
    /// SHA-256 of the file's bytes, 64 lower-case hex digits, as recipes name pictures.
    pub sha256: String,
}

impl Pixels {
    /// The picture as a mask, `width * height` bytes, 255 where to draw: its opacity if it has any transparency, else its
    /// brightness (ITU-R 601-2 luma, as Pillow's mode `L`). That is A1111's rule.
    pub fn mask(&self) -> Vec<u8> {
        if let Some(alpha) = &self.alpha {
            return alpha.clone();
        }
        self.rgb.chunks_exact(3).map(|pixel| luma([pixel[0], pixel[1], pixel[2]])).collect()
    }
}

/// Pillow's fixed-point luma.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Format {
    Png,
    Jpeg,
    WebP,
}

/// Why a picture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error("there is no such file: {}", .path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened or read.
    #[error("the file cannot be read ({source}): {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no picture, or one of another format.
    #[error("the file is {what}; PNG, JPEG and WebP pictures can be read: {}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        what: &'static str,
    },
    /// The picture is larger than anything that could be used.
    #[error("the picture is too large: {what}; make it smaller first: {}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large and what is allowed.
        what: String,
    },
    /// The picture is damaged.
    #[error("the picture is damaged ({reason}): {}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
}

/// Reads a picture: PNG, JPEG or WebP, turned upright as its Exif orientation says.
pub fn load(path: &Path) -> Result<Pixels, LoadError> {
    format_of(path)?;
    let bytes = read_file(path)?;
    let sha256 = tarim_recipe::sha256(&bytes);
    let broken = |error| explain(error, path);
    let mut decoder = decoder(Cursor::new(bytes), path)?;
    // A broken orientation is no orientation.
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    let (width, height) = (image.width(), image.height());
    let (rgb, alpha) = if image.color().has_alpha() {
        flatten(&image.into_rgba8())
    } else {
        (image.into_rgb8().into_raw(), None)
    };
    Ok(Pixels { width, height, rgb, alpha, sha256 })
}

/// Whether a picture of this orientation is shown with its width and height exchanged.
pub(crate) fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Colours on white, and opacity if there is any transparency.
fn flatten(rgba: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    let mut transparent = false;
    for pixel in rgba.chunks_exact(4) {
        let opacity = u32::from(pixel[3]);
        transparent |= opacity != 255;
        let on_white = |value: u8| ((u32::from(value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8;
        rgb.extend([on_white(pixel[0]), on_white(pixel[1]), on_white(pixel[2])]);
    }
    let alpha = transparent.then(|| rgba.chunks_exact(4).map(|pixel| pixel[3]).collect());
    (rgb, alpha)
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let what = format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20);
        return Err(LoadError::TooLarge { path: path.to_owned(), what });
    }
    Ok(bytes)
}

/// A decoder that was checked against the limits and will keep to them.
pub(crate) fn decoder<'a>(
    source: impl BufRead + Seek + 'a,
    path: &Path,
) -> Result<impl ImageDecoder + 'a, LoadError> {
    let too_large = |what| LoadError::TooLarge { path: path.to_owned(), what };
    let mut reader = ImageReader::new(source)
        .with_guessed_format()
        .map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| explain(error, path))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let allowed = MAX_PIXELS / 1_000_000;
        return Err(too_large(format!(
            "it has {width}x{height} pixels and {allowed} megapixels are allowed"
        )));
    }
    Ok(decoder)
}

fn explain(error: ImageError, path: &Path) -> LoadError {
    let path = path.to_owned();
    match error {
        ImageError::Limits(limit) => {
            let allowed = format!("sides up to {MAX_SIDE} and {} megapixels", MAX_PIXELS / 1_000_000);
            LoadError::TooLarge { path, what: format!("{limit}; allowed are {allowed}") }
        }
        ImageError::Unsupported(what) => LoadError::Broken { path, reason: what.to_string() },
        // The whole file was read before; what fails now is the decoder at the file's end.
        ImageError::IoError(_) => LoadError::Broken { path, reason: "it ends in the middle".to_owned() },
        other => LoadError::Broken { path, reason: other.to_string() },
    }
}

/// The format of a file by its first bytes, whatever its name says.
pub fn format_of(path: &Path) -> Result<Format, LoadError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => LoadError::NotFound { path: path.to_owned() },
        _ => LoadError::Io { path: path.to_owned(), source },
    };
    let mut head = Vec::new();
    File::open(path).map_err(io)?.take(64).read_to_end(&mut head).map_err(io)?;
    let what = match image::guess_format(&head) {
        Ok(ImageFormat::Png) => return Ok(Format::Png),
        Ok(ImageFormat::Jpeg) => return Ok(Format::Jpeg),
        Ok(ImageFormat::WebP) => return Ok(Format::WebP),
        Ok(ImageFormat::Gif) => "a GIF picture",
        Ok(ImageFormat::Tiff) => "a TIFF picture",
        Ok(ImageFormat::Bmp) => "a BMP picture",
        Ok(ImageFormat::Avif) => "an AVIF picture",
        _ if head.is_empty() => "empty",
        _ if head.get(4..8) == Some(b"ftyp") => "a HEIC picture or a video",
        _ => "not a picture that is known here",
    };
    Err(LoadError::Format { path: path.to_owned(), what })
}
