//! The queue: order, cancelling, leases, and workers that are killed.

#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::HashSet, io, path::Path, sync::Barrier, thread};

use common::{LEASE_MS, NOW, later, new_id, recipe, world};
use tarim_library::{
    Claim, Fit, Id, Job, JobError, JobFilter, Lease, Library, Place, Recovery, SaveStep, Saved, State,
    search::parse,
};

fn queued(library: &Library) -> Vec<Id> {
    let filter = JobFilter { state: State::Queued, offset: 0, limit: 1000 };
    library.jobs(&filter).unwrap().into_iter().map(|job| job.id).collect()
}

#[test]
fn a_request_becomes_pictures() {
    let world = world();
    let (request, jobs) = world.enqueue("a fox in the snow", 2);
    assert_eq!(queued(&world.library), jobs);
    let job = world.claim("w").unwrap();
    assert_eq!((job.id, job.state, job.attempts), (jobs[0], State::Running, 1));
    let Saved::Recorded { path } = world.save(&job, "w") else { panic!("lost") };
    assert_eq!(path, "2026-11-24/00001-a-fox-in-the-snow.png");

    let picture = world.library.picture(jobs[0]).unwrap();
    assert_eq!(picture.summary.request, Some(request));
    assert_eq!(picture.recipe.as_deref(), Some(job.recipe.as_str()));
    assert_eq!(picture.facts.negative, "blurry");
    let done = world.library.job(jobs[0]).unwrap();
    assert_eq!((done.state, done.recipe, done.output_path), (State::Done, job.recipe, Some(path)));

    let entry = world.library.request(request).unwrap();
    assert_eq!((entry.outcome.done, entry.outcome.queued, entry.count), (1, 1, 2));
    assert_eq!(world.library.request_pictures(request, 10).unwrap().len(), 1);
    assert_eq!(world.library.requests(&parse("fox outcome:done"), None, 10).unwrap(), [entry]);
    assert_eq!(world.library.requests(&parse("fox outcome:failed"), None, 10).unwrap(), []);
}

#[test]
fn order_and_priority() {
    let world = world();
    let (_, a) = world.enqueue("a", 3);
    let (_, b) = world.enqueue("b", 2);
    let library = &world.library;
    library.move_jobs(&[b[1]], Place::First).unwrap();
    assert_eq!(queued(library), [b[1], a[0], a[1], a[2], b[0]]);
    library.move_jobs(&[a[0], b[0]], Place::After(a[2])).unwrap();
    assert_eq!(queued(library), [b[1], a[1], a[2], a[0], b[0]]);
    library.move_jobs(&[b[0]], Place::Before(a[1])).unwrap();
    assert_eq!(queued(library), [b[1], b[0], a[1], a[2], a[0]]);
    library.move_jobs(&[b[1], b[0]], Place::Last).unwrap();
    assert_eq!(queued(library), [a[1], a[2], a[0], b[1], b[0]]);
    library.move_jobs(&[b[0]], Place::Before(b[0])).unwrap();
    library.set_priority(&[b[0]], 5).unwrap();
    assert_eq!(queued(library), [b[0], a[1], a[2], a[0], b[1]]);
    assert_eq!(world.claim("w").unwrap().id, b[0]);
    // What is put beside a job takes its priority.
    library.set_priority(&[a[1]], 3).unwrap();
    library.move_jobs(&[b[1]], Place::After(a[1])).unwrap();
    assert_eq!(queued(library), [a[1], b[1], a[2], a[0]]);
    assert_eq!(library.move_jobs(&[a[0]], Place::Before(new_id())).unwrap_err().code(), "not_found");
}

#[test]
fn a_worker_keeps_its_model() {
    let world = world();
    let with_model = |hash: &str| {
        let mut recipe = recipe("x");
        recipe.model.hash = Some(hash.repeat(64));
        world.enqueue_at(NOW, recipe, 1).1[0]
    };
    let (first, second) = (with_model("a"), with_model("b"));
    let prefer = "b".repeat(64);
    let claim = Claim { prefer_model: Some(&prefer), ..Claim::new("w", NOW, LEASE_MS) };
    assert_eq!(world.library.claim(&claim).unwrap().unwrap().id, second);
    assert_eq!(world.library.claim(&claim).unwrap().unwrap().id, first);
    let urgent = with_model("a");
    with_model("b");
    world.library.set_priority(&[urgent], 1).unwrap();
    assert_eq!(world.library.claim(&claim).unwrap().unwrap().id, urgent);
}

#[test]
fn several_jobs_go_along_with_the_first() {
    let world = world();
    let at = |path: &str, count| world.enqueue_of(path, NOW, recipe("x"), count).1;
    let (a, b, more) = (at("/a", 2), at("/b", 2), at("/a", 3));
    let skipped = more[0];
    let most = |most: usize| {
        move |chosen: &[Job], job: &Job| match () {
            () if chosen.len() == most => Fit::Full,
            () if job.id == skipped => Fit::No,
            () => Fit::Yes,
        }
    };
    let ids = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    let claim = Claim::new("w", NOW, LEASE_MS);
    let avoid = [String::from("/a")];
    let other = Claim { avoid_paths: &avoid, ..claim };
    assert_eq!(ids(world.library.claim_several(&other, &mut most(1)).unwrap()), [b[0]]);
    assert_eq!(ids(world.library.claim_several(&claim, &mut most(3)).unwrap()), [a[0], a[1], more[1]]);
    let holds = Claim { prefer_path: Some(Path::new("/a")), ..claim };
    assert_eq!(ids(world.library.claim_several(&holds, &mut most(9)).unwrap()), [more[0], more[2]]);
    // What others have is better than nothing.
    let avoid = [String::from("/b")];
    let other = Claim { avoid_paths: &avoid, ..claim };
    let last = world.library.claim_several(&other, &mut most(9)).unwrap();
    assert_eq!((last[0].state, last[0].worker.as_deref(), last[0].attempts), (State::Running, Some("w"), 1));
    assert_eq!(ids(last), [b[1]]);
    assert_eq!(world.library.claim(&claim).unwrap(), None);
}

#[test]
fn cancelling_and_retrying() {
    let world = world();
    let library = &world.library;
    let (request, jobs) = world.enqueue("x", 4);
    let running = world.claim("w").unwrap();
    let cancelled = library.cancel_jobs(&jobs[..2], NOW).unwrap();
    assert!(cancelled.some.iter().all(|(job, its)| jobs[..2].contains(job) && *its == request));
    assert_eq!(library.job(jobs[1]).unwrap().state, State::Cancelled);
    assert_eq!(library.renew_lease(running.id, "w", later(60).ms).unwrap(), Lease::CancelRequested);
    assert_eq!(library.cancel_running(running.id, "w", NOW).unwrap(), Lease::Held);
    assert_eq!(library.cancel_running(running.id, "w", NOW).unwrap(), Lease::Lost);

    let failing = world.claim("w").unwrap();
    let error = JobError { code: "oom".into(), message: "no memory".into(), hint: None };
    assert_eq!(library.fail_job(failing.id, "w", &error, NOW).unwrap(), Lease::Held);
    assert_eq!(library.job(failing.id).unwrap().error, Some(error));
    library.cancel_request(request, NOW).unwrap();
    let outcome = library.request(request).unwrap().outcome;
    assert_eq!((outcome.failed, outcome.cancelled, outcome.queued), (1, 3, 0));
    assert_eq!(library.requests(&parse("outcome:failed"), None, 9).unwrap().len(), 1);

    assert_eq!(library.retry_failed(Some(request)).unwrap(), 1);
    assert_eq!(queued(library), [failing.id]);
    assert_eq!(library.retry_jobs(&jobs).unwrap(), 3);
    library.cancel_all(NOW).unwrap();
    assert_eq!(library.queue_totals().unwrap().counts.cancelled, 4);
    assert_eq!(library.dismiss_jobs(&jobs[..3]).unwrap(), 3);
    assert_eq!(library.queue_totals().unwrap().counts.cancelled, 1);
    assert_eq!(library.request(request).unwrap().outcome.cancelled, 4);
}

#[test]
fn thousands_are_cancelled_and_some_are_named() {
    use tarim_library::Cancelled;
    let world = world();
    world.enqueue("a fox", 250);
    let cancelled = world.library.cancel_all(NOW).unwrap();
    assert_eq!((cancelled.waiting, cancelled.some.len()), (250, Cancelled::MOST_NAMED));
    assert_eq!(world.library.cancel_all(NOW).unwrap(), Cancelled::default());
}

#[test]
fn pausing() {
    let world = world();
    world.enqueue("x", 3);
    world.library.set_paused(true).unwrap();
    assert_eq!(world.claim("w"), None);
    world.library.set_paused(false).unwrap();
    let job = world.claim("w").unwrap();
    world.library.set_stop_after_current(true).unwrap();
    assert_eq!(world.claim("v"), None);
    assert!(!world.library.queue_state().unwrap().paused);
    world.save(&job, "w");
    let state = world.library.queue_state().unwrap();
    assert!(state.paused && !state.stop_after_current);
    // With nothing running it is a pause at once.
    world.library.set_paused(false).unwrap();
    world.library.set_stop_after_current(true).unwrap();
    assert!(world.library.queue_state().unwrap().paused);
}

#[test]
fn no_job_is_given_twice() {
    const WORKERS: usize = 8;
    let world = world();
    let (_, jobs) = world.enqueue("x", 60);
    let start = Barrier::new(WORKERS);
    let root = world.root();
    let claimed: Vec<Id> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| {
                let (root, start) = (&root, &start);
                scope.spawn(move || {
                    // A connection of its own, as another process has.
                    let (library, _) = Library::open(root, NOW).unwrap();
                    let worker = format!("worker {n}");
                    let claim = Claim::new(&worker, NOW, LEASE_MS);
                    start.wait();
                    let mut claimed = Vec::new();
                    while let Some(job) = library.claim(&claim).unwrap() {
                        claimed.push(job.id);
                    }
                    claimed
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(claimed.len(), jobs.len());
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), jobs.into_iter().collect());
}

/// Whatever the moment at which a worker dies, there is one picture in the end, and its row.
#[test]
fn killed_at_every_step() {
    for step in [Some(SaveStep::BeforePath), Some(SaveStep::BeforeFile), Some(SaveStep::AfterRename), None] {
        let world = world();
        let (_, jobs) = world.enqueue("a fox", 1);
        let job = world.claim("dead").unwrap();
        let die = |at| if Some(at) == step { Err(io::Error::other("killed")) } else { Ok(()) };
        let saved = world.save_at(&job, "dead", NOW, &die);
        assert_eq!(saved.is_ok(), step.is_none());

        let world = world.reopened();
        // Still held: nobody touches it.
        assert_eq!(world.library.recover_expired(later(1), 10).unwrap(), []);
        // A look at the files must not take the job's picture for somebody else's.
        world.reconcile();
        let recovered = world.library.recover_expired(later(100), 10).unwrap();
        let expected = match step {
            None => vec![],
            Some(SaveStep::AfterRename) => vec![(jobs[0], Recovery::Adopted)],
            Some(_) => vec![(jobs[0], Recovery::Requeued)],
        };
        let recovered: Vec<_> = recovered.into_iter().map(|r| (r.id, r.recovery)).collect();
        assert_eq!(recovered, expected, "{step:?}");
        if let Some(job) = world.claim("next") {
            assert_eq!(job.attempts, 2);
            assert!(matches!(world.save(&job, "next"), Saved::Recorded { .. }));
        }
        assert_eq!(world.files(), ["2026-11-24/00001-a-fox.png"], "{step:?}");
        assert_eq!(world.find(""), jobs);
        assert_eq!(world.library.job(jobs[0]).unwrap().state, State::Done);
        let report = world.reconcile();
        assert_eq!((report.added, report.moved, report.changed, report.missing), (0, 0, 0, 0), "{step:?}");
    }
}

#[test]
fn whoever_is_too_late_leaves_nothing() {
    let world = world();
    let (_, jobs) = world.enqueue("a fox", 1);
    let slow = world.claim("slow").unwrap();
    // It hangs after it has written the file; meanwhile the job is given to another.
    let hang = |step: SaveStep, then: &dyn Fn()| {
        if step == SaveStep::BeforeFile {
            then();
        }
        Ok(())
    };
    let other = || {
        world.library.recover_expired(later(100), 10).unwrap();
        let job = world.claim("fast").unwrap();
        assert!(matches!(world.save(&job, "fast"), Saved::Recorded { .. }));
    };
    let saved = world.save_at(&slow, "slow", NOW, &|step| hang(step, &other)).unwrap();
    assert_eq!(saved, Saved::LeaseLost);
    assert_eq!(world.files().len(), 1);
    assert_eq!(world.find(""), jobs);
    assert_eq!(world.reconcile().added, 0);
}

#[test]
fn a_job_that_kills_its_workers_is_given_up() {
    let world = world();
    let (_, jobs) = world.enqueue("x", 1);
    for attempt in 1..=3 {
        let job: Job = world.claim("w").unwrap();
        assert_eq!(job.attempts, attempt);
        let recovered = world.library.recover_expired(later(100), 3).unwrap();
        let expected = if attempt < 3 { Recovery::Requeued } else { Recovery::GivenUp };
        assert_eq!(recovered[0].recovery, expected);
    }
    let job = world.library.job(jobs[0]).unwrap();
    assert_eq!((job.state, job.error.unwrap().code), (State::Failed, "worker_lost".to_owned()));
    // One that was to be cancelled is.
    world.library.retry_jobs(&jobs).unwrap();
    world.claim("w").unwrap();
    world.library.cancel_all(NOW).unwrap();
    assert_eq!(world.library.recover_expired(later(100), 3).unwrap()[0].recovery, Recovery::Cancelled);
}

#[test]
fn others_changes_are_noticed() {
    let world = world();
    let (other, _) = Library::open(&world.root(), NOW).unwrap();
    let (seen, foreign) = (world.library.data_version().unwrap(), world.library.foreign_version().unwrap());
    world.enqueue("x", 1);
    assert_ne!(world.library.data_version().unwrap(), seen);
    assert_eq!(world.library.foreign_version().unwrap(), foreign);
    let seen = world.library.data_version().unwrap();
    assert_eq!(world.library.data_version().unwrap(), seen);
    other.set_paused(true).unwrap();
    assert_ne!(world.library.data_version().unwrap(), seen);
    assert_ne!(world.library.foreign_version().unwrap(), foreign);
}
