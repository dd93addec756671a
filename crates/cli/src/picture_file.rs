//! Recipes in files: pictures that carry one, JSON, infotexts.

use std::fs;
use std::path::Path;

use tarim_library::picture::{self, PictureInfo};
use tarim_library::pixels::LoadError;
use tarim_recipe::{Draft, Infotext, Recipe};

use crate::failure::{Exit, Failure, Result};

/// The largest text that can be a recipe or an infotext.
const MAX_TEXT_BYTES: u64 = 8 << 20;

/// What a file says about how to render.
#[derive(Debug)]
pub(crate) struct FromFile {
    pub(crate) draft: Draft,
    /// What in it could not be used, one sentence each.
    pub(crate) warnings: Vec<String>,
}

/// Reads a picture with a recipe or an infotext in it, a recipe's JSON, or an infotext.
pub(crate) fn read(path: &Path) -> Result<FromFile> {
    match picture::read(path) {
        Ok(info) => from_picture(path, info),
        // No picture: a text, unless it is something else altogether.
        Err(LoadError::Format { .. }) => from_text(path, &read_text(path)?),
        Err(error) => Err(unreadable(path, Failure::from_error(Exit::BadInput, &error))),
    }
}

fn from_picture(path: &Path, info: PictureInfo) -> Result<FromFile> {
    let mut warnings = info.problems;
    match (info.recipe, info.infotext) {
        (Some(Ok(recipe)), _) => Ok(FromFile { draft: Draft::from(&recipe), warnings }),
        (Some(Err(error)), Some(infotext)) => {
            warnings.push(format!("its recipe cannot be used ({error}); its infotext is used instead"));
            Ok(from_infotext(&infotext, warnings))
        }
        (Some(Err(error)), None) => Err(unreadable(path, Failure::from_error(Exit::BadInput, &error))),
        (None, Some(infotext)) => Ok(from_infotext(&infotext, warnings)),
        (None, None) => {
            let message = format!("the picture `{}` carries no recipe and no infotext", path.display());
            Err(Failure::bad_input(message).hint(
                "the program that saved it may have left its metadata out; `--init` starts from its pixels",
            ))
        }
    }
}

fn from_text(path: &Path, text: &str) -> Result<FromFile> {
    if text.trim_start().starts_with('{') {
        let recipe = Recipe::from_json(text)
            .map_err(|error| unreadable(path, Failure::from_error(Exit::BadInput, &error)))?;
        return Ok(FromFile { draft: Draft::from(&recipe), warnings: Vec::new() });
    }
    if text.trim().is_empty() {
        return Err(Failure::bad_input(format!("the recipe `{}` is empty", path.display())));
    }
    Ok(from_infotext(text, Vec::new()))
}

fn from_infotext(text: &str, mut warnings: Vec<String>) -> FromFile {
    let infotext = Infotext::read(text);
    let (draft, more) = infotext.to_draft();
    warnings.extend(infotext.warnings.iter().chain(&more).map(ToString::to_string));
    FromFile { draft, warnings }
}

fn unreadable(path: &Path, failure: Failure) -> Failure {
    failure.context(format!("no recipe can be read from `{}`", path.display()))
}

fn read_text(path: &Path) -> Result<String> {
    let wrong = |message: &str| Failure::bad_input(format!("`{}` {message}", path.display()));
    let io = |error: std::io::Error| unreadable(path, Failure::from_error(Exit::BadInput, &error));
    if fs::metadata(path).map_err(io)?.len() > MAX_TEXT_BYTES {
        return Err(wrong("is too large for a recipe and is no picture"));
    }
    let bytes = fs::read(path).map_err(io)?;
    String::from_utf8(bytes)
        .map(|text| text.trim_start_matches('\u{feff}').to_owned())
        .map_err(|_| wrong("is neither a picture nor a text"))
}
