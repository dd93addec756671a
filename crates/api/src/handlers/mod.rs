//! What each command does: asks the service, and puts its answer into words of the wire.

// Every handler has the shape that the table of commands calls: it owns its request and may fail.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

pub(crate) mod app;
pub(crate) mod create;
pub(crate) mod derive;
pub(crate) mod farm;
pub(crate) mod gallery;
pub(crate) mod history;
pub(crate) mod library;
pub(crate) mod models;
pub(crate) mod queue;
pub(crate) mod sets;
pub(crate) mod settings;

use crate::dispatch::Door;
use crate::error::{ErrorCode, WireError};

/// What every handler returns.
pub(crate) type Answer<T> = Result<T, WireError>;

/// Refuses what is for people at this machine alone.
pub(crate) fn need_folders(door: &Door<'_>) -> Answer<()> {
    if door.caller.allowed.choose_folders {
        return Ok(());
    }
    Err(WireError::new(ErrorCode::NotAllowed, "folders of this machine cannot be chosen from here")
        .hint("do it in the window, or with `tarim` on the machine itself"))
}
