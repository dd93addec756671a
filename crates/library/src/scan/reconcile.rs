//! Comparing files and rows.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::{BATCH, Observer, ScanReport, Steps, add, read_all, walk, walk::FoundFile};
use crate::{
    entry::{self, Entry},
    error::Result,
    id::Id,
    library::Library,
    moment::Moment,
    pictures, thumbnails,
};

/// What the index knows of a file.
struct Row {
    key: i64,
    id: Id,
    bytes: u64,
    modified_ns: i64,
    missing: bool,
    dirty: bool,
}

impl Library {
    /// Notices what happened to the files: moved, renamed, replaced, edited by another program, deleted, new. Only files
    /// whose size or date is not what it was are opened, so that it costs little when nothing happened.
    pub fn reconcile(&self, now: Moment, observer: Observer<'_>) -> Result<ScanReport> {
        let mut report = ScanReport::default();
        // Rows first: a picture that is recorded meanwhile is then a file too many, which `add` looks at once more, and not
        // a row without a file.
        let (mut rows, mut lost) = self.known_files()?;
        let files = walk::pictures(self.root(), "", &mut report)?;
        report.files = files.len() as u64;
        let mut opened = Vec::new();
        for file in files {
            match rows.get(&file.path) {
                Some(row)
                    if !row.missing && row.bytes == file.bytes && row.modified_ns == file.modified_ns =>
                {
                    rows.remove(&file.path);
                }
                _ => opened.push(file),
            }
        }
        // Rows of files that are not opened either are gone.
        let open: HashSet<&str> = opened.iter().map(|file| file.path.as_str()).collect();
        let gone: Vec<String> = rows.keys().filter(|path| !open.contains(path.as_str())).cloned().collect();
        for path in gone {
            // Made since the folders were read.
            if self.root().join(&path).is_file() {
                rows.remove(&path);
                continue;
            }
            lost.extend(rows.remove(&path).map(|row| (row.id, row)));
        }

        let mut steps = Steps::new(opened.len() as u64, observer);
        // First the files that are what they were but for some edit; what then is left may have come from anywhere.
        let mut others = Vec::new();
        for batch in opened.chunks(BATCH) {
            let entries = read_all(self.root(), batch, &mut report);
            self.database().write(|db| {
                for entry in entries {
                    match rows.remove(&entry.path) {
                        Some(row) if entry.id.is_none_or(|id| id == row.id) => {
                            self.update(db, &row, &entry, &mut report)?;
                        }
                        Some(row) => {
                            // Another picture has taken the name.
                            lost.insert(row.id, row);
                            others.push(entry);
                        }
                        None => others.push(entry),
                    }
                }
                Ok(())
            })?;
            if !steps.go_on(batch.len()) {
                report.stopped = true;
                return Ok(report);
            }
        }
        // Files that could not be read: their rows' files are not the ones that they were.
        lost.extend(rows.into_values().map(|row| (row.id, row)));

        self.database().write(|db| {
            let vanished: Vec<&Row> = lost.values().filter(|row| !row.missing).collect();
            for row in &vanished {
                set_missing(db, row.key, true)?;
            }
            report.missing = vanished.len() as u64;
            Ok(())
        })?;
        for batch in others.chunks(BATCH) {
            self.database().write(|db| {
                batch.iter().try_for_each(|entry| self.place(db, entry, &mut lost, &mut report))
            })?;
        }
        self.reconcile_trash(now, &mut report)?;
        Ok(report)
    }

    /// The files that should be there, by path; and those that were missing before, by id.
    fn known_files(&self) -> Result<(HashMap<String, Row>, HashMap<Id, Row>)> {
        self.database().read(|db| {
            let mut statement = db.prepare(
                "SELECT path, picture, id, bytes, modified_ns, missing, dirty FROM pictures
                 WHERE trashed_at IS NULL",
            )?;
            let mut found = statement.query([])?;
            let (mut rows, mut lost) = (HashMap::new(), HashMap::new());
            while let Some(row) = found.next()? {
                let path: String = row.get(0)?;
                let row = Row {
                    key: row.get(1)?,
                    id: row.get(2)?,
                    bytes: row.get(3)?,
                    modified_ns: row.get(4)?,
                    missing: row.get(5)?,
                    dirty: row.get(6)?,
                };
                if row.missing {
                    lost.insert(row.id, row);
                } else {
                    rows.insert(path, row);
                }
            }
            Ok((rows, lost))
        })
    }

    /// A file whose content is not what it was. What people think of it is taken from the file, unless the index knows of
    /// edits that the file does not.
    fn update(&self, db: &Connection, row: &Row, entry: &Entry, report: &mut ScanReport) -> Result<()> {
        report.changed += 1;
        replace(db, row, entry)?;
        thumbnails::forget(&self.internal(), row.id);
        Ok(())
    }

    /// A file that the index does not expect where it is.
    fn place(
        &self,
        db: &Connection,
        entry: &Entry,
        lost: &mut HashMap<Id, Row>,
        report: &mut ScanReport,
    ) -> Result<()> {
        let id = match entry.id {
            Some(id) => id,
            None => entry::fingerprint(self.root(), entry)?,
        };
        // A worker is about to record it, or has done so since the rows were read.
        let known = db
            .prepare_cached(
                "SELECT 1 FROM jobs WHERE id = ?1 AND state = 'running'
                 UNION ALL
                 SELECT 1 FROM pictures WHERE id = ?1 AND path = ?2 AND trashed_at IS NULL AND missing = 0",
            )?
            .query_row(params![id, entry.path], |_| Ok(()))
            .optional()?;
        if known.is_some() {
            return Ok(());
        }
        if let Some(row) = lost.remove(&id) {
            if row.missing {
                report.returned += 1;
            } else {
                report.missing -= 1;
                report.moved += 1;
            }
            replace(db, &row, entry)?;
            return Ok(());
        }
        add(db, self.root(), entry, None, report).map(drop)
    }

    /// Pictures in the trash that the index does not know to be there, and the other way round.
    fn reconcile_trash(&self, now: Moment, report: &mut ScanReport) -> Result<()> {
        let files = walk::pictures(&self.trash_folder(), "", report)?;
        let mut known: HashMap<String, i64> = self.database().read(|db| {
            let mut statement =
                db.prepare("SELECT path, picture FROM pictures WHERE trashed_at IS NOT NULL")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        report.trashed = files.len() as u64;
        let unknown: Vec<FoundFile> =
            files.into_iter().filter(|file| known.remove(&file.path).is_none()).collect();
        let entries = read_all(&self.trash_folder(), &unknown, report);
        let times = self.trashed_times();
        self.database().write(|db| {
            for entry in &entries {
                let trashed_at = times.get(&entry.path).copied().unwrap_or(now.ms);
                let row = match entry.id.map(|id| pictures::key_of(db, id)) {
                    Some(Ok(key)) => missing_row(db, key)?,
                    _ => None,
                };
                if let Some(key) = row {
                    // The program ended between moving the file and noting it.
                    db.prepare_cached(
                        "UPDATE pictures SET trashed_at = ?2, path = ?3, missing = 0 WHERE picture = ?1",
                    )?
                    .execute(params![key, trashed_at, entry.path])?;
                    report.missing = report.missing.saturating_sub(1);
                } else {
                    let mut ignored = ScanReport::default();
                    add(db, &self.trash_folder(), entry, Some(trashed_at), &mut ignored)?;
                }
            }
            // Deleted from the trash by hand: gone for good.
            known.values().try_for_each(|key| pictures::remove(db, *key))
        })
    }
}

fn missing_row(db: &Connection, key: i64) -> Result<Option<i64>> {
    let mut statement =
        db.prepare_cached("SELECT picture FROM pictures WHERE picture = ?1 AND missing = 1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

fn set_missing(db: &Connection, key: i64, missing: bool) -> Result<()> {
    // One that was moved to the trash meanwhile is where it should be.
    db.prepare_cached("UPDATE pictures SET missing = ?2 WHERE picture = ?1 AND trashed_at IS NULL")?
        .execute(params![key, missing])?;
    Ok(())
}

/// Puts what a file says in a row's place, under its id.
fn replace(db: &Connection, row: &Row, entry: &Entry) -> Result<()> {
    let mut entry = entry.clone();
    let mut kept = None;
    // A program that knows nothing of metadata may have written our picture anew. Its identity is not lost with them.
    let bare = entry.id.is_none()
        && db
            .prepare_cached("SELECT 1 FROM recipes WHERE picture = ?1 AND recipe IS NOT NULL")?
            .query_row([row.key], |_| Ok(()))
            .optional()?
            .is_some();
    if row.dirty || bare {
        let details = pictures::details(db, row.key)?;
        kept = Some(crate::edit::metadata_of(db, row.key, &details)?);
    }
    let old: Option<(i64, i64)> = db
        .prepare_cached(
            "SELECT picture, version FROM pictures WHERE picture = ?1 AND bytes = ?2 AND modified_ns = ?3",
        )?
        .query_row(params![row.key, entry.bytes, entry.modified_ns], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some(metadata) = kept.clone() {
        entry.created = metadata.created.unwrap_or(entry.created);
        entry.metadata = metadata;
    }
    pictures::remove(db, row.key)?;
    let key = entry::insert(db, row.id, &entry)?;
    // Merely moved: the pixels, and so the thumbnails, are what they were.
    if let Some((_, version)) = old {
        db.prepare_cached("UPDATE pictures SET version = ?2 WHERE picture = ?1")?.execute([key, version])?;
    }
    if kept.is_some() {
        pictures::mark_dirty(db, key)?;
    }
    Ok(())
}
