//! The library as files.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Long work on the library that was begun; its progress comes as events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TaskStarted {
    /// The task's id.
    pub task: String,
}

/// Long work that is not a render.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TaskProgress {
    /// The task's id.
    pub task: String,
    /// What it is. Not `kind`, which tells events apart.
    pub work: TaskKind,
    /// Items done.
    pub done: u32,
    /// Items in all, where that is known.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Whether it has ended.
    pub finished: bool,
    /// What could not be done, in English.
    pub problems: Vec<String>,
}

/// Kinds of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Making the index again from the files.
    Rebuild,
    /// Looking for files that were moved, renamed, deleted or added.
    Reconcile,
    /// Looking for models.
    ScanModels,
    /// Computing a model's hash.
    HashModel,
}
