//! Errors as they cross the wire.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a command failed: what kind for programs, what for people, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// The kind; the key of a translated headline.
    pub code: ErrorCode,
    /// What was wrong and where, in English.
    pub message: String,
    /// What to do next, in English.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Kinds of error that a reader tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A value, text or file cannot be used as asked.
    BadInput,
    /// The thing named is not there (any more).
    NotFound,
    /// It cannot be done in this state, such as restoring what is not in the trash.
    Conflict,
    /// The model is not there, damaged, or of a kind that is not supported.
    Model,
    /// The device asked for is not there.
    Device,
    /// The renderer program is missing, does not fit its libtorch, or crashed.
    Renderer,
    /// Memory ran out.
    OutOfMemory,
    /// The disk is full or a quota is used up.
    DiskFull,
    /// A folder or file may not be written.
    ReadOnly,
    /// A file cannot be read or written for another reason.
    Io,
    /// The library's index is damaged.
    LibraryDamaged,
    /// The library was written by a newer Tarim.
    LibraryNewer,
    /// This door does not offer that, such as choosing folders of the machine from a browser.
    NotAllowed,
    /// No such command.
    UnknownCommand,
    /// A fault in Tarim.
    Internal,
}

impl WireError {
    /// An error without advice.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
