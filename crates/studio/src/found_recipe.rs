//! What a picture or a text from elsewhere says of how it was made.

use tarim_library::PictureInfo;
use tarim_recipe::{Draft, Infotext, Prompt, Recipe};

use crate::error::{ErrorKind, Result, StudioError};

/// The largest text that can be a recipe or an infotext, in bytes.
pub const MOST_TEXT_BYTES: usize = 8 << 20;

/// Settings that were found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRecipe {
    /// The settings; `None` when there are none.
    pub draft: Option<Draft>,
    /// Where they were found.
    pub source: Source,
    /// What could not be carried over, one sentence each.
    pub warnings: Vec<String>,
}

/// Whose metadata it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Tarim's own.
    Tarim,
    /// A1111's infotext or its like.
    Infotext,
    /// There is none.
    None,
}

/// Reads what a picture's file says of itself: Tarim's recipe, else an infotext. A recipe that cannot be used is a
/// warning, not an error.
pub fn of_picture(info: PictureInfo) -> FoundRecipe {
    let mut warnings = info.problems;
    match info.recipe {
        Some(Ok(recipe)) => {
            return FoundRecipe { draft: Some(Draft::from(&recipe)), source: Source::Tarim, warnings };
        }
        Some(Err(error)) if info.infotext.is_some() => {
            warnings.push(format!("its recipe cannot be used ({error}); its infotext is used instead"));
        }
        Some(Err(error)) => warnings.push(format!("its recipe cannot be used: {error}")),
        None => {}
    }
    match info.infotext {
        Some(infotext) if !infotext.trim().is_empty() => of_infotext(&infotext, warnings),
        _ => FoundRecipe { draft: None, source: Source::None, warnings },
    }
}

/// Reads a text: a recipe's JSON, an infotext, or a plain prompt.
pub fn of_text(text: &str) -> Result<FoundRecipe> {
    let wrong = |message: String| StudioError::new(ErrorKind::BadInput, message);
    if text.len() > MOST_TEXT_BYTES {
        return Err(wrong(format!("the text has {} bytes, too many for a recipe", text.len())));
    }
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(wrong("the text is empty".to_owned()));
    }
    if text.trim_start().starts_with('{') && text.trim_end().ends_with('}') {
        match Recipe::from_json(text) {
            Ok(recipe) => {
                let draft = Some(Draft::from(&recipe));
                return Ok(FoundRecipe { draft, source: Source::Tarim, warnings: Vec::new() });
            }
            // A prompt may stand in braces too (`{a|b}`); what is JSON was meant to be a recipe.
            Err(error) if serde_json::from_str::<serde_json::Value>(text).is_ok() => {
                return Err(wrong(format!("no recipe can be read from the text: {error}")));
            }
            Err(_) => {}
        }
    }
    let infotext = Infotext::read(text);
    if infotext.parameters.is_empty() && infotext.negative_prompt.is_empty() {
        let prompt = Prompt::from(text.trim());
        let draft = Some(Draft { prompt: Some(prompt), ..Draft::default() });
        return Ok(FoundRecipe { draft, source: Source::None, warnings: Vec::new() });
    }
    Ok(of_infotext(text, Vec::new()))
}

fn of_infotext(text: &str, mut warnings: Vec<String>) -> FoundRecipe {
    let infotext = Infotext::read(text);
    let (draft, more) = infotext.to_draft();
    warnings.extend(infotext.warnings.iter().chain(&more).map(ToString::to_string));
    FoundRecipe { draft: Some(draft), source: Source::Infotext, warnings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tarim_recipe::{Environment, ModelDefaults, ModelFacts, ModelTask, Precision, Seed, Size, prepare};

    fn recipe() -> Recipe {
        let facts = ModelFacts {
            name: "starter".into(),
            hash: None,
            task: ModelTask::TextToImage,
            native_size: Size::nearest(256, 256),
            defaults: ModelDefaults::default(),
        };
        let draft = Draft { prompt: Some("狐狸 <script>".into()), ..Draft::default() };
        prepare(&draft, &facts, &Environment { fresh_seed: Seed(7), precision: Precision::Fp32 }).unwrap().0
    }

    #[test]
    fn texts() {
        let json = recipe().canonical_json().unwrap();
        let found = of_text(&format!("\u{feff} {json}\n")).unwrap();
        assert_eq!((found.source, found.draft), (Source::Tarim, Some(Draft::from(&recipe()))));

        let found =
            of_text("a fox\nNegative prompt: fog\nSteps: 12, Sampler: Euler a, Seed: 5, Size: 256x512")
                .unwrap();
        let draft = found.draft.unwrap();
        assert_eq!(found.source, Source::Infotext);
        assert_eq!((draft.steps, draft.seed, draft.height), (Some(12), Some(Seed(5)), Some(512)));

        let found = of_text(" {a|b} fox, (dunes:1.2) ").unwrap();
        assert_eq!(found.source, Source::None);
        assert_eq!(found.draft.unwrap().prompt.unwrap().text, "{a|b} fox, (dunes:1.2)");
        assert_eq!(of_text("{a|b}").unwrap().draft.unwrap().prompt.unwrap().text, "{a|b}");

        for wrong in ["", " \n", "{\"a\":1}", "{\"tarim_recipe\":1}", "{\"tarim_recipe\":99}"] {
            assert_eq!(of_text(wrong).unwrap_err().kind, ErrorKind::BadInput, "{wrong}");
        }
    }

    fn info(recipe: Option<&str>, infotext: Option<&str>) -> PictureInfo {
        PictureInfo {
            format: tarim_library::pixels::Format::Png,
            width: 8,
            height: 8,
            turned: false,
            recipe: recipe.map(Recipe::from_json),
            infotext: infotext.map(str::to_owned),
            xmp: None,
            texts: Vec::new(),
            problems: vec!["something odd".into()],
        }
    }

    #[test]
    fn pictures() {
        let json = recipe().canonical_json().unwrap();
        let check = |info, source, warnings| {
            let found = of_picture(info);
            assert_eq!(
                (found.source, found.warnings.len(), found.draft.is_some()),
                (source, warnings, source != Source::None)
            );
        };
        check(info(Some(&json), Some("x\nSteps: 2")), Source::Tarim, 1);
        check(
            info(Some("{}"), Some("x\nSteps: 2, Sampler: Euler, Seed: 1, Size: 64x64")),
            Source::Infotext,
            2,
        );
        check(info(Some("{}"), None), Source::None, 2);
        check(info(None, Some(" ")), Source::None, 1);
        check(info(None, None), Source::None, 1);
    }
}
