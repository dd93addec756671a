//! The true renderer process, with a tiny model of the reference library.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use tarim_recipe::{
    Emphasis, ModelRef, NoiseSource, Precision, Prompt, Recipe, Sampler, Schedule, Seed, Size,
};
use tarim_render::{
    DeviceChoice, FailureCode, Job, JobEvent, JobId, LocalRenderer, Outcome, ProcessOptions, Renderer, Stage,
    ToRender,
};

/// For a machine that does a lot else.
const PATIENCE: Duration = Duration::from_mins(3);

fn options() -> ProcessOptions {
    let mut options = ProcessOptions::new(env!("CARGO_BIN_EXE_tarim-renderer"));
    // Cargo's configuration names the one that set-up fetched.
    options.libtorch = std::env::var_os("LIBTORCH").map(PathBuf::from);
    options.library_path = std::env::var_os(ProcessOptions::library_path_variable());
    options
}

fn job(id: u64) -> Job {
    let recipe = Recipe {
        model: ModelRef { name: "sd1".to_owned(), hash: None },
        prompt: Prompt::from("楼兰的沙丘"),
        negative_prompt: Prompt::default(),
        size: Size::new(64, 64).unwrap(),
        sampler: Sampler::EulerAncestral,
        schedule: Schedule::Automatic,
        steps: 3,
        guidance_scale: 5.0,
        guidance_rescale: 0.0,
        seed: Seed(7),
        variation: None,
        noise_source: NoiseSource::Cpu,
        clip_skip: 1,
        emphasis: Emphasis::Original,
        eta: None,
        precision: Precision::Fp32,
        init: None,
        postprocess: Vec::new(),
    };
    Job {
        id: JobId(id),
        pictures: ToRender::series(&recipe, 2, None, None),
        model: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/models/sd1"),
        device: DeviceChoice::Cpu,
        together: 1,
        preview_every: 2,
    }
}

fn loading() -> JobEvent {
    JobEvent::Stage { stage: Stage::LoadingModel, pictures: Vec::new() }
}

fn all(events: &Receiver<JobEvent>) -> Vec<JobEvent> {
    let mut seen = Vec::new();
    while let Ok(event) = events.recv_timeout(PATIENCE) {
        seen.push(event);
    }
    seen
}

fn pictures(events: &[JobEvent]) -> Vec<(Seed, Vec<u8>)> {
    let picture = |event: &JobEvent| match event {
        JobEvent::Picture { seed, pixels, .. } => Some((*seed, pixels.bytes().to_vec())),
        _ => None,
    };
    events.iter().filter_map(picture).collect()
}

#[test]
fn jobs_render_fail_and_are_cancelled_without_harm_to_each_other() {
    let renderer = LocalRenderer::new(options());
    let hello = renderer.start().unwrap();
    assert_eq!(hello.libtorch, "2.11.0");
    assert!(hello.device(DeviceChoice::Cpu).is_some());

    let first = all(&renderer.submit(job(1)).unwrap());
    assert_eq!(first.last(), Some(&JobEvent::Done(Outcome::Finished)), "{first:?}");
    assert!(first.contains(&loading()));
    let drawn = pictures(&first);
    assert_eq!(drawn.iter().map(|(seed, _)| seed.0).collect::<Vec<_>>(), [7, 8]);
    assert_ne!(drawn[0].1, drawn[1].1);
    let preview = |event: &&JobEvent| matches!(event, JobEvent::Progress { preview: Some(_), .. });
    assert_eq!(first.iter().filter(preview).count(), 2);

    // The model is still there, and a picture does not depend on what was rendered before.
    let mut second = job(2);
    second.pictures.remove(0);
    let second = all(&renderer.submit(second).unwrap());
    assert!(!second.contains(&loading()));
    assert_eq!(pictures(&second), drawn[1..]);

    let mut long = job(3);
    long.pictures.iter_mut().for_each(|picture| picture.recipe.steps = 900);
    let events = renderer.submit(long).unwrap();
    while !matches!(events.recv_timeout(PATIENCE).unwrap(), JobEvent::Progress { .. }) {}
    renderer.cancel(JobId(3));
    assert_eq!(all(&events).last(), Some(&JobEvent::Done(Outcome::Cancelled)));

    let failed = |job: Job| match all(&renderer.submit(job).unwrap()).pop() {
        Some(JobEvent::Failed(failure)) => failure.code,
        other => panic!("{other:?}"),
    };
    let mut missing = job(4);
    missing.model = "没有".into();
    assert_eq!(failed(missing), FailureCode::Model);
    // More layers than this model has.
    let mut skipping = job(7);
    skipping.pictures.iter_mut().for_each(|picture| picture.recipe.clip_skip = 9);
    assert_eq!(failed(skipping), FailureCode::BadInput);
    let mut half = job(5);
    half.pictures.iter_mut().for_each(|picture| picture.recipe.precision = Precision::Fp16);
    assert_eq!(failed(half), FailureCode::Device);

    let last = all(&renderer.submit(job(6)).unwrap());
    assert_eq!(pictures(&last), drawn);
    assert!(renderer.self_test(DeviceChoice::Cpu).unwrap().rates[0].matmul_gflops > 0.0);
}

#[test]
fn the_end_of_the_pipe_ends_the_process() {
    let check = |stdin: Stdio, code| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarim-renderer"));
        let folders = options().libtorch.map(|libtorch| libtorch.join("lib"));
        let before = options().library_path.unwrap_or_default();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&before))).unwrap();
        command.env(ProcessOptions::library_path_variable(), path).stdin(stdin);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        // Nothing but the greeting.
        assert!(output.stdout.starts_with(b"TRM1"), "{output:?}");
        assert_eq!(output.stdout.windows(4).filter(|bytes| *bytes == b"TRM1").count(), 1);
    };
    check(Stdio::null(), 0);
    let no_request = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    check(std::fs::File::open(no_request).unwrap().into(), 65);
}

#[test]
fn one_picture_of_several_fails_or_is_cancelled_by_itself() {
    let renderer = LocalRenderer::new(options());
    let alone = pictures(&all(&renderer.submit(job(1)).unwrap()));

    // Other prompts and other steps, and one that cannot be rendered: the others are what they are alone.
    let mut mixed = job(2);
    mixed.together = 4;
    let good = mixed.pictures.clone();
    let mut bad = good[0].clone();
    bad.recipe.clip_skip = 9;
    let mut other = good[0].clone();
    other.recipe.prompt = Prompt::from("a lake");
    mixed.pictures = vec![good[0].clone(), bad, other, good[1].clone()];
    let events = all(&renderer.submit(mixed).unwrap());
    assert_eq!(events.last(), Some(&JobEvent::Done(Outcome::Finished)));
    let failed = |event: &JobEvent| match event {
        JobEvent::PictureFailed { picture, failure } => Some((*picture, failure.code)),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(failed).collect::<Vec<_>>(), [(1, FailureCode::BadInput)]);
    let came = pictures(&events);
    assert_eq!([&came[0], &came[2]], [&alone[0], &alone[1]]);

    let mut long = job(3);
    long.pictures[0].recipe.steps = 900;
    let events = renderer.submit(long).unwrap();
    while !matches!(events.recv_timeout(PATIENCE).unwrap(), JobEvent::Progress { .. }) {}
    renderer.cancel_picture(JobId(3), 0);
    let events = all(&events);
    assert_eq!(events.last(), Some(&JobEvent::Done(Outcome::Finished)));
    assert_eq!(pictures(&events), alone[1..]);
}
