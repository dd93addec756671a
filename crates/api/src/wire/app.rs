//! The program as a whole: who it is, what state it is in.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::settings::Settings;

/// What the UI needs before it draws anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Hello {
    /// Tarim's version.
    pub version: String,
    /// The settings in force.
    pub settings: Settings,
    /// The library in use; `None` when it could not be opened, which a problem then explains.
    pub library: Option<LibraryInfo>,
    /// Whether nobody has gone through the welcome yet.
    pub first_run: bool,
    /// What stands in the way of work, worst first.
    pub problems: Vec<Problem>,
    /// What this door may do.
    pub allowed: Allowed,
}

/// The library in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LibraryInfo {
    /// Its folder, for people.
    pub folder: String,
    /// Pictures in it, without the trash.
    pub pictures: u32,
    /// Pictures in the trash.
    pub trashed: u32,
    /// Requests in the history.
    pub requests: u32,
    /// Bytes that are free on its disk, where that is known.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<f64>,
}

/// Something that a person should know about and do something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// The key of a translated headline: `library_read_only`, `library_rebuilt`, `renderer_missing`, …
    pub code: String,
    /// What is wrong, in English.
    pub message: String,
    /// What to do next, in English.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What a door may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Allowed {
    /// Choose folders of this machine (library, models): the window and the loopback door may, others may not.
    pub choose_folders: bool,
    /// Show a file in the file manager.
    pub reveal: bool,
}
