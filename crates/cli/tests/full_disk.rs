//! A disk that fills up costs the picture that did not fit: a clear message, exit code 5 and nothing half written.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use std::process::{Command, Stdio};

use world::{Run, World};

/// Long, so that the files that carry it are large.
fn prompt() -> String {
    "a fox in the dunes, ".repeat(2000)
}

/// Runs `tarim render` for three pictures into `out` through a line of shell, in which `"$@"` is the command.
fn run(world: &World, shell: &[&str]) -> Run {
    let tarim = world.command(&["render", &prompt(), "--count", "3", "-o", "out"]);
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg("sh").arg(tarim.get_program()).args(tarim.get_args());
    command.stdin(Stdio::null()).current_dir(tarim.get_current_dir().unwrap());
    for (name, value) in tarim.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    world.finished(command.output().unwrap())
}

fn check(world: &World, run: &Run, pictures: &[&str]) {
    assert_eq!(run.code, Some(5), "{run:?}");
    let printed: Vec<String> = pictures.iter().map(|name| format!("out/{name}")).collect();
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), printed);
    assert!(run.stderr.starts_with("error: the disk is full or a quota is used up ("), "{}", run.stderr);
    assert!(run.stderr.contains("free some space and render again: out"), "{}", run.stderr);
    // Temporary files too are gone.
    assert_eq!(std::fs::read_to_string(world.path("left")).unwrap().lines().collect::<Vec<_>>(), pictures);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_without_room() {
    // A mount of one's own needs root, or a kernel that lets users have name spaces.
    let allowed = Command::new("unshare").args(["-rm", "true"]).output();
    assert!(allowed.is_ok_and(|output| output.status.success()), "`unshare -rm` is not allowed here");
    let world = World::new();
    world.run(&["render", &prompt(), "-o", "whole.png"]).succeeded();
    let whole = world.path("whole.png").metadata().unwrap().len();
    std::fs::create_dir(world.path("out")).unwrap();
    let shell = r#"mount -t tmpfs -o size=SIZE tmpfs out && "$@"; code=$?; ls -A out > left; exit $code"#;
    let run =
        |size: u64| run(&world, &["unshare", "-rm", "sh", "-c", &shell.replace("SIZE", &size.to_string())]);
    check(&world, &run(whole / 2), &[]);
    check(&world, &run(whole + whole / 2), &["tarim-0001.png"]);
}

#[test]
fn a_limit_on_the_size_of_files() {
    let world = World::new();
    let shell = r#"trap "" XFSZ; (ulimit -f 4; "$@"); code=$?; ls -A out > left; exit $code"#;
    check(&world, &run(&world, &["sh", "-c", shell]), &[]);
}
