//! What cannot be rendered is refused with the reason, what to do, and its exit code.

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use serde_json::json;
use tarim_render::fake::{Script, TroubleKind};
use tarim_render::{Failure, FailureCode};
use world::World;

/// Runs `tarim render "a fox"` with further arguments; stderr must hold each of the texts.
fn check(world: &World, arguments: &[&str], code: i32, expected: &[&str]) {
    let run = world.run(&[&["render", "a fox"], arguments].concat());
    assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
    for text in expected {
        assert!(run.stderr.contains(text), "{arguments:?}: `{text}` is not in\n{}", run.stderr);
    }
    assert_eq!(run.stdout, "", "{arguments:?}");
}

#[test]
fn the_command_line() {
    let world = World::new();
    check(&world, &["--steps", "many"], 2, &["invalid value 'many'"]);
    check(&world, &["--count", "0"], 2, &["0 is not in 1..=10000"]);
    check(&world, &["--seed", "-1"], 2, &["seed is"]);
    check(&world, &["--device", "gpu"], 2, &["`gpu` is no device: use `auto`, `cpu`, `cuda:N` or `mps`"]);
    let run = world.run(&["render"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: there is no prompt\n\nhint: say what to draw: `tarim render \"a fox in the dunes\"`, or give `--recipe FILE`\n"
    );
}

#[test]
fn values() {
    let world = World::new();
    for side in ["--width", "--height"] {
        check(&world, &[side, "0"], 3, &["is 0; allowed are multiples of 8 from 64 to 8192"]);
        check(&world, &[side, "7"], 3, &["is 7; allowed are multiples of 8 from 64 to 8192"]);
        check(&world, &[side, "513"], 3, &["is not a multiple of 8; the nearest allowed are 512 and 520"]);
        check(&world, &[side, "1000000"], 3, &["is 1000000;", "the nearest is 8192"]);
    }
    check(&world, &["--steps", "0"], 3, &["steps is 0; allowed are 1 to 1000"]);
    check(&world, &["--steps", "100000"], 3, &["steps is 100000; allowed are 1 to 1000"]);
    check(&world, &["--guidance", "nan"], 3, &["guidance_scale is NaN"]);
    check(&world, &["--guidance=-1"], 3, &["guidance_scale is -1"]);
    check(&world, &["--sampler", "Eulr"], 3, &["unknown sampler `Eulr`; the nearest are `Euler`, "]);
    check(&world, &["--schedule", "Karas"], 3, &["unknown schedule `Karas`; the nearest are `Karras`, "]);
    check(&world, &["--variation-strength", "2"], 3, &["variation.strength is 2"]);
    check(&world, &["--clip-skip", "0"], 3, &["clip_skip is 0"]);
    check(&world, &["--device", "cuda:3"], 3, &["there is no device `cuda:3`; there are: `cpu`"]);
}

#[test]
fn models() {
    let world = World::new();
    let hint = "hint: name a diffusers folder (with model_index.json) or a .safetensors file";
    check(&world, &["--model", "没有"], 3, &["error: there is no model at 没有", hint]);
    world.write("old.ckpt", b"PK\x03\x04archive/data.pkl");
    check(
        &world,
        &["--model", "old.ckpt"],
        3,
        &["is a Python pickle", "use the model's .safetensors version"],
    );
    world.write("lying.safetensors", [0xff; 64]);
    check(&world, &["--model", "lying.safetensors"], 3, &["lying.safetensors is damaged"]);
    // Half a model: a part is missing.
    std::fs::remove_dir_all(world.path("模型/vae")).unwrap();
    check(&world, &[], 3, &["模型 has no VAE", "hint: `tarim inspect` lists"]);
}

#[test]
fn pictures() {
    let world = World::new();
    world.picture("init.png", 128, 64);
    world.picture("mask.png", 64, 64);
    world.write("text.png", "not a picture");
    world.write("half.png", &std::fs::read(world.path("init.png")).unwrap()[..60]);
    check(&world, &["-i", "none.png"], 3, &["the initial picture `none.png` cannot be used", "no such file"]);
    check(&world, &["-i", "text.png"], 3, &["the initial picture `text.png` cannot be used"]);
    check(&world, &["-i", "half.png"], 3, &["the initial picture `half.png` cannot be used", "damaged"]);
    check(
        &world,
        &["-i", "init.png", "--mask", "mask.png"],
        3,
        &["the mask is 64x64 pixels and the initial picture 128x64", "hint: scale the mask"],
    );
    check(&world, &["--mask", "mask.png"], 3, &["there is a mask and no picture to start from"]);
    check(&world, &["-i", "init.png", "--strength", "1.5"], 3, &["init.strength is 1.5"]);
}

#[test]
fn recipes() {
    let world = World::new();
    world.picture("bare.png", 64, 64);
    world.write("newer.json", r#"{"tarim_recipe":99}"#);
    world.write("other.json", r#"{"a":1}"#);
    world.write("bytes", [0xff, 0xfe, 0x00, 0x80]);
    check(&world, &["-r", "none.json"], 3, &["`none.json`"]);
    check(&world, &["-r", "bare.png"], 3, &["carries no recipe and no infotext"]);
    check(&world, &["-r", "newer.json"], 3, &["no recipe can be read from `newer.json`", "has version 99"]);
    check(&world, &["-r", "other.json"], 3, &["not a Tarim recipe"]);
    check(&world, &["-r", "bytes"], 3, &["`bytes` is neither a picture nor a text"]);
}

#[test]
fn places() {
    let world = World::new();
    world.write("taken.png", "mine");
    world.write("file", "mine");
    check(&world, &["-o", "taken.png"], 3, &["`taken.png` exists already", "hint: choose another name"]);
    check(&world, &["-o", "a.jpg"], 3, &["`a.jpg` asks for jpg, and only PNG is written"]);
    check(&world, &["-o", "file/a.png"], 5, &["nothing can be written to the folder `file`"]);
    // Even root cannot write there.
    if cfg!(target_os = "linux") {
        check(&world, &["-o", "/proc/a.png"], 5, &["nothing can be written to the folder `/proc`", "hint: "]);
    }
    assert_eq!(std::fs::read_to_string(world.path("taken.png")).unwrap(), "mine");
}

#[test]
fn a_renderer_that_is_not_there_or_does_not_start() {
    let world = World::new();
    let run = |world: &World, renderer: &str| {
        let mut command = world.command(&["render", "a fox"]);
        world.finished(command.env("TARIM_RENDERER", renderer).output().unwrap())
    };
    let missing = run(&world, "none");
    assert_eq!(missing.code, Some(4));
    assert_eq!(
        missing.stderr,
        "error: the renderer `tarim-renderer` was not found; looked for `none`\n\nhint: build it with `cargo xtask \
         setup`, or name it in the environment variable `TARIM_RENDERER`\n"
    );
    let old = World::with(Script { protocol: Some(0), ..Script::default() });
    check(&old, &[], 4, &["speaks version 0 of the render messages", "hint: "]);
    let loader =
        "RENDERER: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file";
    let bare = World::with(Script {
        exit_at_start: Some(127),
        stderr: vec![loader.to_owned()],
        ..Script::default()
    });
    check(
        &bare,
        &[],
        4,
        &["the renderer cannot find libtorch: ", "hint: run `cargo xtask setup`, or point `LIBTORCH`"],
    );
}

#[test]
fn a_renderer_that_is_lost_costs_the_rest_and_not_what_is_finished() {
    let check = |what, expected: &str| {
        let world = World::with_trouble(what);
        let run = world.run(&["render", "a fox", "--count", "3", "-o", "out"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(4), "out/tarim-0001.png\n"), "{run:?}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(run.stderr.contains("\n\nhint: "), "{}", run.stderr);
        assert_eq!(world.files("out"), ["tarim-0001.png"]);
    };
    check(TroubleKind::Exit(3), "error: the renderer ended by itself with exit code 3");
    check(TroubleKind::AllocationFailure, "error: the renderer ran out of memory");
    check(TroubleKind::Garbage, "something that is no message");
    if cfg!(unix) {
        check(TroubleKind::Kill, "memory");
    }
}

#[test]
fn errors_are_json_too() {
    let failure = Failure {
        code: FailureCode::Model,
        message: "half a model".to_owned(),
        hint: Some("copy it again".to_owned()),
    };
    let world = World::with(Script { fail: Some(failure), ..Script::default() });
    let run = world.run(&["render", "a fox", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(3), "error: half a model\n\nhint: copy it again\n"));
    assert_eq!(
        run.json().last().unwrap(),
        &json!({
            "event": "error", "code": "bad_input", "exit_code": 3, "message": "half a model", "causes": [],
            "hint": "copy it again",
        })
    );
}
