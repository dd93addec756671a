//! What a row asks for: its draft, and what belongs to the set and not to a recipe.

use serde::{Deserialize, Serialize};
use tarim_recipe::{Draft, MaskArea, ModelRef, Prompt, Sampler, Schedule, Seed};

use crate::{
    field::Field,
    problem::{Code, Problem, shown},
    table::RowId,
    value,
};

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
            Field::Model => draft.model = Some(model(text)),
            Field::ModelHash => {
                let name = draft.model.take().map(|model| model.name).unwrap_or_default();
                draft.model = Some(ModelRef { name, hash: Some(text.to_ascii_lowercase()) });
            }
            Field::Sampler => {
                let (sampler, schedule) = Sampler::parse(&value::plain(text)).map_err(unknown_name)?;
                draft.sampler = Some(sampler);
                draft.schedule = schedule.or(draft.schedule);
            }
            Field::Schedule => {
                let found = value::plain(text).parse::<Schedule>();
                draft.schedule = Some(found.map_err(unknown_name)?);
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
                draft.init_picture = sha256(text);
                self.init_picture = Some(text.to_owned());
            }
            Field::Strength => draft.strength = Some(value::number(text)?),
            Field::ResizeMode => draft.resize_mode = Some(value::resize_mode(text)?),
            Field::ImageGuidanceScale => draft.image_guidance_scale = Some(value::number(text)?),
            Field::Mask => {
                draft.mask_picture = sha256(text);
                self.mask = Some(text.to_owned());
            }
            Field::MaskBlur => draft.mask_blur = Some(value::whole(text)?),
            Field::MaskFill => draft.mask_fill = Some(value::mask_fill(text)?),
            Field::MaskArea => {
                draft.mask_area = Some(match value::only_masked(text)? {
                    true => MaskArea::OnlyMasked { padding: DEFAULT_MASK_PADDING },
                    false => MaskArea::WholePicture,
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
            Field::Loras => self.loras.extend(loras(text)?),
            Field::Styles => self.styles.extend(value::list(text).map(str::to_owned)),
            Field::Count => self.count = count(text)?,
            Field::BatchSize => {
                let product = u64::from(self.count.max(1)) * u64::from(count(text)?);
                self.count = check_count(product)?;
            }
            Field::TemplateMode => self.template_mode = Some(template_mode(text)?),
            Field::Limit => self.limit = Some(u64::from(value::whole(text)?)),
            Field::TemplateSeed => self.template_seed = value::seed(text)?,
            Field::OutputName => {
                check_name(text)?;
                self.output_name = Some(text.to_owned());
            }
            Field::Tags => self.tags.extend(value::list(text).map(str::to_owned)),
            Field::Project => self.project = Some(text.to_owned()),
            Field::Rating => self.rating = Some(rating(text)?),
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

fn unknown_name(error: tarim_recipe::UnknownName) -> Problem {
    let names: Vec<String> = error.nearest.iter().map(|name| format!("`{name}`")).collect();
    let problem = Problem::error(Code::UnknownName, format!("unknown {} {}", error.kind, shown(&error.name)))
        .hint(format!("did you mean {}?", names.join(", ")));
    match error.nearest.first() {
        Some(nearest) => problem.fix(*nearest),
        None => problem,
    }
}

fn sha256(text: &str) -> Option<String> {
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

/// `folder/name.safetensors [6ce0161689]`, as A1111 names models.
fn model(text: &str) -> ModelRef {
    let (name, hash) = match text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((name, hash)) if hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (name.trim_end(), Some(hash.to_ascii_lowercase()))
        }
        _ => (text, None),
    };
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let ending = [".safetensors", ".ckpt", ".pth", ".pt"].into_iter().find(|ending| lower.ends_with(ending));
    let stem = ending.and_then(|ending| name.get(..name.len() - ending.len())).unwrap_or(name);
    ModelRef { name: stem.to_owned(), hash }
}

/// `name`, `name:0.8`, `<lora:name:0.8>`, several of them apart by commas, as tags.
fn loras(text: &str) -> Result<Vec<String>, Problem> {
    let spaced = text.replace("><", ">,<");
    let one = |part: &str| {
        let inner = part.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let inner = inner.map_or(part, |tag| tag.strip_prefix("lora:").unwrap_or(tag));
        let inner = inner.replace('：', ":");
        let (name, weights) = inner.split_once(':').unwrap_or((&inner, "1"));
        let (name, weights) = (name.trim(), weights.trim());
        let readable = |weight: &str| {
            let weight = weight.split_once('=').map_or(weight, |(_, value)| value);
            value::number(weight).is_ok()
        };
        if name.is_empty() || name.contains(['<', '>']) || !weights.split(':').all(readable) {
            return Err(Problem::error(
                Code::NotANumber,
                format!("{} is not a LoRA and its weight", shown(part)),
            )
            .hint("write name:0.8, several of them apart by commas"));
        }
        Ok(format!("<lora:{name}:{weights}>"))
    };
    value::list(&spaced).map(one).collect()
}

fn count(text: &str) -> Result<u32, Problem> {
    check_count(u64::from(value::whole(text)?))
}

fn check_count(count: u64) -> Result<u32, Problem> {
    match u32::try_from(count) {
        Ok(0) => Err(Problem::error(Code::OutOfRange, "the count is 0, which makes no picture")
            .hint("write 1 or more, or switch the row off in a column `enabled`")
            .fix("1")),
        Ok(count) if count <= MAX_COUNT => Ok(count),
        _ => Err(Problem::error(
            Code::OutOfRange,
            format!("the count is {count}; a row makes at most {MAX_COUNT} pictures"),
        )
        .hint("spread them over several rows")
        .fix(MAX_COUNT.to_string())),
    }
}

fn rating(text: &str) -> Result<u8, Problem> {
    let stars = text.chars().filter(|c| matches!(c, '★' | '⭐' | '*')).count();
    let rating = if stars > 0 { u32::try_from(stars).unwrap_or(u32::MAX) } else { value::whole(text)? };
    u8::try_from(rating).ok().filter(|rating| *rating <= 5).ok_or_else(|| {
        Problem::error(Code::OutOfRange, format!("the rating is {rating}; allowed are 0 to 5")).fix("5")
    })
}

fn template_mode(text: &str) -> Result<TemplateMode, Problem> {
    value::named(
        "template mode",
        text,
        &[
            (TemplateMode::Off, &["off", "none", "no", "false", "关", "关闭", "關閉", "否"]),
            (TemplateMode::Random, &["random", "~", "随机", "隨機"]),
            (TemplateMode::Combinatorial, &["combinatorial", "all", "!", "组合", "全部", "排列组合", "組合"]),
            (TemplateMode::Cyclic, &["cyclic", "cyclical", "cycle", "@", "循环", "循環", "轮流", "輪流"]),
        ],
    )
}

/// Whether a text can be a file's name on every system.
fn check_name(name: &str) -> Result<(), Problem> {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
    const FORBIDDEN: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let device = DEVICES.iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|rest| match *device {
            "com" | "lpt" => rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()),
            _ => rest.is_empty(),
        })
    });
    let wrong = |c: char| c.is_control() || FORBIDDEN.contains(&c);
    let reason = if let Some(c) = name.chars().find(|c| wrong(*c)) {
        format!("the character {c:?} may not be in a file's name")
    } else if device {
        "Windows keeps that name for a device".to_owned()
    } else if name.len() > 200 {
        format!("it is {} bytes long, and 200 are the most", name.len())
    } else if name.starts_with('.') || name.ends_with('.') {
        "a file's name may not begin or end with a full stop".to_owned()
    } else {
        return Ok(());
    };
    let mut fixed: String = name.chars().map(|c| if wrong(c) { '_' } else { c }).collect();
    if device {
        fixed.push('_');
    }
    while fixed.len() > 200 {
        fixed.pop();
    }
    let fixed = fixed.trim_matches('.').trim();
    let problem = Problem::error(Code::BadName, format!("{} is no name for a file: {reason}", shown(name)));
    Err(if fixed.is_empty() { problem } else { problem.fix(fixed) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models() {
        let check = |text: &str, name: &str, hash: Option<&str>| {
            let expected = ModelRef { name: name.to_owned(), hash: hash.map(str::to_owned) };
            assert_eq!(model(text), expected, "{text}");
        };
        check("v1-5-pruned", "v1-5-pruned", None);
        check("sd/v1-5.safetensors [6CE0161689]", "v1-5", Some("6ce0161689"));
        check(r"sd\模型.ckpt", "模型", None);
        check("model [anime]", "model [anime]", None);
    }

    #[test]
    fn lora_cells() {
        let read = |text: &str| loras(text).map(|tags| tags.join(" ")).map_err(|problem| problem.code);
        assert_eq!(read("detail:0.8, ink").as_deref(), Ok("<lora:detail:0.8> <lora:ink:1>"));
        assert_eq!(read("<lora:a:0.5:0.7><lora:b:1>").as_deref(), Ok("<lora:a:0.5:0.7> <lora:b:1>"));
        assert_eq!(read("墨：0.6；细节").as_deref(), Ok("<lora:墨:0.6> <lora:细节:1>"));
        assert_eq!(read("a:te=0.5:unet=1").as_deref(), Ok("<lora:a:te=0.5:unet=1>"));
        assert_eq!(read("a:strong"), Err(Code::NotANumber));
    }

    #[test]
    fn names_of_files() {
        let fix = |name: &str| check_name(name).err().map(|problem| problem.fix.unwrap_or_default());
        assert_eq!(fix("avatar 001"), None);
        assert_eq!(fix("头像"), None);
        assert_eq!(fix("a/b:c").as_deref(), Some("a_b_c"));
        assert_eq!(fix("con").as_deref(), Some("con_"));
        assert_eq!(fix("com1.png").as_deref(), Some("com1.png_"));
        assert_eq!(fix("console"), None);
        assert_eq!(fix(".."), Some(String::new()));
    }
}
