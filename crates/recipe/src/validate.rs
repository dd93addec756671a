//! The ranges of a recipe's fields.

use std::fmt::Display;

use crate::names::{Sampler, Schedule};
use crate::postprocess;
use crate::recipe::{Init, MAX_STEPS, Mask, MaskArea, ModelRef, Prompt, Recipe, Variation};

/// The most UTF-8 bytes of one prompt or template.
pub const MAX_PROMPT_BYTES: usize = 100_000;
/// The most layers of the text encoder that [`Recipe::clip_skip`] may name.
pub const MAX_CLIP_SKIP: u8 = 24;
/// The most pixels of blur a mask's edge may have.
pub const MAX_MASK_BLUR: u32 = 64;

/// The most steps of a sampler on a schedule: [`MAX_STEPS`], but for LCM and TCD on timesteps of their own, which
/// choose among the 50 that models are distilled with.
pub fn most_steps(sampler: Sampler, schedule: Schedule) -> u32 {
    let few_step = matches!(sampler, Sampler::Lcm | Sampler::Tcd);
    let own =
        matches!(schedule.resolve(sampler), Schedule::Leading | Schedule::Trailing | Schedule::Linspace);
    if few_step && own { 50 } else { MAX_STEPS }
}

/// A field holds a value that no recipe can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}; allowed {allowed}")]
pub struct FieldError {
    /// The field, as in the recipe's JSON.
    pub field: &'static str,
    /// What it holds.
    pub value: String,
    /// What it may hold, beginning with "is" or "are".
    pub allowed: String,
}

impl FieldError {
    pub(crate) fn new(field: &'static str, value: impl Display, allowed: impl Into<String>) -> Self {
        Self { field, value: value.to_string(), allowed: allowed.into() }
    }
}

impl Recipe {
    /// Checks every range that the field types leave open.
    pub fn validate(&self) -> Result<(), FieldError> {
        model(&self.model)?;
        prompt("prompt", &self.prompt)?;
        prompt("negative_prompt", &self.negative_prompt)?;
        steps(self)?;
        number("guidance_scale", self.guidance_scale, 0.0, 100.0, "; 5 to 9 is usual, 1 is none")?;
        number("guidance_rescale", self.guidance_rescale, 0.0, 1.0, "; 0 is off")?;
        if let Some(Variation { strength, .. }) = self.variation {
            number("variation.strength", strength, 0.0, 1.0, "")?;
        }
        if !(1..=MAX_CLIP_SKIP).contains(&self.clip_skip) {
            let allowed = format!("are 1 (none) to {MAX_CLIP_SKIP}; 2 leaves out the last layer");
            return Err(FieldError::new("clip_skip", self.clip_skip, allowed));
        }
        if let Some(eta) = self.eta {
            number("eta", eta, 0.0, 1.0, "")?;
        }
        self.init.as_ref().map_or(Ok(()), init)?;
        postprocess::check(self)
    }
}

fn steps(recipe: &Recipe) -> Result<(), FieldError> {
    let most = most_steps(recipe.sampler, recipe.schedule);
    if (1..=most).contains(&recipe.steps) {
        return Ok(());
    }
    let advice = if most == MAX_STEPS {
        "; 20 to 30 is usual".to_owned()
    } else {
        format!(" with {}; 4 to 8 is usual", recipe.sampler)
    };
    Err(FieldError::new("steps", recipe.steps, format!("are 1 to {most}{advice}")))
}

fn model(model: &ModelRef) -> Result<(), FieldError> {
    if model.name.len() > 1000 {
        return Err(FieldError::new("model.name", format!("{} bytes long", model.name.len()), "are 1000"));
    }
    model.hash.as_deref().map_or(Ok(()), |hash| sha256("model.hash", hash))
}

fn prompt(field: &'static str, prompt: &Prompt) -> Result<(), FieldError> {
    let longest = prompt.text.len().max(prompt.template.as_ref().map_or(0, String::len));
    if longest > MAX_PROMPT_BYTES {
        let allowed = format!("are {MAX_PROMPT_BYTES}; shorten it");
        return Err(FieldError::new(field, format!("{longest} bytes long"), allowed));
    }
    Ok(())
}

fn init(init: &Init) -> Result<(), FieldError> {
    sha256("init.picture", &init.picture)?;
    number("init.strength", init.strength, 0.0, 1.0, "; 0 keeps the picture, 1 ignores it")?;
    number("init.image_guidance_scale", init.image_guidance_scale, 1.0, 100.0, "; 1.5 is usual")?;
    let Some(Mask { picture, blur, area, .. }) = &init.mask else { return Ok(()) };
    sha256("init.mask.picture", picture)?;
    if *blur > MAX_MASK_BLUR {
        let allowed = format!("are 0 to {MAX_MASK_BLUR} pixels");
        return Err(FieldError::new("init.mask.blur", blur, allowed));
    }
    match area {
        MaskArea::OnlyMasked { padding } if *padding > 8192 => {
            Err(FieldError::new("init.mask.area.padding", padding, "are 0 to 8192 pixels"))
        }
        MaskArea::OnlyMasked { .. } | MaskArea::WholePicture => Ok(()),
    }
}

fn number(field: &'static str, value: f64, min: f64, max: f64, advice: &str) -> Result<(), FieldError> {
    // A NaN is in no range.
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(FieldError::new(field, value, format!("are {min} to {max}{advice}")))
}

fn sha256(field: &'static str, text: &str) -> Result<(), FieldError> {
    if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    Err(FieldError::new(field, format!("{shown:?}"), "are SHA-256 hashes: 64 lower-case hex digits"))
}
