//! What crosses the wire: plain values with serde and TypeScript declarations, and nothing else.
//!
//! Ids are strings (UUIDs), file contents are SHA-256 in lower-case hex, times are milliseconds since 1970 (UTC),
//! places in texts are UTF-16 offsets, as JavaScript counts.

pub mod app;
pub mod create;
pub mod farm;
pub mod gallery;
pub mod history;
pub mod library;
pub mod models;
pub mod queue;
pub mod sets;
pub mod settings;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Nothing to say, nothing to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Empty {}

/// Milliseconds since 1970-01-01T00:00Z.
pub type Millis = f64;

/// A remark about a place in a text that was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Remark {
    /// Where it begins, in UTF-16 units.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
    /// The kind; the key of a translated message.
    pub code: String,
    /// How bad.
    pub severity: RemarkSeverity,
    /// In English.
    pub message: String,
    /// What may have been meant, to be put in the place's stead.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// How bad a remark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RemarkSeverity {
    /// Legal, and perhaps not what was meant.
    Hint,
    /// Broken or without effect.
    Warning,
}

/// Pictures or requests named one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Ids {
    /// Their ids.
    pub ids: Vec<String>,
}

/// One thing by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Id {
    /// Its id.
    pub id: String,
}

/// How many things a command changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Changed {
    /// That many.
    pub changed: u32,
}
