//! The strict writer.

use super::{
    EXACT_NEGATIVE_PROMPT, EXACT_PROMPT, POSTPROCESS,
    pairs::{is_space, quote},
    read::shown_and_read,
};
use crate::{
    names::Sampler,
    postprocess::{Postprocess, postprocess_text},
    recipe::{DEFAULT_IMAGE_GUIDANCE_SCALE, Emphasis, Init, Mask, MaskArea, MaskFill, NoiseSource, Recipe},
};

/// The recipe as A1111 would write it into its picture, keys and order included (`create_infotext` of A1111 1.10).
///
/// `version` is the program's name and version, such as `Tarim 0.1.0`. The name matters: A1111 takes a bare number for
/// its own version and would switch to the habits it had then.
pub fn infotext(recipe: &Recipe, version: &str) -> String {
    let mut text = shown(&recipe.prompt.text);
    if !recipe.negative_prompt.text.is_empty() {
        text.push_str("\nNegative prompt: ");
        text.push_str(&shown(&recipe.negative_prompt.text));
    }
    text.push('\n');
    let parameters: Vec<String> =
        parameters(recipe, version).iter().map(|(key, value)| format!("{key}: {}", quote(value))).collect();
    text.push_str(&parameters.join(", "));
    text.trim_matches(is_space).to_owned()
}

fn parameters(recipe: &Recipe, version: &str) -> Vec<(&'static str, String)> {
    let mut parameters = Vec::new();
    let mut put = |key, value: Option<String>| {
        if let Some(value) = value {
            parameters.push((key, value));
        }
    };
    let init = recipe.init.as_ref();
    let mask = init.and_then(|init| init.mask.as_ref());

    put("Steps", Some(recipe.steps.to_string()));
    put("Sampler", Some(recipe.sampler.to_string()));
    put("Schedule type", Some(recipe.schedule.to_string()));
    put("CFG scale", Some(recipe.guidance_scale.to_string()));
    let image_guidance = init.map(|init| init.image_guidance_scale);
    put(
        "Image CFG scale",
        image_guidance.filter(|scale| *scale != DEFAULT_IMAGE_GUIDANCE_SCALE).map(|value| value.to_string()),
    );
    put("Seed", Some(recipe.seed.to_string()));
    put("Size", Some(recipe.size.to_string()));
    put("Model hash", recipe.model.hash.as_ref().map(|hash| hash.chars().take(10).collect()));
    put("Model", Some(recipe.model.name.clone()).filter(|name| !name.is_empty()));
    put("Variation seed", recipe.variation.map(|variation| variation.seed.to_string()));
    put("Variation seed strength", recipe.variation.map(|variation| variation.strength.to_string()));
    put("Denoising strength", init.map(|init| init.strength.to_string()));
    put("Clip skip", Some(recipe.clip_skip).filter(|skip| *skip > 1).map(|value| value.to_string()));
    put("Init image hash", init.map(|init| init.picture.clone()));
    put("RNG", Some(noise_source_name(recipe.noise_source).to_owned()));
    put("Emphasis", emphasis_name(recipe.emphasis).map(str::to_owned));
    put(
        if recipe.sampler == Sampler::Ddim { "Eta DDIM" } else { "Eta" },
        recipe.eta.map(|value| value.to_string()),
    );
    put(
        "CFG Rescale",
        Some(recipe.guidance_rescale).filter(|rescale| *rescale != 0.0).map(|value| value.to_string()),
    );
    if let (Some(Init { .. }), Some(Mask { picture, blur, fill, area, invert })) = (init, mask) {
        put("Mask image hash", Some(picture.clone()));
        put("Mask blur", Some(blur.to_string()));
        put("Mask mode", invert.then(|| "Inpaint not masked".to_owned()));
        put("Masked content", mask_fill_name(*fill).map(str::to_owned));
        if let MaskArea::OnlyMasked { padding } = area {
            put("Inpaint area", Some("Only masked".to_owned()));
            put("Masked area padding", Some(padding.to_string()));
        }
    }
    if let Some(Postprocess::Resize { width, height, filter }) = recipe.postprocess.last() {
        // As A1111's Extras tab names what it does.
        put("Postprocess upscale to", Some(format!("{width}x{height}")));
        put("Postprocess upscaler", Some(filter.upscaler().to_owned()));
    }
    let steps = Some(postprocess_text(&recipe.postprocess));
    put(POSTPROCESS, steps.filter(|steps| !steps.is_empty()));
    // The names under which the extension `dynamic-prompts` writes them.
    put("Template", recipe.prompt.template.clone());
    put("Negative Template", recipe.negative_prompt.template.clone());
    put(EXACT_PROMPT, exact(&recipe.prompt.text));
    put(EXACT_NEGATIVE_PROMPT, exact(&recipe.negative_prompt.text));
    put("Version", Some(version.to_owned()));
    parameters
}

/// The prompt, if its safe form does not read back equal.
fn exact(prompt: &str) -> Option<String> {
    (shown_and_read(prompt) != prompt).then(|| prompt.to_owned())
}

/// A prompt in the form that no reader takes apart: control characters become spaces, and a backslash stands before
/// the words at the beginning of a line that mark what follows a prompt.
pub(super) fn shown(prompt: &str) -> String {
    let printable = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c };
    let mut text = String::with_capacity(prompt.len());
    for (index, line) in prompt.split('\n').enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let line: String = line.chars().map(printable).collect();
        let words = line.trim_start_matches(is_space);
        if words.starts_with("Negative prompt:") || words.starts_with("Steps:") {
            text.push('\\');
            text.push_str(words);
        } else {
            text.push_str(&line);
        }
    }
    text
}

pub(super) fn noise_source_name(source: NoiseSource) -> &'static str {
    match source {
        NoiseSource::Cpu => "CPU",
        NoiseSource::Nv => "NV",
    }
}

/// A1111's name; it writes none for its default.
pub(super) fn emphasis_name(emphasis: Emphasis) -> Option<&'static str> {
    match emphasis {
        Emphasis::Original => None,
        Emphasis::NoNorm => Some("No norm"),
        Emphasis::Ignore => Some("Ignore"),
        Emphasis::None => Some("None"),
        Emphasis::ComfyUi => Some("ComfyUI"),
    }
}

/// A1111's name; it writes none for its default.
pub(super) fn mask_fill_name(fill: MaskFill) -> Option<&'static str> {
    match fill {
        MaskFill::Original => None,
        MaskFill::Fill => Some("fill"),
        MaskFill::LatentNoise => Some("latent noise"),
        MaskFill::LatentNothing => Some("latent nothing"),
    }
}
