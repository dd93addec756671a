//! Plans and runs of prompt sets, and the grids of comparisons.

use serde::{Deserialize, Serialize};
use tarim_sets::Problem as RowProblem;
use ts_rs::TS;

use super::SetKind;
use crate::error::WireError;
use crate::wire::Millis;
use crate::wire::app::Problem;

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
