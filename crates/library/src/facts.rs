//! What can be searched of a picture or a request: the recipe's main values, or as much as an infotext gives.

use tarim_recipe::{Draft, Infotext, Recipe};

/// The values that have columns of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What the picture should show.
    pub prompt: String,
    /// What it should not show.
    pub negative: String,
    /// The model's name.
    pub model: Option<String>,
    /// The model's SHA-256 or the beginning of it, as far as it is known.
    pub model_hash: Option<String>,
    /// The sampler's canonical name, or another program's.
    pub sampler: Option<String>,
    /// The schedule's canonical name.
    pub schedule: Option<String>,
    /// Number of steps.
    pub steps: Option<u32>,
    /// Guidance scale.
    pub guidance: Option<f64>,
    /// Seed.
    pub seed: Option<u64>,
    /// SHA-256 of the file that the picture started from.
    pub init: Option<String>,
    /// Whether a mask was used.
    pub inpaint: bool,
}

impl From<&Recipe> for Facts {
    fn from(recipe: &Recipe) -> Self {
        Self {
            prompt: recipe.prompt.text.clone(),
            negative: recipe.negative_prompt.text.clone(),
            model: Some(recipe.model.name.clone()),
            model_hash: recipe.model.hash.clone(),
            sampler: Some(recipe.sampler.name().to_owned()),
            schedule: Some(recipe.schedule.name().to_owned()),
            steps: Some(recipe.steps),
            guidance: Some(recipe.guidance_scale),
            seed: Some(recipe.seed.0),
            init: recipe.init.as_ref().map(|init| init.picture.clone()),
            inpaint: recipe.init.as_ref().is_some_and(|init| init.mask.is_some()),
        }
    }
}

impl Facts {
    /// As much as another program's infotext tells.
    pub(crate) fn of_infotext(text: &str) -> Self {
        let infotext = Infotext::read(text);
        let (draft, _) = infotext.to_draft();
        let Draft { model, sampler, schedule, steps, guidance_scale, seed, .. } = draft;
        Self {
            prompt: infotext.prompt.clone(),
            negative: infotext.negative_prompt.clone(),
            model_hash: model.as_ref().and_then(|model| model.hash.clone()),
            model: model.map(|model| model.name),
            sampler: sampler
                .map(|sampler| sampler.name().to_owned())
                // One that Tarim does not have can be searched all the same.
                .or_else(|| infotext.get("Sampler").map(str::to_owned)),
            schedule: schedule
                .map(|schedule| schedule.name().to_owned())
                .or_else(|| infotext.get("Schedule type").map(str::to_owned)),
            steps,
            guidance: guidance_scale,
            seed: seed.map(|seed| seed.0),
            init: None,
            inpaint: infotext.get("Mask blur").is_some(),
        }
    }
}
