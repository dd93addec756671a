//! What can still be read of a damaged database. Pictures come back from their files; the history and the queue are
//! nowhere else, so as many of their rows as possible are taken over.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params_from_iter, types::Value};

use crate::{error::Result, search};

/// Tables in the order in which their rows can refer to each other. Their keys stay the same.
const TABLES: [&str; 7] = ["models", "projects", "sets", "set_rows", "batches", "requests", "jobs"];

/// Copies what can be read, and returns how many requests and jobs that were.
pub(super) fn salvage(damaged: &Path, target: &mut Connection) -> Result<u64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Read-write, because its write-ahead log may hold the last rows.
    let Ok(source) = Connection::open_with_flags(damaged, flags) else { return Ok(0) };
    let version = |db: &Connection| db.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).ok();
    // One of an older version has fewer columns, all of which are still there.
    if version(&source) > version(target) {
        return Ok(0);
    }
    let mut saved = 0;
    let transaction = target.transaction()?;
    for table in TABLES {
        // From both ends up to where it is damaged.
        for order in ["rowid", "rowid DESC"] {
            let copied = copy(&source, &transaction, table, order)?;
            if matches!(table, "requests" | "jobs") {
                saved += copied;
            }
        }
    }
    let mut requests = transaction.prepare("SELECT request, prompt, template FROM requests")?;
    let rows: Vec<(i64, String, Option<String>)> = requests
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (key, prompt, template) in rows {
        let words = crate::requests::words(&prompt, template.as_deref());
        search::index::add(&transaction, search::index::REQUESTS, key, &words)?;
    }
    drop(requests);
    transaction.commit()?;
    Ok(saved)
}

fn copy(source: &Connection, target: &Connection, table: &str, order: &str) -> Result<u64> {
    let mut copied = 0;
    let Ok(mut select) = source.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")) else {
        return Ok(0);
    };
    let columns = select.column_count();
    let names = select.column_names().collect::<Vec<_>>().join(", ");
    let marks = vec!["?"; columns].join(", ");
    let mut insert = target.prepare(&format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"))?;
    let Ok(mut rows) = select.query([]) else { return Ok(0) };
    while let Ok(Some(row)) = rows.next() {
        let values: rusqlite::Result<Vec<Value>> = (0..columns).map(|column| row.get(column)).collect();
        let Ok(values) = values else { continue };
        // A row that refers to one that was not readable, or holds what no row can, stays behind.
        if insert.execute(params_from_iter(values)).is_ok_and(|changed| changed > 0) {
            copied += 1;
        }
    }
    Ok(copied)
}
