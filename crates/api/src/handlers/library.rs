//! The library as files.

use super::Answer;
use crate::dispatch::Door;
use crate::wire::{Empty, library::TaskStarted};

pub(crate) fn rebuild_library(door: &Door<'_>, _: Empty) -> Answer<TaskStarted> {
    Ok(TaskStarted { task: door.studio.rebuild()? })
}

pub(crate) fn reconcile_library(door: &Door<'_>, _: Empty) -> Answer<TaskStarted> {
    Ok(TaskStarted { task: door.studio.reconcile()? })
}
