//! `tarim inspect`: what a picture or a model holds.

use std::path::Path;

use serde_json::{Value, json};
use tarim_library::picture::{self, PictureInfo};
use tarim_library::pixels::LoadError;

use crate::args::InspectOptions;
use crate::failure::{Exit, Failure, Result};
use crate::{model, output};

pub(crate) fn run(options: &InspectOptions) -> Result<()> {
    let path = &options.path;
    if !path.exists() {
        return Err(Failure::bad_input(format!("there is no file `{}`", path.display())));
    }
    if !path.is_dir() {
        match picture::read(path) {
            Ok(info) if options.json => {
                output::json_line(&picture_json(&info));
                return Ok(());
            }
            Ok(info) => {
                show_picture(path, &info);
                return Ok(());
            }
            // No picture, so perhaps a model.
            Err(LoadError::Format { .. }) => {}
            Err(error) => return Err(Failure::from_error(Exit::BadInput, &error)),
        }
    }
    let summary = match model::open(path) {
        Ok(checkpoint) => checkpoint.summary(),
        Err(failure) if path.is_dir() || looks_like_weights(path) => return Err(failure),
        Err(_) => {
            let message = format!("`{}` is neither a picture nor a model that can be read", path.display());
            return Err(Failure::bad_input(message)
                .hint("pictures are PNG, JPEG or WebP; models are diffusers folders or .safetensors files"));
        }
    };
    if options.json {
        let mut found = json!(summary);
        if let Some(members) = found.as_object_mut() {
            let kind = members.insert("kind".to_owned(), "model".into());
            members.insert("model_kind".to_owned(), kind.unwrap_or_default());
        }
        output::json_line(&found);
    } else {
        output::line(summary.to_string().trim_end());
        if !summary.complete {
            output::warning("the model is not complete and cannot be rendered with");
        }
    }
    Ok(())
}

/// Whether a file's name says that it is a model, so that what is wrong with it is worth telling.
fn looks_like_weights(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["safetensors", "ckpt", "pt", "pth", "bin", "gguf", "json"].contains(&ending.as_str())
}

fn picture_json(info: &PictureInfo) -> Value {
    json!({
        "kind": "picture",
        "format": format!("{:?}", info.format).to_lowercase(),
        "width": info.width,
        "height": info.height,
        "recipe": info.recipe.as_ref().and_then(|recipe| recipe.as_ref().ok()),
        "recipe_error": info.recipe.as_ref().and_then(|recipe| recipe.as_ref().err()).map(ToString::to_string),
        "infotext": info.infotext,
        "xmp": info.xmp,
        "texts": info.texts.iter().map(|chunk| json!({"keyword": chunk.keyword, "text": chunk.text})).collect::<Vec<_>>(),
        "problems": info.problems,
    })
}

fn show_picture(path: &Path, info: &PictureInfo) {
    output::line(&format!("{}: {:?}, {}x{} pixels", path.display(), info.format, info.width, info.height));
    match &info.recipe {
        Some(Ok(recipe)) => {
            output::line("\nrecipe");
            output::line(&serde_json::to_string_pretty(recipe).unwrap_or_default());
        }
        Some(Err(error)) => output::warning(&format!("its recipe cannot be read: {error}")),
        None => {}
    }
    if let Some(infotext) = &info.infotext {
        output::line("\ninfotext");
        output::line(infotext);
    }
    for chunk in &info.texts {
        output::line(&format!("\n{}", chunk.keyword));
        output::line(&chunk.text);
    }
    if info.recipe.is_none() && info.infotext.is_none() && info.texts.is_empty() {
        output::line("it says nothing about how it was made");
    }
    for problem in &info.problems {
        output::warning(problem);
    }
}
