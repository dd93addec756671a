//! The supervisor against a fake renderer program, through everything that can go wrong with a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tarim_recipe::{ModelRef, Prompt, Recipe, Sampler, Schedule, Seed, Size};
use tarim_render::fake::{self, FakeRenderer, SCRIPT_VARIABLE, Script, Trouble, TroubleKind};
use tarim_render::messages;
use tarim_render::{
    Channels, DeviceChoice, Failure, FailureCode, Job, JobEvent, JobId, LocalRenderer, Outcome, PixelShape,
    Pixels, ProcessOptions, RenderError, Renderer, Stage, Timeouts, ToRender,
};

/// Generous, so that a busy machine fails no test; the tests that wait for a deadline set their own.
const PATIENCE: Duration = Duration::from_secs(30);

fn recipe() -> Recipe {
    Recipe {
        model: ModelRef { name: "starter".to_owned(), hash: None },
        prompt: Prompt { text: "楼兰的沙丘, (neon:1.2)".to_owned(), template: None },
        negative_prompt: Prompt::default(),
        size: Size::new(96, 64).unwrap(),
        sampler: Sampler::Euler,
        schedule: Schedule::Automatic,
        steps: 4,
        guidance_scale: 7.0,
        guidance_rescale: 0.0,
        seed: Seed(u64::MAX),
        variation: None,
        noise_source: tarim_recipe::NoiseSource::default(),
        clip_skip: 1,
        emphasis: tarim_recipe::Emphasis::default(),
        eta: None,
        precision: tarim_recipe::Precision::Fp32,
        init: None,
        postprocess: Vec::new(),
    }
}

fn job(id: u64) -> Job {
    Job {
        id: JobId(id),
        pictures: ToRender::series(&recipe(), 2, None, None),
        model: "models/starter".into(),
        device: DeviceChoice::Auto,
        together: 1,
        preview_every: 2,
    }
}

fn long(id: u64) -> Job {
    Job { pictures: ToRender::series(&Recipe { steps: 1000, ..recipe() }, 2, None, None), ..job(id) }
}

fn timeouts() -> Timeouts {
    Timeouts { pause_after_crash: Duration::from_millis(1), ..Timeouts::default() }
}

fn local_with(script: &Script, timeouts: Timeouts) -> LocalRenderer {
    let mut options = ProcessOptions::new(env!("CARGO_BIN_EXE_tarim-fake-renderer"));
    options.environment = vec![(SCRIPT_VARIABLE.into(), serde_json::to_string(script).unwrap().into())];
    options.timeouts = timeouts;
    LocalRenderer::new(options)
}

fn local(script: &Script) -> LocalRenderer {
    local_with(script, timeouts())
}

/// All events of a job; fails when it does not end.
fn all(events: &Receiver<JobEvent>) -> Vec<JobEvent> {
    let mut seen = Vec::new();
    loop {
        match events.recv_timeout(PATIENCE) {
            Ok(event) => seen.push(event),
            Err(RecvTimeoutError::Disconnected) => return seen,
            Err(RecvTimeoutError::Timeout) => panic!("the job does not end: {seen:?}"),
        }
    }
}

fn wait_for_progress(events: &Receiver<JobEvent>) {
    while !matches!(events.recv_timeout(PATIENCE).unwrap(), JobEvent::Progress { .. }) {}
}

fn trouble(what: TroubleKind) -> Script {
    Script { trouble: Some(Trouble { picture: 0, step: 3, what }), ..Script::default() }
}

/// How a job ends that meets the trouble.
fn failure(what: TroubleKind) -> Failure {
    match all(&local(&trouble(what)).submit(job(1)).unwrap()).pop() {
        Some(JobEvent::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn start_error(script: &Script, timeouts: Timeouts) -> RenderError {
    local_with(script, timeouts).start().unwrap_err()
}

fn stage(stage: Stage, pictures: &[u32]) -> JobEvent {
    JobEvent::Stage { stage, pictures: pictures.to_vec() }
}

fn check_whole_job(renderer: &dyn Renderer) {
    let events = all(&renderer.submit(job(7)).unwrap());
    let mut expected = vec![JobEvent::Warning("风沙".to_owned()), stage(Stage::LoadingModel, &[])];
    for (picture, seed) in [(0, Seed(u64::MAX)), (1, Seed(0))] {
        expected.push(stage(Stage::Sampling, &[picture]));
        for step in 1..=4 {
            expected.push(JobEvent::Progress { picture, step, steps: 4, preview: None });
        }
        expected.push(stage(Stage::Decoding, &[picture]));
        let pixels = fake::picture(seed, recipe().size);
        expected.push(JobEvent::Picture { picture, seed, pixels, timings: tarim_render::Timings::default() });
    }
    expected.push(JobEvent::Done(Outcome::Finished));
    let mut previews = 0;
    let stripped: Vec<JobEvent> = events
        .into_iter()
        .map(|event| match event {
            JobEvent::Progress { picture, step, steps, preview } => {
                previews += u32::from(preview.is_some_and(|p| (p.width(), p.height()) == (12, 8)));
                JobEvent::Progress { picture, step, steps, preview: None }
            }
            JobEvent::Picture { picture, seed, pixels, timings } => {
                assert!(timings.sample > 0.0);
                JobEvent::Picture { picture, seed, pixels, timings: tarim_render::Timings::default() }
            }
            other => other,
        })
        .collect();
    assert_eq!(stripped, expected);
    assert_eq!(previews, 4);
}

#[test]
fn a_job_runs_to_its_end_and_its_pixels_arrive_unchanged() {
    let script = Script { warnings: vec!["风沙".to_owned()], ..Script::default() };
    check_whole_job(&local(&script));
    check_whole_job(&FakeRenderer::new(script));
}

#[test]
fn the_renderer_says_what_it_is() {
    let renderer = local(&Script { has_cuda: true, ..Script::default() });
    let hello = renderer.start().unwrap();
    assert_eq!(hello.renderer_version, "fake");
    assert_eq!(hello.device(DeviceChoice::Auto).unwrap().id, DeviceChoice::Cuda(0));
    assert_eq!(hello.device(DeviceChoice::Cpu).unwrap().name, "Fake CPU");
    assert_eq!(hello.device(DeviceChoice::Cuda(1)), None);
    assert_eq!(renderer.self_test(DeviceChoice::Cpu).unwrap().rates.len(), 2);
}

#[test]
fn initial_pictures_larger_than_a_pipe_arrive() {
    let pixels = |channels| {
        let shape = PixelShape { width: 1024, height: 512, channels };
        Pixels::new(shape, vec![7; shape.bytes().unwrap()]).unwrap()
    };
    let (init, mask) = (Some(pixels(Channels::Rgb)), Some(pixels(Channels::Grey)));
    // More than a message holds, unless each is sent once.
    let job = Job { pictures: ToRender::series(&recipe(), 300, init, mask), ..job(1) };
    let events = all(&local(&Script::default()).submit(job).unwrap());
    assert_eq!(events.last(), Some(&JobEvent::Done(Outcome::Finished)));
}

#[test]
fn a_recipe_that_is_none_is_refused_before_it_is_sent() {
    let mut job = job(1);
    job.pictures[1].recipe.steps = 0;
    let error = local(&Script::default()).submit(job).unwrap_err();
    assert!(matches!(error, RenderError::Unspeakable(_)), "{error}");
}

#[test]
fn a_cancelled_job_stops_and_the_next_one_runs() {
    let renderer = local(&Script { step_ms: 20, ..Script::default() });
    let long = long(1);
    let events = renderer.submit(long).unwrap();
    let next = renderer.submit(job(2)).unwrap();
    wait_for_progress(&events);
    renderer.cancel(JobId(1));
    assert_eq!(all(&events).last(), Some(&JobEvent::Done(Outcome::Cancelled)));
    assert_eq!(all(&next).last(), Some(&JobEvent::Done(Outcome::Finished)));
    // Too late, and unknown: nothing happens.
    renderer.cancel(JobId(2));
    renderer.cancel(JobId(99));
    assert_eq!(all(&renderer.submit(job(3)).unwrap()).last(), Some(&JobEvent::Done(Outcome::Finished)));
}

#[test]
fn a_job_that_ignores_its_cancel_is_ended_with_its_process() {
    let script = Script { step_ms: 20, ignores_cancel: true, ..Script::default() };
    let renderer = local_with(&script, Timeouts { cancel: Duration::from_millis(50), ..timeouts() });
    let long = long(1);
    let events = renderer.submit(long).unwrap();
    let waiting = renderer.submit(job(2)).unwrap();
    wait_for_progress(&events);
    renderer.cancel(JobId(1));
    assert_eq!(all(&events).last(), Some(&JobEvent::Done(Outcome::Cancelled)));
    // The one behind it goes down with the process and may be submitted again.
    let last = all(&waiting).pop();
    let Some(JobEvent::Failed(failure)) = last else { panic!("{last:?}") };
    assert_eq!(failure.code, FailureCode::Stopped);
    assert_eq!(all(&renderer.submit(job(3)).unwrap()).last(), Some(&JobEvent::Done(Outcome::Finished)));
}

#[test]
fn a_hanging_renderer_is_noticed_and_ended() {
    let script = Script { ignores_ping: true, ..trouble(TroubleKind::Hang) };
    let short = Duration::from_millis(50);
    let renderer = local_with(&script, Timeouts { ping_every: short, pong: short, ..timeouts() });
    let last = all(&renderer.submit(job(1)).unwrap()).pop();
    let Some(JobEvent::Failed(failure)) = last else { panic!("{last:?}") };
    assert_eq!(failure.message, "the renderer no longer answered and was ended");
    assert_eq!(failure.code, FailureCode::Stopped);
}

#[test]
fn a_renderer_that_answers_pings_is_left_alone() {
    let short = Duration::from_millis(30);
    let script = Script { step_ms: 100, ..Script::default() };
    let renderer = local_with(&script, Timeouts { ping_every: short, ..timeouts() });
    assert_eq!(all(&renderer.submit(job(1)).unwrap()).last(), Some(&JobEvent::Done(Outcome::Finished)));
}

#[test]
fn a_kill_ends_everything_at_once_and_the_next_job_starts_anew() {
    let renderer = local(&Script { step_ms: 20, ..Script::default() });
    let long = long(1);
    let events = renderer.submit(long).unwrap();
    wait_for_progress(&events);
    renderer.kill();
    let last = all(&events).pop();
    let Some(JobEvent::Failed(failure)) = last else { panic!("{last:?}") };
    assert_eq!(
        (failure.code, failure.message.as_str()),
        (FailureCode::Stopped, "the renderer was told to end")
    );
    assert_eq!(all(&renderer.submit(job(2)).unwrap()).last(), Some(&JobEvent::Done(Outcome::Finished)));
}

#[test]
fn crashes_are_told_apart() {
    let check = |what, code, message: &str| {
        let found = failure(what);
        assert_eq!((found.code, found.message.as_str()), (code, message), "{what:?}");
        assert!(found.hint.is_some(), "{what:?}");
    };
    check(TroubleKind::Exit(3), FailureCode::Crashed, "the renderer ended by itself with exit code 3");
    check(
        TroubleKind::AllocationFailure,
        FailureCode::OutOfMemory,
        "the renderer ran out of memory; its last words: memory allocation of 68719476736 bytes failed",
    );
    check(
        TroubleKind::Garbage,
        FailureCode::Crashed,
        "the renderer was ended because it wrote something that is no message: expected a message and found other \
         bytes: \"Warning: fal\"",
    );
    if cfg!(unix) {
        check(TroubleKind::Abort, FailureCode::Crashed, "the renderer was ended by signal 6 (aborted)");
        assert_eq!(failure(TroubleKind::Kill).code, FailureCode::OutOfMemory);
    }
}

#[test]
fn after_a_crash_the_next_job_gets_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script { trouble_once: Some(folder.path().join("once")), ..trouble(TroubleKind::Abort) };
    let renderer = local(&script);
    let first = all(&renderer.submit(job(1)).unwrap());
    assert!(matches!(first.last(), Some(JobEvent::Failed(_))), "{first:?}");
    assert_eq!(all(&renderer.submit(job(2)).unwrap()).last(), Some(&JobEvent::Done(Outcome::Finished)));
}

#[test]
fn a_failure_of_the_job_arrives_as_it_was_sent_and_costs_no_process() {
    let sent = Failure {
        code: FailureCode::Model,
        message: "`模型` is half a model: no vae".to_owned(),
        hint: Some("copy it again".to_owned()),
    };
    let renderer = local(&Script { fail: Some(sent.clone()), ..Script::default() });
    assert_eq!(all(&renderer.submit(job(1)).unwrap()).last(), Some(&JobEvent::Failed(sent.clone())));
    assert_eq!(all(&renderer.submit(job(2)).unwrap()).last(), Some(&JobEvent::Failed(sent)));
}

#[test]
fn a_renderer_that_does_not_start_says_why() {
    let check = |script: Script, expected: &str| {
        let error = start_error(&script, timeouts());
        assert_eq!(error.to_string().replace(env!("CARGO_BIN_EXE_tarim-fake-renderer"), "R"), expected);
        assert!(error.hint().is_some(), "{error}");
    };
    let leaving = |code, line: &str| Script {
        exit_at_start: Some(code),
        stderr: vec![line.to_owned()],
        ..Script::default()
    };
    check(
        Script { protocol: Some(9), ..Script::default() },
        "the renderer `R` speaks version 9 of the render messages; this program speaks 2",
    );
    check(
        leaving(
            127,
            "R: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file: No such file",
        ),
        "the renderer cannot find libtorch: R: error while loading shared libraries: libtorch_cpu.so: cannot open \
         shared object file: No such file",
    );
    check(
        leaving(127, "R: symbol lookup error: R: undefined symbol: _ZN2at4_ops3addE"),
        "the renderer found a libtorch of another version than it was built for: R: symbol lookup error: R: \
         undefined symbol: _ZN2at4_ops3addE",
    );
    check(
        leaving(3, &format!("{}it is 2.6.0, and 2.11.0 is needed", messages::LIBTORCH_MISMATCH)),
        "the renderer found a libtorch of another version than it was built for: it is 2.6.0, and 2.11.0 is needed",
    );
    check(
        leaving(3, "thread 'main' panicked"),
        "the renderer ended by itself with exit code 3; its last words: thread 'main' panicked",
    );
    let short = Timeouts { hello: Duration::from_millis(50), ..timeouts() };
    let error = start_error(&Script { hello_ms: 60_000, ..Script::default() }, short);
    assert!(matches!(error, RenderError::NoAnswer { .. }), "{error}");
}

#[test]
fn a_program_that_is_no_renderer_is_recognised() {
    let missing = LocalRenderer::new(ProcessOptions::new("/no/such/renderer")).start().unwrap_err();
    assert!(matches!(missing, RenderError::Spawn { .. }), "{missing}");
    if cfg!(unix) {
        let mut options = ProcessOptions::new("echo");
        options.arguments = vec!["hello, world".into()];
        let error = LocalRenderer::new(options).start().unwrap_err();
        assert!(matches!(error, RenderError::NotARenderer { .. }), "{error}");
    }
}

/// The pictures that came, those that failed, and how it ended.
fn summary(events: &[JobEvent]) -> (Vec<u32>, Vec<u32>, Option<&JobEvent>) {
    let mut came = (Vec::new(), Vec::new(), events.last());
    for event in events {
        match event {
            JobEvent::Picture { picture, .. } => came.0.push(*picture),
            JobEvent::PictureFailed { picture, .. } => came.1.push(*picture),
            _ => {}
        }
    }
    came
}

#[test]
fn a_cancelled_picture_costs_the_others_nothing() {
    let check = |renderer: &dyn Renderer| {
        let pictures = ToRender::series(&Recipe { steps: 20, ..recipe() }, 4, None, None);
        let events = renderer.submit(Job { pictures, together: 4, ..job(1) }).unwrap();
        wait_for_progress(&events);
        renderer.cancel_picture(JobId(1), 2);
        let all = all(&events);
        assert_eq!(summary(&all), (vec![0, 1, 3], vec![], Some(&JobEvent::Done(Outcome::Finished))));
        let events = renderer.submit(Job { together: 2, ..long(2) }).unwrap();
        wait_for_progress(&events);
        (0..2).for_each(|picture| renderer.cancel_picture(JobId(2), picture));
        let all = self::all(&events);
        assert_eq!(summary(&all), (vec![], vec![], Some(&JobEvent::Done(Outcome::Cancelled))));
    };
    let script = Script { step_ms: 10, ..Script::default() };
    check(&local(&script));
    check(&FakeRenderer::new(script));
}

#[test]
fn a_renderer_that_is_deaf_to_the_cancel_of_its_last_picture_is_ended() {
    let script = Script { step_ms: 20, ignores_cancel: true, ..Script::default() };
    let renderer = local_with(&script, Timeouts { cancel: Duration::from_millis(50), ..timeouts() });
    let events = renderer.submit(long(1)).unwrap();
    wait_for_progress(&events);
    (0..2).for_each(|picture| renderer.cancel_picture(JobId(1), picture));
    assert_eq!(all(&events).last(), Some(&JobEvent::Done(Outcome::Cancelled)));
}

#[test]
fn a_picture_that_cannot_be_rendered_fails_by_itself_and_memory_decides_how_many_go_together() {
    let script = Script { bad_seeds: vec![0], most_together: Some(2), ..Script::default() };
    let pictures = ToRender::series(&recipe(), 3, None, None);
    let events = all(&local(&script).submit(Job { pictures, together: 3, ..job(1) }).unwrap());
    assert_eq!(summary(&events), (vec![0, 2], vec![1], Some(&JobEvent::Done(Outcome::Finished))));
    assert!(events.contains(&JobEvent::Fewer(2)));
}
