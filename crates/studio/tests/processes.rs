//! The queue and renderers that are processes: slow to start, broken, hanging, deaf to a cancel.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use tarim_library::{Id, Library, State};
use tarim_recipe::Draft;
use tarim_render::ProcessOptions;
use tarim_render::fake::{SCRIPT_VARIABLE, Script, Trouble, TroubleKind};
use tarim_studio::{How, Origin, Role, Studio, Submission, Surroundings, Timing, Which};

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn open(&self, script: &Script) -> Arc<Studio> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let folder = self.folder.path();
        let mut options = ProcessOptions::new(env!("CARGO_BIN_EXE_tarim-crash-host"));
        options.arguments = vec!["render".into(), folder.join("renderer.pid").into()];
        let script = serde_json::to_string(script).unwrap();
        options.environment.push((SCRIPT_VARIABLE.into(), script.into()));
        options.timeouts.ping_every = Duration::from_millis(100);
        options.timeouts.pong = Duration::from_millis(300);
        options.timeouts.cancel = Duration::from_millis(200);
        options.timeouts.pause_after_crash = Duration::from_millis(5);
        Studio::open(Surroundings {
            config_folder: folder.join("config"),
            default_library: folder.join("library"),
            library: None,
            starter_model: Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter"))),
            model_folders: Vec::new(),
            renderers: Surroundings::processes(Ok(options)),
            clock: Arc::new(SystemTime::now),
            random: Arc::new(|bytes| {
                let count = COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
                bytes.iter_mut().zip(count.iter().cycle()).for_each(|(byte, count)| *byte = *count);
            }),
            utc_offset_minutes: Arc::new(|_| 0),
            machine: "here".to_owned(),
            presence: tarim_studio::sets::Presence::default(),
            origin: Origin::Cli,
            role: Role::Owner,
            timing: Timing { poll: Duration::from_millis(20), ..Timing::default() },
        })
        .unwrap()
    }
}

fn submit(studio: &Studio, steps: u32) -> Id {
    let draft = Draft {
        prompt: Some("a fox".into()),
        width: Some(64),
        height: Some(64),
        steps: Some(steps),
        ..Draft::default()
    };
    studio.submit(&Submission { draft, count: 1, ..Submission::default() }).unwrap().jobs[0]
}

#[track_caller]
fn until(library: &Library, id: Id, state: State) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while library.job(id).unwrap().state != state {
        assert!(Instant::now() < deadline, "waited in vain for {state:?}: {:?}", library.job(id));
        sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn until_paused(studio: &Studio, problem: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !studio.queue().unwrap().paused {
        assert!(Instant::now() < deadline, "waited in vain for a pause: {:?}", studio.queue());
        sleep(Duration::from_millis(5));
    }
    let problems = studio.problems();
    assert_eq!(problems[0].code, problem);
    assert!(problems[0].hint.is_some(), "{problems:?}");
}

#[test]
fn nobody_waits_for_a_renderer_that_is_slow_to_start() {
    let bench = Bench::new();
    let studio = bench.open(&Script { hello_ms: 15_000, ..Script::default() });
    let library = studio.library().unwrap();
    let (a, b) = (submit(&studio, 1), submit(&studio, 1));
    until(&library, a, State::Running);
    let began = Instant::now();
    studio.cancel(&Which::Jobs(vec![a])).unwrap();
    until(&library, a, State::Cancelled);
    until(&library, b, State::Running);
    studio.close(How::StopNow);
    assert_eq!(library.job(b).unwrap().state, State::Queued);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_renderer_that_is_deaf_to_a_cancel_is_ended_and_the_next_job_gets_another() {
    let bench = Bench::new();
    let studio = bench.open(&Script { ignores_cancel: true, step_ms: 20, ..Script::default() });
    let library = studio.library().unwrap();
    let (long, short) = (submit(&studio, 1000), submit(&studio, 2));
    until(&library, long, State::Running);
    sleep(Duration::from_millis(200));
    studio.cancel(&Which::Jobs(vec![long])).unwrap();
    until(&library, long, State::Cancelled);
    until(&library, short, State::Done);
}

#[test]
fn a_renderer_that_hangs_or_babbles_costs_one_attempt() {
    for what in [TroubleKind::Hang, TroubleKind::Garbage, TroubleKind::Kill, TroubleKind::Exit(3)] {
        let bench = Bench::new();
        let studio = bench.open(&Script {
            trouble: Some(Trouble { picture: 0, step: 1, what }),
            trouble_once: Some(bench.folder.path().join("once")),
            ignores_ping: what == TroubleKind::Hang,
            ..Script::default()
        });
        let id = submit(&studio, 2);
        until(&studio.library().unwrap(), id, State::Done);
        assert_eq!(studio.queue().unwrap().failed_total, 0, "{what:?}");
    }
}

#[test]
fn what_is_wrong_with_a_renderer_is_told_and_the_job_waits() {
    let mismatch = tarim_render::messages::LIBTORCH_MISMATCH;
    let check = |script: &Script, problem: &str| {
        let bench = Bench::new();
        let studio = bench.open(script);
        let id = submit(&studio, 1);
        until_paused(&studio, problem);
        let library = studio.library().unwrap();
        until(&library, id, State::Queued);
        // Mended, the queue goes on by itself at the next start.
        drop(studio);
        let studio = bench.open(&Script::default());
        until(&library, id, State::Done);
        drop(studio);
    };
    let broken =
        |line: &str| Script { stderr: vec![line.to_owned()], exit_at_start: Some(127), ..Script::default() };
    check(&broken(&format!("{mismatch}2.0.0 instead of 2.11.0")), "libtorch_mismatch");
    check(
        &broken("tarim-renderer: error while loading shared libraries: libtorch_cpu.so: cannot open"),
        "libtorch_missing",
    );
    check(&broken("something else"), "renderer_broken");
    check(&Script { protocol: Some(99), ..Script::default() }, "renderer_broken");
}

#[test]
fn memory_that_runs_out_twice_is_the_jobs_failure_with_advice() {
    let bench = Bench::new();
    let what = TroubleKind::AllocationFailure;
    let studio =
        bench.open(&Script { trouble: Some(Trouble { picture: 0, step: 1, what }), ..Script::default() });
    let library = studio.library().unwrap();
    let id = submit(&studio, 2);
    until(&library, id, State::Failed);
    let error = library.job(id).unwrap().error.unwrap();
    assert_eq!(error.code, "out_of_memory");
    assert!(error.hint.unwrap().contains("smaller"), "{}", error.message);
    assert!(!studio.queue().unwrap().paused);
}
