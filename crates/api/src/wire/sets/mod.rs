//! Prompt sets: tables of what is to be drawn, comparisons, and their runs.

mod runs;
mod table;
mod templates;

use serde::{Deserialize, Serialize};
use tarim_sets::{Defaults, Field, Problem as RowProblem};
use ts_rs::TS;

use crate::wire::Millis;

pub use runs::*;
pub use table::*;
pub use templates::*;

/// What a set is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SetKind {
    /// A table: each row asks for pictures.
    #[default]
    Table,
    /// A comparison: one draft, changed along axes.
    Grid,
}

/// Which sets to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListSets {
    /// Those in the trash instead.
    #[serde(default)]
    pub trashed: bool,
}

/// Sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetList {
    /// The last changed first.
    pub sets: Vec<SetSummary>,
}

/// A set in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SetSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SetKind,
    /// How many rows it has.
    pub rows: u32,
    /// When it was made.
    pub created: Millis,
    /// When it was changed last.
    pub changed: Millis,
}

impl Eq for SetSummary {}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetColumn {
    /// The header, as its author wrote it.
    pub name: String,
    /// What it means; absent for a column that is only kept.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
}

/// An axis of a comparison, as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AxisText {
    /// The field, by any of its names; `prompt_sr` for search and replace in the prompt.
    pub field: String,
    /// Its values in A1111's notation: a list, `1-10 (+2)`, `1-10 [5]`.
    pub values: String,
}

/// A set without its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SetDetail {
    /// What a list shows.
    pub summary: SetSummary,
    /// Its columns, in their order.
    pub columns: Vec<SetColumn>,
    /// What holds for every row that says nothing else; the draft under a comparison.
    pub defaults: Defaults,
    /// The model for rows that name none; the default model when absent.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The template of files' names; the settings' one when absent.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// The axes of a comparison: x, y, z.
    pub axes: Vec<AxisText>,
    /// Another number after every edit.
    pub revision: f64,
    /// What would be taken back.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// What would be made again.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redo: Option<String>,
}

/// Make a set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct CreateSet {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SetKind,
    /// Its columns' headers; `prompt`, `negative_prompt` and `seed` when there are none.
    pub columns: Vec<String>,
    /// Its rows' cells.
    pub rows: Vec<Vec<String>>,
    /// What holds for every row; the draft under a comparison.
    pub defaults: Defaults,
    /// The axes of a comparison: x, y, z.
    pub axes: Vec<AxisText>,
}

/// Where rows of a file go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportInto {
    /// Behind the rows that are there.
    #[default]
    Append,
    /// In their place, columns included.
    Replace,
}

/// Read a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportSet {
    /// The file's name, whose ending says what it is.
    pub file_name: String,
    /// Its bytes in Base64.
    pub bytes: String,
    /// The sheet of a workbook; the first one with rows when absent.
    #[ts(optional)]
    #[serde(default)]
    pub sheet: Option<String>,
    /// The set that it goes into; a new one of the file's name when absent.
    #[ts(optional)]
    #[serde(default)]
    pub set: Option<String>,
    /// How it goes into that set.
    #[serde(default)]
    pub into: ImportInto,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportedSet {
    /// The set.
    pub set: SetDetail,
    /// Rows that were read.
    pub rows: u32,
    /// What it was: `csv`, `xlsx`, …
    pub format: String,
    /// Its encoding and separator, its sheet: what a person may want to check.
    pub notes: Vec<String>,
    /// The sheets of a workbook.
    pub sheets: Vec<String>,
    /// What is wrong with the file: the first 1000.
    pub problems: Vec<RowProblem>,
    /// How many problems there are.
    pub problems_total: u32,
}

/// Give a set another name, or a copy of it one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NameSet {
    /// Which set.
    pub id: String,
    /// The name.
    pub name: String,
}

/// Change what holds for all rows. What is absent stays; an empty text takes a value away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ChangeSet {
    /// Which set.
    pub id: String,
    /// See [`SetDetail::defaults`].
    #[ts(optional)]
    #[serde(default)]
    pub defaults: Option<Defaults>,
    /// See [`SetDetail::model`].
    #[ts(optional)]
    #[serde(default)]
    pub model: Option<String>,
    /// See [`SetDetail::names`].
    #[ts(optional)]
    #[serde(default)]
    pub names: Option<String>,
    /// See [`SetDetail::axes`].
    #[ts(optional)]
    #[serde(default)]
    pub axes: Option<Vec<AxisText>>,
}
