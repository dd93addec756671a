//! From files to rows: making the index anew, and noticing what happened to the files behind its back.

mod reconcile;
mod walk;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    entry::{self, Entry},
    error::{LibraryError, Result},
    id::Id,
    kept::Names,
    library::{Library, TRASH},
    moment::Moment,
    pictures, search,
};

use walk::FoundFile;

/// How many files are read between two transactions.
const BATCH: usize = 256;
/// The most problems that are listed.
const MAX_PROBLEMS: usize = 200;
/// How often progress is reported at most.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// How far a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Files that were looked at.
    pub done: u64,
    /// Files that there are to look at.
    pub total: u64,
}

/// Is told how far a scan is, and says whether to go on.
pub type Observer<'a> = &'a mut dyn FnMut(Progress) -> bool;

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Picture files in the folder, without the trash.
    pub files: u64,
    /// Pictures that were not in the index.
    pub added: u64,
    /// Pictures that are elsewhere now, or have another name.
    pub moved: u64,
    /// Files that say something else than before.
    pub changed: u64,
    /// Pictures that were missing and are back.
    pub returned: u64,
    /// Pictures whose file is gone.
    pub missing: u64,
    /// Pictures in the trash.
    pub trashed: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// How many files could not be read.
    pub unreadable: u64,
    /// Some of them, and why.
    pub problems: Vec<ScanProblem>,
}

/// A file that could not be read, and is not in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanProblem {
    /// Relative to the library's folder.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
}

impl ScanReport {
    fn problem(&mut self, path: &str, message: String) {
        self.unreadable += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(ScanProblem { path: path.to_owned(), message });
        }
    }
}

impl Library {
    /// Makes the index of pictures anew, from the files alone, those in the trash included. The history and the queue
    /// stay. Edits that no file knows of yet are written first.
    pub fn rebuild(&self, now: Moment, observer: Observer<'_>) -> Result<ScanReport> {
        while self.write_back(1000)?.written > 0 {}
        let mut report = ScanReport::default();
        let files = walk::pictures(self.root(), "", &mut report)?;
        let trashed = walk::pictures(&self.trash_folder(), "", &mut report)?;
        let mut trashed_times = self.trashed_times();
        self.database().write(|db| {
            let names = Names::of(db)?;
            // The index knows better where it knows.
            trashed_times.extend(trashed_in(db)?);
            db.execute_batch(
                "DELETE FROM pictures; DELETE FROM tags; DELETE FROM collections;
                 DELETE FROM models WHERE NOT EXISTS (SELECT 1 FROM requests r WHERE r.model = models.model);
                 DELETE FROM negatives;
                 DELETE FROM projects WHERE NOT EXISTS (SELECT 1 FROM requests r WHERE r.project = projects.project);",
            )?;
            search::index::clear(db, search::index::PICTURES)?;
            names.restore(db)
        })?;
        report.files = files.len() as u64;
        let mut steps = Steps::new((files.len() + trashed.len()) as u64, observer);
        for (files, trashed_at) in [(files, None), (trashed, Some(now.ms))] {
            let root = if trashed_at.is_some() { self.trash_folder() } else { self.root().to_owned() };
            for batch in files.chunks(BATCH) {
                let entries = read_all(&root, batch, &mut report);
                self.database().write(|db| {
                    for entry in &entries {
                        let known = trashed_at.and_then(|_| trashed_times.get(&entry.path).copied());
                        add(db, &root, entry, known.or(trashed_at), &mut report)?;
                    }
                    Ok(())
                })?;
                if !steps.go_on(batch.len()) {
                    report.stopped = true;
                    return Ok(report);
                }
            }
        }
        self.tidy()?;
        Ok(report)
    }

    pub(crate) fn trash_folder(&self) -> std::path::PathBuf {
        self.internal().join(TRASH)
    }
}

/// Counts, and asks the observer now and then.
struct Steps<'a> {
    progress: Progress,
    observer: Observer<'a>,
    told: Option<Instant>,
}

impl<'a> Steps<'a> {
    fn new(total: u64, observer: Observer<'a>) -> Self {
        Self { progress: Progress { done: 0, total }, observer, told: None }
    }

    fn go_on(&mut self, done: usize) -> bool {
        self.progress.done += done as u64;
        let due = self.told.is_none_or(|told| told.elapsed() >= REPORT_EVERY);
        if !due && self.progress.done < self.progress.total {
            return true;
        }
        self.told = Some(Instant::now());
        (self.observer)(self.progress)
    }
}

/// Reads files on as many threads as there are cores. Files that are gone meanwhile are left out, unreadable ones listed.
fn read_all(root: &Path, files: &[FoundFile], report: &mut ScanReport) -> Vec<Entry> {
    let threads = thread::available_parallelism().map_or(2, usize::from).min(8);
    let share = files.len().div_ceil(threads).max(1);
    let read: Vec<Result<Entry>> = thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|files| {
                let one = |file: &FoundFile| entry::read(root, &file.path);
                scope.spawn(move || files.iter().map(one).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let mut entries = Vec::with_capacity(files.len());
    for (file, result) in files.iter().zip(read) {
        match result {
            Ok(entry) => entries.push(entry),
            Err(LibraryError::Read(crate::pixels::LoadError::NotFound { .. })) => {}
            Err(error) => report.problem(&file.path, error.to_string()),
        }
    }
    entries
}

/// When pictures were moved to the trash, by their paths there.
fn trashed_in(db: &Connection) -> Result<Vec<(String, i64)>> {
    let mut statement = db.prepare("SELECT path, trashed_at FROM pictures WHERE trashed_at IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds a file that has no row. An id that another file has already is a copy's: it gets an id of its own, which the next
/// write-back puts into the file.
fn add(
    db: &Connection,
    root: &Path,
    entry: &Entry,
    trashed_at: Option<i64>,
    report: &mut ScanReport,
) -> Result<i64> {
    let mut id = match entry.id {
        Some(id) => id,
        None => entry::fingerprint(root, entry)?,
    };
    // Recorded since the files were listed, by a worker or by another process that looks at them too.
    let recorded: Option<i64> = db
        .prepare_cached("SELECT picture FROM pictures WHERE id = ?1 AND path = ?2 AND trashed_at IS NULL")?
        .query_row(params![id, entry.path], |row| row.get(0))
        .optional()?;
    if let (Some(key), None) = (recorded, trashed_at) {
        return Ok(key);
    }
    let mut copied = false;
    while pictures::key_of(db, id).is_ok() {
        copied = true;
        id = Id::derived(&[b"copy", &id.bytes(), entry.path.as_bytes()]);
    }
    let key = entry::insert(db, id, entry)?;
    // Files of other programs are not written to unless somebody edits them.
    if copied && entry.recipe.is_some() {
        pictures::mark_dirty(db, key)?;
    }
    if let Some(trashed_at) = trashed_at {
        db.prepare_cached("UPDATE pictures SET trashed_at = ?2 WHERE picture = ?1")?
            .execute([key, trashed_at])?;
        report.trashed += 1;
    } else {
        report.added += 1;
    }
    Ok(key)
}
