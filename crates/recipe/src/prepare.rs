//! From what was asked for to what determines the picture: defaults, the seed, and every check.

use serde::{Deserialize, Serialize};

use crate::{
    draft::Draft,
    names::{Sampler, Schedule},
    recipe::{
        DEFAULT_IMAGE_GUIDANCE_SCALE, DEFAULT_MASK_BLUR, Init, Mask, ModelRef, Precision, Prompt, Recipe,
        Variation,
    },
    seed::Seed,
    size::{Size, SizeError},
    validate::FieldError,
};

/// What a door knows about the model that it is going to use.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFacts {
    /// File stem or folder name.
    pub name: String,
    /// SHA-256 of the content, 64 lower-case hex digits, where it is known.
    pub hash: Option<String>,
    /// What the model draws from.
    pub task: ModelTask,
    /// The size it was trained at.
    pub native_size: Size,
    /// What its maker recommends.
    pub defaults: ModelDefaults,
}

/// What a model draws from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ModelTask {
    /// A prompt; a picture to start from is possible.
    #[default]
    TextToImage,
    /// A prompt, a picture and a mask: UNets of 9 input channels.
    Inpainting,
    /// An instruction and the picture that it changes: UNets of 8 input channels.
    InstructPix2Pix,
}

/// Recommended values, the `defaults` of a model's `tarim.json`. What is absent is the program's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // each is the recipe's field of that name
pub struct ModelDefaults {
    pub negative_prompt: Option<String>,
    pub size: Option<Size>,
    pub sampler: Option<Sampler>,
    pub schedule: Option<Schedule>,
    pub steps: Option<u32>,
    pub guidance_scale: Option<f64>,
    pub guidance_rescale: Option<f64>,
    pub clip_skip: Option<u8>,
}

/// What a door reads from its surroundings, so that [`prepare`] need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// A random seed for drafts that have none. Below 2^32, as A1111 draws them, it is readable everywhere.
    pub fresh_seed: Seed,
    /// The arithmetic that the device does well.
    pub precision: Precision,
}

/// Why no recipe can be made of a draft.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The size is not allowed.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// Another value is not allowed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is a mask and nothing that it could mask.
    #[error("there is a mask and no picture to start from; name the picture too, or leave the mask out")]
    MaskWithoutInit,
    /// The model changes pictures, and there is none.
    #[error(
        "{model} is an instruct-pix2pix model, which changes a picture as the prompt says; name a picture to start from"
    )]
    PictureNeeded {
        /// The model's name.
        model: String,
    },
}

/// Something that the person who asked may not have meant. The recipe is good all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The draft names another model than the one in use.
    #[error("made for the model {}, and {} is used: the picture will differ", describe(.wanted), describe(.used))]
    OtherModel {
        /// The model that the draft names.
        wanted: ModelRef,
        /// The model in use.
        used: ModelRef,
    },
    /// A value was given that nothing reads.
    #[error("{field} has no effect {because}")]
    NoEffect {
        /// The draft's field.
        field: &'static str,
        /// Under which circumstance.
        because: &'static str,
    },
    /// The size is far from what the model was trained at.
    #[error(
        "{size} is far from the {native} that the model was trained at; pictures may repeat or fall apart"
    )]
    UnusualSize {
        /// The size asked for.
        size: Size,
        /// The model's own.
        native: Size,
    },
    /// An inpainting model got no mask.
    #[error("the model is made for inpainting and there is no mask: the whole picture is drawn anew")]
    InpaintingWithoutMask,
}

fn describe(model: &ModelRef) -> String {
    match &model.hash {
        None => model.name.clone(),
        Some(hash) => format!("{} [{}]", model.name, hash.chars().take(10).collect::<String>()),
    }
}

/// Fills in what the draft leaves open (first from the model's recommendations, then DPM++ 2M, 20 steps, guidance
/// scale 7 and the model's own size, as most users of A1111 start), draws the seed, and checks everything.
pub fn prepare(
    draft: &Draft,
    model: &ModelFacts,
    environment: &Environment,
) -> Result<(Recipe, Vec<Warning>), PrepareError> {
    let defaults = &model.defaults;
    let default_size = defaults.size.unwrap_or(model.native_size);
    let default_negative = || Prompt::from(defaults.negative_prompt.clone().unwrap_or_default());
    let seed = draft.seed.unwrap_or(environment.fresh_seed);

    if draft.mask_picture.is_some() && draft.init_picture.is_none() {
        return Err(PrepareError::MaskWithoutInit);
    }
    if model.task == ModelTask::InstructPix2Pix && draft.init_picture.is_none() {
        return Err(PrepareError::PictureNeeded { model: model.name.clone() });
    }

    let recipe = Recipe {
        model: ModelRef { name: model.name.clone(), hash: model.hash.clone() },
        prompt: draft.prompt.clone().unwrap_or_default(),
        negative_prompt: draft.negative_prompt.clone().unwrap_or_else(default_negative),
        size: Size::new(
            draft.width.unwrap_or(default_size.width()),
            draft.height.unwrap_or(default_size.height()),
        )?,
        sampler: draft.sampler.or(defaults.sampler).unwrap_or(Sampler::DpmPp2M),
        schedule: draft.schedule.or(defaults.schedule).unwrap_or_default(),
        steps: draft.steps.or(defaults.steps).unwrap_or(20),
        guidance_scale: draft.guidance_scale.or(defaults.guidance_scale).unwrap_or(7.0),
        guidance_rescale: draft.guidance_rescale.or(defaults.guidance_rescale).unwrap_or(0.0),
        seed,
        variation: draft.variation_strength.filter(|strength| *strength != 0.0).map(|strength| Variation {
            seed: draft.variation_seed.unwrap_or_else(|| environment.fresh_seed.scrambled()),
            strength,
        }),
        noise_source: draft.noise_source.unwrap_or_default(),
        clip_skip: draft.clip_skip.or(defaults.clip_skip).unwrap_or(1),
        emphasis: draft.emphasis.unwrap_or_default(),
        eta: draft.eta,
        precision: draft.precision.unwrap_or(environment.precision),
        init: draft.init_picture.clone().map(|picture| Init {
            picture,
            // A1111's default; an instruct-pix2pix model sees the picture anyway and starts from noise.
            strength: draft.strength.unwrap_or(if model.task == ModelTask::InstructPix2Pix {
                1.0
            } else {
                0.75
            }),
            resize_mode: draft.resize_mode.unwrap_or_default(),
            mask: draft.mask_picture.clone().map(|picture| Mask {
                picture,
                blur: draft.mask_blur.unwrap_or(DEFAULT_MASK_BLUR),
                fill: draft.mask_fill.unwrap_or_default(),
                area: draft.mask_area.unwrap_or_default(),
                invert: draft.mask_invert.unwrap_or_default(),
            }),
            image_guidance_scale: draft.image_guidance_scale.unwrap_or(DEFAULT_IMAGE_GUIDANCE_SCALE),
        }),
        postprocess: draft.postprocess.clone().unwrap_or_default(),
    };
    recipe.validate()?;
    let warnings = warnings(draft, model, &recipe);
    Ok((recipe, warnings))
}

fn warnings(draft: &Draft, model: &ModelFacts, recipe: &Recipe) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(wanted) = &draft.model
        && !same_model(wanted, &recipe.model)
    {
        warnings.push(Warning::OtherModel { wanted: wanted.clone(), used: recipe.model.clone() });
    }
    if model.task == ModelTask::Inpainting && draft.mask_picture.is_none() {
        warnings.push(Warning::InpaintingWithoutMask);
    }
    let (pixels, native) = (recipe.size.pixels(), model.native_size.pixels());
    if pixels > native * 4 || pixels * 4 < native {
        warnings.push(Warning::UnusualSize { size: recipe.size, native: model.native_size });
    }

    let mut no_effect = |useless: bool, field, because| {
        if useless {
            warnings.push(Warning::NoEffect { field, because });
        }
    };
    let no_init = draft.init_picture.is_none();
    no_effect(no_init && draft.strength.is_some(), "strength", "without a picture to start from");
    no_effect(no_init && draft.resize_mode.is_some(), "resize_mode", "without a picture to start from");
    let other_task = model.task != ModelTask::InstructPix2Pix;
    let image_guidance =
        draft.image_guidance_scale.is_some_and(|scale| scale != DEFAULT_IMAGE_GUIDANCE_SCALE);
    no_effect(
        other_task && image_guidance,
        "image_guidance_scale",
        "on a model that is not instruct-pix2pix",
    );
    let mask_values = draft.mask_blur.is_some()
        || draft.mask_fill.is_some()
        || draft.mask_area.is_some()
        || draft.mask_invert.is_some();
    no_effect(draft.mask_picture.is_none() && mask_values, "a mask setting", "without a mask");
    let no_variation = recipe.variation.is_none() && draft.variation_seed.is_some();
    no_effect(no_variation, "variation_seed", "without a variation strength above 0");
    let negative = draft.negative_prompt.as_ref().is_some_and(|negative| !negative.text.trim().is_empty());
    no_effect(negative && recipe.guidance_scale == 1.0, "negative_prompt", "at guidance scale 1");
    warnings
}

/// Whether two references may mean one model: by hash where both have one (one may be shortened), else by name.
fn same_model(wanted: &ModelRef, used: &ModelRef) -> bool {
    match (&wanted.hash, &used.hash) {
        (Some(wanted), Some(used)) => {
            let (wanted, used) = (wanted.to_ascii_lowercase(), used.to_ascii_lowercase());
            used.starts_with(&wanted) || wanted.starts_with(&used)
        }
        _ => wanted.name.to_lowercase() == used.name.to_lowercase(),
    }
}
