//! Several studios on one library, and what is left behind by one that was killed.

use std::collections::HashSet;
use std::io;

use tarim_library::{Claim, State};
use tarim_render::fake::Script;

use super::*;
use crate::{Event, Topic, Which};

#[test]
fn two_studios_share_a_queue_and_render_nothing_twice() {
    let bench = Bench::new(Script { step_ms: 1, ..Script::default() });
    let (a, b) = (bench.open(), bench.open());
    let submitted = a.submit(&pictures("a", 30, 2)).unwrap();
    until_done(&b, &submitted);
    let jobs = || bench.renderers().iter().flat_map(|renderer| renderer.jobs()).collect::<Vec<_>>();
    let seeds: HashSet<u64> = jobs().iter().map(|job| job.pictures[0].recipe.seed.0).collect();
    assert_eq!((jobs().len(), seeds.len()), (30, 30));
    assert_eq!(bench.renderers().len(), 2, "both worked");
    assert_eq!(files(&a.library().unwrap()).len(), 30);
}

#[test]
fn one_studio_hears_of_another_and_does_as_it_says() {
    let bench = Bench::new(Script { step_ms: 10, ..Script::default() });
    let worker = bench.open();
    let guest = Studio::open(Surroundings { role: Role::Guest, ..bench.surroundings() }).unwrap();
    let listener = worker.subscribe();
    while listener.next(Duration::from_millis(50)).is_some() {}
    // The guest submits, the owner renders.
    let long = guest.submit(&pictures("a", 2, 500)).unwrap();
    until("the owner has begun", || state(&guest, long.jobs[0]) == State::Running);
    until(
        "the owner tells of it",
        || matches!(listener.next(Duration::from_secs(1)), Some(Event::Changed(topics)) if topics.contains(&Topic::Queue)),
    );
    assert_eq!(guest.cancel(&Which::Jobs(vec![long.jobs[0]])).unwrap(), 1);
    until("it is cancelled", || state(&guest, long.jobs[0]) == State::Cancelled);
    until("the next runs", || state(&guest, long.jobs[1]) == State::Running);
    guest.pause(true, false).unwrap();
    until("it waits again", || state(&guest, long.jobs[1]) == State::Queued);
    assert!(worker.queue().unwrap().paused);
}

/// A library with one picture asked for, whose worker is killed at some point of the work.
fn killed_at(bench: &Bench, step: &str) -> Id {
    let guest = Studio::open(Surroundings { role: Role::Guest, ..bench.surroundings() }).unwrap();
    let submitted = guest.submit(&pictures("a", 1, 2)).unwrap();
    let library = guest.library().unwrap();
    let claim = Claim::new("test/0/dead", guest.now(), 3_600_000);
    let job = library.claim(&claim).unwrap().unwrap();
    let recipe = tarim_recipe::Recipe::from_json(&job.recipe).unwrap();
    let pixels = tarim_render::fake::picture(recipe.seed, recipe.size);
    let picture = tarim_library::Picture { width: 64, height: 64, rgb: pixels.into_bytes() };
    let labels = tarim_library::Labels::new(&recipe, "Tarim");
    let save = tarim_library::Save {
        job: &job,
        worker: "test/0/dead",
        recipe: &recipe,
        pixels: &picture,
        labels: &labels,
        template: &tarim_library::NameTemplate::default(),
        project: None,
        count: 1,
        timings: None,
        now: guest.now(),
        lease_until: guest.now().plus_ms(3_600_000).ms,
    };
    let stopped = library.save_with(&save, &|at| {
        if format!("{at:?}") == step { Err(io::Error::other("killed")) } else { Ok(()) }
    });
    assert_eq!(stopped.is_ok(), step == "Recorded");
    submitted.jobs[0]
}

#[test]
fn whatever_a_killed_process_leaves_becomes_exactly_one_picture() {
    let check = |step: &str, rendered: usize| {
        let bench = Bench::new(Script::default());
        let id = killed_at(&bench, step);
        // A temporary file that was being written.
        let folder = bench.library_folder().join("2026");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(".tarim-x1y2z3.tmp"), "half a picture").unwrap();
        let studio = bench.open();
        until("it is done", || state(&studio, id) == State::Done);
        let library = studio.library().unwrap();
        std::fs::remove_file(folder.join(".tarim-x1y2z3.tmp")).ok();
        assert_eq!(files(&library).len(), 1, "{step}");
        let rendered_now: usize = bench.renderers().iter().map(|renderer| renderer.jobs().len()).sum();
        assert_eq!(rendered_now, rendered, "{step}");
    };
    check("BeforePath", 1);
    check("BeforeFile", 1);
    check("AfterRename", 0);
    check("Recorded", 0);
}

#[test]
fn a_job_of_another_machine_is_taken_over_when_its_lease_is_over() {
    let mut bench = Bench::new(Script::default());
    bench.timing.lease = Duration::from_millis(200);
    let guest = Studio::open(Surroundings { role: Role::Guest, ..bench.surroundings() }).unwrap();
    let submitted = guest.submit(&pictures("a", 1, 1)).unwrap();
    let library = guest.library().unwrap();
    let claim = Claim::new("elsewhere/1/x", guest.now(), 600);
    library.claim(&claim).unwrap().unwrap();
    let began = Instant::now();
    let owner = bench.open();
    until_done(&owner, &submitted);
    assert!(began.elapsed() > Duration::from_millis(400), "it waited");
}

#[test]
fn whoever_looks_at_the_files_meanwhile_takes_no_new_picture_for_a_lost_one() {
    let bench = Bench::new(Script::default());
    let (studio, other) = (bench.open(), bench.open());
    let listener = studio.subscribe();
    let submitted = studio.submit(&pictures("a", 60, 1)).unwrap();
    let done = |studio: &Studio| states(studio, &submitted).iter().all(|state| *state == State::Done);
    while !done(&studio) {
        studio.reconcile().unwrap();
        other.look_again();
        std::thread::sleep(Duration::from_millis(10));
    }
    studio.rebuild().unwrap();
    other.close(crate::How::FinishCurrent);
    let mut problems = Vec::new();
    let mut rebuilt = false;
    while !rebuilt {
        if let Event::Task(task) = listener.next(Duration::from_secs(10)).expect("the rebuild ends") {
            problems.extend(task.problems);
            rebuilt = task.finished && task.kind == crate::TaskKind::Rebuild;
        }
    }
    assert!(problems.is_empty(), "{problems:?}");
    let library = studio.library().unwrap();
    assert_eq!(files(&library).len(), 60);
    for id in &submitted.jobs {
        let picture = library.picture(*id).unwrap();
        assert!(!picture.summary.missing && !picture.dirty, "{picture:?}");
    }
}

#[test]
fn settings_that_another_process_changes_come_into_force() {
    let bench = Bench::new(Script::default());
    let (window, terminal) = (bench.open(), bench.open());
    let listener = window.subscribe();
    let elsewhere = bench.folder.path().join("elsewhere");
    let before = terminal.settings();
    terminal
        .settings_store()
        .change(|settings| {
            settings.release_after_minutes = 77;
            settings.library_folder.clone_from(&elsewhere);
        })
        .unwrap();
    terminal.settings_changed(&before).unwrap();
    until("the window has the settings", || window.settings().release_after_minutes == 77);
    until("the window has the library", || {
        window.library().is_ok_and(|library| library.root() == elsewhere.canonicalize().unwrap())
    });
    until(
        "listeners are told",
        || matches!(listener.next(Duration::from_secs(1)), Some(Event::Changed(topics)) if topics.contains(&Topic::Settings)),
    );
}
