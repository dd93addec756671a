//! The promise of the queue, put to the test with real processes: host and renderer are killed at random moments, and in
//! the end every picture is there exactly once, whole, and the index says what the files say.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "support/kills.rs"]
mod kills;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use kills::{Dice, STARTER, files, guest, seed};
use tarim_library::{Id, State};
use tarim_recipe::Draft;
use tarim_studio::{Studio, Submission, Which};

const PICTURES: u32 = 60;
const KILLS: u32 = 36;
/// Some time for each part of the work, so that each is hit now and then.
const SCRIPT: &str = r#"{"load_ms":15,"step_ms":9}"#;

fn host(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tarim-crash-host"))
        .args([folder, Path::new(STARTER)])
        .env(tarim_render::fake::SCRIPT_VARIABLE, SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the renderer that runs, if there is one.
fn kill_renderer(folder: &Path) -> bool {
    let Ok(pid) = fs::read_to_string(folder.join("renderer.pid")) else { return false };
    let killed = Command::new("kill").args(["-9", pid.trim()]).stderr(Stdio::null()).status();
    killed.is_ok_and(|status| status.success())
}

fn count(studio: &Studio, jobs: &[Id], state: State) -> usize {
    let library = studio.library().unwrap();
    jobs.iter().filter(|id| library.job(**id).unwrap().state == state).count()
}

#[test]
fn every_picture_exactly_once_whatever_is_killed_and_when() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let seed = seed();
    let mut dice = Dice(seed);
    let studio = guest(folder, seed, Duration::ZERO);
    let draft = Draft {
        prompt: Some("a fox in the dunes".into()),
        width: Some(128),
        height: Some(128),
        steps: Some(6),
        ..Draft::default()
    };
    let submit = |count| {
        studio.submit(&Submission { draft: draft.clone(), count, ..Submission::default() }).unwrap().jobs
    };
    let mut jobs = submit(PICTURES);

    let (mut hosts, mut renderers) = (0, 0);
    while hosts + renderers < KILLS {
        let mut host = host(folder);
        // Some die before they have begun, some after several pictures.
        sleep(Duration::from_millis(20 + dice.below(500)));
        while dice.below(3) == 0 {
            renderers += u32::from(kill_renderer(folder));
            sleep(Duration::from_millis(dice.below(150)));
        }
        host.kill().unwrap();
        host.wait().unwrap();
        hosts += 1;
        if count(&studio, &jobs, State::Done) + 10 > jobs.len() {
            jobs.extend(submit(20));
        }
    }

    // Now in peace.
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut host = host(folder);
    while count(&studio, &jobs, State::Done) < jobs.len() {
        // A renderer that was killed twice at one picture has cost its job; people would say the same.
        studio.retry(&Which::All).unwrap();
        assert!(Instant::now() < deadline, "{:?}", studio.queue());
        sleep(Duration::from_millis(50));
    }
    drop(host.stdin.take());
    assert!(host.wait().unwrap().success());
    println!("{hosts} hosts and {renderers} renderers were killed over {} pictures", jobs.len());

    // Half a picture under a temporary name is no picture, and gone before it bothers anybody.
    drop(guest(folder, seed + 1, Duration::from_hours(2)));
    let library = studio.library().unwrap();
    let mut found = Vec::new();
    files(library.root(), &mut found);
    let mut in_files = BTreeSet::new();
    for path in &found {
        // Decodes every pixel.
        let pixels = tarim_library::pixels::load(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!((pixels.width, pixels.height), (128, 128), "{path:?}");
        let xmp = tarim_library::picture::read(path).unwrap().xmp.unwrap();
        let id = jobs.iter().find(|id| xmp.contains(&id.to_string())).expect("the file bears a job's id");
        let path = path.strip_prefix(library.root()).unwrap().to_str().unwrap().replace('\\', "/");
        in_files.insert((*id, path));
    }
    assert_eq!(
        (found.len(), in_files.len()),
        (jobs.len(), jobs.len()),
        "no picture is missing or there twice"
    );
    let in_index: BTreeSet<(Id, String)> =
        jobs.iter().map(|id| (*id, library.job(*id).unwrap().output_path.unwrap())).collect();
    assert_eq!(in_index, in_files);
    assert_eq!(library.request_pictures(library.job(jobs[0]).unwrap().request, 100).unwrap().len(), 60);
}
