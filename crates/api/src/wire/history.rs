//! Every request that was ever made.

use serde::{Deserialize, Serialize};
use tarim_recipe::Draft;
use ts_rs::TS;

use super::{Millis, Remark, gallery::PictureSummary};

/// Ask for a page of the history, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HistoryQuery {
    /// The same query language as the gallery's, with `outcome:`.
    #[serde(default)]
    pub query: String,
    /// The `next` of the page before.
    #[ts(optional)]
    #[serde(default)]
    pub after: Option<String>,
    /// At most this many, 1 to 200.
    pub limit: u32,
}

/// A page of the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct HistoryPage {
    /// Requests, latest first.
    pub entries: Vec<HistoryEntry>,
    /// Where the next page begins; absent at the end.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Remarks on the query.
    pub remarks: Vec<Remark>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct HistoryEntry {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created: Millis,
    /// The prompt that was encoded.
    pub prompt: String,
    /// The template it was resolved from, where there was one.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The negative prompt.
    pub negative_prompt: String,
    /// The model's name.
    pub model: String,
    /// Pictures asked for.
    pub count: u32,
    /// All settings as they were submitted, filled in; to be restored whole or in part.
    pub draft: Draft,
    /// What became of its pictures.
    pub outcome: Outcome,
    /// Its pictures that are still there, at most 12.
    pub pictures: Vec<PictureSummary>,
    /// The project.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Which door it came through: `window`, `browser`, `cli`.
    pub origin: String,
    /// Why pictures failed, each reason once.
    pub errors: Vec<String>,
}

/// What became of a request's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Outcome {
    /// Still waiting.
    pub queued: u32,
    /// Being rendered.
    pub running: u32,
    /// Finished.
    pub done: u32,
    /// Failed.
    pub failed: u32,
    /// Cancelled.
    pub cancelled: u32,
}
