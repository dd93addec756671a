//! Files that the program is started with: recipes and pictures, from the file manager or the command line.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager};

use crate::{Door, words};

/// The event that tells the page to ask for what was opened.
const EVENT: &str = "opened";
/// The largest file that can be a recipe.
const MOST_RECIPE_BYTES: u64 = 8 << 20;
/// The largest file that is taken for a picture.
const MOST_PICTURE_BYTES: u64 = 512 << 20;

/// What was opened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Opened {
    /// A picture, kept as an input.
    Picture {
        /// SHA-256 of its bytes.
        sha256: String,
    },
    /// A recipe's JSON or an infotext.
    Text {
        /// The text.
        text: String,
    },
}

/// Files on their way to the page, which may not be there yet.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Vec<Opened>>);

impl Waiting {
    pub(crate) fn take(&self) -> Vec<Opened> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, opened: Opened) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(opened);
    }
}

/// Takes note of the files among a program's arguments. Reading them happens on a thread of its own.
pub(crate) fn arguments(app: &AppHandle, arguments: impl Iterator<Item = String>, folder: &Path) {
    let files: Vec<_> = arguments
        .filter(|it| !it.starts_with('-'))
        .map(|it| folder.join(it))
        .filter(|it| it.is_file())
        .collect();
    if files.is_empty() {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        for file in files {
            match read(&app.state::<Door>(), &file) {
                Ok(opened) => app.state::<Waiting>().put(opened),
                Err(message) => words::warn(&app, &message),
            }
        }
        // A page that is not there yet asks by itself when it comes.
        let _ = app.emit(EVENT, ());
    });
}

fn read(door: &Door, file: &Path) -> Result<Opened, String> {
    let said = |error: &dyn std::fmt::Display| format!("`{}` cannot be opened: {error}", file.display());
    let length = fs::metadata(file).map_err(|error| said(&error))?.len();
    let is_picture = file.extension().and_then(|it| it.to_str()).is_some_and(|ending| {
        ["png", "jpg", "jpeg", "webp"].iter().any(|known| ending.eq_ignore_ascii_case(known))
    });
    let most = if is_picture { MOST_PICTURE_BYTES } else { MOST_RECIPE_BYTES };
    if length > most {
        return Err(said(&format!("it has {length} bytes, and {most} are allowed")));
    }
    let bytes = fs::read(file).map_err(|error| said(&error))?;
    if is_picture {
        let input = tarim_api::upload(&door.studio, &bytes).map_err(|error| said(&error))?;
        return Ok(Opened::Picture { sha256: input.sha256 });
    }
    String::from_utf8(bytes)
        .map(|text| Opened::Text { text })
        .map_err(|_| said(&"it is neither a picture nor a recipe"))
}
