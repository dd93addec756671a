//! From submission to pictures, in the right order.

use tarim_library::{JobFilter, State};
use tarim_recipe::{Draft, ModelRef, Precision, Recipe, Seed};
use tarim_render::fake::Script;

use super::*;
use crate::{ErrorKind, Record, Which};

#[test]
fn pictures_come_of_a_submission() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let submission = Submission {
        tags: vec![" 狐 ".to_owned(), "dunes".to_owned(), "狐".to_owned()],
        project: Some("Loulan".to_owned()),
        ..pictures("a fox (in the dunes", 3, 4)
    };
    let submitted = studio.submit(&submission).unwrap();
    assert!(submitted.warnings[1].contains("the prompt, at"), "{:?}", submitted.warnings);
    until_done(&studio, &submitted);

    let library = studio.library().unwrap();
    assert_eq!(files(&library).len(), 3);
    let request = library.request(submitted.request).unwrap();
    assert_eq!((request.count, request.outcome.done, request.origin.as_str()), (3, 3, "window"));
    assert_eq!(request.project.as_deref(), Some("Loulan"));
    let record = Record::read(&request.draft);
    assert_eq!(record.tags, ["dunes", "狐"]);
    assert_eq!((record.draft.seed, record.draft.steps), (Some(submitted.seed), Some(4)));
    for (index, id) in submitted.jobs.iter().enumerate() {
        let job = job(&studio, *id);
        let recipe = Recipe::from_json(&job.recipe).unwrap();
        assert_eq!(recipe.seed, submitted.seed.nth(index as u64));
        assert_eq!(recipe.model.hash.as_ref().map(String::len), Some(64));
        let path = library.root().join(job.output_path.unwrap());
        let info = tarim_library::picture::read(&path).unwrap();
        assert_eq!(info.recipe.unwrap().unwrap(), recipe);
        assert!(info.xmp.unwrap().contains("狐"));
    }
    studio.close(crate::How::FinishCurrent);
}

#[test]
fn bad_submissions_are_refused_whole() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let check = |submission: Submission, kind: ErrorKind, words: &str| {
        let error = studio.submit(&submission).unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.message.contains(words), "{error:?}");
    };
    let good = || pictures("a fox", 1, 4);
    let with = |draft: Draft| Submission { draft: draft.or(good().draft), ..good() };
    check(Submission { count: 0, ..good() }, ErrorKind::BadInput, "0 pictures");
    check(Submission { count: 10_001, ..good() }, ErrorKind::BadInput, "10001 pictures");
    check(with(Draft { width: Some(7), ..Draft::default() }), ErrorKind::BadInput, "7");
    check(with(Draft { steps: Some(0), ..Draft::default() }), ErrorKind::BadInput, "steps");
    check(
        with(Draft { guidance_scale: Some(f64::NAN), ..Draft::default() }),
        ErrorKind::BadInput,
        "guidance",
    );
    check(Submission { tags: vec!["a\nb".to_owned()], ..good() }, ErrorKind::BadInput, "control characters");
    check(Submission { project: Some("  ".to_owned()), ..good() }, ErrorKind::BadInput, "empty");
    check(Submission { model: Some("nowhere".to_owned()), ..good() }, ErrorKind::NotFound, "nowhere");
    let absent = "0".repeat(64);
    check(with(Draft { init_picture: Some(absent), ..Draft::default() }), ErrorKind::NotFound, "000");
    let hash = Some("../../etc/passwd".to_owned());
    let error = studio.submit(&with(Draft { init_picture: hash, ..Draft::default() })).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotFound | ErrorKind::BadInput), "{error:?}");
    assert_eq!(studio.queue().unwrap().waiting_total, 0);
}

#[test]
fn higher_priorities_and_moved_jobs_go_first() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    studio.pause(true, false).unwrap();
    let a = studio.submit(&pictures("a", 2, 1)).unwrap();
    let b = studio.submit(&pictures("b", 1, 1)).unwrap();
    let c = studio.submit(&Submission { priority: 5, ..pictures("c", 1, 1) }).unwrap();
    let d = studio.submit(&pictures("d", 1, 1)).unwrap();
    studio.move_jobs(&d.jobs, Some(a.jobs[1])).unwrap();
    studio.prioritise(&b.jobs, -1).unwrap();
    let expected = [c.jobs[0], a.jobs[0], d.jobs[0], a.jobs[1], b.jobs[0]];
    let queue = studio.queue().unwrap();
    assert!(queue.paused);
    assert_eq!(queue.waiting.iter().map(|it| it.job.id).collect::<Vec<_>>(), expected);
    assert_eq!(queue.waiting[1].count, 2);
    studio.pause(false, false).unwrap();
    until_done(&studio, &b);
    let library = studio.library().unwrap();
    let done = library.jobs(&JobFilter { state: State::Done, offset: 0, limit: 10 }).unwrap();
    let order: Vec<Seed> =
        bench.renderers()[0].jobs().iter().map(|job| job.pictures[0].recipe.seed).collect();
    let seeds = |ids: [Id; 5]| ids.map(|id| Recipe::from_json(&job(&studio, id).recipe).unwrap().seed);
    assert_eq!(order, seeds(expected));
    assert_eq!(done.len(), 5);
}

#[test]
fn the_device_chooses_the_precision_that_nobody_chose() {
    let bench = Bench::new(Script { has_cuda: true, ..Script::default() });
    let studio = bench.open();
    let precision = |submitted: &Submitted| {
        until_done(&studio, submitted);
        Recipe::from_json(&job(&studio, submitted.jobs[0]).recipe).unwrap().precision
    };
    // Not known before the renderer's first hello, known afterwards.
    assert_eq!(precision(&studio.submit(&pictures("a", 1, 1)).unwrap()), Precision::Fp16);
    assert_eq!(precision(&studio.submit(&pictures("a", 1, 1)).unwrap()), Precision::Fp16);
    let mut explicit = pictures("a", 1, 1);
    explicit.draft.precision = Some(Precision::Fp32);
    assert_eq!(precision(&studio.submit(&explicit).unwrap()), Precision::Fp32);
    studio.settings_store().change(|settings| settings.precision = Some(Precision::Bf16)).unwrap();
    assert_eq!(precision(&studio.submit(&pictures("a", 1, 1)).unwrap()), Precision::Bf16);
}

#[test]
fn a_draft_for_another_model_is_remarked_on() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let mut submission = pictures("a", 1, 1);
    submission.draft.model = Some(ModelRef { name: "elsewhere".to_owned(), hash: None });
    let submitted = studio.submit(&submission).unwrap();
    assert!(submitted.warnings[0].contains("elsewhere"), "{:?}", submitted.warnings);
}

#[test]
fn what_was_measured_is_expected_also_after_a_restart() {
    let bench = Bench::new(Script { step_ms: 2, ..Script::default() });
    let studio = bench.open();
    assert_eq!(studio.estimate(&pictures("a", 10, 4)).unwrap().seconds, None);
    let submitted = studio.submit(&pictures("a", 1, 4)).unwrap();
    until_done(&studio, &submitted);
    let seconds = |studio: &Studio| studio.estimate(&pictures("a", 10, 4)).unwrap().seconds.unwrap();
    until("the measurement counts", || studio.estimate(&pictures("a", 1, 4)).unwrap().seconds.is_some());
    let before = seconds(&studio);
    assert!(before > 0.0);
    drop(studio);
    let studio = bench.open();
    assert_eq!(seconds(&studio), before);
    studio.pause(true, false).unwrap();
    studio.submit(&pictures("a", 10, 4)).unwrap();
    let left = studio.queue().unwrap().seconds_left.unwrap();
    assert!((left - before).abs() < 1e-6, "{left} {before}");
    studio.cancel(&Which::All).unwrap();
    assert_eq!(studio.queue().unwrap().seconds_left, Some(0.0));
}
