//! A recipe made of a row before its model and its pictures are known, so that the recipe's own checks can be asked.

use tarim_recipe::{Draft, Environment, ModelDefaults, ModelFacts, ModelTask, Precision, Seed, Size};

use crate::field::Field;

/// The side of a picture whose size is not told.
pub(crate) const STAND_IN_SIDE: u32 = 512;

/// The draft with something where pictures are still to be found, so that it can be checked.
pub(crate) fn stand_in(draft: &Draft, init: bool, mask: bool) -> Draft {
    let hash = || Some("0".repeat(64));
    let mut draft = draft.clone();
    // A shortened hash is good in a draft, and the model itself is looked for elsewhere.
    draft.model = None;
    draft.init_picture = if init { hash() } else { None };
    draft.mask_picture = if mask { hash() } else { None };
    draft
}

pub(crate) fn surroundings() -> (ModelFacts, Environment) {
    // The size of every stand-in is allowed.
    let native_size = Size::nearest(STAND_IN_SIDE, STAND_IN_SIDE);
    let facts = ModelFacts {
        name: String::new(),
        hash: None,
        task: ModelTask::TextToImage,
        native_size,
        defaults: ModelDefaults::default(),
    };
    (facts, Environment { fresh_seed: Seed(0), precision: Precision::Fp32 })
}

/// The field of a recipe's check.
pub(crate) fn recipe_field(name: &str) -> Option<Field> {
    Some(match name {
        "variation.strength" => Field::VariationStrength,
        "init.strength" => Field::Strength,
        "init.image_guidance_scale" => Field::ImageGuidanceScale,
        "init.mask.area.padding" => Field::MaskPadding,
        "model.name" => Field::Model,
        "model.hash" => Field::ModelHash,
        "init.mask.blur" | "a mask setting" => Field::MaskBlur,
        name => Field::find(name)?,
    })
}

/// Takes a value out; whether there was one to take.
pub(crate) fn take_out(draft: &mut Draft, field: Field) -> bool {
    match field {
        Field::Prompt => draft.prompt.take().is_some(),
        Field::NegativePrompt => draft.negative_prompt.take().is_some(),
        Field::Steps => draft.steps.take().is_some(),
        Field::GuidanceScale => draft.guidance_scale.take().is_some(),
        Field::GuidanceRescale => draft.guidance_rescale.take().is_some(),
        Field::VariationStrength => draft.variation_strength.take().is_some(),
        Field::ClipSkip => draft.clip_skip.take().is_some(),
        Field::Eta => draft.eta.take().is_some(),
        Field::Strength => draft.strength.take().is_some(),
        Field::ImageGuidanceScale => draft.image_guidance_scale.take().is_some(),
        Field::MaskBlur => draft.mask_blur.take().is_some(),
        Field::MaskPadding => draft.mask_area.take().is_some(),
        _ => false,
    }
}
