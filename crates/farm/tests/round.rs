//! Jobs out, pictures back, and what else may become of a job.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{
    MODEL, OTHER_MODEL, Server, WorkerPlan, assert_right, collect, connect, recipe, recipe_with, submissions,
    token,
};
use tarim_farm::{FarmEvent, News, Priority, Submission};
use tarim_render::fake::{Script, Trouble, TroubleKind, picture};
use tarim_render::{Failure, FailureCode};

const LONG: Duration = Duration::from_mins(1);

#[test]
fn pictures_come_back_once_and_nothing_stays_on_the_farm() {
    let server = Server::start();
    let _worker = WorkerPlan::default().start(&server, "one");
    let farm = connect(&server, "me");
    let events = farm.follow();
    let jobs = submissions("job", 0..20);
    farm.submit(&jobs).unwrap();
    farm.submit(&jobs).unwrap();
    let ends = collect(&farm, &events, 20, LONG);
    assert_right(&ends);
    assert_eq!(ends.pictures.len(), 20);
    let one = &ends.pictures[&token("job7")];
    assert_eq!((one.recipe.clone(), one.worker.as_str(), one.deliveries), (recipe(7), "one", 1));
    assert!(events.recv_timeout(Duration::from_millis(500)).is_err_and(|_| true));
    let status = farm.status().unwrap();
    assert_eq!((status.waiting, status.running, status.ended, status.dead), (0, 0, 0, 0));
    assert_eq!((status.workers, status.picture_bytes), (1, 0), "{status:?}");
}

#[test]
fn inputs_go_along_once_and_progress_comes_back() {
    let server = Server::start();
    let worker = WorkerPlan { script: Script { step_ms: 30, ..Script::default() }, ..WorkerPlan::default() };
    let _worker = worker.start(&server, "one");
    let farm = connect(&server, "me");
    let events = farm.follow();
    let image = Arc::new(picture(tarim_recipe::Seed(3), tarim_recipe::Size::new(128, 64).unwrap()));
    let jobs: Vec<Submission> = (0..3)
        .map(|seed| Submission {
            init: Some(Arc::clone(&image)),
            preview_every: 1,
            ..Submission::new(token(format!("i{seed}")), recipe_with(seed, MODEL, 20))
        })
        .collect();
    farm.submit(&jobs).unwrap();
    let bytes = farm.status().unwrap().input_bytes;
    let (mut begun, mut steps, mut previews, mut ended) = (0, 0, 0, 0);
    while ended < 3 {
        match events.recv_timeout(LONG).unwrap() {
            FarmEvent::News { news: News::Begun { worker, delivery }, .. } => {
                assert_eq!((worker.as_str(), delivery), ("one", 1));
                begun += 1;
            }
            FarmEvent::News { news: News::Step { preview, .. }, .. } => {
                steps += 1;
                previews += usize::from(preview.is_some());
            }
            FarmEvent::Ended { .. } => ended += 1,
            _ => {}
        }
    }
    // 60 steps in 1.8 seconds: not all of them are worth a message.
    assert!(begun == 3 && (3..30).contains(&steps) && previews >= 3, "{begun} {steps} {previews}");
    farm.submit(&[Submission { init: Some(image), ..Submission::new(token("i9"), recipe(9)) }]).unwrap();
    assert_eq!(farm.status().unwrap().input_bytes, bytes);
}

#[test]
fn a_job_that_kills_renderers_ends_as_a_dead_letter_and_holds_up_nobody() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    // The fake fails by picture number and step: only a job of five steps gets as far as the fifth.
    let trouble = Trouble { picture: 0, step: 5, what: TroubleKind::Abort };
    let plan = WorkerPlan {
        script: Script { trouble: Some(trouble), ..Script::default() },
        ..WorkerPlan::default()
    };
    let workers = [plan.start(&server, "one"), plan.start(&server, "two")];
    let mut jobs = submissions("good", 0..10);
    jobs.insert(3, Submission { tries: 3, ..Submission::new(token("poison"), recipe_with(99, MODEL, 5)) });
    farm.submit(&jobs).unwrap();
    let ends = collect(&farm, &events, 11, LONG);
    assert_right(&ends);
    assert_eq!((ends.pictures.len(), ends.failures.len()), (10, 1));
    assert_eq!(ends.failures[&token("poison")].code, FailureCode::Crashed);
    let dead = farm.dead(10).unwrap();
    assert_eq!((dead.len(), dead[0].deliveries, dead[0].job.clone()), (1, 3, Some(token("poison"))));

    // Put back by somebody who knows that it works now: here, on workers that do not abort.
    drop(workers);
    let _worker = WorkerPlan::default().start(&server, "three");
    farm.expect(&[token("poison")]);
    assert_eq!(farm.retry(&[]).unwrap(), [token("poison")]);
    let ends = collect(&farm, &events, 1, LONG);
    assert_eq!(ends.pictures.len(), 1);
    assert!(farm.dead(10).unwrap().is_empty());
}

#[test]
fn what_no_worker_can_draw_fails_at_once() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let failure =
        Failure { code: FailureCode::BadInput, message: "not a finite number".to_owned(), hint: None };
    let plan = WorkerPlan {
        script: Script { fail: Some(failure.clone()), ..Script::default() },
        ..WorkerPlan::default()
    };
    let _worker = plan.start(&server, "one");
    farm.submit(&submissions("bad", 0..1)).unwrap();
    let ends = collect(&farm, &events, 1, LONG);
    assert_eq!(ends.failures[&token("bad0")], failure);
    assert_eq!(farm.dead(10).unwrap()[0].deliveries, 1);
}

#[test]
fn results_wait_for_a_submitter_that_died() {
    let server = Server::start();
    let worker = WorkerPlan::default().start(&server, "one");
    let jobs = submissions("job", 0..10);
    {
        let farm = connect(&server, "me");
        farm.submit(&jobs).unwrap();
        while farm.status().unwrap().ended < 10 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let farm = connect(&server, "me");
    let events = farm.follow();
    // Handed over anew, as a queue does that only knows that they are not done.
    farm.submit(&jobs[..5]).unwrap();
    farm.expect(&jobs[5..].iter().map(|job| job.job.clone()).collect::<Vec<_>>());
    let ends = collect(&farm, &events, 10, LONG);
    assert_right(&ends);
    assert_eq!(worker.output().matches("Finished").count(), 10);
    assert_eq!(farm.status().unwrap().waiting, 0);
}

#[test]
fn a_submitter_with_a_thousand_jobs_does_not_starve_one_with_ten() {
    let server = Server::start();
    let many = connect(&server, "many");
    many.submit(&submissions("m", 0..1000)).unwrap();
    let workers = [WorkerPlan::slow(10).start(&server, "one"), WorkerPlan::slow(10).start(&server, "two")];
    workers[0].wait_for("Finished");
    let few = connect(&server, "few");
    let events = few.follow();
    few.submit(&submissions("f", 0..10)).unwrap();
    let ends = collect(&few, &events, 10, LONG);
    assert_right(&ends);
    let status = many.status().unwrap();
    // Taking turns, some twenty of the others' are drawn meanwhile; without, it would be all thousand.
    assert!(status.waiting > 850, "{status:?}");
}

#[test]
fn taken_back_jobs_are_not_drawn_and_can_be_handed_over_again() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let worker = WorkerPlan::slow(300).start(&server, "one");
    farm.submit(&submissions("job", 0..5)).unwrap();
    worker.wait_for("Begun");
    let all: Vec<_> = (0..5).map(|n| token(format!("job{n}"))).collect();
    farm.cancel(&all).unwrap();
    worker.wait_for("Discarded");
    std::thread::sleep(Duration::from_millis(500));
    let status = farm.status().unwrap();
    assert_eq!((status.waiting, status.running, status.ended, status.picture_bytes), (0, 0, 0, 0));
    while events.try_recv().is_ok_and(|event| !matches!(event, FarmEvent::Ended { .. })) {}
    farm.submit(&submissions("job", 0..2)).unwrap();
    assert_eq!(collect(&farm, &events, 2, LONG).pictures.len(), 2);
}

#[test]
fn workers_take_what_they_have_the_model_for_and_are_listed() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let one = WorkerPlan::default().start(&server, "one");
    one.wait_for("Ready");
    let high = |job: &str, seed| Submission {
        priority: Priority::High,
        ..Submission::new(token(job), recipe(seed))
    };
    let other = Submission::new(token("other"), recipe_with(5, OTHER_MODEL, 1));
    farm.submit(&[other, high("mine", 6)]).unwrap();
    assert_eq!(collect(&farm, &events, 1, LONG).order, [token("mine")]);
    let places = farm.places(&[token(MODEL), token(OTHER_MODEL)]).unwrap();
    assert_eq!((places[0].can_be_drawn(), places[1].can_be_drawn()), (true, false));
    assert_eq!(places[0].workers, ["one"]);

    let two = WorkerPlan { models: vec![OTHER_MODEL], ..WorkerPlan::default() }.start(&server, "two");
    assert_eq!(collect(&farm, &events, 1, LONG).order, [token("other")]);
    let names: Vec<String> = farm.workers().unwrap().into_iter().map(|card| card.name).collect();
    assert_eq!(names, ["one", "two"]);
    // One leaves in order, the other is killed and forgotten in time.
    one.signal("TERM");
    one.wait_for("stopped after 1 pictures");
    assert_eq!(farm.workers().unwrap().len(), 1);
    drop(two);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(farm.workers().unwrap().len(), 0);
}

#[test]
fn farms_share_a_server_without_seeing_each_other() {
    let server = Server::start();
    let plan = WorkerPlan { namespace: Some("second".to_owned()), ..WorkerPlan::default() };
    let worker = plan.start(&server, "one");
    worker.wait_for("Ready");
    let first = connect(&server, "me");
    first.submit(&submissions("job", 0..3)).unwrap();
    assert_eq!(first.workers().unwrap().len(), 0);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(first.status().unwrap().waiting, 3);
}
