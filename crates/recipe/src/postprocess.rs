//! What is done to a picture after it was drawn: crops and changes of size, in their order.
//!
//! They are part of the recipe, so a picture that was cropped or enlarged says all that it takes to make it again. The
//! renderer knows nothing of them: whoever saves its pixels applies them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{recipe::Recipe, validate::FieldError};

/// The most steps that one recipe may have.
pub const MAX_POSTPROCESS: usize = 32;
/// The shortest side that a step may leave, in pixels.
pub const MIN_FINISHED_SIDE: u32 = 16;
/// The longest side that a step may leave, in pixels.
pub const MAX_FINISHED_SIDE: u32 = 16_384;
/// The most pixels that a step may leave.
pub const MAX_FINISHED_PIXELS: u64 = 100_000_000;

/// One step after drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Postprocess {
    /// Keeps a rectangle of the picture, pixel for pixel.
    Crop {
        /// Pixels that are cut off at the left.
        x: u32,
        /// Pixels that are cut off at the top.
        y: u32,
        /// Width of what is kept.
        width: u32,
        /// Height of what is kept.
        height: u32,
    },
    /// Scales the picture.
    Resize {
        /// The new width.
        width: u32,
        /// The new height.
        height: u32,
        /// How new pixels are computed.
        #[serde(default, skip_serializing_if = "crate::recipe::is_default")]
        filter: ResizeFilter,
    },
}

/// How pixels of a scaled picture are computed, by A1111's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ResizeFilter {
    /// Lanczos' window over three lobes: sharp, for pictures of all kinds.
    #[default]
    Lanczos3,
    /// The nearest pixel as it is, for pixel art.
    Nearest,
}

impl ResizeFilter {
    /// The name of A1111's upscaler of this kind.
    pub fn upscaler(self) -> &'static str {
        match self {
            Self::Lanczos3 => "Lanczos",
            Self::Nearest => "Nearest",
        }
    }

    /// The filter of an upscaler's name, whatever its case.
    pub fn of_upscaler(name: &str) -> Option<Self> {
        [Self::Lanczos3, Self::Nearest]
            .into_iter()
            .find(|filter| filter.upscaler().eq_ignore_ascii_case(name.trim()))
    }
}

impl Recipe {
    /// Width and height of the picture once all steps are done; without steps, [`Recipe::size`].
    pub fn finished_size(&self) -> (u32, u32) {
        self.postprocess.last().map_or((self.size.width(), self.size.height()), |step| step.finished())
    }

    /// This recipe, and then one more step. A crop of a crop is one crop.
    #[must_use]
    pub fn then(&self, step: Postprocess) -> Self {
        let mut recipe = self.clone();
        match (recipe.postprocess.last_mut(), step) {
            (
                Some(Postprocess::Crop { x, y, width, height }),
                Postprocess::Crop { x: left, y: top, width: new_width, height: new_height },
            ) if fits(left, new_width, *width) && fits(top, new_height, *height) => {
                (*x, *y, *width, *height) = (*x + left, *y + top, new_width, new_height);
            }
            _ => recipe.postprocess.push(step),
        }
        recipe
    }
}

impl Postprocess {
    /// Width and height afterwards.
    pub fn finished(self) -> (u32, u32) {
        let (Self::Crop { width, height, .. } | Self::Resize { width, height, .. }) = self;
        (width, height)
    }

    /// Whether this can be done to a picture of that size.
    pub fn check(self, before: (u32, u32)) -> Result<(), FieldError> {
        let refused = |allowed: String| Err(FieldError::new("postprocess", self, allowed));
        let (width, height) = self.finished();
        if let Self::Crop { x, y, .. } = self
            && !(fits(x, width, before.0) && fits(y, height, before.1))
        {
            return refused(format!(
                "are crops inside the picture, which is {}x{} there",
                before.0, before.1
            ));
        }
        let side = MIN_FINISHED_SIDE..=MAX_FINISHED_SIDE;
        if !side.contains(&width)
            || !side.contains(&height)
            || u64::from(width) * u64::from(height) > MAX_FINISHED_PIXELS
        {
            let most = MAX_FINISHED_PIXELS / 1_000_000;
            return refused(format!(
                "are sides of {MIN_FINISHED_SIDE} to {MAX_FINISHED_SIDE} pixels, and {most} megapixels in all"
            ));
        }
        Ok(())
    }
}

fn fits(start: u32, length: u32, whole: u32) -> bool {
    u64::from(start) + u64::from(length) <= u64::from(whole)
}

/// Checks all steps of a recipe, one after the other.
pub(crate) fn check(recipe: &Recipe) -> Result<(), FieldError> {
    if recipe.postprocess.len() > MAX_POSTPROCESS {
        let found = format!("{} steps long", recipe.postprocess.len());
        return Err(FieldError::new("postprocess", found, format!("are {MAX_POSTPROCESS}")));
    }
    let mut size = (recipe.size.width(), recipe.size.height());
    for step in &recipe.postprocess {
        step.check(size)?;
        size = step.finished();
    }
    Ok(())
}

/// `crop 512x384+64+0` or `resize 1024x768 Lanczos`, the former as X11 and ImageMagick write a rectangle.
impl fmt::Display for Postprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crop { x, y, width, height } => write!(f, "crop {width}x{height}+{x}+{y}"),
            Self::Resize { width, height, filter } => {
                write!(f, "resize {width}x{height} {}", filter.upscaler())
            }
        }
    }
}

impl FromStr for Postprocess {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "not of the form `crop 512x384+64+0` or `resize 1024x768 Lanczos`";
        let number = |text: &str| text.parse::<u32>().map_err(|_| FORM);
        let mut words = text.split_whitespace();
        let step = match (words.next(), words.next(), words.next()) {
            (Some("crop"), Some(area), None) => {
                let mut parts = area.splitn(3, '+');
                let (size, x, y) = (parts.next(), parts.next(), parts.next());
                let (width, height) = size.and_then(|size| size.split_once('x')).ok_or(FORM)?;
                Self::Crop {
                    x: number(x.ok_or(FORM)?)?,
                    y: number(y.ok_or(FORM)?)?,
                    width: number(width)?,
                    height: number(height)?,
                }
            }
            (Some("resize"), Some(size), filter) => {
                let (width, height) = size.split_once('x').ok_or(FORM)?;
                let filter = filter.map(|name| ResizeFilter::of_upscaler(name).ok_or(FORM)).transpose()?;
                Self::Resize {
                    width: number(width)?,
                    height: number(height)?,
                    filter: filter.unwrap_or_default(),
                }
            }
            _ => return Err(FORM),
        };
        if words.next().is_some() { Err(FORM) } else { Ok(step) }
    }
}

/// Steps in one line, between semicolons, as an infotext holds them.
pub fn postprocess_text(steps: &[Postprocess]) -> String {
    steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads what [`postprocess_text`] writes.
pub fn read_postprocess(text: &str) -> Result<Vec<Postprocess>, &'static str> {
    text.split(';').map(str::trim).filter(|step| !step.is_empty()).map(str::parse).collect()
}
