//! The recipe value and its parts.

use serde::{Deserialize, Serialize};

use crate::{
    names::{Sampler, Schedule},
    postprocess::Postprocess,
    seed::Seed,
    size::Size,
};

/// Everything that determines a picture: rendering is a function of this value and the device kind alone.
///
/// Its JSON (see [`Recipe::from_json`]) leaves out what has its default value and is checked with
/// [`Recipe::validate`] on the way in and on the way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The model that draws.
    pub model: ModelRef,
    /// What the picture should show.
    pub prompt: Prompt,
    /// What it should not show; empty text means the unconditional encoding.
    pub negative_prompt: Prompt,
    /// Size of the picture as it is drawn; [`Recipe::finished_size`] is that of the file.
    pub size: Size,
    /// The solver.
    pub sampler: Sampler,
    /// The noise levels it visits.
    pub schedule: Schedule,
    /// Number of solver steps, 1 to [`MAX_STEPS`].
    pub steps: u32,
    /// Classifier-free guidance scale, 0 to 100; 1 means no guidance and one UNet pass a step.
    pub guidance_scale: f64,
    /// `guidance_rescale` φ of <https://arxiv.org/abs/2305.08891> (3.4), 0 to 1; 0 is off.
    pub guidance_rescale: f64,
    /// Seed of this picture.
    pub seed: Seed,
    /// A second seed mixed into the first.
    pub variation: Option<Variation>,
    /// Where initial and ancestral noise comes from.
    pub noise_source: NoiseSource,
    /// How much of the CLIP text encoder's end is skipped, counted as A1111 does: 1 is none, 2 leaves out the last layer.
    pub clip_skip: u8,
    /// Whose rule applies prompt weights.
    pub emphasis: Emphasis,
    /// η of DDIM and of the ancestral and SDE samplers; `None` is the sampler's own default (DDIM 0, the others 1).
    pub eta: Option<f64>,
    /// Arithmetic of the networks.
    pub precision: Precision,
    /// The picture that this one starts from (img2img, inpainting, instruct-pix2pix).
    pub init: Option<Init>,
    /// What is done to the picture once it is drawn, first to last.
    pub postprocess: Vec<Postprocess>,
}

/// The most steps a recipe may ask for.
pub const MAX_STEPS: u32 = 1000;
/// The image guidance scale of an instruct-pix2pix recipe that does not name one, A1111's and diffusers' default.
pub const DEFAULT_IMAGE_GUIDANCE_SCALE: f64 = 1.5;
/// The mask blur of a recipe that does not name one, A1111's default.
pub const DEFAULT_MASK_BLUR: u32 = 4;

impl Recipe {
    /// The recipe of picture `index` in a run of several: the seed moves on by one a picture, or, as A1111 does,
    /// the variation seed where there is one, so that all pictures vary the same first seed.
    #[must_use]
    pub fn nth(&self, index: u64) -> Self {
        let mut recipe = self.clone();
        match &mut recipe.variation {
            Some(variation) => variation.seed = variation.seed.nth(index),
            None => recipe.seed = recipe.seed.nth(index),
        }
        recipe
    }
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(crate) fn first_clip_skip() -> u8 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature, as below
pub(crate) fn is_first_clip_skip(value: &u8) -> bool {
    *value == 1
}

fn default_image_guidance() -> f64 {
    DEFAULT_IMAGE_GUIDANCE_SCALE
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_default_image_guidance(value: &f64) -> bool {
    *value == DEFAULT_IMAGE_GUIDANCE_SCALE
}

fn default_mask_blur() -> u32 {
    DEFAULT_MASK_BLUR
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_default_mask_blur(value: &u32) -> bool {
    *value == DEFAULT_MASK_BLUR
}

/// A model by name and content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// File stem or folder name, for people.
    pub name: String,
    /// SHA-256 of the content, 64 lower-case hex digits; what the model really is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hash: Option<String>,
}

/// A prompt, before and after templates were resolved. On the wire a plain string where there is no template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string | { text: string; template: string }"))]
#[serde(from = "PromptWire", into = "PromptWire")]
pub struct Prompt {
    /// The text that is encoded, in the prompt language.
    pub text: String,
    /// The template it was resolved from, where there was one.
    pub template: Option<String>,
}

impl From<&str> for Prompt {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), template: None }
    }
}

impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self { text, template: None }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PromptWire {
    Text(String),
    Resolved(ResolvedPrompt),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolvedPrompt {
    text: String,
    template: String,
}

impl From<PromptWire> for Prompt {
    fn from(wire: PromptWire) -> Self {
        match wire {
            PromptWire::Text(text) => text.into(),
            PromptWire::Resolved(ResolvedPrompt { text, template }) => {
                Self { text, template: Some(template) }
            }
        }
    }
}

impl From<Prompt> for PromptWire {
    fn from(Prompt { text, template }: Prompt) -> Self {
        match template {
            None => Self::Text(text),
            Some(template) => Self::Resolved(ResolvedPrompt { text, template }),
        }
    }
}

/// A1111's variation: `slerp(strength, noise(seed), noise(variation seed))`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// The second seed ("subseed").
    pub seed: Seed,
    /// 0 is the first seed's noise, 1 the second's.
    pub strength: f64,
}

/// The generator of initial and later noise. Each picture of a batch has its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoiseSource {
    /// torch's CPU generator (mt19937), what ComfyUI and A1111's `RNG: CPU` use.
    #[default]
    Cpu,
    /// Philox, reproducing CUDA's `randn` on any device: A1111's `RNG: NV` and, on its GPUs, `GPU`.
    Nv,
}

/// Whose arithmetic applies prompt weights to text-encoder outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Emphasis {
    /// A1111: multiply each token's output, then restore the mean of the whole.
    #[default]
    Original,
    /// A1111's "No norm": multiply only.
    NoNorm,
    /// Weights are parsed and not applied.
    Ignore,
    /// The text is not parsed for weights at all.
    None,
    /// ComfyUI: explicit weights replace, `[x]` is text, and outputs are interpolated from the empty prompt's.
    ComfyUi,
}

/// Number format of the networks' arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// IEEE float32.
    Fp32,
    /// bfloat16.
    Bf16,
    /// IEEE float16; GPUs only.
    Fp16,
}

/// A picture to start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Init {
    /// SHA-256 of the file's bytes, 64 lower-case hex digits.
    pub picture: String,
    /// Denoising strength: 0 keeps the picture, 1 ignores it.
    pub strength: f64,
    /// How a picture of another shape is fitted to the recipe's size.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resize_mode: ResizeMode,
    /// Where to draw; the whole picture when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mask: Option<Mask>,
    /// Guidance towards the picture, instruct-pix2pix models only (`image_guidance_scale`, at least 1).
    #[serde(default = "default_image_guidance", skip_serializing_if = "is_default_image_guidance")]
    pub image_guidance_scale: f64,
}

/// A1111's resize modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ResizeMode {
    /// Stretch to the size.
    #[default]
    Stretch,
    /// Cover the size and cut what stands over.
    Crop,
    /// Fit inside the size and fill the rest with the edge's colours.
    Fill,
}

/// Which part of the initial picture is drawn anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// SHA-256 of the mask's file: white is drawn, black is kept.
    pub picture: String,
    /// Gaussian blur of the edge, in pixels of the initial picture, 0 to 64.
    #[serde(default = "default_mask_blur", skip_serializing_if = "is_default_mask_blur")]
    pub blur: u32,
    /// What the masked area holds before the first step.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fill: MaskFill,
    /// Whether the whole picture is rendered or only the surroundings of the mask.
    #[serde(default, skip_serializing_if = "is_default")]
    pub area: MaskArea,
    /// Draw where the mask is black instead.
    #[serde(default, skip_serializing_if = "is_default")]
    pub invert: bool,
}

/// A1111's `inpainting_fill`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MaskFill {
    /// Colours spread inwards from the mask's edge.
    Fill,
    /// What the picture has there.
    #[default]
    Original,
    /// Pure noise in latent space.
    LatentNoise,
    /// Zeros in latent space.
    LatentNothing,
}

/// A1111's `inpaint_full_res`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MaskArea {
    /// Render the whole picture.
    #[default]
    WholePicture,
    /// Render only the mask's bounding box, at the recipe's size, and paste it back.
    OnlyMasked {
        /// Context around the mask, in pixels of the initial picture.
        padding: u32,
    },
}
