//! The draft: what someone asked for, before anything was filled in.

use serde::{Deserialize, Serialize};

use crate::{
    names::{Sampler, Schedule},
    postprocess::Postprocess,
    recipe::{
        Emphasis, Init, MaskArea, MaskFill, ModelRef, NoiseSource, Precision, Prompt, Recipe, ResizeMode,
    },
    seed::Seed,
};

/// A recipe in the making: every value optional and unchecked, as a door gathers it from options, a form, a
/// recipe file or an infotext. [`prepare`](crate::prepare) makes a [`Recipe`] of it.
///
/// ```
/// # use tarim_recipe::{Draft, Seed};
/// let from_file = Draft { steps: Some(30), seed: Some(Seed(1)), ..Draft::default() };
/// let from_options = Draft { seed: Some(Seed(2)), ..Draft::default() };
/// let draft = from_options.or(from_file);
/// assert_eq!((draft.seed, draft.steps), (Some(Seed(2)), Some(30)));
/// ```
///
/// On the wire, what is open is left out, and unknown fields are refused: a misspelt setting must not be ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct Draft {
    /// The model that is wanted. The hash may be the beginning of one, as infotexts hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// [`Recipe::prompt`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    /// [`Recipe::negative_prompt`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<Prompt>,
    /// Width in pixels. A door that starts from a picture and was told no size sets both sides to
    /// [`Size::nearest`](crate::Size::nearest) of the picture's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// [`Recipe::sampler`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<Sampler>,
    /// [`Recipe::schedule`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// [`Recipe::steps`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// [`Recipe::guidance_scale`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance_scale: Option<f64>,
    /// [`Recipe::guidance_rescale`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance_rescale: Option<f64>,
    /// [`Recipe::seed`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// [`Variation::seed`](crate::Variation::seed); drawn when only the strength is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variation_seed: Option<Seed>,
    /// [`Variation::strength`](crate::Variation::strength); 0 is no variation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variation_strength: Option<f64>,
    /// [`Recipe::noise_source`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_source: Option<NoiseSource>,
    /// [`Recipe::clip_skip`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_skip: Option<u8>,
    /// [`Recipe::emphasis`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emphasis: Option<Emphasis>,
    /// [`Recipe::eta`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<f64>,
    /// [`Recipe::precision`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// [`Init::picture`]: SHA-256 of the initial picture's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_picture: Option<String>,
    /// [`Init::strength`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// [`Init::resize_mode`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize_mode: Option<ResizeMode>,
    /// [`Init::image_guidance_scale`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_guidance_scale: Option<f64>,
    /// [`Mask::picture`](crate::Mask::picture): SHA-256 of the mask's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_picture: Option<String>,
    /// [`Mask::blur`](crate::Mask::blur).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_blur: Option<u32>,
    /// [`Mask::fill`](crate::Mask::fill).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_fill: Option<MaskFill>,
    /// [`Mask::area`](crate::Mask::area).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_area: Option<MaskArea>,
    /// [`Mask::invert`](crate::Mask::invert).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_invert: Option<bool>,
    /// [`Recipe::postprocess`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postprocess: Option<Vec<Postprocess>>,
}

impl Draft {
    /// This draft, and the other's values where this one has none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            model: self.model.or(other.model),
            prompt: self.prompt.or(other.prompt),
            negative_prompt: self.negative_prompt.or(other.negative_prompt),
            width: self.width.or(other.width),
            height: self.height.or(other.height),
            sampler: self.sampler.or(other.sampler),
            schedule: self.schedule.or(other.schedule),
            steps: self.steps.or(other.steps),
            guidance_scale: self.guidance_scale.or(other.guidance_scale),
            guidance_rescale: self.guidance_rescale.or(other.guidance_rescale),
            seed: self.seed.or(other.seed),
            variation_seed: self.variation_seed.or(other.variation_seed),
            variation_strength: self.variation_strength.or(other.variation_strength),
            noise_source: self.noise_source.or(other.noise_source),
            clip_skip: self.clip_skip.or(other.clip_skip),
            emphasis: self.emphasis.or(other.emphasis),
            eta: self.eta.or(other.eta),
            precision: self.precision.or(other.precision),
            init_picture: self.init_picture.or(other.init_picture),
            strength: self.strength.or(other.strength),
            resize_mode: self.resize_mode.or(other.resize_mode),
            image_guidance_scale: self.image_guidance_scale.or(other.image_guidance_scale),
            mask_picture: self.mask_picture.or(other.mask_picture),
            mask_blur: self.mask_blur.or(other.mask_blur),
            mask_fill: self.mask_fill.or(other.mask_fill),
            mask_area: self.mask_area.or(other.mask_area),
            mask_invert: self.mask_invert.or(other.mask_invert),
            postprocess: self.postprocess.or(other.postprocess),
        }
    }

    /// Takes the initial picture and the mask out, with all that concerns them.
    #[must_use]
    pub fn without_init(self) -> Self {
        Self {
            init_picture: None,
            strength: None,
            resize_mode: None,
            image_guidance_scale: None,
            mask_picture: None,
            mask_blur: None,
            mask_fill: None,
            mask_area: None,
            mask_invert: None,
            ..self
        }
    }
}

/// The draft that [`prepare`](crate::prepare) turns back into the same recipe, given the same model.
impl From<&Recipe> for Draft {
    fn from(recipe: &Recipe) -> Self {
        let draft = Self {
            model: Some(recipe.model.clone()),
            prompt: Some(recipe.prompt.clone()),
            negative_prompt: Some(recipe.negative_prompt.clone()),
            width: Some(recipe.size.width()),
            height: Some(recipe.size.height()),
            sampler: Some(recipe.sampler),
            schedule: Some(recipe.schedule),
            steps: Some(recipe.steps),
            guidance_scale: Some(recipe.guidance_scale),
            guidance_rescale: Some(recipe.guidance_rescale),
            seed: Some(recipe.seed),
            variation_seed: recipe.variation.map(|variation| variation.seed),
            variation_strength: recipe.variation.map(|variation| variation.strength),
            noise_source: Some(recipe.noise_source),
            clip_skip: Some(recipe.clip_skip),
            emphasis: Some(recipe.emphasis),
            eta: recipe.eta,
            precision: Some(recipe.precision),
            postprocess: Some(recipe.postprocess.clone()).filter(|steps| !steps.is_empty()),
            ..Self::default()
        };
        let Some(Init { picture, strength, resize_mode, mask, image_guidance_scale }) = &recipe.init else {
            return draft;
        };
        let mask = mask.as_ref();
        Self {
            init_picture: Some(picture.clone()),
            strength: Some(*strength),
            resize_mode: Some(*resize_mode),
            image_guidance_scale: Some(*image_guidance_scale),
            mask_picture: mask.map(|mask| mask.picture.clone()),
            mask_blur: mask.map(|mask| mask.blur),
            mask_fill: mask.map(|mask| mask.fill),
            mask_area: mask.map(|mask| mask.area),
            mask_invert: mask.map(|mask| mask.invert),
            ..draft
        }
    }
}
