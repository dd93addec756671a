//! Ctrl-C, once and twice.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};

use tarim_render::fake::Script;
use world::World;

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Starts a run that would take minutes and reads its lines up to the first step of the second picture.
fn under_way(world: &World) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = world.start(&["render", "a fox", "--json", "--count", "1000", "-o", "out"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(r#""event":"progress","picture":1"#) {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the run ended early");
    }
    (child, stdout)
}

/// The exit code and the rest of stdout and stderr.
fn ended(
    mut child: Child,
    mut stdout: BufReader<std::process::ChildStdout>,
) -> (Option<i32>, String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    stdout.read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code(), out, err)
}

#[test]
fn once_stops_after_the_step_and_keeps_what_is_finished() {
    let world = World::with(Script { step_ms: 50, ..Script::default() });
    let (child, stdout) = under_way(&world);
    interrupt(&child);
    let (code, stdout, stderr) = ended(child, stdout);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.starts_with("stopping; pictures finished so far are kept"), "{stderr}");
    assert!(stderr.contains("\nstopped: 1 of 1000 pictures are finished\n"), "{stderr}");
    assert!(stdout.contains(r#""outcome":"cancelled""#), "{stdout}");
    let files = world.files("out");
    assert!(
        !files.is_empty() && files.iter().all(|name| name.starts_with("tarim-0") && !name.contains("tmp")),
        "{files:?}"
    );
}

#[test]
fn twice_ends_at_once_even_when_the_renderer_takes_no_notice() {
    let world = World::with(Script { step_ms: 50, ignores_cancel: true, ..Script::default() });
    let (mut child, stdout) = under_way(&world);
    interrupt(&child);
    // Two signals in a row may arrive as one; the second is sent once the first was answered.
    let mut answered = [0];
    child.stderr.as_mut().unwrap().read_exact(&mut answered).unwrap();
    interrupt(&child);
    let (code, _, stderr) = ended(child, stdout);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("ending at once"), "{stderr}");
    let files = world.files("out");
    assert!(files.iter().any(|name| name == "tarim-0001.png"), "{files:?}");
}
