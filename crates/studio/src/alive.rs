//! Whether another worker lives: each holds a lock on a file of its own, which the system lets go of when the process
//! ends, however it ends. So a job of a killed process need not wait until its lease has run out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tarim_library::INTERNAL_FOLDER;

/// Says that a worker lives for as long as this value does.
pub(crate) struct Alive {
    path: PathBuf,
    _locked: File,
}

impl Alive {
    /// `None` on file systems without locks; there leases alone decide.
    pub(crate) fn declare(root: &Path, worker: &str) -> Option<Self> {
        let path = file_of(root, worker);
        fs::create_dir_all(path.parent()?).ok()?;
        let file = File::create(&path).ok()?;
        file.try_lock().ok()?;
        Some(Self { path, _locked: file })
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // If it stays, whoever finds it unlocked removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a worker of this machine has certainly ended. Locks of other machines are not always to be seen, so nothing
/// is said of those.
pub(crate) fn is_dead(root: &Path, worker: &str, own: &str) -> bool {
    let host = |worker: &str| worker.split('/').next().map(str::to_owned);
    let process = |worker: &str| worker.split('#').next().map(str::to_owned);
    if process(worker) == process(own) || host(worker) != host(own) {
        return false;
    }
    let path = file_of(root, worker);
    match File::open(&path) {
        Ok(file) => {
            let free = file.try_lock().is_ok();
            if free {
                let _ = fs::remove_file(&path);
            }
            free
        }
        Err(error) => error.kind() == std::io::ErrorKind::NotFound && own_lock_is_held(root, own),
    }
}

/// Without a lock of our own, a missing file says nothing: this file system may have no locks at all.
fn own_lock_is_held(root: &Path, own: &str) -> bool {
    File::open(file_of(root, own)).is_ok_and(|file| file.try_lock().is_err())
}

/// Of a process; what follows `#` in a worker's name is one of its lanes.
fn file_of(root: &Path, worker: &str) -> PathBuf {
    folder(root).join(format!("{}.lock", process_name(worker)))
}

/// Where processes say that they live and what they do.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join(INTERNAL_FOLDER).join("workers")
}

/// A process as part of a file's name.
pub(crate) fn process_name(worker: &str) -> String {
    let worker = worker.split('#').next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    worker.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_lives_while_its_lock_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let _own = Alive::declare(root, "host/1/aa").unwrap();
        let other = Alive::declare(root, "host/2/bb").unwrap();
        assert!(!is_dead(root, "host/2/bb", "host/1/aa"));
        assert!(!is_dead(root, "host/1/aa#cpu", "host/1/aa"));
        assert!(!is_dead(root, "host/2/bb#cuda:1", "host/1/aa#cpu"));
        drop(other);
        assert!(is_dead(root, "host/2/bb#cpu", "host/1/aa"));
        assert!(!is_dead(root, "elsewhere/2/bb", "host/1/aa"));
        // A process that was killed leaves its file, without a lock.
        fs::write(file_of(root, "host/3/cc"), "").unwrap();
        assert!(is_dead(root, "host/3/cc", "host/1/aa"));
        assert!(!file_of(root, "host/3/cc").exists());
    }
}
