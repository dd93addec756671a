//! `tarim template`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::json;
use world::World;

#[test]
fn counts_are_exact() {
    let world = World::new();
    let count = |template: &str| world.run(&["template", "count", template]);
    assert_eq!(count("a {red|blue} {cat|dog|fox}").succeeded().stdout, "6\n");
    assert_eq!(count("a cat").succeeded().stdout, "1\n");
    let ten = "{0|1|2|3|4|5|6|7|8|9}";
    let run = count(&ten.repeat(30));
    assert_eq!(run.stdout, format!("1{}\n", "0".repeat(30)), "{run:?}");
    assert_eq!(run.stderr, "10^30\n");
    let run = world.run(&["template", "count", &ten.repeat(12), "--json"]).succeeded().json();
    assert_eq!(run[0]["combinations"], "1000000000000");
    assert!(!world.path("library").exists());
}

#[test]
fn previews_are_seeded_and_without_repetition() {
    let world = World::new();
    let preview = |more: &[&str]| {
        let arguments = ["template", "preview", "{a|b|c|d} {1|2}"];
        world.run(&[&arguments[..], more].concat())
    };
    let run = preview(&["--seed", "7"]);
    let mut lines: Vec<&str> = run.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a 1", "a 2", "b 1", "b 2", "c 1", "c 2", "d 1", "d 2"], "{run:?}");
    assert_eq!(
        preview(&["--seed", "7", "--limit", "3"]).stdout,
        preview(&["--seed", "7", "--limit", "3"]).stdout
    );
    let all = preview(&["--mode", "combinatorial", "--limit", "3"]);
    assert_eq!((all.stdout.as_str(), all.stderr.as_str()), ("a 1\na 2\nb 1\n", "3 of 8 combinations\n"));
    let turns = preview(&["--mode", "cyclic"]);
    assert_eq!(turns.stdout.lines().next(), Some("a 1"), "{turns:?}");
    let drawn = preview(&["--limit", "2"]);
    assert!(drawn.code == Some(0) && drawn.stderr.contains("--seed"), "{drawn:?}");
    let lines = preview(&["--seed", "7", "--limit", "2", "--json"]).succeeded().json();
    assert_eq!((&lines[0]["combinations"], &lines[0]["seed"]), (&json!("8"), &json!("7")));
    assert_eq!(lines.len(), 3);
    // A million million combinations take no time.
    let many = "{0|1|2|3|4|5|6|7|8|9}".repeat(12);
    let run = world.run(&["template", "preview", &many, "--seed", "1", "--limit", "500"]);
    assert_eq!(run.stdout.lines().collect::<std::collections::HashSet<_>>().len(), 500);
}

#[test]
fn wildcards_come_from_files() {
    let world = World::new();
    fs::create_dir_all(world.path("lists/people")).unwrap();
    world.write("lists/people/job.txt", "baker\nmiller\n");
    world.write("lists/colours.yaml", "warm: [red, orange]\n");
    let run = world.run(&[
        "template",
        "preview",
        "a __people/job__ in __warm__",
        "--mode",
        "combinatorial",
        "--wildcards",
        "lists",
    ]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 4), "{run:?}");
    assert!(run.stdout.contains("a baker in red"), "{run:?}");
    fs::create_dir_all(world.path("config/wildcards")).unwrap();
    world.write("config/wildcards/tree.txt", "oak\nelm\nash\n");
    assert_eq!(world.run(&["template", "count", "an __tree__"]).succeeded().stdout, "3\n");
    let run = world.run(&["template", "count", "a __nobody__"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("a __nobody__\n      ^^^^^^^^^^"), "{}", run.stderr);
    let run = world.run(&["template", "count", "a", "--wildcards", "nowhere"]);
    assert!(run.code == Some(3) && run.stderr.contains("there is no folder `nowhere`"), "{run:?}");
}

#[test]
fn errors_say_where() {
    let world = World::new();
    let run = world.run(&["template", "preview", "一只 {狐狸|cat"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""), "{run:?}");
    assert!(run.stderr.starts_with("error: line 1, column 4: "), "{}", run.stderr);
    assert!(run.stderr.contains("\n    一只 {狐狸|cat\n         ^"), "{}", run.stderr);
    world.write("t.txt", "a cat\n{x");
    let run = world.run(&["template", "count", "t.txt", "--json"]);
    assert!(run.stderr.starts_with("error: t.txt, line 2, column 1: "), "{}", run.stderr);
    let lines = run.json();
    assert_eq!((&lines[0]["line"], &lines[0]["code"]), (&json!(2), &json!("unclosed_variants")));
    assert_eq!(lines.last().unwrap()["exit_code"], 3);
    world.write("a.txt", "__a__\n");
    let run = world.run(&["template", "count", "__a__", "--wildcards", "."]);
    assert!(run.code == Some(3) && run.stderr.contains("lead back to themselves"), "{run:?}");
}

#[test]
fn nothing_of_a_template_reaches_the_terminal_as_it_is() {
    let world = World::new();
    let run = world.run(&["template", "preview", "a\u{1b}[31m {b|b}\nc", "--seed", "1"]).succeeded();
    assert_eq!(run.stdout, "a\\u{1b}[31m b c\n");
    let run = world.run(&["template", "preview", "a\u{1b}[31m {b", "--seed", "1"]);
    assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    let line = &world.run(&["template", "preview", "a\nb", "--json"]).succeeded().json()[1];
    assert_eq!(line["prompt"], "a\nb");
}

#[test]
fn templates_come_from_files_and_pipes() {
    let world = World::new();
    world.write("t.txt", "\u{feff}a {cat|dog}\n");
    assert_eq!(world.run(&["template", "count", "t.txt"]).succeeded().stdout, "2\n");
    let mut command = world.command(&["template", "preview", "-", "--mode", "combinatorial"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("a {cat|狐狸}\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a cat\na 狐狸\n");
    world.write("gb.txt", [0xb0, 0xa1, 0xff]);
    let run = world.run(&["template", "count", "gb.txt"]);
    assert!(run.code == Some(3) && run.stderr.contains("no UTF-8"), "{run:?}");
}
