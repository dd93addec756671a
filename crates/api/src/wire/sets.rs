//! Prompt sets: tables of what is to be drawn, comparisons, and their runs.

use serde::{Deserialize, Serialize};
use tarim_sets::{Defaults, Field, Problem as RowProblem, TemplateMode};
use ts_rs::TS;

use super::{Millis, Remark};
use crate::error::WireError;
use crate::wire::app::Problem;

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

/// A page of something of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PageRows {
    /// Which set.
    pub id: String,
    /// How many rows to skip.
    #[serde(default)]
    pub offset: u32,
    /// How many at most; 2000 are possible.
    pub limit: u32,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetRow {
    /// Its id in the set, which it keeps.
    #[ts(type = "number")]
    pub row: i64,
    /// A cell for each column.
    pub cells: Vec<String>,
}

/// Rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RowsPage {
    /// In their order.
    pub rows: Vec<SetRow>,
    /// How many the set has.
    pub total: u32,
    /// See [`SetDetail::revision`].
    pub revision: f64,
}

/// One step of an edit. Rows are named by their ids, columns by their place in the order of columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case")]
#[ts(optional_fields)]
pub enum SetEdit {
    /// Other texts in cells.
    Cells {
        /// The cells.
        cells: Vec<CellText>,
    },
    /// A block of cells, from a row and column on; rows and columns that it needs are added at the end.
    Paste {
        /// The first row; behind the last one when absent.
        #[ts(optional, type = "number")]
        #[serde(default)]
        row: Option<i64>,
        /// The first column.
        column: u32,
        /// The texts, row by row.
        lines: Vec<Vec<String>>,
    },
    /// The cells of the first row of these in the others.
    FillDown {
        /// The rows.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
        /// In which columns.
        columns: Vec<u32>,
    },
    /// Empty cells.
    Clear {
        /// In these rows …
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
        /// … and columns.
        columns: Vec<u32>,
    },
    /// New rows.
    InsertRows {
        /// Behind this one; in front of all when absent.
        #[ts(optional, type = "number")]
        #[serde(default)]
        behind: Option<i64>,
        /// Their cells.
        rows: Vec<Vec<String>>,
    },
    /// New rows at the end.
    AppendRows {
        /// Their cells.
        rows: Vec<Vec<String>>,
    },
    /// Copies of rows, each behind its original.
    DuplicateRows {
        /// Which.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
    },
    /// Rows that go.
    DeleteRows {
        /// Which.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
    },
    /// Rows that move, in this order.
    MoveRows {
        /// Which.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
        /// Behind this one; in front of all when absent.
        #[ts(optional, type = "number")]
        #[serde(default)]
        behind: Option<i64>,
    },
    /// A new column.
    AddColumn {
        /// Its header.
        name: String,
        /// Its place; at the end when absent.
        #[serde(default)]
        at: Option<u32>,
    },
    /// Another header.
    RenameColumn {
        /// Which.
        column: u32,
        /// The header.
        name: String,
    },
    /// Another place.
    MoveColumn {
        /// Which.
        column: u32,
        /// Where it is to stand.
        to: u32,
    },
    /// A column that goes.
    DeleteColumn {
        /// Which.
        column: u32,
    },
}

/// A text for a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CellText {
    /// The row's id.
    #[ts(type = "number")]
    pub row: i64,
    /// The column's place.
    pub column: u32,
    /// The text.
    pub text: String,
}

/// Edit a set: all steps, or none. It can be taken back as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EditSet {
    /// Which set.
    pub id: String,
    /// The key of a translated word for what is done: `paste`, `fill_down`, …
    pub label: String,
    /// The steps.
    pub edits: Vec<SetEdit>,
}

/// An edited set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EditedSet {
    /// The set as it is now.
    pub set: SetDetail,
    /// The ids of rows that were added, in their order.
    #[ts(type = "Array<number>")]
    pub added: Vec<i64>,
}

/// What is wrong with a page of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RowsCheck {
    /// What is wrong with the columns.
    pub header: Vec<RowProblem>,
    /// What is wrong in these rows. `row_id` names the row, `column` the header.
    pub problems: Vec<RowProblem>,
    /// How many pictures each of these rows asks for, exactly, in decimal digits; absent for rows that cannot run.
    pub pictures: Vec<RowPictures>,
    /// See [`SetDetail::revision`].
    pub revision: f64,
}

/// How many pictures a row asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowPictures {
    /// The row's id.
    #[ts(type = "number")]
    pub row: i64,
    /// How many, in decimal digits.
    pub pictures: String,
}

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

/// When and how a set is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(optional_fields)]
pub struct RunOptions {
    /// The run's name; the set's when absent.
    pub name: Option<String>,
    /// Only these rows, by their ids.
    #[ts(optional, type = "Array<number>")]
    pub rows: Option<Vec<i64>>,
    /// Draw also what exists.
    pub again: bool,
    /// Draw also what exists in the trash alone.
    pub replace_trashed: bool,
    /// New seeds for rows without one. Later runs keep them.
    pub new_seeds: bool,
    /// Tags for all pictures.
    pub tags: Vec<String>,
    /// The project, for rows that name none.
    pub project: Option<String>,
    /// Higher goes first; 0 is usual.
    pub priority: i32,
    /// Begin no picture that would not be done by then.
    pub finish_by: Option<Millis>,
    /// Begin none while the machine runs on its battery.
    pub spare_battery: bool,
    /// Begin none while somebody works at the machine.
    pub spare_user: bool,
}

/// Ask what a run would be, or begin it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RunSet {
    /// Which set.
    pub id: String,
    /// How.
    #[serde(default)]
    pub options: RunOptions,
}

/// A time with its range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SecondsRange {
    /// At best.
    pub low: f64,
    /// Most likely.
    pub likely: f64,
    /// At worst.
    pub high: f64,
}

/// A model that a run uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlannedModel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many pictures it draws.
    pub pictures: u32,
    /// Whether it is in memory now.
    pub loaded: bool,
    /// Whether its content is known; until then pictures of it that exist are not recognised.
    pub hashed: bool,
}

/// What a run would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Plan {
    /// Rows in the set, or cells of the comparison.
    pub rows: u32,
    /// Rows that run.
    pub ready: u32,
    /// Rows that cannot run.
    pub bad: u32,
    /// Blank rows, and those that are switched off.
    pub off: u32,
    /// Pictures that the rows ask for, exactly, in decimal digits.
    pub pictures: String,
    /// Pictures that would be drawn.
    pub new: u32,
    /// Pictures that are in the library already.
    pub existing: u32,
    /// Pictures that are in its trash.
    pub trashed: u32,
    /// Pictures that are in the queue already.
    pub queued: u32,
    /// Pictures that another row asks for too.
    pub duplicates: u32,
    /// Why it cannot be run at all.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<WireError>,
    /// How long drawing takes; absent while nothing comparable was measured.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<SecondsRange>,
    /// How long the queue takes that is in front of it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_ahead: Option<f64>,
    /// How many pictures are done by the time that was asked for.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_by: Option<u32>,
    /// Room that the pictures will roughly take, in bytes.
    pub bytes: f64,
    /// Room that is free.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<f64>,
    /// The models, most pictures first.
    pub models: Vec<PlannedModel>,
    /// What is wrong, errors first: the first 1000.
    pub problems: Vec<RowProblem>,
    /// How many errors there are.
    pub errors: u32,
    /// How many warnings there are.
    pub warnings: u32,
    /// What stands in the way of the run as a whole or of its conditions.
    pub remarks: Vec<Problem>,
}

/// A run that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RunStarted {
    /// The run.
    pub batch: Batch,
}

/// Why no picture of a run is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Somebody paused it.
    Paused,
    /// The time until which it should run is over.
    Time,
    /// The machine runs on its battery.
    Battery,
    /// Somebody works at the machine.
    InUse,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Its rows are being put into the queue.
    Submitting,
    /// Pictures wait, none is drawn right now.
    Waiting,
    /// Pictures are drawn.
    Running,
    /// No picture is begun; see [`Batch::hold`].
    Held,
    /// Nothing is left to do.
    Finished,
}

/// A run of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// The set, which may be gone.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// What the set is.
    pub kind: SetKind,
    /// Its name.
    pub name: String,
    /// When it was begun.
    pub created: Millis,
    /// Where it is.
    pub state: BatchState,
    /// Why no picture is begun.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// See [`RunOptions::finish_by`].
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_by: Option<Millis>,
    /// See [`RunOptions::spare_battery`].
    pub spare_battery: bool,
    /// See [`RunOptions::spare_user`].
    pub spare_user: bool,
    /// Pictures that were put into the queue.
    pub pictures: u32,
    /// Pictures that were not, because they exist.
    pub skipped: u32,
    /// Pictures that wait.
    pub waiting: u32,
    /// Pictures in work.
    pub running: u32,
    /// Pictures that are done.
    pub done: u32,
    /// Pictures that failed.
    pub failed: u32,
    /// Pictures that were cancelled.
    pub cancelled: u32,
    /// Pictures a minute, lately.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<f64>,
    /// Seconds until it is done, as far as that can be told.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
    /// When its first picture was begun.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Millis>,
    /// When its last picture ended.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Millis>,
}

/// Pictures that failed for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct BatchFailure {
    /// The reason.
    pub error: WireError,
    /// How many.
    pub count: u32,
    /// The rows' ids, at most 100.
    #[ts(type = "Array<number>")]
    pub rows: Vec<i64>,
    /// One of the jobs.
    pub job: String,
}

/// Everything about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct BatchDetail {
    /// The run.
    pub batch: Batch,
    /// Why pictures failed, the most frequent reason first.
    pub failures: Vec<BatchFailure>,
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(optional_fields)]
pub struct ListBatches {
    /// Of this set; of all when absent.
    pub set: Option<String>,
    /// How many to skip.
    pub offset: u32,
    /// How many at most; 100 when 0.
    pub limit: u32,
}

/// Runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Batches {
    /// The newest first.
    pub batches: Vec<Batch>,
}

/// Pause a run, or let it go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PauseBatch {
    /// Which run.
    pub id: String,
    /// Whether no picture of it is begun.
    pub paused: bool,
}

/// Change when a run may begin pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(optional_fields)]
pub struct ChangeBatch {
    /// Which run.
    pub id: String,
    /// See [`RunOptions::finish_by`]; absent for no such time.
    #[serde(default)]
    pub finish_by: Option<Millis>,
    /// See [`RunOptions::spare_battery`].
    #[serde(default)]
    pub spare_battery: bool,
    /// See [`RunOptions::spare_user`].
    #[serde(default)]
    pub spare_user: bool,
}

/// Queue failed pictures of a run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RetryBatch {
    /// Which run.
    pub id: String,
    /// The cancelled ones too.
    #[serde(default)]
    pub cancelled: bool,
}

/// Ask for finished pictures of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PageBatch {
    /// Which run.
    pub id: String,
    /// How many to skip.
    #[serde(default)]
    pub offset: u32,
    /// How many at most; 1000 are possible.
    pub limit: u32,
}

/// Finished pictures of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BatchPictures {
    /// The last finished first; `find_pictures` tells more of them.
    pub pictures: Vec<BatchPicture>,
}

/// A finished picture of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(optional_fields)]
pub struct BatchPicture {
    /// Its id.
    pub id: String,
    /// The row's id.
    #[ts(optional, type = "number")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<i64>,
    /// Its number among the row's pictures, from 0.
    pub number: u32,
}

/// A comparison's grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Grid {
    /// The axes that there are: x, y, z.
    pub axes: Vec<GridAxis>,
    /// The pictures: x fastest, z slowest; an empty text where there is none yet.
    pub pictures: Vec<String>,
    /// What is the same in all of them.
    pub prompt: String,
}

/// An axis of a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GridAxis {
    /// Its name.
    pub name: String,
    /// Its values' labels.
    pub values: Vec<String>,
}
