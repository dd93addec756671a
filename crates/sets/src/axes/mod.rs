//! Comparisons along up to three axes, as A1111's X/Y/Z plot makes them.

mod grid;
mod order;
mod range;

use serde::{Deserialize, Serialize};

pub use grid::{Grid, GridCell, VarySeeds, by_model};
pub use range::MAX_VALUES;

use crate::{
    field::{Field, fold},
    problem::{Code, Problem, shown},
    read::value_list,
    row::RowDraft,
};

/// An axis as a person writes it.
///
/// ```
/// # use tarim_sets::{Axis, AxisSpec};
/// let spec = AxisSpec { axis: "Steps".into(), values: "10-30 (+10), 50".into() };
/// let axis = Axis::parse(&spec)?;
/// assert_eq!((axis.len(), axis.label(3)), (4, "Steps: 50".to_owned()));
/// # Ok::<(), tarim_sets::Problem>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AxisSpec {
    /// A field by any of its names, `Prompt S/R`, or `Prompt order`; `Nothing` for no axis.
    pub axis: String,
    /// Its values, apart by commas, those with commas in quotation marks; numbers also as ranges.
    pub values: String,
}

/// What changes along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AxisKind {
    /// A field of the recipe.
    Field(Field),
    /// The first value is looked for in both prompts, and each value put in its place.
    PromptReplace,
    /// The values, which are in the prompt, in every order.
    PromptOrder,
}

/// An axis with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What changes.
    pub kind: AxisKind,
    /// The values; the parts for [`AxisKind::PromptOrder`].
    values: Vec<String>,
}

/// The most parts of a prompt that are put in every order: 8 have 40,320.
const MOST_PARTS: usize = 8;

impl Axis {
    /// The kinds of axis beside the fields.
    pub const OTHERS: [&'static str; 2] = ["Prompt S/R", "Prompt order"];

    /// Whether an axis stands for none.
    pub fn is_nothing(spec: &AxisSpec) -> bool {
        matches!(fold(&spec.axis).as_str(), "" | "nothing" | "none" | "无" | "無")
    }

    /// Reads an axis, and every value of it.
    pub fn parse(spec: &AxisSpec) -> Result<Self, Problem> {
        let kind = kind(&spec.axis)?;
        let in_axis = |problem: Problem| problem.in_column(spec.axis.trim());
        let values = values(kind, &spec.values).map_err(in_axis)?;
        if values.is_empty() {
            return Err(in_axis(
                Problem::error(Code::Empty, "the axis has no values").hint("write some, apart by commas"),
            ));
        }
        if values.len() > MAX_VALUES {
            let message = format!("the axis has {} values; {MAX_VALUES} are the most", values.len());
            return Err(in_axis(Problem::error(Code::TooMany, message)));
        }
        if kind == AxisKind::PromptOrder && values.len() > MOST_PARTS {
            let message = format!("{} parts have {} orders", values.len(), orders(values.len()));
            return Err(in_axis(
                Problem::error(Code::TooMany, message).hint(format!("name at most {MOST_PARTS} parts")),
            ));
        }
        if kind == AxisKind::PromptReplace && values.first().is_some_and(String::is_empty) {
            let problem = Problem::error(
                Code::NotFound,
                "the first value, which is looked for in the prompt, is empty",
            );
            return Err(in_axis(problem));
        }
        Ok(Self { kind, values })
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        match self.kind {
            AxisKind::PromptOrder => orders(self.values.len()) as usize,
            _ => self.values.len(),
        }
    }

    /// Never; an axis has a value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The axis' name, A1111's where it has one.
    pub fn name(&self) -> &'static str {
        match self.kind {
            AxisKind::PromptReplace => "Prompt S/R",
            AxisKind::PromptOrder => "Prompt order",
            AxisKind::Field(field) => label(field),
        }
    }

    /// What stands beside the pictures of a value, as in A1111's grids.
    pub fn label(&self, index: usize) -> String {
        let text = self.values.get(index).cloned().unwrap_or_default();
        match self.kind {
            AxisKind::PromptOrder => order::permutation(&self.values, index).join(", "),
            AxisKind::PromptReplace
            | AxisKind::Field(Field::Sampler | Field::Prompt | Field::NegativePrompt) => text,
            AxisKind::Field(Field::Model) => text.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
            AxisKind::Field(field) => {
                let shown = match text.parse::<f64>() {
                    // Noise of binary fractions says nothing to anybody.
                    Ok(value) if is_fraction(field) => ((value * 1e8).round() / 1e8).to_string(),
                    _ => text,
                };
                format!("{}: {shown}", self.name())
            }
        }
    }

    /// Puts a value into a row.
    fn apply(&self, index: usize, row: &mut RowDraft) -> Result<(), Problem> {
        let value = self.values.get(index).map_or("", String::as_str);
        let applied = match self.kind {
            AxisKind::Field(field) => {
                if field == Field::Model {
                    row.draft.model = None;
                }
                let applied = row.apply(field, value);
                row.put_loras();
                applied
            }
            AxisKind::PromptReplace => {
                let searched = self.values.first().map_or("", String::as_str);
                order::replace(row, searched, value)
            }
            AxisKind::PromptOrder => order::reorder(row, &order::permutation(&self.values, index)),
        };
        applied.map_err(|problem| problem.in_column(self.name()))
    }

    /// How much it costs to go from one value to the next: where it is most, it is done least often.
    fn cost(&self) -> u32 {
        match self.kind {
            AxisKind::Field(Field::Model | Field::ModelHash) => 100,
            AxisKind::Field(Field::Precision) => 90,
            AxisKind::Field(Field::Loras) => 50,
            // Pictures of one size are rendered together.
            AxisKind::Field(Field::Size | Field::Width | Field::Height) => 10,
            _ => 0,
        }
    }
}

fn orders(parts: usize) -> u128 {
    (1..=parts as u128).fold(1, u128::saturating_mul)
}

fn kind(name: &str) -> Result<AxisKind, Problem> {
    match fold(name).as_str() {
        "prompts/r"
        | "promptsearch/replace"
        | "promptsr"
        | "promptsearchreplace"
        | "提示词搜索/替换"
        | "提示词替换"
        | "提示詞搜尋/取代"
        | "提示詞替換"
        | "提示词s/r" => return Ok(AxisKind::PromptReplace),
        "promptorder" | "提示词顺序" | "提示詞順序" => return Ok(AxisKind::PromptOrder),
        _ => {}
    }
    let unknown = |message: String| Problem::error(Code::UnknownName, message).in_column(name.trim());
    let field = Field::find(name).ok_or_else(|| {
        let nearest = Field::nearest(name);
        let problem = unknown(format!("there is no axis {}", shown(name)));
        match nearest.first() {
            Some(first) => problem.hint(format!("did you mean {}?", nearest.join(", "))).fix(*first),
            None => {
                problem.hint("name a field such as Steps, CFG scale, Sampler, Model or Seed, or Prompt S/R")
            }
        }
    })?;
    // What does not change the picture cannot be compared.
    if field >= Field::Count && field != Field::TemplateSeed {
        return Err(unknown(format!(
            "{} does not change the picture, so there is nothing to compare",
            field.name()
        )));
    }
    Ok(AxisKind::Field(field))
}

fn is_whole(field: Field) -> bool {
    matches!(
        field,
        Field::Seed
            | Field::VariationSeed
            | Field::TemplateSeed
            | Field::Steps
            | Field::ClipSkip
            | Field::Width
            | Field::Height
            | Field::MaskBlur
            | Field::MaskPadding
    )
}

fn is_fraction(field: Field) -> bool {
    matches!(
        field,
        Field::GuidanceScale
            | Field::GuidanceRescale
            | Field::VariationStrength
            | Field::Eta
            | Field::Strength
            | Field::ImageGuidanceScale
    )
}

fn values(kind: AxisKind, text: &str) -> Result<Vec<String>, Problem> {
    let listed = value_list(text);
    let AxisKind::Field(field) = kind else { return Ok(listed) };
    let mut values = Vec::new();
    for value in listed {
        let numeric = is_whole(field) || is_fraction(field);
        if value.is_empty() && numeric {
            continue;
        }
        let plain = crate::value::plain(&value);
        let range = if is_whole(field) {
            range::integers(&plain)
        } else if is_fraction(field) {
            range::floats(&plain)
        } else {
            None
        };
        match range {
            Some(range) => values.extend(range?),
            None if numeric => values.push(plain),
            None => values.push(value),
        }
    }
    for value in &values {
        RowDraft::default().apply(field, value)?;
    }
    Ok(values)
}

/// A1111's name of an axis, or ours in its style.
fn label(field: Field) -> &'static str {
    match field {
        Field::Seed => "Seed",
        Field::VariationSeed => "Var. seed",
        Field::VariationStrength => "Var. strength",
        Field::Steps => "Steps",
        Field::GuidanceScale => "CFG Scale",
        Field::GuidanceRescale => "CFG Rescale",
        Field::ImageGuidanceScale => "Image CFG Scale",
        Field::Prompt => "Prompt",
        Field::NegativePrompt => "Negative prompt",
        Field::Sampler => "Sampler",
        Field::Model => "Checkpoint name",
        Field::Schedule => "Schedule type",
        Field::Eta => "Eta",
        Field::ClipSkip => "Clip skip",
        Field::Strength => "Denoising",
        Field::Styles => "Styles",
        Field::Loras => "LoRA",
        Field::NoiseSource => "RNG source",
        Field::Size => "Size",
        Field::Width => "Width",
        Field::Height => "Height",
        other => other.name(),
    }
}
