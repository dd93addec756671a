//! The schema's history. Entries are never changed, only added: each is run once on every library there is.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{
    collections,
    error::{LibraryError, Result},
    jobs, pictures, projects, requests, search, tags,
};

/// In their order; a database's `user_version` is the number of those that it has seen.
const MIGRATIONS: [&str; 7] = [
    projects::CREATE,
    pictures::CREATE,
    tags::CREATE,
    collections::CREATE,
    requests::CREATE,
    jobs::CREATE,
    search::CREATE,
];

/// Brings a database up to date.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<()> {
    let named = |error| LibraryError::database(path, error);
    let known = MIGRATIONS.len() as u32;
    if version(connection).map_err(named)? == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(named)?;
    // Again: another process may have been faster.
    let found = version(&transaction).map_err(named)?;
    if found > known {
        return Err(LibraryError::NewerVersion { found, known, path: path.to_owned() });
    }
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(named)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(named)?;
    transaction.commit().map_err(named)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
