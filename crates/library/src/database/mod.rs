//! The connections to one library's SQLite file.

mod migrations;
mod open;
mod salvage;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub(crate) use open::open;

use crate::{
    batches,
    error::{LibraryError, Result},
    search,
};

/// How long a statement waits for another process, which holds the file for milliseconds unless it is rebuilding.
const PATIENCE: Duration = Duration::from_secs(15);
/// Connections for reading that are kept when nobody uses them.
const IDLE_READERS: usize = 4;
/// Page cache of a connection, in KiB.
const CACHE_KIB: i32 = 32 << 10;

/// One connection that writes, several that read meanwhile, and one that watches for changes.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    watch: Mutex<Connection>,
}

impl Database {
    /// Runs queries on a connection that sees one state from its first query on.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let result = connection
            .unchecked_transaction()
            .map_err(LibraryError::from)
            // Dropping the transaction ends it.
            .and_then(|transaction| work(&transaction));
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        drop(readers);
        self.name(result)
    }

    /// Runs one transaction that writes. All of it happens, or none.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let result = (|| {
            let mut writer = lock(&self.writer);
            // Taken at once, so that two processes wait for each other instead of failing in the middle.
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        self.name(result)
    }

    /// A number that changes whenever anybody, this process included, has changed the database.
    pub(crate) fn data_version(&self) -> Result<i64> {
        let version = lock(&self.watch).query_row("PRAGMA data_version", [], |row| row.get(0));
        self.name(version.map_err(LibraryError::from))
    }

    /// A number that changes whenever another process has changed the database.
    pub(crate) fn foreign_version(&self) -> Result<i64> {
        // SQLite counts here what connections other than the one asked have done, and only this one writes.
        let version = lock(&self.writer).query_row("PRAGMA data_version", [], |row| row.get(0));
        self.name(version.map_err(LibraryError::from))
    }

    /// Lets SQLite look after its statistics, and shortens the write-ahead log.
    pub(crate) fn tidy(&self) -> Result<()> {
        let result = lock(&self.writer)
            .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(LibraryError::from);
        self.name(result)
    }

    /// Puts the database's path into errors that lack it, and leaves a mark for the next start if it is damaged.
    fn name<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            LibraryError::Busy { .. } => LibraryError::Busy { path: self.path.clone() },
            LibraryError::Damaged { reason, .. } => {
                open::mark_damaged(&self.path);
                LibraryError::Damaged { reason, path: self.path.clone() }
            }
            LibraryError::Full { path } if path.is_relative() => {
                LibraryError::Full { path: self.path.clone() }
            }
            LibraryError::ReadOnly { path } if path.is_relative() => {
                LibraryError::ReadOnly { path: self.path.clone() }
            }
            other => other,
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort: whoever opens it next does it again.
        lock(&self.writer).execute_batch("PRAGMA optimize;").ok();
    }
}

/// A panic in another thread left the connection in order: its transaction was rolled back on the way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "foreign_keys", true)?;
    // Every commit reaches the disk before it counts: a picture that is done stays done after a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    search::add_functions(&connection)?;
    batches::add_functions(&connection)?;
    Ok(connection)
}

fn reader(path: &Path) -> Result<Connection> {
    let connect = || -> rusqlite::Result<Connection> {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    connect().map_err(|error| LibraryError::database(path, error))
}
