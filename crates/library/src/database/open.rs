//! Opening the database, and what to do with one that is damaged.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use rusqlite::{Connection, ErrorCode};

use super::{Database, connect, migrations, reader, salvage::salvage};
use crate::{
    error::{LibraryError, Result},
    moment::Moment,
};

/// Up to this size every page is looked at on each start, in bytes: it takes less than a second. Beyond, only when a
/// query met damage before.
const CHECKED_BYTES: u64 = 256 << 20;

/// A database that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where it is kept.
    pub(crate) kept: PathBuf,
    /// What was wrong with it.
    pub(crate) reason: String,
    /// How many requests and jobs could be read from it and are in the new one.
    pub(crate) saved: u64,
}

/// Opens the database, or makes one. A damaged one is put aside and a new one made.
pub(crate) fn open(path: &Path, now: Moment) -> Result<(Database, Option<Damage>)> {
    let (writer, damage) = match open_writer(path) {
        Ok(writer) => (writer, None),
        Err(LibraryError::Damaged { reason, .. }) => {
            let kept = put_aside(path, now)?;
            let mut writer = open_writer(path)?;
            let saved = salvage(&kept, &mut writer)?;
            (writer, Some(Damage { kept, reason, saved }))
        }
        Err(error) => return Err(error),
    };
    let watch = Mutex::new(reader(path)?);
    let database =
        Database { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::default(), watch };
    Ok((database, damage))
}

fn open_writer(path: &Path) -> Result<Connection> {
    let named = |error| LibraryError::database(path, error);
    let mut connection = connect(path).map_err(named)?;
    check(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(named)?;
    migrations::run(&mut connection, path)?;
    fs::remove_file(damage_mark(path)).ok();
    Ok(connection)
}

fn check(connection: &Connection, path: &Path) -> Result<()> {
    let marked = damage_mark(path).exists();
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    let damaged = |reason| LibraryError::Damaged { reason, path: path.to_owned() };
    let question = if marked || size <= CHECKED_BYTES {
        "PRAGMA quick_check(1)"
    } else {
        "SELECT 'ok' FROM sqlite_schema"
    };
    let answer: rusqlite::Result<String> = connection.query_row(question, [], |row| row.get(0));
    match answer {
        Ok(answer) if answer == "ok" => Ok(()),
        Ok(answer) => Err(damaged(answer)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
        // "Not a database", a damaged schema, or a file cut short.
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure)
            ) =>
        {
            Err(damaged(error.to_string()))
        }
        Err(error) => Err(LibraryError::database(path, error)),
    }
}

/// Says to the next start that the database deserves a full check.
pub(super) fn mark_damaged(path: &Path) {
    // If it cannot be written, the damage will be met again.
    fs::write(damage_mark(path), "").ok();
}

fn damage_mark(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

/// Renames the database and what belongs to it.
fn put_aside(path: &Path, now: Moment) -> Result<PathBuf> {
    let time = now.local().strftime("%Y%m%d-%H%M%S").to_string();
    let mut kept = with_ending(path, &format!(".damaged-{time}"));
    let mut n = 1;
    while kept.exists() {
        n += 1;
        kept = with_ending(path, &format!(".damaged-{time}-{n}"));
    }
    fs::rename(path, &kept).map_err(|error| LibraryError::io(path, error))?;
    for ending in ["-wal", "-shm"] {
        match fs::rename(with_ending(path, ending), with_ending(&kept, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LibraryError::io(path, error));
            }
            _ => {}
        }
    }
    fs::remove_file(damage_mark(path)).ok();
    Ok(kept)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
