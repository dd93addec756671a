//! Pictures made from pictures: crops and enlargements at once, and larger drawings by way of the queue.

use tarim_library::{Derivation, Derive, Id, PictureDetails};
use tarim_recipe::{Draft, Infotext, Postprocess, Recipe, ResizeFilter, Seed, Size};

use crate::error::{ErrorKind, Result, StudioError};
use crate::events::Topic;
use crate::inputs;
use crate::keeper::Chore;
use crate::studio::Studio;
use crate::submit::Submission;

/// The most pictures that one call makes; several calls show how far it is.
pub const MOST_DERIVED: usize = 100;
/// The most that a picture is enlarged by, each side.
pub const MOST_FACTOR: f64 = 8.0;
/// How much of an enlarged picture is drawn anew when nobody says: enough for new detail, little enough to keep the picture.
pub const REDRAW_STRENGTH: f64 = 0.35;

/// How large a picture is to become.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Enlargement {
    /// Each side times this.
    pub factor: Option<f64>,
    /// The width in pixels; alone it keeps the shape.
    pub width: Option<u32>,
    /// The height in pixels; alone it keeps the shape.
    pub height: Option<u32>,
}

/// What became of several pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derived {
    /// The new pictures, in the order of those that they come from.
    pub pictures: Vec<Id>,
    /// Those of which there is no new picture, and why.
    pub failed: Vec<(Id, StudioError)>,
}

impl Studio {
    /// Crops pictures, each by the same rectangle, to new files beside them.
    pub fn crop(&self, pictures: &[Id], area: (u32, u32, u32, u32)) -> Result<Derived> {
        let (x, y, width, height) = area;
        self.derive(pictures, Derivation::Crop, |_| Ok(Postprocess::Crop { x, y, width, height }))
    }

    /// Enlarges pictures to new files beside them.
    pub fn upscale(&self, pictures: &[Id], to: Enlargement, filter: ResizeFilter) -> Result<Derived> {
        self.derive(pictures, Derivation::Upscale, |size| {
            let (width, height) = to.of(size)?;
            Ok(Postprocess::Resize { width, height, filter })
        })
    }

    fn derive(
        &self,
        pictures: &[Id],
        derivation: Derivation,
        step: impl Fn((u32, u32)) -> Result<Postprocess>,
    ) -> Result<Derived> {
        if pictures.is_empty() || pictures.len() > MOST_DERIVED {
            let message = format!("{} pictures were named; 1 to {MOST_DERIVED} are possible", pictures.len());
            return Err(StudioError::new(ErrorKind::BadInput, message).hint("do it in several parts"));
        }
        let library = self.library()?;
        let now = self.now();
        let mut derived = Derived::default();
        for parent in pictures {
            let id = self.new_id(now);
            let made = library.picture(*parent).map_err(StudioError::from).and_then(|details| {
                let size = (details.summary.width, details.summary.height);
                let step = step(size)?;
                step.check(size).map_err(|error| StudioError::caused(ErrorKind::BadInput, &error))?;
                let creator_tool = concat!("Tarim ", env!("CARGO_PKG_VERSION"));
                let derive = Derive { parent: *parent, derivation, step, id, now, creator_tool };
                Ok(library.derive(&derive)?)
            });
            match made {
                Ok(()) => {
                    // Without the keeper there is no thumbnail ahead of time, and nothing else is lost.
                    let _ = self.core().chores.send(Chore::Thumbnail(library.clone(), id));
                    derived.pictures.push(id);
                }
                Err(error) => derived.failed.push((*parent, error)),
            }
        }
        if !derived.pictures.is_empty() {
            self.changed(&[Topic::Pictures]);
        }
        Ok(derived)
    }

    /// The request that draws a picture again, larger: it starts from the picture, at a size that models can draw.
    pub fn redraw(
        &self,
        picture: Id,
        to: Enlargement,
        strength: Option<f64>,
        seed: Option<Seed>,
    ) -> Result<Submission> {
        let library = self.library()?;
        let details = library.picture(picture)?;
        let (width, height) = to.of((details.summary.width, details.summary.height))?;
        let multiple = |side: u32| (side + Size::STEP / 2) / Size::STEP * Size::STEP;
        let size = Size::new(multiple(width), multiple(height))
            .map_err(|error| StudioError::caused(ErrorKind::BadInput, &error))?;
        let draft = draft_of(&details).ok_or_else(|| {
            let message = "the picture says nothing of how it was made, so it cannot be drawn again";
            StudioError::new(ErrorKind::BadInput, message)
                .hint("enlarge it without drawing, or start from it in Create, with a prompt")
        })?;
        let input = self.input_of_picture(picture)?;
        let draft = Draft {
            width: Some(size.width()),
            height: Some(size.height()),
            init_picture: Some(input.sha256),
            strength: Some(strength.unwrap_or(REDRAW_STRENGTH)),
            seed: seed.or(draft.seed),
            postprocess: None,
            ..draft.without_init()
        };
        Ok(Submission {
            draft,
            count: 1,
            project: details.summary.project,
            tags: details.summary.tags,
            parent: Some((picture, Derivation::Upscale)),
            ..Submission::default()
        })
    }

    /// Keeps a picture of the library as an input, as it is now.
    pub fn input_of_picture(&self, picture: Id) -> Result<inputs::Input> {
        let library = self.library()?;
        let bytes = std::fs::read(library.picture_path(picture)?)
            .map_err(|error| StudioError::io("the picture's file cannot be read", &error))?;
        let kept = inputs::keep(library.root(), &bytes)?;
        // What starts from these bytes is this picture's child, whoever submits it.
        library.note_file_hash(picture, &kept.sha256)?;
        Ok(kept)
    }
}

fn draft_of(details: &PictureDetails) -> Option<Draft> {
    let recipe = details.recipe.as_deref().and_then(|json| Recipe::from_json(json).ok());
    let infotext = || details.infotext.as_deref().filter(|text| !text.trim().is_empty());
    match recipe {
        Some(recipe) => Some(Draft::from(&recipe)),
        None => infotext().map(|text| Infotext::read(text).to_draft().0),
    }
}

impl Enlargement {
    /// The size that a picture of this size gets: larger, in the same shape unless both sides are named.
    fn of(self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        let bad = |message: String| StudioError::new(ErrorKind::BadInput, message);
        let scaled = |side: u32, factor: f64| (f64::from(side) * factor).round() as u32;
        let wanted = match (self.factor, self.width, self.height) {
            (Some(factor), None, None) if factor > 1.0 && factor <= MOST_FACTOR => {
                (scaled(width, factor), scaled(height, factor))
            }
            (Some(factor), None, None) => {
                return Err(bad(format!(
                    "the factor is {factor}; allowed are more than 1, and at most {MOST_FACTOR}"
                )));
            }
            (None, Some(wanted), Some(high)) => (wanted, high),
            (None, Some(wanted), None) => (wanted, in_proportion(height, wanted, width)),
            (None, None, Some(high)) => (in_proportion(width, high, height), high),
            _ => {
                return Err(bad(
                    "either a factor or a size says how large the picture is to become".to_owned()
                ));
            }
        };
        if wanted.0 < width || wanted.1 < height || wanted == (width, height) {
            let message = format!(
                "{}x{} is not larger than the picture, which is {width}x{height}",
                wanted.0, wanted.1
            );
            return Err(bad(message).hint("choose a larger size; to make it smaller, crop it or export it"));
        }
        Ok(wanted)
    }
}

/// `side * new / old`, rounded.
fn in_proportion(side: u32, new: u32, old: u32) -> u32 {
    let old = u64::from(old.max(1));
    let scaled = (u64::from(side) * u64::from(new) + old / 2) / old;
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_enlargements() {
        let check = |factor, width, height, expected: Result<(u32, u32), &str>| {
            let found = Enlargement { factor, width, height }.of((300, 200));
            let found = found.map_err(|error| error.message);
            assert_eq!(found, expected.map_err(str::to_owned));
        };
        check(Some(1.5), None, None, Ok((450, 300)));
        check(Some(4.0), None, None, Ok((1200, 800)));
        check(None, Some(600), None, Ok((600, 400)));
        check(None, None, Some(301), Ok((452, 301)));
        check(None, Some(400), Some(200), Ok((400, 200)));
        check(None, Some(299), Some(900), Err("299x900 is not larger than the picture, which is 300x200"));
        check(None, Some(300), None, Err("300x200 is not larger than the picture, which is 300x200"));
        check(Some(1.0), None, None, Err("the factor is 1; allowed are more than 1, and at most 8"));
        check(Some(f64::NAN), None, None, Err("the factor is NaN; allowed are more than 1, and at most 8"));
        let neither = "either a factor or a size says how large the picture is to become";
        check(None, None, None, Err(neither));
        check(Some(2.0), Some(600), None, Err(neither));
    }
}
