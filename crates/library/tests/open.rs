//! Opening libraries that are in a bad state.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use common::{NOW, World, later, world};
use tarim_library::{Library, search::parse};

fn database(folder: &Path) -> std::path::PathBuf {
    folder.join(".tarim/library.sqlite")
}

/// A library of some size whose index is closed, so that all of it is in one file.
fn closed() -> (tempfile::TempDir, Vec<tarim_library::Id>) {
    let world = world();
    let made = world.render("a fox", 3);
    for n in 0..200 {
        world.enqueue_at(later(n), common::recipe(&format!("waiting {n} {}", "word ".repeat(50))), 1);
    }
    world.library.tidy().unwrap();
    let World { folder, library } = world;
    drop(library);
    (folder, made)
}

#[test]
fn a_damaged_index_is_kept_aside() {
    let garbage: fn(&Path) = |path| fs::write(path, "this is no database at all, it is a text").unwrap();
    let hole: fn(&Path) = |path| {
        let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
        let length = file.metadata().unwrap().len();
        file.seek(SeekFrom::Start(length / 2 / 4096 * 4096)).unwrap();
        file.write_all(&[0xa5; 3 * 4096]).unwrap();
    };
    let short: fn(&Path) = |path| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    };
    for (name, damage, saves) in [("garbage", garbage, false), ("hole", hole, true), ("short", short, false)]
    {
        let (folder, made) = closed();
        damage(&database(folder.path()));
        let (library, report) = Library::open(folder.path(), NOW).unwrap();
        let damaged = report.damaged.unwrap_or_else(|| panic!("{name} was not noticed"));
        assert!(damaged.kept.is_file() && !damaged.reason.is_empty());
        assert_eq!(damaged.kept.file_name().unwrap(), "library.sqlite.damaged-20261124-011500");
        assert!(!saves || damaged.saved > 100, "{name}: {}", damaged.saved);
        let world = World { folder, library };
        assert_eq!(world.rebuild().added, 3);
        let mut found = world.find("fox");
        found.sort();
        assert_eq!(found, made);
        if saves {
            let history = world.library.count_requests(&parse("waiting word"), 1000).unwrap();
            assert!(history.n > 50, "{name}: {history:?}");
        }
        let (_, report) = Library::open(&world.root(), NOW).unwrap();
        assert_eq!(report.damaged, None);
    }
}

#[test]
fn a_newer_index_is_left_alone() {
    let (folder, _) = closed();
    let raw = rusqlite::Connection::open(database(folder.path())).unwrap();
    raw.pragma_update(None, "user_version", 9999).unwrap();
    drop(raw);
    let error = Library::open(folder.path(), NOW).unwrap_err();
    assert_eq!(error.code(), "library_newer");
    assert!(error.to_string().contains("9999") && error.hint().is_some());
    let raw = rusqlite::Connection::open(database(folder.path())).unwrap();
    let jobs: u32 = raw.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0)).unwrap();
    assert_eq!(jobs, 203);
}

#[test]
fn folders_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = Library::open(&file, NOW).unwrap_err();
    assert_eq!(error.code(), "library_folder", "{error}");
    assert!(error.hint().is_some());
    let error = Library::open(&file.join("below"), NOW).unwrap_err();
    assert_eq!(error.code(), "library_folder", "{error}");
}

/// On a disk that nobody can write to, root neither: this test runs itself once more where such a disk is mounted.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_read_only() {
    use std::process::Command;
    const DISK: &str = "TARIM_TEST_DISK";
    if let Some(disk) = std::env::var_os(DISK) {
        let error = Library::open(Path::new(&disk), NOW).unwrap_err();
        assert_eq!(error.code(), "read_only", "{error}");
        assert!(error.hint().is_some());
        return;
    }
    let (folder, _) = closed();
    let disk = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs tmpfs "$TARIM_TEST_DISK" && cp -a "$0/." "$TARIM_TEST_DISK" &&
        mount -o remount,ro "$TARIM_TEST_DISK" && exec "$@""#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_folder_that_is_read_only"])
        .env(DISK, disk.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "run as root, or allow users name spaces: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the test ran inside");
}

#[test]
fn leftovers_of_killed_processes_are_swept() {
    let (folder, _) = closed();
    let old = folder.path().join("2026-11-24/.tarim-abc.tmp");
    let young = folder.path().join("2026-11-24/.tarim-def.tmp");
    for path in [&old, &young] {
        fs::write(path, "half a picture").unwrap();
    }
    let time = |moment: tarim_library::Moment| {
        std::time::UNIX_EPOCH + std::time::Duration::from_millis(moment.ms as u64)
    };
    fs::File::options().write(true).open(&old).unwrap().set_modified(time(later(-7200))).unwrap();
    fs::File::options().write(true).open(&young).unwrap().set_modified(time(later(-60))).unwrap();
    let (_, report) = Library::open(folder.path(), NOW).unwrap();
    assert_eq!(report.swept, 1);
    assert!(!old.exists() && young.exists());
}
