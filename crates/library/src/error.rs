//! What can go wrong with a library as a whole.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use crate::{id::Id, picture::WriteError, pixels::LoadError};

/// Why a library did not do as asked. [`hint`](Self::hint) says what can be done, [`code`](Self::code) is for programs.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The folder cannot be made or used.
    #[error("the folder cannot be used ({source}): {}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file or folder may not be written.
    #[error("the folder cannot be written to: {}", .path.display())]
    ReadOnly {
        /// The folder or file.
        path: PathBuf,
    },
    /// There is no room.
    #[error("the disk is full: {}", .path.display())]
    Full {
        /// Something on that disk.
        path: PathBuf,
    },
    /// The index was written by a newer program.
    #[error("the library's index has version {found} and this Tarim knows versions up to {known}: {}", .path.display())]
    NewerVersion {
        /// Its version.
        found: u32,
        /// The newest that is known here.
        known: u32,
        /// The database.
        path: PathBuf,
    },
    /// Another process holds the database for longer than anyone should wait.
    #[error("another program is busy with the library: {}", .path.display())]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// The database is damaged, found after it was opened.
    #[error("the library's index is damaged ({reason}): {}", .path.display())]
    Damaged {
        /// What SQLite says.
        reason: String,
        /// The database.
        path: PathBuf,
    },
    /// Any other failure of the database.
    #[error("the library's index answered: {source}")]
    Database {
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// There is no such picture, job or request.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `picture`, `job`, `request`, …
        what: &'static str,
        /// Its id.
        id: Id,
    },
    /// The picture is in the trash, where nothing is done to it.
    #[error("the picture {id} is in the trash")]
    InTrash {
        /// Its id.
        id: Id,
    },
    /// There is no project, tag or collection of that name.
    #[error("there is no {what} named `{name}`")]
    NoSuchName {
        /// `project`, `tag`, `collection`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name that cannot be used.
    #[error("the {what} name cannot be used ({reason}): `{name:.80}`")]
    BadName {
        /// What it was meant for.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
        /// The name.
        name: String,
    },
    /// A file cannot be read or moved.
    #[error("the file cannot be read or moved ({source}): {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A picture's file cannot be read.
    #[error(transparent)]
    Read(#[from] LoadError),
    /// A picture's file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What most of this crate returns.
pub type Result<T, E = LibraryError> = std::result::Result<T, E>;

impl LibraryError {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "library_folder",
            Self::ReadOnly { .. } | Self::Write(WriteError::ReadOnly { .. }) => "read_only",
            Self::Full { .. } | Self::Write(WriteError::Full { .. }) => "disk_full",
            Self::NewerVersion { .. } => "library_newer",
            Self::Busy { .. } => "library_busy",
            Self::Damaged { .. } => "library_damaged",
            Self::Database { .. } => "library_database",
            Self::NotFound { .. } | Self::NoSuchName { .. } | Self::Read(LoadError::NotFound { .. }) => {
                "not_found"
            }
            Self::InTrash { .. } => "in_trash",
            Self::BadName { .. } => "bad_name",
            Self::File { .. } => "file",
            Self::Read(LoadError::Format { .. }) => "not_a_picture",
            Self::Read(LoadError::TooLarge { .. }) => "picture_too_large",
            Self::Read(LoadError::Broken { .. }) => "picture_damaged",
            Self::Read(LoadError::Io { .. }) => "picture_unreadable",
            Self::Write(_) => "picture_not_written",
        }
    }

    /// What to do next, in a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Folder { .. } => {
                "Choose another folder for the library, or check that its disk is connected."
            }
            Self::ReadOnly { .. } | Self::Write(WriteError::ReadOnly { .. }) => {
                "Change the folder's permissions, or choose another folder for the library."
            }
            Self::Full { .. } | Self::Write(WriteError::Full { .. }) => {
                "Free some space, for instance by emptying the trash, and try again."
            }
            Self::NewerVersion { .. } => "Update Tarim, or choose another library folder.",
            Self::Busy { .. } => "Wait for the other program, or close it, and try again.",
            Self::Damaged { .. } => {
                "Start Tarim again: the damaged index is kept aside and made anew from the pictures."
            }
            Self::NotFound { .. } | Self::NoSuchName { .. } => {
                "It may have been deleted meanwhile; refresh the view."
            }
            Self::InTrash { .. } => "Restore it first.",
            Self::BadName { .. } => "Choose another name.",
            Self::File { .. } => "Check that the file is there and may be changed.",
            Self::Read(LoadError::Format { .. }) => "Choose a PNG, JPEG or WebP picture.",
            Self::Read(_) | Self::Write(_) | Self::Database { .. } => return None,
        })
    }

    /// A failure of the system with a file or folder.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::File { path, source },
        }
    }

    /// A failure of the database at `path`.
    pub(crate) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::ReadOnly { path }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { reason: source.to_string(), path }
            }
            _ => Self::Database { source },
        }
    }
}

impl From<rusqlite::Error> for LibraryError {
    fn from(source: rusqlite::Error) -> Self {
        Self::database(Path::new("library.sqlite"), source)
    }
}
