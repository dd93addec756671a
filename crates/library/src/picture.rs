//! A picture's file: pixels, and what made them.
//!
//! A PNG of ours carries, before its pixels, and with no date unless [`Metadata`] name one:
//! - iTXt `tarim`: the recipe's canonical JSON;
//! - `parameters`: the infotext that A1111 and its kin read, tEXt where Latin-1 can hold it, else iTXt, as Pillow does;
//! - iTXt `XML:com.adobe.xmp`: the XMP packet with IPTC's digital source type.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use tarim_recipe::infotext::POSTPROCESS;
use tarim_recipe::{FieldError, Postprocess, Recipe, RecipeJsonError, infotext};

pub use crate::files::IfExists;
use crate::{
    exif,
    files::{self, write_whole},
    metadata::Metadata,
    pixels::{self, Format},
    png_chunks::{self, TextChunk},
    xmp::{self, DigitalSourceType},
};

/// Keyword of the chunk that holds the recipe.
pub const RECIPE_KEYWORD: &str = "tarim";
/// Keyword of the chunk that holds the infotext.
pub const INFOTEXT_KEYWORD: &str = "parameters";
/// Keyword of the chunk that holds the XMP packet.
pub const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// Pixels to be written: 8 bits each of red, green and blue (sRGB), rows from the top, nothing between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

/// What the file says of its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The program's name and version, such as `Tarim 0.1.0`.
    pub creator_tool: String,
    /// How the picture came to be.
    pub source: DigitalSourceType,
    /// Identity, lineage, tags, … By default nothing, and then the same picture is the same file whenever it is written.
    pub metadata: Metadata,
}

impl Labels {
    /// The labels of what `creator_tool` renders from a recipe.
    pub fn new(recipe: &Recipe, creator_tool: impl Into<String>) -> Self {
        Self {
            creator_tool: creator_tool.into(),
            source: DigitalSourceType::of(recipe),
            metadata: Metadata::default(),
        }
    }
}

/// Why a picture was not written. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is a file of that name.
    #[error("there is a file of this name already; choose another name or ask for it to be replaced: {}", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The folder is not there.
    #[error("the folder does not exist; create it first: {}", .path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The folder may not be written to.
    #[error("the folder cannot be written to ({source}); choose another or change its permissions: {}", .path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no room.
    #[error("the disk is full or a quota is used up ({source}); free some space and render again: {}", .path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another failure of the system.
    #[error("the picture could not be written ({source}): {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The pixels are not as many as width and height say.
    #[error("a picture of {width}x{height} pixels needs {expected} bytes and has {found}")]
    Pixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Width times height times 3.
        expected: u64,
        /// The number of bytes.
        found: u64,
    },
    /// The recipe holds a value that no recipe can have.
    #[error(transparent)]
    Recipe(#[from] FieldError),
}

/// Writes a picture as PNG. The same picture, recipe and labels give the same bytes.
pub fn write(
    path: &Path,
    picture: &Picture,
    recipe: &Recipe,
    labels: &Labels,
    if_exists: IfExists,
) -> Result<(), WriteError> {
    let texts = texts(recipe, labels)?;
    check_pixels(picture)?;
    write_whole(path, if_exists, |file| encode(file, picture, &texts)).map_err(|error| explain(error, path))
}

/// Keyword of the chunk in which A1111 keeps what its Extras tab did to a picture.
pub const POSTPROCESSING_KEYWORD: &str = "postprocessing";

/// Where a picture without a recipe comes from.
#[derive(Debug)]
pub(crate) struct Origin<'a> {
    /// What the file that it was made from says.
    pub(crate) info: &'a PictureInfo,
    /// What was done to it.
    pub(crate) step: Postprocess,
    /// The program's name and version.
    pub(crate) creator_tool: &'a str,
    /// What this file says of itself.
    pub(crate) metadata: &'a Metadata,
}

/// Writes a picture that no recipe makes: what its origin says goes along, and what was done to it is added.
pub(crate) fn write_without_recipe(
    path: &Path,
    picture: &Picture,
    origin: &Origin<'_>,
) -> Result<(), WriteError> {
    let text = |keyword: &str, text| TextChunk { keyword: keyword.to_owned(), text };
    let earlier = origin.info.texts.iter().find(|chunk| chunk.keyword == POSTPROCESSING_KEYWORD);
    let mut texts = Vec::new();
    if let Some(infotext) = &origin.info.infotext {
        texts.push(text(INFOTEXT_KEYWORD, infotext.clone()));
    }
    let earlier = earlier.map(|chunk| format!("{}, ", chunk.text)).unwrap_or_default();
    let done = format!("{earlier}{POSTPROCESS}: {}, Version: {}", origin.step, origin.creator_tool);
    texts.push(text(POSTPROCESSING_KEYWORD, done));
    texts.push(text(XMP_KEYWORD, xmp::with_metadata(origin.info.xmp.as_deref(), origin.metadata)));
    check_pixels(picture)?;
    write_whole(path, IfExists::Refuse, |file| encode(file, picture, &texts))
        .map_err(|error| explain(error, path))
}

/// Writes a picture under the next free name of the form `stem-0001.png` in a folder, and returns its path. Any number
/// of processes may do so at once; each picture gets a name of its own.
pub fn write_new(
    folder: &Path,
    stem: &str,
    picture: &Picture,
    recipe: &Recipe,
    labels: &Labels,
) -> Result<PathBuf, WriteError> {
    loop {
        let path = next_free_name(folder, stem)?;
        match write(&path, picture, recipe, labels, IfExists::Refuse) {
            Err(WriteError::Exists { .. }) => {}
            result => return result.map(|()| path),
        }
    }
}

/// The name that [`write_new`] would take now. By the time it is used, another process may have taken it.
pub fn next_free_name(folder: &Path, stem: &str) -> Result<PathBuf, WriteError> {
    files::next_free_name(folder, stem).map_err(|error| explain(error, &folder.join("picture")))
}

fn texts(recipe: &Recipe, labels: &Labels) -> Result<Vec<TextChunk>, FieldError> {
    let text = |keyword: &str, text| TextChunk { keyword: keyword.to_owned(), text };
    let mut xmp = xmp::packet(&labels.creator_tool, labels.source);
    if labels.metadata != Metadata::default() {
        xmp = xmp::with_metadata(Some(&xmp), &labels.metadata);
    }
    Ok(vec![
        text(RECIPE_KEYWORD, recipe.canonical_json()?),
        text(INFOTEXT_KEYWORD, infotext(recipe, &labels.creator_tool)),
        text(XMP_KEYWORD, xmp),
    ])
}

fn check_pixels(picture: &Picture) -> Result<(), WriteError> {
    let Picture { width, height, ref rgb } = *picture;
    let (expected, found) = (u64::from(width) * u64::from(height) * 3, rgb.len() as u64);
    if expected == found && found > 0 {
        return Ok(());
    }
    Err(WriteError::Pixels { width, height, expected, found })
}

fn encode(file: &mut dyn Write, picture: &Picture, texts: &[TextChunk]) -> io::Result<()> {
    let mut encoder = png::Encoder::new(file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    for TextChunk { keyword, text } in texts {
        let added = if keyword == INFOTEXT_KEYWORD && png_chunks::is_plain_latin1(text) {
            encoder.add_text_chunk(keyword.clone(), text.clone())
        } else {
            encoder.add_itxt_chunk(keyword.clone(), text.clone())
        };
        added.map_err(io_error)?;
    }
    let mut writer = encoder.write_header().map_err(io_error)?;
    writer.write_image_data(&picture.rgb).map_err(io_error)?;
    writer.finish().map_err(io_error)
}

fn io_error(error: png::EncodingError) -> io::Error {
    match error {
        png::EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

fn explain(source: io::Error, path: &Path) -> WriteError {
    use io::ErrorKind as Kind;
    let (path, folder) = (path.to_owned(), path.parent().unwrap_or(path).to_owned());
    match source.kind() {
        Kind::AlreadyExists => WriteError::Exists { path },
        Kind::NotFound | Kind::NotADirectory => WriteError::NoFolder { path: folder },
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => WriteError::ReadOnly { path: folder, source },
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            WriteError::Full { path: folder, source }
        }
        _ => WriteError::Io { path, source },
    }
}

/// What a picture's file says, without its pixels.
#[derive(Debug)]
pub struct PictureInfo {
    /// The file's format.
    pub format: Format,
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Whether the picture lies on its side, so that it is shown with width and height exchanged.
    pub turned: bool,
    /// The recipe, or why what stands in its place is none.
    pub recipe: Option<Result<Recipe, RecipeJsonError>>,
    /// The infotext as it stands there, for [`Infotext::read`](tarim_recipe::Infotext::read).
    pub infotext: Option<String>,
    /// The XMP packet.
    pub xmp: Option<String>,
    /// All other texts, of other programs, in their order.
    pub texts: Vec<TextChunk>,
    /// What could not be read, for people.
    pub problems: Vec<String>,
}

/// Why a picture's file cannot be read.
pub use crate::pixels::LoadError as ReadError;

/// Reads what a picture's file says of itself: PNG chunks, or the Exif comment and XMP of JPEG and WebP. Whatever is
/// damaged, too large or unknown there is left out and listed.
pub fn read(path: &Path) -> Result<PictureInfo, ReadError> {
    let format = pixels::format_of(path)?;
    let found = if format == Format::Png { png_chunks::read(path)? } else { exif::read(path)? };
    let mut info = PictureInfo {
        format,
        width: found.width,
        height: found.height,
        turned: found.turned,
        recipe: None,
        infotext: None,
        xmp: None,
        texts: Vec::new(),
        problems: found.problems,
    };
    for chunk in found.texts {
        match chunk.keyword.as_str() {
            RECIPE_KEYWORD if info.recipe.is_none() => info.recipe = Some(Recipe::from_json(&chunk.text)),
            INFOTEXT_KEYWORD if info.infotext.is_none() => info.infotext = Some(chunk.text),
            XMP_KEYWORD if info.xmp.is_none() => info.xmp = Some(chunk.text),
            _ => info.texts.push(chunk),
        }
    }
    Ok(info)
}
