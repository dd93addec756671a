//! The commands that work with the library: serve, library, queue, history, gallery.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tarim_render::fake::{Script, TroubleKind};
use world::World;

const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad90";

/// Puts pictures of two steps into the queue and returns the answer.
#[track_caller]
fn add(world: &World, prompt: &str, more: &[&str]) -> Value {
    let arguments = ["queue", "add", prompt, "--steps", "2", "--width", "64", "--height", "64", "--json"];
    let run = world.run(&[&arguments[..], more].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run.json().pop().unwrap()
}

#[track_caller]
fn queue(world: &World) -> Value {
    world.run(&["queue", "list", "--json"]).succeeded().json().pop().unwrap()
}

#[test]
fn from_the_queue_to_history_and_gallery() {
    let world = World::new();
    let added =
        add(&world, "a red fox", &["--count", "2", "--seed", "7", "--tag", "dunes", "--project", "inn"]);
    let jobs: Vec<&str> = added["jobs"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let waiting = queue(&world);
    assert_eq!((&waiting["waiting_total"], &waiting["paused"]), (&json!(2), &json!(false)), "{waiting}");

    let run = world.run(&["queue", "run", "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let ended = run.json();
    assert_eq!(ended.len(), 2, "{run:?}");
    for event in &ended {
        let event = &event.get("data").cloned().unwrap_or_else(|| event.clone());
        assert_eq!(event["request"], added["request"], "{event}");
        assert!(jobs.contains(&event["job"].as_str().unwrap()), "{event}");
    }
    let run = world.run(&["queue", "run"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "0 pictures finished, 0 failed\n"), "{run:?}");

    let history = world.run(&["history", "fox", "--json"]).succeeded().json();
    assert_eq!((history.len(), &history[0]["id"]), (1, &added["request"]));
    assert_eq!(history[0]["outcome"]["done"], 2);
    let text = world.run(&["history"]).succeeded().stdout;
    assert_eq!(text, format!("{}  2 done  a red fox\n", added["request"].as_str().unwrap()));
    let pictures = world.run(&["gallery", "tag:dunes", "--json"]).succeeded().json();
    assert_eq!(pictures.len(), 2);
    assert_eq!(world.run(&["gallery", "tag:dunes", "--limit", "1"]).succeeded().stdout.lines().count(), 1);
    assert_eq!(world.run(&["gallery", "-fox"]).succeeded().stdout, "");
    let odd = world.run(&["gallery", "colour:red"]);
    assert!(odd.code == Some(0) && odd.stderr.contains("colour"), "{odd:?}");

    let info = world.run(&["library", "info", "--json"]).succeeded().json().pop().unwrap();
    assert_eq!((&info["pictures"], &info["requests"]), (&json!(2), &json!(1)), "{info}");
    assert!(world.run(&["library", "info"]).succeeded().stdout.contains("pictures  2\n"));
}

#[test]
fn an_index_is_made_again_from_the_files() {
    let world = World::new();
    add(&world, "a fox", &["--tag", "kept"]);
    assert_eq!(world.run(&["queue", "run"]).code, Some(0));
    for file in fs::read_dir(world.path("library/.tarim")).unwrap().map(|it| it.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with("library.sqlite") {
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(world.run(&["gallery", "--json"]).json().len(), 0);
    let run = world.run(&["library", "rebuild"]).succeeded();
    assert_eq!(run.stdout, "1 files looked at\n");
    assert_eq!(world.run(&["gallery", "tag:kept", "--json"]).succeeded().json().len(), 1);

    let file = world.run(&["gallery"]).succeeded().stdout;
    let file = world.path("library").join(file.split("  ").next().unwrap());
    fs::remove_file(file).unwrap();
    let run = world.run(&["library", "reconcile", "--json"]).succeeded();
    assert_eq!(run.json().pop().unwrap()["finished"], true);
    assert_eq!(world.run(&["gallery", "--json"]).succeeded().json().len(), 0);
    assert_eq!(world.run(&["gallery", "is:missing", "--json"]).succeeded().json().len(), 1);
}

#[test]
fn pause_cancel_and_retry() {
    let world = World::with_trouble(TroubleKind::Abort);
    add(&world, "a fox", &["--count", "3"]);
    let paused = world.run(&["queue", "pause", "--json"]).succeeded().json().pop().unwrap();
    assert_eq!(paused["paused"], true);
    let run = world.run(&["queue", "run"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    let opened = world.run(&["queue", "resume", "--json"]).succeeded().json().pop().unwrap();
    assert_eq!((&opened["paused"], &opened["waiting_total"]), (&json!(false), &json!(3)));

    let one = opened["waiting"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.run(&["queue", "cancel", &one]).succeeded().stdout, "1 cancelled\n");
    assert_eq!(world.run(&["queue", "cancel", NOBODY]).succeeded().stdout, "0 cancelled\n");
    for command in ["cancel", "retry"] {
        let run = world.run(&["queue", command, "no-id"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.stderr.contains("no-id"), "{run:?}");
    }
    let all = world.run(&["queue", "cancel", "--json"]).succeeded().json().pop().unwrap();
    assert_eq!(all["changed"], 2);
    assert_eq!(queue(&world)["waiting_total"], 0);
    assert_eq!(world.run(&["queue", "retry"]).succeeded().stdout, "0 queued again\n");
}

#[test]
fn pictures_that_fail_are_told_and_tried_again() {
    let failure = json!({"code": "out_of_memory", "message": "out of memory", "hint": null});
    let script = json!({"fail": failure});
    let mut world = World::with(serde_json::from_value::<Script>(script).unwrap());
    add(&world, "a fox", &[]);
    let run = world.run(&["queue", "run"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stderr.contains("out of memory") && run.stderr.contains("tarim queue retry"), "{run:?}");
    assert_eq!(queue(&world)["failed_total"], 1);
    world.script = Script::default();
    assert_eq!(world.run(&["queue", "retry"]).succeeded().stdout, "1 queued again\n");
    let run = world.run(&["queue", "run"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "1 pictures finished, 0 failed\n"), "{run:?}");
}

#[test]
fn what_cannot_be_queued_is_refused() {
    let world = World::new();
    let check = |arguments: &[&str], code: i32, said: &str| {
        let run = world.run(&[&["queue", "add"], arguments].concat());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    };
    check(&[], 2, "there is no prompt");
    check(&["fox", "--model", "nobody"], 3, "there is no model `nobody`");
    check(&["fox", "--sampler", "abacus"], 3, "abacus");
    check(&["fox", "--width", "63"], 3, "63");
    check(&["fox", "--count", "0"], 2, "0");
    check(&["fox", "--init", "nowhere.png"], 3, "nowhere.png");
    check(&["fox", "--recipe", "nowhere.png"], 3, "nowhere.png");
    assert_eq!(queue(&world)["waiting_total"], 0);
}

#[test]
fn a_library_that_cannot_be_is_told() {
    let world = World::new();
    world.write("file", "in the way");
    for arguments in [
        &["library", "info"][..],
        &["library", "rebuild"],
        &["queue", "list"],
        &["queue", "add", "a fox"],
        &["history"],
        &["gallery"],
    ] {
        let run = world.run(&[arguments, &["--library", "file"]].concat());
        assert!(run.code.is_some_and(|code| code != 0), "{run:?}");
        assert!(run.stderr.contains("~/file"), "{run:?}");
        assert_eq!(fs::read(world.path("file")).unwrap(), b"in the way");
    }
}

#[test]
fn one_adds_while_another_works() {
    let world = World::with(Script { step_ms: 100, ..Script::default() });
    add(&world, "first", &["--count", "3"]);
    let mut worker = world.start(&["queue", "run", "--json"]);
    let mut stdout = BufReader::new(worker.stdout.take().unwrap());
    let mut line = String::new();
    assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    add(&world, "second", &["--count", "2"]);
    stdout.read_to_string(&mut line).unwrap();
    assert!(worker.wait().unwrap().success());
    assert_eq!(line.lines().count(), 5, "{line}");
    assert_eq!(world.run(&["gallery", "--json"]).succeeded().json().len(), 5);
}

#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_puts_the_picture_in_work_back() {
    let world = World::with(Script { step_ms: 200, ..Script::default() });
    add(&world, "a fox", &["--count", "50"]);
    let mut worker = world.start(&["queue", "run"]);
    let mut stdout = BufReader::new(worker.stdout.take().unwrap());
    let mut line = String::new();
    assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    interrupt(&worker);
    let mut stderr = String::new();
    worker.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stderr.contains("stopping; the picture in work is begun again later"), "{stderr}");
    let queue = queue(&world);
    let done = world.run(&["gallery", "--json"]).json().len() as u64;
    assert_eq!(queue["running"], json!([]), "{queue}");
    assert_eq!(queue["waiting_total"].as_u64().unwrap() + done, 50, "{queue}");
}

#[cfg(unix)]
#[test]
fn serving_prints_its_address_and_ends_by_ctrl_c() {
    let world = World::new();
    let mut server = world.start(&["serve", "--listen", "127.0.0.1:0"]);
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    let mut url = String::new();
    stdout.read_line(&mut url).unwrap();
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok(), "{url}");
    let taken = world.run(&["serve", "--listen", &address]);
    assert_eq!(taken.code, Some(1), "{taken:?}");
    assert!(taken.stderr.contains("--listen"), "{taken:?}");
    let told = Instant::now();
    interrupt(&server);
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(10));
}

#[test]
fn other_machines_are_given_a_token() {
    let world = World::new();
    let mut server = world.start(&["serve", "--listen", "0.0.0.0:0"]);
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let (_, token) = url.trim().split_once("/login?token=").unwrap();
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{url}");
}

#[test]
fn crops_and_enlargements() {
    let world = World::new();
    add(&world, "a fox", &[]);
    assert_eq!(world.run(&["queue", "run"]).code, Some(0));
    let id = world.run(&["gallery", "--json"]).succeeded().json()[0]["id"].as_str().unwrap().to_owned();
    let crop = world.run(&["gallery", "crop", &id, "--area", "32x24+8+4", "--json"]).succeeded().json();
    assert_eq!((&crop[0]["width"], &crop[0]["height"]), (&json!(32), &json!(24)));
    let crop = crop[0]["id"].as_str().unwrap();
    let large = world.run(&["gallery", "upscale", crop, "--factor", "4"]).succeeded().stdout;
    assert!(large.trim_end().ends_with("-crop-upscale.png"), "{large}");
    let file = world.path("library").join(large.trim_end());
    let decoder = png::Decoder::new(BufReader::new(fs::File::open(&file).unwrap()));
    assert_eq!(decoder.read_info().unwrap().info().size(), (128, 96));

    // From its recipe, without a library, the same size comes out.
    let recipe = file.to_str().unwrap();
    assert_eq!(world.run(&["render", "--recipe", recipe, "--out", "again.png"]).code, Some(0));
    let decoder = png::Decoder::new(BufReader::new(fs::File::open(world.path("again.png")).unwrap()));
    assert_eq!(decoder.read_info().unwrap().info().size(), (128, 96));

    let run = world.run(&["gallery", "upscale", &id, "--factor", "4", "--redraw"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(queue(&world)["waiting_total"], 1);
    let run = world.run(&["gallery", "crop", &id, "--area", "64x64+8+4"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("crops inside the picture, which is 64x64 there"), "{run:?}");
    assert_eq!(world.run(&["gallery", "crop", &id, "--area", "64"]).code, Some(2));
    assert_eq!(world.run(&["gallery", "--", "crop"]).succeeded().stdout, "");
}
