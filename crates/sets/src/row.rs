//! What a row asks for: its draft, and what belongs to the set and not to a recipe.

use serde::{Deserialize, Serialize};
use tarim_recipe::{Draft, MaskArea, ModelRef, Prompt, Sampler, Schedule, Seed};

use crate::{field::Field, own, problem::Problem, table::RowId, value};

/// The most pictures that one row may ask for, before its template is expanded.
pub const MAX_COUNT: u32 = 10_000;
/// The most context around a mask, when none is given: A1111's default.
const DEFAULT_MASK_PADDING: u32 = 32;

/// What a row asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowDraft {
    /// The row in the table.
    pub id: RowId,
    /// Its number, as people know it.
    pub number: u32,
    /// The recipe in the making, the set's defaults filled in. The prompt may be a template. Initial picture and mask
    /// are in here only where their cells hold a SHA-256.
    pub draft: Draft,
    /// Number of pictures: in all, or of each combination in [`TemplateMode::Combinatorial`].
    pub count: u32,
    /// How a template in the prompt is expanded; `None` leaves it to the caller.
    pub template_mode: Option<TemplateMode>,
    /// The most pictures that the template may expand to.
    pub limit: Option<u64>,
    /// The seed of the template's draws; the picture's seed where there is none.
    pub template_seed: Option<Seed>,
    /// Styles by name, still to be applied.
    pub styles: Vec<String>,
    /// The picture to start from, as its cell says: a path, a file's name or a hash.
    pub init_picture: Option<String>,
    /// The mask, likewise.
    pub mask: Option<String>,
    /// The file's name, without extension.
    pub output_name: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The project.
    pub project: Option<String>,
    /// Stars, 0 to 5.
    pub rating: Option<u8>,
    /// Notes.
    pub notes: Option<String>,
    /// Titles, descriptions and prompts in one language or another, by their field.
    pub texts: Vec<(Field, String)>,
    /// Cells of columns that mean nothing here, by their header.
    pub extra: Vec<(String, String)>,
    /// Whether the row is to be left out.
    pub disabled: bool,
    /// LoRA tags that are not yet in the prompt.
    pub(crate) loras: Vec<String>,
}

/// How a template becomes prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TemplateMode {
    /// The text is no template: braces and underscores stay as they are.
    Off,
    /// Each picture draws anew.
    #[default]
    Random,
    /// Every combination, [`RowDraft::count`] pictures of each.
    Combinatorial,
    /// One value after the other, all templates moving on together.
    Cyclic,
}

/// What holds for every row of a set that says nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default)]
pub struct Defaults {
    /// The recipe in the making under all rows.
    pub draft: Draft,
    /// Number of pictures of a row; 1 where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How templates are expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_mode: Option<TemplateMode>,
    /// The most pictures that a template may expand to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub limit: Option<u64>,
    /// Styles by name, where a row has none.
    pub styles: Vec<String>,
    /// Tags for all rows, besides their own.
    pub tags: Vec<String>,
    /// The project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

impl From<Draft> for Defaults {
    fn from(draft: Draft) -> Self {
        Self { draft, ..Self::default() }
    }
}

/// A row that is in no table, such as the base of a comparison.
impl From<Draft> for RowDraft {
    fn from(draft: Draft) -> Self {
        Self { draft, count: 1, ..Self::default() }
    }
}

impl RowDraft {
    /// Puts a cell's value in its place. Fields must come in their order, so that the more exact one wins.
    pub(crate) fn apply(&mut self, field: Field, text: &str) -> Result<(), Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let draft = &mut self.draft;
        match field {
            Field::Prompt => draft.prompt = Some(text.into()),
            Field::NegativePrompt => draft.negative_prompt = Some(text.into()),
            Field::Seed => draft.seed = value::seed(text)?,
            Field::Width => draft.width = Some(value::whole(text)?),
            Field::Height => draft.height = Some(value::whole(text)?),
            Field::Size => {
                let (width, height) = value::size(text)?;
                (draft.width, draft.height) = (Some(width), Some(height));
            }
            Field::Model => draft.model = Some(own::model(text)),
            Field::ModelHash => {
                let name = draft.model.take().map(|model| model.name).unwrap_or_default();
                draft.model = Some(ModelRef { name, hash: Some(text.to_ascii_lowercase()) });
            }
            Field::Sampler => {
                let (sampler, schedule) = Sampler::parse(&value::plain(text)).map_err(own::unknown_name)?;
                draft.sampler = Some(sampler);
                draft.schedule = schedule.or(draft.schedule);
            }
            Field::Schedule => {
                let found = value::plain(text).parse::<Schedule>();
                draft.schedule = Some(found.map_err(own::unknown_name)?);
            }
            Field::Steps => draft.steps = Some(value::whole(text)?),
            Field::GuidanceScale => draft.guidance_scale = Some(value::number(text)?),
            Field::GuidanceRescale => draft.guidance_rescale = Some(value::number(text)?),
            Field::VariationSeed => draft.variation_seed = value::seed(text)?,
            Field::VariationStrength => draft.variation_strength = Some(value::number(text)?),
            Field::NoiseSource => draft.noise_source = Some(value::noise_source(text)?),
            Field::ClipSkip => {
                let skip = value::whole(text)?;
                draft.clip_skip = Some(u8::try_from(skip).unwrap_or(u8::MAX));
            }
            Field::Emphasis => draft.emphasis = Some(value::emphasis(text)?),
            Field::Eta => draft.eta = Some(value::number(text)?),
            Field::Precision => draft.precision = Some(value::precision(text)?),
            Field::InitPicture => {
                draft.init_picture = own::sha256(text);
                self.init_picture = Some(text.to_owned());
            }
            Field::Strength => draft.strength = Some(value::number(text)?),
            Field::ResizeMode => draft.resize_mode = Some(value::resize_mode(text)?),
            Field::ImageGuidanceScale => draft.image_guidance_scale = Some(value::number(text)?),
            Field::Mask => {
                draft.mask_picture = own::sha256(text);
                self.mask = Some(text.to_owned());
            }
            Field::MaskBlur => draft.mask_blur = Some(value::whole(text)?),
            Field::MaskFill => draft.mask_fill = Some(value::mask_fill(text)?),
            Field::MaskArea => {
                draft.mask_area = Some(if value::only_masked(text)? {
                    MaskArea::OnlyMasked { padding: DEFAULT_MASK_PADDING }
                } else {
                    MaskArea::WholePicture
                });
            }
            Field::MaskPadding => {
                let padding = value::whole(text)?;
                if draft.mask_area != Some(MaskArea::WholePicture) {
                    draft.mask_area = Some(MaskArea::OnlyMasked { padding });
                }
            }
            Field::MaskInvert => draft.mask_invert = Some(value::mask_invert(text)?),
            _ => self.apply_own(field, text)?,
        }
        Ok(())
    }

    /// The fields that are the set's own.
    fn apply_own(&mut self, field: Field, text: &str) -> Result<(), Problem> {
        match field {
            Field::Loras => self.loras.extend(own::loras(text)?),
            Field::Styles => self.styles.extend(value::list(text).map(str::to_owned)),
            Field::Count => self.count = own::count(text)?,
            Field::BatchSize => {
                let product = u64::from(self.count.max(1)) * u64::from(own::count(text)?);
                self.count = own::check_count(product)?;
            }
            Field::TemplateMode => self.template_mode = Some(own::template_mode(text)?),
            Field::Limit => self.limit = Some(u64::from(value::whole(text)?)),
            Field::TemplateSeed => self.template_seed = value::seed(text)?,
            Field::OutputName => {
                own::check_name(text)?;
                self.output_name = Some(text.to_owned());
            }
            Field::Tags => self.tags.extend(value::list(text).map(str::to_owned)),
            Field::Project => self.project = Some(text.to_owned()),
            Field::Rating => self.rating = Some(own::rating(text)?),
            Field::Notes => self.notes = Some(text.to_owned()),
            Field::PromptEn | Field::PromptZh => {
                // English comes first: it is what the text encoders were trained on.
                if self.draft.prompt.is_none() {
                    self.draft.prompt = Some(text.into());
                }
                self.texts.push((field, text.to_owned()));
            }
            Field::Enabled => self.disabled = !value::truth(text)?,
            _ => self.texts.push((field, text.to_owned())),
        }
        Ok(())
    }

    /// Puts the LoRAs behind the prompt.
    pub(crate) fn put_loras(&mut self) {
        if self.loras.is_empty() {
            return;
        }
        let prompt = self.draft.prompt.get_or_insert_with(Prompt::default);
        for lora in self.loras.drain(..) {
            for text in std::iter::once(&mut prompt.text).chain(&mut prompt.template) {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(&lora);
            }
        }
    }

    /// One of the texts by its field: title, description or prompt of a language.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.texts.iter().find(|(key, _)| *key == field).map(|(_, text)| text.as_str())
    }
}
