//! What templates and axes stand for.

use serde::{Deserialize, Serialize};
use tarim_sets::{Problem as RowProblem, TemplateMode};
use ts_rs::TS;

use super::AxisText;
use crate::wire::Remark;

/// Ask what a template makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PreviewTemplate {
    /// The template.
    pub text: String,
    /// How it is expanded.
    #[ts(optional)]
    #[serde(default)]
    pub mode: Option<TemplateMode>,
    /// The seed of its draws, in decimal digits.
    #[ts(optional)]
    #[serde(default)]
    pub seed: Option<String>,
    /// How many examples; 100 are possible.
    pub examples: u32,
    /// How many examples to skip.
    #[serde(default)]
    pub offset: u32,
}

/// What a template makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TemplatePreview {
    /// Whether it is more than a plain prompt.
    pub is_template: bool,
    /// How many combinations there are, in decimal digits.
    pub combinations: String,
    /// Prompts that come of it.
    pub examples: Vec<String>,
    /// Remarks by place.
    pub remarks: Vec<Remark>,
}

/// Where texts that templates draw from come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Wildcards {
    /// The folder, on this machine.
    pub folder: String,
    /// Their names, with the number of values of each.
    pub wildcards: Vec<Wildcard>,
    /// What in the folder cannot be read.
    pub problems: Vec<String>,
}

/// A list of texts that templates draw from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Wildcard {
    /// Its name, as `__name__` says it.
    pub name: String,
    /// How many values it has.
    pub values: u32,
}

/// Read an axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReadAxis {
    /// The axis.
    pub axis: AxisText,
    /// The draft under the comparison: what is searched must be in its prompt.
    #[ts(optional)]
    #[serde(default)]
    pub prompt: Option<String>,
}

/// An axis that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AxisPreview {
    /// Its name, as the grid shows it.
    pub name: String,
    /// Its values' labels.
    pub values: Vec<String>,
    /// What is wrong with it.
    pub problems: Vec<RowProblem>,
}
