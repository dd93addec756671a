//! What processes with one library show each other of their work: a small file each, beside the lock that says that the
//! process lives. Nothing depends on these files; without them others see no progress, and that is all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tarim_library::Library;

use crate::alive::{folder, is_dead, process_name};
use crate::core::Core;
use crate::events::{Event, JobProgress};
use crate::live::Preview;

/// After how long a file that is not written any more counts for nothing: its process hangs, or its machine is gone.
const STALE: Duration = Duration::from_secs(20);
/// How long somebody who looked is taken to look.
const LOOKING: Duration = Duration::from_secs(10);
/// More than the progress of any number of jobs takes.
const MOST_BYTES: u64 = 4 << 20;
const PROGRESS: &str = "progress.json";
const PREVIEW: &str = "preview";
const WATCHED: &str = "watched";

/// What a process says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Shown {
    worker: String,
    jobs: Vec<JobProgress>,
}

fn own_file(root: &Path, worker: &str, rest: &str) -> PathBuf {
    folder(root).join(format!("{}.{rest}", process_name(worker)))
}

fn young(path: &Path, limit: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|facts| facts.modified());
    // A clock that runs backwards makes no file old.
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < limit))
}

/// Whether another process looks at what is in work.
pub(crate) fn watched(root: &Path) -> bool {
    young(&folder(root).join(WATCHED), LOOKING)
}

/// Written whole under another name first, so that nobody reads half of it. Not synced: it is old in a second.
fn write(path: &Path, bytes: &[u8]) {
    let temporary = path.with_extension("tmp");
    if fs::write(&temporary, bytes).is_ok() {
        let _ = fs::rename(&temporary, path);
    }
}

/// Shows what is in work here.
#[derive(Default)]
pub(crate) struct Showing {
    /// The library's folder, the previews shown there and how many of each.
    shown: Option<(PathBuf, BTreeMap<String, u32>)>,
}

impl Showing {
    /// Shows it as it is now; takes back what was shown once nothing is in work.
    pub(crate) fn update(&mut self, core: &Core, library: &Arc<Library>) {
        let jobs = core.live.all(library);
        let root = library.root();
        if self.shown.as_ref().is_some_and(|(shown, _)| jobs.is_empty() || shown != root) {
            self.clear(core);
        }
        if jobs.is_empty() {
            return;
        }
        let (_, previews) = self.shown.get_or_insert_with(|| (root.to_owned(), BTreeMap::new()));
        let looked_at = watched(root);
        let mut current = BTreeMap::new();
        for (progress, preview) in &jobs {
            let Some(preview) = preview else { continue };
            let known = previews.get(&progress.job).copied();
            if looked_at && known != Some(preview.number) {
                write(&preview_file(root, &core.worker, &progress.job), &preview.png);
                current.insert(progress.job.clone(), preview.number);
            } else if let Some(known) = known {
                current.insert(progress.job.clone(), known);
            }
        }
        for gone in previews.keys().filter(|job| !current.contains_key(*job)) {
            let _ = fs::remove_file(preview_file(root, &core.worker, gone));
        }
        *previews = current;
        let jobs = jobs.into_iter().map(|(progress, _)| progress).collect();
        if let Ok(text) = serde_json::to_vec(&Shown { worker: core.worker.clone(), jobs }) {
            write(&own_file(root, &core.worker, PROGRESS), &text);
        }
    }

    /// Takes it all back.
    pub(crate) fn clear(&mut self, core: &Core) {
        let Some((root, previews)) = self.shown.take() else { return };
        let _ = fs::remove_file(own_file(&root, &core.worker, PROGRESS));
        for job in previews.keys() {
            let _ = fs::remove_file(preview_file(&root, &core.worker, job));
        }
    }
}

fn preview_file(root: &Path, worker: &str, job: &str) -> PathBuf {
    own_file(root, worker, &format!("{job}.{PREVIEW}"))
}

/// What other processes have in work, by the job's id: who has it, and where it is.
pub(crate) fn elsewhere(root: &Path, own: &str) -> BTreeMap<String, (String, JobProgress)> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder(root)) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(PROGRESS) || name == format!("{}.{PROGRESS}", process_name(own)) {
            continue;
        }
        let small = entry.metadata().is_ok_and(|facts| facts.len() <= MOST_BYTES);
        if !small || !young(&path, STALE) {
            continue;
        }
        let Some(shown) = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Shown>(&text).ok())
        else {
            continue;
        };
        if is_dead(root, &shown.worker, own) {
            let _ = fs::remove_file(&path);
            continue;
        }
        found.extend(shown.jobs.into_iter().map(|job| (job.job.clone(), (shown.worker.clone(), job))));
    }
    found
}

/// What a job of another process looks like.
pub(crate) fn preview(root: &Path, own: &str, job: &str) -> Option<Preview> {
    let (worker, progress) = elsewhere(root, own).remove(job)?;
    let path = preview_file(root, &worker, job);
    let small = fs::metadata(&path).is_ok_and(|facts| facts.len() <= MOST_BYTES);
    let png = fs::read(path).ok().filter(|_| small && progress.preview > 0)?;
    Some(Preview { number: progress.preview, png: png.into() })
}

/// Tells listeners here of what others have in work.
#[derive(Default)]
pub(crate) struct Looking {
    told: BTreeMap<String, JobProgress>,
}

impl Looking {
    pub(crate) fn update(&mut self, core: &Core, library: &Arc<Library>) {
        let root = library.root();
        let mut told = BTreeMap::new();
        for (job, (_, progress)) in elsewhere(root, &core.worker) {
            if self.told.get(&job) != Some(&progress) {
                core.broadcast.send(&Event::Progress(progress.clone()));
            }
            told.insert(job, progress);
        }
        if !told.is_empty() {
            // Those who render make previews while somebody looks.
            let _ = fs::write(folder(root).join(WATCHED), "");
        }
        self.told = told;
    }
}
