//! Making pictures: prompts, inputs, submission.

use serde::{Deserialize, Serialize};
use tarim_recipe::{Draft, Emphasis};
use ts_rs::TS;

use super::Remark;

/// Ask how a prompt is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct DescribePrompt {
    /// The text as typed.
    pub text: String,
    /// Whether it is the negative prompt.
    #[serde(default)]
    pub negative: bool,
    /// Steps that schedules are laid out over.
    pub steps: u32,
    /// Whose rule applies weights.
    #[serde(default)]
    pub emphasis: Emphasis,
    /// The model, whose tokenizer counts; the default model when absent.
    #[ts(optional)]
    #[serde(default)]
    pub model: Option<String>,
}

/// How a prompt is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PromptDescription {
    /// Tokens used in each 75-token chunk, of the longest text over the steps.
    pub chunks: Vec<u32>,
    /// Tokens that a chunk holds: 75.
    pub chunk_size: u32,
    /// Whether the text changes from step to step.
    pub scheduled: bool,
    /// Conditionings between `AND`s.
    pub conditionings: u32,
    /// Remarks by place.
    pub remarks: Vec<Remark>,
}

/// All names that menus offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Choices {
    /// Samplers, A1111's names, in a menu's order.
    pub samplers: Vec<SamplerChoice>,
    /// Schedules, in a menu's order, `Automatic` first.
    pub schedules: Vec<String>,
    /// Sizes: both sides are multiples of this…
    pub size_step: u32,
    /// … from this …
    pub size_min: u32,
    /// … to this, pixels.
    pub size_max: u32,
    /// The most steps.
    pub steps_max: u32,
}

/// A sampler in a menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SamplerChoice {
    /// Its name.
    pub name: String,
    /// What `Automatic` means with it.
    pub automatic_schedule: String,
}

/// Ask for pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Submit {
    /// What is wanted; what is left open is filled in.
    pub draft: Draft,
    /// How many pictures, 1 to 10,000, each with the next seed.
    pub count: u32,
    /// The model's id; the default model when absent.
    #[ts(optional)]
    #[serde(default)]
    pub model: Option<String>,
    /// The project that the pictures belong to.
    #[ts(optional)]
    #[serde(default)]
    pub project: Option<String>,
    /// Tags that the pictures get.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The picture that these are derived from, and how.
    #[ts(optional)]
    #[serde(default)]
    pub parent: Option<Parent>,
    /// Higher goes first; 0 is usual.
    #[serde(default)]
    pub priority: i32,
}

/// Where a picture comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Parent {
    /// The picture's id.
    pub picture: String,
    /// What was done to it.
    pub derivation: Derivation,
}

/// How a picture was made of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum Derivation {
    /// The same settings, another seed or a little of one.
    Variation,
    /// Image to image.
    Img2img,
    /// A part drawn anew.
    Inpaint,
    /// The canvas extended.
    Outpaint,
    /// Enlarged.
    Upscale,
    /// Cut.
    Crop,
    /// Rendered again from the same recipe.
    Rerun,
}

/// What was queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Submitted {
    /// The request's id in the history.
    pub request: String,
    /// The jobs' ids, one a picture, which become the pictures' ids.
    pub jobs: Vec<String>,
    /// Seed of the first picture.
    pub seed: String,
    /// What may not have been meant.
    pub warnings: Vec<String>,
}

/// A picture kept to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Input {
    /// SHA-256 of the file's bytes; goes into `Draft.init_picture` or `Draft.mask_picture`.
    pub sha256: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// An input by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InputId {
    /// SHA-256 of the file's bytes.
    pub sha256: String,
}

/// What a dropped picture says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FoundRecipe {
    /// Settings found, to be restored.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// Where they were found.
    pub source: RecipeSource,
    /// What could not be carried over.
    pub warnings: Vec<String>,
}

/// Whose metadata a recipe was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecipeSource {
    /// Tarim's own.
    Tarim,
    /// A1111's infotext or its like.
    Infotext,
    /// There is none.
    None,
}

/// A text to be read as an infotext.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReadInfotext {
    /// Pasted text: an infotext, a recipe's JSON, or a plain prompt.
    pub text: String,
}

/// Extend a canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrepareOutpaint {
    /// The picture to be extended.
    pub sha256: String,
    /// Pixels to add at each side. A few more are added where a side would not be a multiple of 8.
    pub left: u32,
    /// See `left`.
    pub top: u32,
    /// See `left`.
    pub right: u32,
    /// See `left`.
    pub bottom: u32,
    /// Pixels of the old picture, beside the new area, that are drawn anew too, so that no seam shows.
    pub overlap: u32,
}

/// A canvas extended, and the mask of what is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Outpaint {
    /// The picture on its larger canvas; the new area continues the edge's colours.
    pub init: Input,
    /// White where it is to be drawn.
    pub mask: Input,
}

/// A named pair of prompts, A1111's `styles.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Style {
    /// Its name.
    pub name: String,
    /// Text that is appended, or put around the prompt where it holds `{prompt}`.
    pub prompt: String,
    /// The same for the negative prompt.
    pub negative_prompt: String,
}

/// All styles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Styles {
    /// In the file's order.
    pub styles: Vec<Style>,
    /// What in `styles.csv` cannot be read, and where.
    pub problems: Vec<String>,
}

/// Save a style under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SaveStyle {
    /// The style.
    pub style: Style,
    /// The name it had before, when it is renamed.
    #[ts(optional)]
    #[serde(default)]
    pub old_name: Option<String>,
}

/// A style or preset by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Name {
    /// Its name.
    pub name: String,
}

/// Put styles into prompts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApplyStyles {
    /// The prompt as typed.
    pub prompt: String,
    /// The negative prompt as typed.
    pub negative_prompt: String,
    /// Names of styles, applied in this order.
    pub styles: Vec<String>,
}

/// Prompts with the styles in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppliedStyles {
    /// The prompt.
    pub prompt: String,
    /// The negative prompt.
    pub negative_prompt: String,
}

/// Settings under a name: avatar, poster, a contest's size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Preset {
    /// Its name; for built-in ones the key of a translated name.
    pub name: String,
    /// Whether Tarim brings it along; such ones cannot be changed or deleted.
    #[serde(default)]
    pub built_in: bool,
    /// What it sets; everything else is left as it is.
    ///
    /// Width and height are a shape: with a model whose native size (`defaults.width` × `defaults.height`) has `area`
    /// pixels and `ratio = width / height`, use `sqrt(area * ratio)` × `sqrt(area / ratio)`, each rounded to a multiple of 8.
    pub draft: Draft,
}

/// All presets, the built-in ones first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Presets {
    /// In a menu's order.
    pub presets: Vec<Preset>,
}
