//! What can go wrong, in kinds that a reader tells apart, with advice.

use std::io;

use tarim_render::{Failure, FailureCode, RenderError};

/// A result of the studio.
pub type Result<T, E = StudioError> = std::result::Result<T, E>;

/// Why something could not be done: what kind for programs, what for people, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StudioError {
    /// The kind.
    pub kind: ErrorKind,
    /// What was wrong and where.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// Kinds of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A value, text or file cannot be used as asked.
    BadInput,
    /// The thing named is not there (any more).
    NotFound,
    /// It cannot be done in this state.
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
    /// A fault in Tarim.
    Internal,
}

impl ErrorKind {
    /// Its name in rows and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadInput => "bad_input",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Model => "model",
            Self::Device => "device",
            Self::Renderer => "renderer",
            Self::OutOfMemory => "out_of_memory",
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "read_only",
            Self::Io => "io",
            Self::LibraryDamaged => "library_damaged",
            Self::LibraryNewer => "library_newer",
            Self::Internal => "internal",
        }
    }

    /// The kind of that name; [`Self::Internal`] for one that is not known.
    pub fn from_name(name: &str) -> Self {
        [
            Self::BadInput,
            Self::NotFound,
            Self::Conflict,
            Self::Model,
            Self::Device,
            Self::Renderer,
            Self::OutOfMemory,
            Self::DiskFull,
            Self::ReadOnly,
            Self::Io,
            Self::LibraryDamaged,
            Self::LibraryNewer,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
        .unwrap_or(Self::Internal)
    }
}

impl StudioError {
    /// An error without advice.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An error with its causes after colons.
    pub fn caused(kind: ErrorKind, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Errors that pass a cause's text on say it only once.
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self::new(kind, message)
    }

    /// A file that could not be read or written: `what` says which, and what was tried.
    pub fn io(what: impl std::fmt::Display, error: &io::Error) -> Self {
        let (kind, hint) = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                (ErrorKind::DiskFull, Some("free some space on that disk"))
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                (ErrorKind::ReadOnly, Some("check the permissions of the folder, or choose another one"))
            }
            io::ErrorKind::NotFound => (ErrorKind::NotFound, None),
            _ => (ErrorKind::Io, None),
        };
        Self { kind, message: format!("{what}: {error}"), hint: hint.map(str::to_owned) }
    }
}

impl From<Failure> for StudioError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.code {
            FailureCode::BadInput => ErrorKind::BadInput,
            FailureCode::Model => ErrorKind::Model,
            FailureCode::Device => ErrorKind::Device,
            FailureCode::OutOfMemory => ErrorKind::OutOfMemory,
            FailureCode::Crashed | FailureCode::Stopped => ErrorKind::Renderer,
            _ => ErrorKind::Internal,
        };
        Self { kind, message: failure.message, hint: failure.hint }
    }
}

impl From<RenderError> for StudioError {
    fn from(error: RenderError) -> Self {
        error.to_failure().into()
    }
}

/// Something that a person should know about and do something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key of a translated headline: `library_read_only`, `renderer_missing`, …
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Problem {
    /// An error, under a headline.
    pub fn of(code: impl Into<String>, error: StudioError) -> Self {
        Self { code: code.into(), message: error.message, hint: error.hint }
    }
}
