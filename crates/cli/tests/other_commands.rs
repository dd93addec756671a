//! `inspect`, `tokens` and `doctor`.

#[path = "support/model.rs"]
mod model;
#[path = "support/world.rs"]
mod world;

use serde_json::json;
use tarim_render::fake::Script;
use world::World;

#[test]
fn inspect_shows_what_a_picture_carries() {
    let world = World::new();
    world.run(&["render", "一只狐狸", "--seed", "7", "-o", "a.png"]).succeeded();
    let run = world.run(&["inspect", "a.png"]).succeeded();
    for expected in
        ["a.png: Png, 128x64 pixels\n", "\"tarim_recipe\": 1", "\"prompt\": \"一只狐狸\"", "Steps: 4, "]
    {
        assert!(run.stdout.contains(expected), "{}", run.stdout);
    }
    let found = &world.run(&["inspect", "a.png", "--json"]).succeeded().json()[0];
    assert_eq!((&found["kind"], &found["recipe"]["seed"]), (&json!("picture"), &json!("7")));
    world.picture("bare.png", 8, 8);
    let run = world.run(&["inspect", "bare.png"]).succeeded();
    assert_eq!(run.stdout, "bare.png: Png, 8x8 pixels\nit says nothing about how it was made\n");
}

#[test]
fn inspect_shows_what_a_model_is_and_lacks() {
    let world = World::new();
    let run = world.run(&["inspect", "模型"]).succeeded();
    assert!(
        run.stdout.starts_with("模型\nStable Diffusion 1 (diffusers folder, CLIP's tokenizer)\n"),
        "{}",
        run.stdout
    );
    let found = &world.run(&["inspect", "模型", "--json"]).succeeded().json()[0];
    assert_eq!((&found["kind"], &found["complete"]), (&json!("model"), &json!(true)));
    model::write_without(&world.path("half"), "conv_in.weight");
    let run = world.run(&["inspect", "half"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.contains("  missing: conv_in.weight [32, 4, 3, 3]\n"), "{}", run.stdout);
    assert_eq!(run.stderr, "warning: the model is not complete and cannot be rendered with\n");
    let run = world.run(&["render", "a fox", "--model", "half"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("1 tensors are missing: `conv_in.weight`"), "{}", run.stderr);
}

#[test]
fn inspect_refuses_what_it_does_not_know() {
    let world = World::new();
    world.write("text", "hello");
    let run = world.run(&["inspect", "text"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.starts_with("error: `text` is neither a picture nor a model"), "{}", run.stderr);
    let run = world.run(&["inspect", "none"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(3), "error: there is no file `none`\n"));
}

#[test]
fn tokens_shows_how_a_prompt_is_cut() {
    let world = World::new();
    let run = world.run(&["tokens", "a (fox:1.5)"]).succeeded();
    assert_eq!(run.stdout, "2 of 75 tokens\n   320  a\n  3240  fox  x1.5000\n\n");
    let run = world.run(&["tokens", "a (fox"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.starts_with("warning: at `("), "{}", run.stderr);
    let found = &world.run(&["tokens", "狐", "--json"]).succeeded().json()[0];
    assert_eq!(found["parts"][0]["runs"][0]["chunks"][0][0]["text"], "狐");
}

#[test]
fn doctor_tells_what_is_there_and_how_fast_it_is() {
    let world = World::with(Script { has_cuda: true, ..Script::default() });
    let run = world.run(&["doctor", "--device", "cpu"]).succeeded();
    let expected = "renderer   RENDERER\nlibtorch   ";
    assert!(run.stdout.starts_with(expected), "{}", run.stdout);
    for expected in [
        "device     cuda:0: Fake GPU, 25.8 GB, renders in fp16\n",
        "self-test  cpu with 2 threads\n           fp32: matrix products 100 GFLOP/s, convolutions 50 GFLOP/s\n",
        "4.3 GB of memory free\n",
    ] {
        assert!(run.stdout.contains(expected), "{}", run.stdout);
    }
    let found = &world.run(&["doctor", "--json"]).succeeded().json()[0];
    assert_eq!((&found["tested"], &found["self_test"]["threads"]), (&json!("cuda:0"), &json!(2)));
}
