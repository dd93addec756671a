//! Pause, stop, cancel, failure and restart, in every state.

use std::io;
use std::sync::Arc;

use tarim_library::{SaveStep, State};
use tarim_render::fake::{Script, Trouble, TroubleKind};
use tarim_render::{Failure, FailureCode};

use super::*;
use crate::core::SaveFault;
use crate::{ErrorKind, Event, How, JobStage, Which};

fn slow() -> Script {
    Script { step_ms: 10, ..Script::default() }
}

#[track_caller]
fn until_sampling(studio: &Studio, id: Id) {
    until("the job is being sampled", || {
        studio.core().live.progress(id).is_some_and(|progress| progress.step > 1)
    });
}

#[test]
fn cancel_one_that_waits_one_that_runs_and_one_that_is_done() {
    let bench = Bench::new(slow());
    let studio = bench.open();
    let first = studio.submit(&pictures("a", 1, 1)).unwrap();
    until_done(&studio, &first);
    let request = studio.submit(&pictures("b", 3, 500)).unwrap();
    until_sampling(&studio, request.jobs[0]);
    assert_eq!(
        studio.cancel(&Which::Jobs(vec![first.jobs[0], request.jobs[0], request.jobs[2]])).unwrap(),
        2
    );
    until("the running one is cancelled", || state(&studio, request.jobs[0]) == State::Cancelled);
    assert_eq!(state(&studio, first.jobs[0]), State::Done);
    assert_eq!(state(&studio, request.jobs[2]), State::Cancelled);
    until_sampling(&studio, request.jobs[1]);
    assert_eq!(studio.cancel(&Which::Request(request.request)).unwrap(), 1);
    until("all are cancelled", || states(&studio, &request) == [State::Cancelled; 3]);
    assert_eq!(files(&studio.library().unwrap()).len(), 1);
    // One that was cancelled can be had all the same.
    let shorter = studio.submit(&pictures("c", 1, 500)).unwrap();
    assert_eq!(studio.cancel(&Which::All).unwrap(), 1);
    until("it is cancelled", || state(&studio, shorter.jobs[0]) == State::Cancelled);
}

#[test]
fn pause_now_puts_the_running_one_back_and_pause_later_lets_it_finish() {
    let bench = Bench::new(slow());
    let studio = bench.open();
    let long = studio.submit(&pictures("a", 2, 300)).unwrap();
    until_sampling(&studio, long.jobs[0]);
    studio.pause(true, false).unwrap();
    until("it waits again", || states(&studio, &long) == [State::Queued; 2]);
    assert_eq!(job(&studio, long.jobs[0]).attempts, 0, "an attempt that was stopped does not count");
    studio.cancel(&Which::All).unwrap();
    studio.pause(false, false).unwrap();

    let short = studio.submit(&pictures("b", 2, 20)).unwrap();
    until_sampling(&studio, short.jobs[0]);
    studio.pause(true, true).unwrap();
    assert!(studio.queue().unwrap().stop_after_current);
    until("the first is done", || state(&studio, short.jobs[0]) == State::Done);
    until("the queue is paused", || studio.queue().unwrap().paused);
    assert!(!studio.queue().unwrap().stop_after_current);
    assert_eq!(state(&studio, short.jobs[1]), State::Queued);
    studio.pause(false, true).unwrap();
    until_done(&studio, &short);
    // With nothing in work, later is now.
    studio.pause(true, true).unwrap();
    assert!(studio.queue().unwrap().paused);
}

#[test]
fn closing_finishes_or_puts_back_what_is_in_work() {
    let bench = Bench::new(slow());
    let studio = bench.open();
    let submitted = studio.submit(&pictures("a", 3, 30)).unwrap();
    until_sampling(&studio, submitted.jobs[0]);
    studio.close(How::FinishCurrent);
    assert_eq!(studio.queue().unwrap_err().kind, ErrorKind::Conflict);
    drop(studio);
    assert!(bench.renderers().is_empty(), "no renderer outlives the studio");

    lock(&bench.script).step_ms = 30;
    let studio = bench.open();
    assert_eq!(state(&studio, submitted.jobs[0]), State::Done);
    until_sampling(&studio, submitted.jobs[1]);
    let library = studio.library().unwrap();
    studio.close(How::StopNow);
    assert_eq!(library.job(submitted.jobs[1]).unwrap().state, State::Queued);
    drop(library);

    lock(&bench.script).step_ms = 0;
    let studio = bench.open();
    until_done(&studio, &submitted);
    assert_eq!(files(&studio.library().unwrap()).len(), 3);
}

#[test]
fn a_failure_of_the_job_is_its_own_and_can_be_retried() {
    let failure = Failure {
        code: FailureCode::Model,
        message: "the model is damaged".to_owned(),
        hint: Some("copy it again".to_owned()),
    };
    let bench = Bench::new(Script { fail: Some(failure), ..Script::default() });
    let studio = bench.open();
    let submitted = studio.submit(&pictures("a", 2, 1)).unwrap();
    until("both failed", || states(&studio, &submitted) == [State::Failed; 2]);
    let error = job(&studio, submitted.jobs[0]).error.unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("model", "the model is damaged"));
    assert_eq!(error.hint.as_deref(), Some("copy it again"));
    let recipe = job(&studio, submitted.jobs[0]).recipe;
    assert_eq!(studio.queue().unwrap().failed_total, 2);
    assert_eq!(studio.clear_failed(&Which::Jobs(vec![submitted.jobs[1]])).unwrap(), 1);
    assert_eq!(studio.queue().unwrap().failed.len(), 1);
    assert_eq!(
        studio.retry(&Which::Jobs(vec![submitted.jobs[1]])).unwrap(),
        1,
        "the history has it all the same"
    );
    until("it failed again", || studio.queue().unwrap().failed_total == 2);
    drop(studio);

    lock(&bench.script).fail = None;
    let studio = bench.open();
    assert_eq!(studio.retry(&Which::Request(submitted.request)).unwrap(), 2);
    until_done(&studio, &submitted);
    let recipes = [job(&studio, submitted.jobs[0]).recipe, recipe].map(|recipe| {
        let mut recipe = tarim_recipe::Recipe::from_json(&recipe).unwrap();
        recipe.model.hash = None;
        recipe
    });
    assert_eq!(recipes[0], recipes[1]);
    assert_eq!(studio.queue().unwrap().failed_total, 0);
}

#[test]
fn a_crash_of_the_renderer_costs_one_attempt_and_the_second_one_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let trouble = |what| Some(Trouble { picture: 0, step: 2, what });
    let once = Script {
        trouble: trouble(TroubleKind::Kill),
        trouble_once: Some(folder.path().join("once")),
        ..Script::default()
    };
    let bench = Bench::new(once);
    let studio = bench.open();
    let listener = studio.subscribe();
    let submitted = studio.submit(&pictures("a", 2, 3)).unwrap();
    until_done(&studio, &submitted);
    let mut notices = Vec::new();
    while let Some(event) = listener.next(Duration::from_millis(50)) {
        if let Event::Notice(problem) = event {
            notices.push(problem.code);
        }
    }
    assert_eq!(notices, ["renderer_failed_once"]);
    drop(studio);

    let always = Script { trouble: trouble(TroubleKind::AllocationFailure), ..Script::default() };
    *lock(&bench.script) = always;
    let studio = bench.open();
    let submitted = studio.submit(&pictures("b", 1, 3)).unwrap();
    until("it failed", || states(&studio, &submitted) == [State::Failed]);
    assert_eq!(job(&studio, submitted.jobs[0]).error.unwrap().code, "out_of_memory");
    assert_eq!(bench.renderers().len(), 0, "after memory ran out, all of it is given back");
}

#[test]
fn without_a_renderer_the_queue_waits_and_says_why() {
    let bench = Bench::new(Script::default());
    let mut surroundings = bench.surroundings();
    surroundings.renderers =
        Surroundings::processes(Err(tarim_render::RenderError::ProgramMissing { tried: vec!["/x".into()] }));
    let studio = Studio::open(surroundings).unwrap();
    let submitted = studio.submit(&pictures("a", 2, 1)).unwrap();
    until("the queue is paused", || studio.queue().unwrap().paused);
    assert_eq!(studio.problems()[0].code, "renderer_missing");
    assert!(studio.problems()[0].hint.is_some());
    assert_eq!(states(&studio, &submitted), [State::Queued; 2]);
    drop(studio);
    let studio = bench.open();
    studio.pause(false, false).unwrap();
    until_done(&studio, &submitted);
}

#[test]
fn a_device_that_is_not_there_stops_the_queue_until_another_is_chosen() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let device = |text: &str| {
        let device = text.parse().unwrap();
        studio.settings_store().change(|settings| settings.device = device).unwrap();
    };
    device("cuda:3");
    let submitted = studio.submit(&pictures("a", 1, 1)).unwrap();
    until("the queue is paused", || studio.queue().unwrap().paused);
    assert_eq!(studio.problems()[0].code, "device_missing");
    device("cpu");
    studio.pause(false, false).unwrap();
    until_done(&studio, &submitted);
    assert!(studio.problems().is_empty());
}

fn fault(studio: &Studio, at: SaveStep, kind: io::ErrorKind) {
    let fault: SaveFault = Arc::new(move |step| if step == at { Err(kind.into()) } else { Ok(()) });
    *lock(&studio.core().save_fault) = Some(fault);
}

#[test]
fn a_full_disk_pauses_the_queue_and_loses_nothing() {
    for at in [SaveStep::BeforePath, SaveStep::BeforeFile] {
        let bench = Bench::new(Script::default());
        let studio = bench.open();
        fault(&studio, at, io::ErrorKind::StorageFull);
        let submitted = studio.submit(&pictures("a", 2, 1)).unwrap();
        until("the queue is paused", || studio.queue().unwrap().paused);
        assert_eq!(studio.problems()[0].code, "disk_full");
        let open = |state: &State| matches!(state, State::Queued | State::Running);
        assert!(states(&studio, &submitted).iter().all(open), "what is rendered is kept");
        assert_eq!(files(&studio.library().unwrap()).len(), 0);
        *lock(&studio.core().save_fault) = None;
        studio.pause(false, false).unwrap();
        until_done(&studio, &submitted);
        assert_eq!(files(&studio.library().unwrap()).len(), 2);
    }
}

#[test]
fn a_picture_whose_row_could_not_be_written_is_adopted() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    fault(&studio, SaveStep::AfterRename, io::ErrorKind::StorageFull);
    let submitted = studio.submit(&pictures("a", 3, 1)).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(files(&studio.library().unwrap()).len(), 3);
    assert!(studio.problems().is_empty());
}

#[test]
fn passing_trouble_with_saving_is_waited_out_and_lasting_trouble_pauses() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    fault(&studio, SaveStep::BeforeFile, io::ErrorKind::TimedOut);
    let submitted = studio.submit(&pictures("a", 1, 1)).unwrap();
    until("the queue is paused", || studio.queue().unwrap().paused);
    assert_eq!(studio.problems()[0].code, "picture_not_saved");
    *lock(&studio.core().save_fault) = None;
    studio.pause(false, false).unwrap();
    until_done(&studio, &submitted);
}

#[test]
fn idle_renderers_give_their_memory_back() {
    let mut bench = Bench::new(Script::default());
    bench.timing.minute = Duration::from_millis(20);
    let studio = bench.open();
    studio.settings_store().change(|settings| settings.release_after_minutes = 5).unwrap();
    let submitted = studio.submit(&pictures("a", 2, 1)).unwrap();
    until_done(&studio, &submitted);
    until("the renderer is gone", || bench.renderers().is_empty());
    let submitted = studio.submit(&pictures("a", 1, 1)).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(lock(&bench.made).len(), 2);
    // Or at once, when asked.
    studio.settings_store().change(|settings| settings.release_after_minutes = 0).unwrap();
    studio.devices().unwrap();
    until("nothing is in work", || studio.release_renderer().is_ok());
    assert!(bench.renderers().is_empty());
}

#[test]
fn a_device_is_tested_between_pictures_only() {
    let bench = Bench::new(slow());
    let studio = bench.open();
    let (device, report) = studio.test_device("cpu".parse().unwrap()).unwrap();
    assert_eq!((device.name.as_str(), report.threads), ("Fake CPU", 2));
    assert_eq!(studio.test_device("cuda:0".parse().unwrap()).unwrap_err().kind, ErrorKind::Device);
    let submitted = studio.submit(&pictures("a", 1, 500)).unwrap();
    until_sampling(&studio, submitted.jobs[0]);
    assert_eq!(studio.test_device("cpu".parse().unwrap()).unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(studio.release_renderer().unwrap_err().kind, ErrorKind::Conflict);
    let progress = studio.core().live.progress(submitted.jobs[0]).unwrap();
    assert_eq!(progress.stage, JobStage::Sampling);
}

#[test]
fn a_library_that_cannot_be_opened_is_a_problem_and_not_the_end() {
    let bench = Bench::new(Script::default());
    std::fs::create_dir_all(bench.library_folder().parent().unwrap()).unwrap();
    std::fs::write(bench.library_folder(), "a file is in the way").unwrap();
    let studio = bench.open();
    assert!(!studio.problems().is_empty());
    assert!(studio.submit(&pictures("a", 1, 1)).is_err());
    let other = bench.folder.path().join("other");
    studio.use_library(&other).unwrap();
    assert!(studio.problems().is_empty(), "{:?}", studio.problems());
    let submitted = studio.submit(&pictures("a", 1, 1)).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(studio.library().unwrap().root(), other.canonicalize().unwrap());
}

#[test]
fn a_picture_in_work_goes_where_it_was_going_when_the_library_changes() {
    let mut bench = Bench::new(slow());
    bench.timing.lease = Duration::from_millis(100);
    let studio = bench.open();
    let submitted = studio.submit(&pictures("a", 1, 60)).unwrap();
    until_sampling(&studio, submitted.jobs[0]);
    let before = studio.library().unwrap();
    let settings = studio.settings();
    let other = bench.folder.path().join("other");
    studio.settings_store().change(|settings| settings.library_folder = other).unwrap();
    studio.settings_changed(&settings).unwrap();
    let next = studio.submit(&pictures("b", 1, 1)).unwrap();
    until_done(&studio, &next);
    assert_eq!(before.job(submitted.jobs[0]).unwrap().state, State::Done);
    assert_eq!((files(&before).len(), files(&studio.library().unwrap()).len()), (1, 1));
}
