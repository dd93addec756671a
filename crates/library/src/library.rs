//! A library: a folder of pictures and the index over them.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    database::{self, Database},
    error::{LibraryError, Result},
    files,
    id::Id,
    moment::Moment,
    pictures::PictureSummary,
    projects::NameCount,
};

/// The folder inside the library's that holds everything that is not a picture of the user's.
pub const INTERNAL_FOLDER: &str = ".tarim";
const DATABASE: &str = "library.sqlite";
/// Below the internal folder; holds pictures under the paths that they had.
pub(crate) const TRASH: &str = "trash";

/// A library that is open. All its methods may be called from any thread; those that only read do not wait for those
/// that write. Other processes may have it open too.
#[derive(Debug)]
pub struct Library {
    root: PathBuf,
    database: Database,
    counts: Mutex<Counts>,
}

/// Answers by their question, with the version of the index that they are of.
type Counts = HashMap<String, (i64, Vec<NameCount>)>;

/// What was found when a library was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// A damaged index that was put aside. The new one is empty: [`Library::rebuild`] fills it.
    pub damaged: Option<DamagedIndex>,
    /// How many temporary files of killed processes were removed.
    pub swept: usize,
}

/// An index that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedIndex {
    /// Where it is kept.
    pub kept: PathBuf,
    /// What was wrong with it.
    pub reason: String,
    /// How many entries of the prompt history and the queue could be read from it and are in the new one.
    pub saved: u64,
}

impl Library {
    /// Opens the library in a folder, which is made if there is none.
    ///
    /// An index that is damaged is put aside and a new one made; the report says so, and the caller then calls
    /// [`rebuild`](Self::rebuild).
    pub fn open(root: &Path, now: Moment) -> Result<(Self, OpenReport)> {
        let internal = root.join(INTERNAL_FOLDER);
        for folder in [root, &internal] {
            fs::create_dir_all(folder).map_err(|source| match LibraryError::io(folder, source) {
                LibraryError::File { path, source } => LibraryError::Folder { path, source },
                other => other,
            })?;
        }
        files::check_writable(&internal).map_err(|source| LibraryError::io(root, source))?;
        let root =
            root.canonicalize().map_err(|source| LibraryError::Folder { path: root.to_owned(), source })?;
        let (database, damage) = database::open(&root.join(INTERNAL_FOLDER).join(DATABASE), now)?;
        let swept = files::sweep(&root, now.ms);
        let library = Self { root, database, counts: Mutex::default() };
        library.recall_names()?;
        let damaged = damage.map(|damage| DamagedIndex {
            kept: damage.kept,
            reason: damage.reason,
            saved: damage.saved,
        });
        Ok((library, OpenReport { damaged, swept }))
    }

    /// The library's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a picture's file is, also in the trash.
    pub fn picture_path(&self, id: Id) -> Result<PathBuf> {
        let summary = self.summaries(&[id])?.into_iter().next();
        let summary = summary.ok_or(LibraryError::NotFound { what: "picture", id })?;
        Ok(self.file_of(&summary))
    }

    pub(crate) fn file_of(&self, picture: &PictureSummary) -> PathBuf {
        match picture.trashed_at {
            None => self.root.join(&picture.path),
            Some(_) => self.internal().join(TRASH).join(&picture.path),
        }
    }

    /// A number that changes whenever anybody, this process included, has changed the index. Cheap enough to ask ten
    /// times a second.
    pub fn data_version(&self) -> Result<i64> {
        self.database.data_version()
    }

    /// A number that changes whenever another process has changed the index.
    pub fn foreign_version(&self) -> Result<i64> {
        self.database.foreign_version()
    }

    /// Housekeeping for quiet moments, and for the end.
    pub fn tidy(&self) -> Result<()> {
        self.database.tidy()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Counts that were asked for before.
    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder that holds everything that is not a picture of the user's.
    pub(crate) fn internal(&self) -> PathBuf {
        self.root.join(INTERNAL_FOLDER)
    }
}
