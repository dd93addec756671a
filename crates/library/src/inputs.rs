//! Pictures to start from, kept by their content, so that a request can be run again years later.

use std::{fs, path::PathBuf};

use image::{ImageDecoder, ImageFormat};

use crate::{
    error::{LibraryError, Result},
    files::{IfExists, write_whole},
    library::Library,
    pixels::{self, LoadError, MAX_FILE_BYTES},
};

const FOLDER: &str = "inputs";
const FORMATS: [(ImageFormat, &str); 3] =
    [(ImageFormat::Png, "png"), (ImageFormat::Jpeg, "jpg"), (ImageFormat::WebP, "webp")];

/// A picture that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// SHA-256 of its file, 64 lower-case hex digits: its name in recipes.
    pub sha256: String,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
}

impl Library {
    /// Keeps the bytes of a PNG, JPEG or WebP file. The same bytes are kept once.
    pub fn put_input(&self, bytes: &[u8]) -> Result<Input> {
        let folder = self.internal().join(FOLDER);
        let sha256 = tarim_recipe::sha256(bytes);
        let named = folder.join(&sha256);
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let what = format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20);
            return Err(LoadError::TooLarge { path: named, what }.into());
        }
        let format = image::guess_format(bytes).ok();
        let Some((_, ending)) = FORMATS.into_iter().find(|(known, _)| Some(*known) == format) else {
            return Err(LoadError::Format { path: named, what: "not a picture that is known here" }.into());
        };
        let mut decoder = pixels::decoder(std::io::Cursor::new(bytes), &named)?;
        let (mut width, mut height) = decoder.dimensions();
        if decoder.orientation().is_ok_and(pixels::is_turned) {
            (width, height) = (height, width);
        }
        let path = named.with_extension(ending);
        if !path.exists() {
            let written = fs::create_dir_all(&folder).and_then(|()| {
                write_whole::<std::io::Error>(&path, IfExists::Replace, |file| file.write_all(bytes))
            });
            written.map_err(|source| LibraryError::io(&path, source))?;
        }
        Ok(Input { sha256, width, height })
    }

    /// Where a kept picture is.
    pub fn input_path(&self, sha256: &str) -> Option<PathBuf> {
        // Nothing that could leave the folder.
        if sha256.len() != 64 || !sha256.bytes().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        let folder = self.internal().join(FOLDER);
        FORMATS
            .iter()
            .map(|(_, ending)| folder.join(format!("{sha256}.{ending}")))
            .find(|path| path.is_file())
    }
}
