//! `tarim batch` and `tarim grid`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use serde_json::{Value, json};
use tarim_render::fake::Script;
use world::{Run, World};

/// A table of so many foxes.
fn foxes(count: usize) -> String {
    let rows: Vec<String> = (1..=count).map(|fox| format!("fox {fox},2,64,64\n")).collect();
    format!("prompt,steps,width,height\n{}", rows.concat())
}

fn events(run: &Run, name: &str) -> Vec<Value> {
    run.json().into_iter().filter(|line| line["event"] == name).collect()
}

fn pictures(world: &World) -> usize {
    world.run(&["gallery", "--json"]).succeeded().json().len()
}

#[test]
fn from_a_plan_to_pictures_once() {
    let world = World::new();
    world.write("foxes.csv", foxes(5));
    let run = world.run(&["batch", "plan", "foxes.csv"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("rows      5 of 5 run\n"), "{}", run.stdout);
    assert!(run.stdout.contains("pictures  5 asked for, 5 to draw\n"), "{}", run.stdout);
    assert_eq!(pictures(&world), 0);

    let run =
        world.run(&["batch", "run", "foxes.csv", "--tag", "set", "--project", "inn", "--report", "r.md"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 5), "{run:?}");
    for file in run.stdout.lines() {
        assert!(world.path("library").join(file).is_file(), "{file}");
    }
    assert!(run.stderr.ends_with("5 pictures are done\n"), "{}", run.stderr);
    assert!(fs::read_to_string(world.path("r.md")).unwrap().contains("foxes"));
    assert_eq!(world.run(&["gallery", "tag:set", "--json"]).succeeded().json().len(), 5);

    // The same set once more draws nothing; three changed rows draw three.
    let run = world.run(&["batch", "run", "foxes.csv"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.stderr.contains("nothing to draw: 5 pictures exist already"), "{run:?}");
    let changed =
        foxes(5).replace("fox 2,", "wolf 2,").replace("fox 3,", "wolf 3,").replace("fox 5,", "wolf 5,");
    world.write("foxes.csv", changed);
    let run = world.run(&["batch", "run", "foxes.csv", "--json"]);
    assert_eq!((run.code, events(&run, "picture").len()), (Some(0), 3), "{run:?}");
    assert_eq!(events(&run, "end")[0]["run"]["done"], 3);
    assert_eq!(pictures(&world), 8);

    // By the set's name, without its file; once more; and one row of it.
    let run = world.run(&["batch", "run", "foxes", "--again", "--rows", "2", "--json"]);
    assert_eq!((run.code, events(&run, "picture").len()), (Some(0), 1), "{run:?}");
    let run = world.run(&["batch", "run", "foxes.csv", "--new-seeds", "--rows", "2-4", "--json"]);
    assert_eq!((run.code, events(&run, "picture").len()), (Some(0), 3), "{run:?}");
    let run = world.run(&["batch", "status"]).succeeded();
    assert_eq!(run.stdout.lines().count(), 4, "{run:?}");
    assert!(run.stdout.lines().all(|line| line.contains("foxes: finished")), "{run:?}");
    assert_eq!(
        world.run(&["batch", "status", "foxes.csv", "--json"]).succeeded().json()[0]["batch"]["done"],
        3
    );
}

#[test]
fn bad_rows_are_named_and_skipped_only_when_that_is_asked_for() {
    let world = World::new();
    world.write(
        "set.csv",
        "prompt,steps,width,height\nfox,2,64,64\nbear,many,64,64\nwolf,2,100000,64\nowl,2,64,64\n",
    );
    for command in ["plan", "run"] {
        let run = world.run(&["batch", command, "set.csv"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        for said in [
            "set.csv, row 3, column \"steps\"",
            "set.csv, row 4, column \"width\"",
            "--skip-bad",
            "2 of 4 rows",
        ] {
            assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
        }
    }
    assert_eq!(pictures(&world), 0);
    let run = world.run(&["batch", "plan", "set.csv", "--json"]);
    let plan = &events(&run, "plan")[0]["plan"];
    assert_eq!((&plan["ready"], &plan["bad"], &plan["new"]), (&json!(2), &json!(2), &json!(2)), "{plan}");
    assert_eq!((&plan["problems"][0]["row"], &plan["problems"][0]["file"]), (&json!(3), &json!("set.csv")));
    let run = world.run(&["batch", "run", "set.csv", "--skip-bad"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "{run:?}");
}

#[test]
fn what_cannot_be_run_is_refused() {
    let world = World::new();
    world.write("empty.csv", "");
    world.write("header.csv", "prompt,steps\n");
    world.write(
        "huge.csv",
        format!("prompt,template_mode\n{},combinatorial\n", "{0|1|2|3|4|5|6|7|8|9}".repeat(30)),
    );
    world.write("ok.csv", foxes(1));
    let check = |arguments: &[&str], code: i32, said: &str| {
        let run = world.run(&[&["batch"], arguments].concat());
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(said), "{arguments:?}: {run:?}");
    };
    check(&["run", "nowhere.csv"], 3, "there is no file `nowhere.csv`");
    check(&["run", "nobody"], 3, "there is no file and no set `nobody`");
    check(&["run", "empty.csv"], 3, "empty");
    check(&["run", "header.csv"], 3, "no rows");
    check(&["run", "huge.csv"], 3, "10^30");
    check(&["run", "ok.csv", "--rows", "9"], 3, "none of these rows");
    check(&["run", "ok.csv", "--rows", "9-"], 2, "no list of rows");
    check(&["run", "ok.csv", "--finish-by", "soon"], 3, "`soon` is no time");
    check(&["run", "ok.csv", "--model", "nobody"], 3, "there is no model `nobody`");
    check(&["run", "ok.csv", "--report", "r.pdf"], 2, ".html, .md or .json");
    check(&["status", "ok.csv"], 3, "was not run yet");
    check(&["resume"], 0, "there is no unfinished run");
    assert_eq!(pictures(&world), 0);
}

#[test]
fn failures_are_told_and_tried_again() {
    let failure = json!({"code": "out_of_memory", "message": "out of memory", "hint": null});
    let mut world = World::with(serde_json::from_value::<Script>(json!({"fail": failure})).unwrap());
    world.write("foxes.csv", foxes(2));
    let run = world.run(&["batch", "run", "foxes.csv"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("2 of 2 pictures failed") && run.stderr.contains("--retry"), "{run:?}");
    let run = world.run(&["batch", "status", "foxes.csv"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("rows of the set: 1, 2"), "{run:?}");
    world.script = Script::default();
    let run = world.run(&["batch", "resume", "foxes.csv", "--retry"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "{run:?}");
}

#[test]
fn queued_by_one_and_drawn_by_another() {
    let world = World::new();
    world.write("foxes.csv", foxes(3));
    let run = world.run(&["batch", "run", "foxes.csv", "--detach", "--json"]);
    let id = events(&run, "run")[0]["run"]["id"].as_str().unwrap().to_owned();
    assert_eq!((run.code, pictures(&world)), (Some(0), 0), "{run:?}");
    let run = world.run(&["batch", "status", &id]).succeeded();
    assert!(run.stdout.contains("waiting, 0 of 3 done"), "{run:?}");
    let run = world.run(&["batch", "run", "foxes.csv", "--json"]);
    assert_eq!((run.code, events(&run, "run")[0]["run"]["id"].as_str()), (Some(0), Some(&*id)), "{run:?}");
    assert_eq!(pictures(&world), 3);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_run_that_goes_on() {
    let mut world = World::with(Script { step_ms: 200, ..Script::default() });
    world.write("foxes.csv", foxes(8));
    let mut worker = world.start(&["batch", "run", "foxes.csv"]);
    let mut stdout = BufReader::new(worker.stdout.take().unwrap());
    let mut line = String::new();
    assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    // Another process sees how it stands.
    let status = world.run(&["batch", "status", "foxes.csv", "--json"]).succeeded().json();
    assert!(status[0]["batch"]["done"].as_u64().unwrap() >= 1, "{status:?}");
    assert!(Command::new("kill").args(["-INT", &worker.id().to_string()]).status().unwrap().success());
    let mut stderr = String::new();
    worker.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stderr.contains("of 8 pictures are done; `tarim batch resume"), "{stderr}");
    let done = pictures(&world);
    assert!((1..8).contains(&done), "{done}");
    world.script = Script::default();
    let run = world.run(&["batch", "resume"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 8 - done), "{run:?}");
    assert_eq!(pictures(&world), 8);
}

#[test]
fn what_is_not_done_in_time_waits_for_the_next_night() {
    let mut world = World::with(Script { step_ms: 300, ..Script::default() });
    world.write("foxes.csv", foxes(12));
    let run = world.run(&["batch", "run", "foxes.csv", "--finish-by", "0.03m"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("the time to finish by is over; "), "{run:?}");
    let done = pictures(&world);
    assert!(done < 12, "{done}");
    let run = world.run(&["batch", "status", "foxes.csv"]).succeeded();
    assert!(run.stdout.contains("held: the time to finish by is over"), "{run:?}");
    world.script = Script::default();
    let run = world.run(&["batch", "resume", "foxes.csv"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 12 - done), "{run:?}");
}

#[cfg(unix)]
#[test]
fn a_grid_that_was_stopped_goes_on() {
    let mut world = World::with(Script { step_ms: 200, ..Script::default() });
    let grid =
        ["grid", "a fox", "--steps", "2", "--width", "64", "--height", "64", "--x", "cfg=1-6", "-o", "g.png"];
    let mut worker = world.start(&grid);
    let mut stdout = BufReader::new(worker.stdout.take().unwrap());
    let mut line = String::new();
    assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    assert!(Command::new("kill").args(["-INT", &worker.id().to_string()]).status().unwrap().success());
    let mut stderr = String::new();
    worker.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stderr.contains("of 6 pictures are done; the same command goes on"), "{stderr}");
    assert!(!world.path("g.png").exists());
    let done = pictures(&world);
    assert!((1..6).contains(&done), "{done}");
    world.script = Script::default();
    let run = world.run(&grid);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 6 - done + 1), "{run:?}");
    assert!(run.stdout.ends_with("g.png\n"), "{run:?}");
    assert_eq!(pictures(&world), 6);
}

#[test]
fn a_pause_ends_the_wait() {
    let world = World::new();
    world.write("foxes.csv", foxes(2));
    world.run(&["queue", "pause", "--json"]).succeeded();
    let run = world.run(&["batch", "run", "foxes.csv"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stderr.contains("the queue is paused") && run.stderr.contains("tarim queue resume"),
        "{run:?}"
    );
    world.run(&["queue", "resume", "--json"]).succeeded();
    assert_eq!(world.run(&["batch", "resume"]).code, Some(0));
    assert_eq!(pictures(&world), 2);
}

#[test]
fn grids_are_drawn_labelled_and_continued() {
    let world = World::new();
    let draw = |more: &[&str]| {
        let arguments =
            ["grid", "a red fox", "--seed", "7", "--steps", "2", "--width", "64", "--height", "64"];
        let axes = ["--x", "steps=1,2,3", "--y", "prompt_sr=red,blue"];
        world.run(&[&arguments[..], &axes, more].concat())
    };
    let run = draw(&["-o", "grid.png", "--html", "grid.html", "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((events(&run, "picture").len(), events(&run, "grid").len()), (6, 2), "{run:?}");
    let decoder = png::Decoder::new(BufReader::new(fs::File::open(world.path("grid.png")).unwrap()));
    let reader = decoder.read_info().unwrap();
    let (width, height) = reader.info().size();
    assert!(width > 3 * 64 && height > 2 * 64, "{width}x{height}");
    assert!(fs::read_to_string(world.path("grid.html")).unwrap().contains("a red fox"));

    // Nothing is overwritten; drawn pictures are not drawn again.
    let run = draw(&["-o", "grid.png"]);
    assert_eq!(run.code, Some(5), "{run:?}");
    let run = draw(&["-o", "grid.png", "--force"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "grid.png\n"), "{run:?}");
    assert_eq!(pictures(&world), 6);

    let check = |arguments: &[&str], code: i32, said: &str| {
        let run = world.run(&[&["grid"], arguments].concat());
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(said), "{arguments:?}: {run:?}");
    };
    check(&["fox", "-o", "a.png"], 2, "there is no axis");
    check(&["fox", "--x", "steps=1,2"], 2, "there is no file for the grid");
    check(&["fox", "--x", "steps", "-o", "a.png"], 2, "is no axis");
    check(&["fox", "--x", "steps=many", "-o", "a.png"], 3, "--x: ");
    check(&["fox", "--x", "abacus=1,2", "-o", "a.png"], 3, "abacus");
    check(&["fox", "--x", "prompt_sr=cat,dog", "-o", "a.png"], 3, "cat");
    check(&["--x", "steps=1,2", "-o", "a.png"], 2, "there is no prompt");
    check(&["fox", "--x", "steps=1,2", "-o", "a.jpg"], 2, ".png");
    assert_eq!(pictures(&world), 6);
}
