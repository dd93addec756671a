//! What no picture's file can say, kept in small files beside the index so that a new index has it: collections and
//! projects without pictures, and when pictures were moved to the trash.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, OpenOptions},
    io::{self, Write},
};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::{
    collections,
    error::{LibraryError, Result},
    files::{IfExists, write_whole},
    library::Library,
    projects,
};

const NAMES: &str = "names.json";
/// In the trash, hidden from those who look for pictures there. A line for each picture that was moved, the last one of
/// a path counts.
const TRASHED: &str = ".trashed.jsonl";
/// The largest of these files that is read, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Names that may have no pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Names {
    collections: BTreeSet<String>,
    projects: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct Trashed {
    path: String,
    at: i64,
}

impl Names {
    /// Those of the index.
    pub(crate) fn of(db: &Connection) -> Result<Self> {
        let all = |table: &str| -> Result<BTreeSet<String>> {
            let mut statement = db.prepare(&format!("SELECT name FROM {table}"))?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<_>>()?)
        };
        Ok(Self { collections: all("collections")?, projects: all("projects")? })
    }

    /// Makes those that the index lacks.
    pub(crate) fn restore(&self, db: &Connection) -> Result<()> {
        self.collections.iter().try_for_each(|name| collections::collection_of(db, name).map(drop))?;
        self.projects.iter().try_for_each(|name| projects::project_of(db, name).map(drop))
    }
}

impl Library {
    /// Runs a transaction that may make, rename or delete collections or projects, and keeps their names.
    pub(crate) fn write_names<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.database().write(|db| {
            let value = work(db)?;
            // Within the transaction, so that two processes do not overtake each other. The index is what counts: where the
            // file cannot be written, it is not, and the next change writes it.
            let names = Names::of(db)?;
            let _ = self.keep_names(&names);
            Ok(value)
        })
    }

    fn keep_names(&self, names: &Names) -> io::Result<()> {
        if self.kept_names() == *names {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(names)?;
        write_whole::<io::Error>(&self.internal().join(NAMES), IfExists::Replace, |file| {
            file.write_all(text.as_bytes())
        })
    }

    fn kept_names(&self) -> Names {
        let text = read(&self.internal().join(NAMES)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Gives an index that has no names those that were kept; keeps the names of one that has some.
    pub(crate) fn recall_names(&self) -> Result<()> {
        let names = self.database().read(Names::of)?;
        if names == Names::default() {
            let kept = self.kept_names();
            if kept == names {
                return Ok(());
            }
            return self.database().write(|db| kept.restore(db));
        }
        let _ = self.keep_names(&names);
        Ok(())
    }

    /// Notes when a picture, by its path in the trash, was moved there.
    pub(crate) fn note_trashed(&self, path: &str, at: i64) {
        let Ok(line) = serde_json::to_string(&Trashed { path: path.to_owned(), at }) else { return };
        // Of no use but for a new index, and then the time of its making does too.
        let file = OpenOptions::new().create(true).append(true).open(self.trash_folder().join(TRASHED));
        let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    }

    /// When pictures were moved to the trash, by their paths there.
    pub(crate) fn trashed_times(&self) -> HashMap<String, i64> {
        let text = read(&self.trash_folder().join(TRASHED)).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Trashed>(line).ok());
        lines.map(|line| (line.path, line.at)).collect()
    }

    /// Forgets these times once the trash is empty.
    pub(crate) fn forget_trashed_times(&self) -> Result<()> {
        let path = self.trash_folder().join(TRASHED);
        let left: bool = self.database().read(|db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM pictures WHERE trashed_at IS NOT NULL)";
            Ok(db.query_row(sql, [], |row| row.get(0))?)
        })?;
        if left {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LibraryError::io(&path, error)),
            _ => Ok(()),
        }
    }
}

fn read(path: &std::path::Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read_to_string(path)
}
