//! Between what crosses the wire and what the service speaks of.

use std::path::Path;

use tarim_library::{Derivation as LibraryDerivation, Flag as LibraryFlag, Id, LibraryError};
use tarim_studio as studio;
use tarim_studio::{ErrorKind, StudioError};

use crate::error::{ErrorCode, WireError};
use crate::events::{JobEnd, StudioEvent, Topic};
use crate::wire::{app, create, gallery, library, queue};

impl From<StudioError> for WireError {
    fn from(error: StudioError) -> Self {
        let code = match error.kind {
            ErrorKind::BadInput => ErrorCode::BadInput,
            ErrorKind::NotFound => ErrorCode::NotFound,
            ErrorKind::Conflict => ErrorCode::Conflict,
            ErrorKind::Model => ErrorCode::Model,
            ErrorKind::Device => ErrorCode::Device,
            ErrorKind::Renderer => ErrorCode::Renderer,
            ErrorKind::OutOfMemory => ErrorCode::OutOfMemory,
            ErrorKind::DiskFull => ErrorCode::DiskFull,
            ErrorKind::ReadOnly => ErrorCode::ReadOnly,
            ErrorKind::Io => ErrorCode::Io,
            ErrorKind::LibraryDamaged => ErrorCode::LibraryDamaged,
            ErrorKind::LibraryNewer => ErrorCode::LibraryNewer,
            ErrorKind::Internal => ErrorCode::Internal,
        };
        Self { code, message: error.message, hint: error.hint }
    }
}

impl From<LibraryError> for WireError {
    fn from(error: LibraryError) -> Self {
        StudioError::from(error).into()
    }
}

impl From<studio::Problem> for app::Problem {
    fn from(problem: studio::Problem) -> Self {
        Self { code: problem.code, message: problem.message, hint: problem.hint }
    }
}

/// An id as a door was given it.
pub(crate) fn id(text: &str) -> Result<Id, WireError> {
    // The common spelling alone, so that one thing has one address.
    let parsed = if text.len() == 36 { text.parse().ok() } else { None };
    parsed.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        WireError::new(ErrorCode::BadInput, format!("`{shown}` is no id"))
    })
}

pub(crate) fn ids(texts: &[String]) -> Result<Vec<Id>, WireError> {
    texts.iter().map(|text| id(text)).collect()
}

/// How many, on the wire.
pub(crate) fn count(number: impl TryInto<u32>) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl From<LibraryFlag> for gallery::Flag {
    fn from(flag: LibraryFlag) -> Self {
        match flag {
            LibraryFlag::None => Self::None,
            LibraryFlag::Pick => Self::Pick,
            LibraryFlag::Reject => Self::Reject,
        }
    }
}

impl From<gallery::Flag> for LibraryFlag {
    fn from(flag: gallery::Flag) -> Self {
        match flag {
            gallery::Flag::None => Self::None,
            gallery::Flag::Pick => Self::Pick,
            gallery::Flag::Reject => Self::Reject,
        }
    }
}

impl From<LibraryDerivation> for create::Derivation {
    fn from(derivation: LibraryDerivation) -> Self {
        match derivation {
            LibraryDerivation::Variation => Self::Variation,
            LibraryDerivation::Img2Img => Self::Img2img,
            LibraryDerivation::Inpaint => Self::Inpaint,
            LibraryDerivation::Outpaint => Self::Outpaint,
            LibraryDerivation::Upscale => Self::Upscale,
            LibraryDerivation::Crop => Self::Crop,
            LibraryDerivation::Rerun => Self::Rerun,
        }
    }
}

impl From<create::Derivation> for LibraryDerivation {
    fn from(derivation: create::Derivation) -> Self {
        match derivation {
            create::Derivation::Variation => Self::Variation,
            create::Derivation::Img2img => Self::Img2Img,
            create::Derivation::Inpaint => Self::Inpaint,
            create::Derivation::Outpaint => Self::Outpaint,
            create::Derivation::Upscale => Self::Upscale,
            create::Derivation::Crop => Self::Crop,
            create::Derivation::Rerun => Self::Rerun,
        }
    }
}

impl From<studio::Event> for StudioEvent {
    fn from(event: studio::Event) -> Self {
        match event {
            studio::Event::Changed(topics) => {
                Self::Changed { topics: topics.into_iter().map(Topic::from).collect() }
            }
            studio::Event::Progress(progress) => Self::Progress(progress.into()),
            studio::Event::JobEnded { job, request, end } => {
                let end = match end {
                    studio::JobEnd::Done { seconds } => JobEnd::Done { seconds },
                    studio::JobEnd::Failed(error) => JobEnd::Failed { error: error.into() },
                    studio::JobEnd::Cancelled => JobEnd::Cancelled,
                    studio::JobEnd::Requeued => JobEnd::Requeued,
                };
                Self::JobEnded { job, request, end }
            }
            studio::Event::Task(task) => Self::Task(library::TaskProgress {
                task: task.task,
                work: match task.kind {
                    studio::TaskKind::Rebuild => library::TaskKind::Rebuild,
                    studio::TaskKind::Reconcile => library::TaskKind::Reconcile,
                    studio::TaskKind::ScanModels => library::TaskKind::ScanModels,
                    studio::TaskKind::HashModel => library::TaskKind::HashModel,
                },
                done: task.done,
                total: task.total,
                finished: task.finished,
                problems: task.problems,
            }),
            studio::Event::Notice(problem) => Self::Notice(problem.into()),
        }
    }
}

impl From<studio::Topic> for Topic {
    fn from(topic: studio::Topic) -> Self {
        match topic {
            studio::Topic::Pictures => Self::Pictures,
            studio::Topic::Collections => Self::Collections,
            studio::Topic::History => Self::History,
            studio::Topic::Queue => Self::Queue,
            studio::Topic::Models => Self::Models,
            studio::Topic::Settings => Self::Settings,
            studio::Topic::Sets => Self::Sets,
            studio::Topic::Library => Self::Library,
        }
    }
}

impl From<studio::JobProgress> for queue::JobProgress {
    fn from(progress: studio::JobProgress) -> Self {
        let stage = match progress.stage {
            studio::JobStage::Starting => queue::JobStage::Starting,
            studio::JobStage::LoadingModel => queue::JobStage::LoadingModel,
            studio::JobStage::Encoding => queue::JobStage::Encoding,
            studio::JobStage::Sampling => queue::JobStage::Sampling,
            studio::JobStage::Decoding => queue::JobStage::Decoding,
            studio::JobStage::Saving => queue::JobStage::Saving,
        };
        Self {
            job: progress.job,
            request: progress.request,
            stage,
            step: progress.step,
            steps: progress.steps,
            preview: progress.preview,
            seconds_left: progress.seconds_left,
        }
    }
}
