//! `tarim render` as people and programs use it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use serde_json::json;
use tarim_library::picture;
use tarim_recipe::{Prompt, Seed, Size};
use tarim_render::fake::{self, Script};
use world::{World, pixels};

fn small() -> Size {
    Size::new(128, 64).unwrap()
}

#[test]
fn a_picture_is_written_with_its_recipe_inside() {
    let world = World::new();
    let run = world
        .run(&["render", "楼兰的沙丘 🦊", "-n", "模糊", "--seed", "7", "--out", "画/狐.png"])
        .succeeded();
    assert_eq!(run.stdout, "画/狐.png\n");
    let path = world.path("画/狐.png");
    assert_eq!(pixels(&path), fake::picture(Seed(7), small()).into_bytes());
    let info = picture::read(&path).unwrap();
    let recipe = info.recipe.unwrap().unwrap();
    assert_eq!(recipe.prompt, Prompt::from("楼兰的沙丘 🦊"));
    assert_eq!(recipe.negative_prompt, Prompt::from("模糊"));
    assert_eq!((recipe.seed, recipe.size, recipe.steps), (Seed(7), small(), 4));
    assert_eq!((recipe.model.name.as_str(), recipe.model.hash.map(|hash| hash.len())), ("模型", Some(64)));
    assert!(info.infotext.unwrap().starts_with("楼兰的沙丘 🦊\nNegative prompt: 模糊\nSteps: 4,"));
    assert!(info.xmp.unwrap().contains("trainedAlgorithmicMedia"));
}

#[test]
fn several_pictures_have_following_seeds_and_numbers() {
    let world = World::new();
    let run = world.run(&["render", "a fox", "--seed", "18446744073709551615", "--count", "3", "-o", "out"]);
    assert_eq!(run.succeeded().stdout, "out/tarim-0001.png\nout/tarim-0002.png\nout/tarim-0003.png\n");
    for (name, seed) in [("tarim-0001", u64::MAX), ("tarim-0002", 0), ("tarim-0003", 1)] {
        let path = world.path(&format!("out/{name}.png"));
        assert_eq!(pixels(&path), fake::picture(Seed(seed), small()).into_bytes(), "{name}");
        assert_eq!(picture::read(&path).unwrap().recipe.unwrap().unwrap().seed, Seed(seed));
    }
    // A further run goes on counting.
    world.run(&["render", "a fox", "-o", "out"]).succeeded();
    assert_eq!(world.files("out").last().unwrap(), "tarim-0004.png");
}

#[test]
fn names_may_hold_seed_and_number() {
    let world = World::new();
    let arguments = ["render", "a fox", "--seed", "5", "--count", "2", "-o", "狐/{index}-{seed}.png"];
    world.run(&arguments).succeeded();
    assert_eq!(world.files("狐"), ["0001-5.png", "0002-6.png"]);
    // What is there stays.
    let before = pixels(&world.path("狐/0001-5.png"));
    let run = world.run(&["render", "an owl", "--seed", "5", "-o", "狐/0001-{seed}.png"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "狐/0001-5-0001.png\n"));
    assert!(run.stderr.contains("exists already"), "{}", run.stderr);
    assert_eq!(pixels(&world.path("狐/0001-5.png")), before);
}

#[test]
fn json_lines_tell_everything() {
    let world = World::with(Script { warnings: vec!["风沙".to_owned()], ..Script::default() });
    let run = world.run(&["render", "a fox", "--seed", "7", "--steps", "2", "--json", "-o", "a.png"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "warning: 风沙\n"));
    let lines = run.json();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let expected = ["start", "warning", "stage", "stage", "progress", "progress", "stage", "picture", "done"];
    assert_eq!(events, expected);
    assert_eq!(lines[0]["recipe"]["seed"], "7");
    assert_eq!(lines[0]["device"]["id"], "cpu");
    assert_eq!(lines[4]["step"], 1);
    assert_eq!(lines[7]["path"], "a.png");
    assert_eq!((&lines[7]["seed"], &lines[7]["width"]), (&json!("7"), &json!(128)));
    assert_eq!(lines[8], json!({"event": "done", "outcome": "finished", "pictures": 1}));
}

#[test]
fn a_picture_renders_again_byte_for_byte_from_itself() {
    let world = World::new();
    world
        .run(&["render", "a (fox:1.2), \"neon\"", "--guidance", "5.5", "--clip-skip", "2", "-o", "a.png"])
        .succeeded();
    world.run(&["render", "--recipe", "a.png", "-o", "b.png"]).succeeded();
    let bytes = |name: &str| std::fs::read(world.path(name)).unwrap();
    assert_eq!(bytes("a.png"), bytes("b.png"));
    // From the recipe's JSON too.
    let recipe = picture::read(&world.path("a.png")).unwrap().recipe.unwrap().unwrap();
    world.write("食谱.json", recipe.canonical_json().unwrap());
    world.run(&["render", "--recipe", "食谱.json", "-o", "c.png"]).succeeded();
    assert_eq!(bytes("a.png"), bytes("c.png"));
}

#[test]
fn options_override_the_recipe() {
    let world = World::new();
    world.write(
        "infotext.txt",
        "a fox\nNegative prompt: blurry\nSteps: 12, Sampler: Euler, CFG scale: 5, Seed: 99, Size: 64x64, Model: other",
    );
    let run = world.run(&["render", "--recipe", "infotext.txt", "--steps", "3", "-o", "a.png"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("made for the model other"), "{}", run.stderr);
    let recipe = picture::read(&world.path("a.png")).unwrap().recipe.unwrap().unwrap();
    assert_eq!((recipe.steps, recipe.seed, recipe.guidance_scale), (3, Seed(99), 5.0));
    assert_eq!(recipe.prompt, Prompt::from("a fox"));
    assert_eq!(recipe.size, Size::new(64, 64).unwrap());
}

#[test]
fn a_seed_is_drawn_when_none_is_given() {
    let world = World::new();
    let seed = |name: &str| {
        world.run(&["render", "a fox", "-o", name]).succeeded();
        picture::read(&world.path(name)).unwrap().recipe.unwrap().unwrap().seed
    };
    assert_ne!(seed("a.png"), seed("b.png"));
}

#[test]
fn a_picture_to_start_from_gives_its_size() {
    let world = World::new();
    world.picture("init.png", 200, 100);
    world.picture("mask.png", 200, 100);
    let arguments =
        ["render", "a fox", "-i", "init.png", "--mask", "mask.png", "--strength", "0.4", "-o", "a.png"];
    world.run(&arguments).succeeded();
    let info = picture::read(&world.path("a.png")).unwrap();
    let recipe = info.recipe.unwrap().unwrap();
    assert_eq!(recipe.size, Size::nearest(200, 100));
    let init = recipe.init.unwrap();
    assert_eq!((init.strength, init.picture.len()), (0.4, 64));
    assert!(init.mask.is_some());
    assert!(info.xmp.unwrap().contains("compositeWithTrainedAlgorithmicMedia"));
    // Again: the pictures have to be given again, and any others are remarked upon.
    let run = world.run(&["render", "--recipe", "a.png", "-o", "b.png"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("give it with `--init FILE`"), "{}", run.stderr);
    world.picture("other.png", 200, 100);
    world.picture("other.png", 208, 100);
    let run =
        world.run(&["render", "--recipe", "a.png", "-i", "other.png", "--mask", "other.png", "-o", "b.png"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("not the one that the recipe was made with"), "{}", run.stderr);
}

#[test]
fn the_device_chooses_the_precision_unless_the_recipe_or_the_user_does() {
    let world = World::with(Script { has_cuda: true, ..Script::default() });
    let check = |arguments: &[&str], expected: &str| {
        let start = &world.run(&[&["render", "--json"], arguments].concat()).json()[0];
        assert_eq!(start["recipe"]["precision"], expected, "{arguments:?}");
    };
    check(&["a fox", "-o", "a.png"], "fp16");
    check(&["a fox", "--device", "cpu"], "fp32");
    check(&["a fox", "--precision", "bf16"], "bf16");
    check(&["--recipe", "a.png", "--device", "cpu"], "fp16");
    check(&["--recipe", "a.png", "--device", "cpu", "--precision", "auto"], "fp32");
}

#[test]
fn broken_prompts_are_rendered_with_a_warning() {
    let world = World::new();
    let run = world.run(&["render", "a (fox", "-o", "a.png"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.starts_with("warning: the prompt, at `("), "{}", run.stderr);
}

#[test]
fn a_preview_is_kept_while_rendering_and_swept_afterwards() {
    let world = World::new();
    let run = world.run(&["render", "a fox", "--preview", "--json", "-o", "out"]).succeeded();
    let shown = run.json().iter().filter(|line| line["preview"] == "out/tarim.preview.png").count();
    assert_eq!(shown, 4);
    assert_eq!(world.files("out"), ["tarim-0001.png"]);
}
