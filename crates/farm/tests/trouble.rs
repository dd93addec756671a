//! Crashes and cuts of all kinds: nothing is lost, nothing comes twice.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use support::{
    MODEL, Server, Worker, WorkerPlan, assert_right, collect, connect, options, recipe, submissions, token,
};
use tarim_farm::{Ended, Farm, FarmError, FarmEvent, FarmOptions, Submission};
use tarim_render::fake::picture;

const LONG: Duration = Duration::from_mins(1);

/// A generator of our own, so that a failed run can be told from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn two_hundred_pictures_survive_fifty_kills_of_workers_and_server() {
    let seed =
        std::env::var("TARIM_CHAOS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_724);
    let mut dice = Dice(seed);
    let mut server = Server::start();
    let plan = WorkerPlan::slow(100);
    let mut workers: Vec<Worker> = (0..4).map(|n| plan.start(&server, &format!("w{n}"))).collect();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let jobs: Vec<Submission> =
        submissions("job", 0..200).into_iter().map(|job| Submission { tries: 50, ..job }).collect();
    farm.submit(&jobs).unwrap();

    let (mut kills, mut server_kills) = (0, 0);
    let mut pictures = std::collections::HashMap::new();
    let mut next_kill = Instant::now() + Duration::from_millis(200);
    let deadline = Instant::now() + Duration::from_mins(4);
    while pictures.len() < 200 || kills < 50 {
        assert!(Instant::now() < deadline, "{} pictures, {kills} kills, seed {seed}", pictures.len());
        // The rest of the kills must not come after the last picture.
        if kills < 50 && Instant::now() >= next_kill {
            if dice.below(7) == 0 {
                server.kill();
                thread::sleep(Duration::from_millis(dice.below(300)));
                server.revive();
                server_kills += 1;
            } else {
                let n = dice.below(4) as usize;
                workers[n].kill();
                workers[n] = plan.start(&server, &format!("w{n}"));
            }
            kills += 1;
            next_kill = Instant::now() + Duration::from_millis(60 + dice.below(120));
        }
        let Ok(FarmEvent::Ended { job, ended }) = events.recv_timeout(Duration::from_millis(20)) else {
            continue;
        };
        let Ended::Finished(ready) = ended else { panic!("{job}: {ended:?}, seed {seed}") };
        let collected = farm.collect(&ready).unwrap();
        assert!(pictures.insert(job.clone(), collected).is_none(), "{job} came twice, seed {seed}");
        farm.confirm(&job).unwrap();
    }
    assert_eq!((pictures.len(), kills), (200, 50));
    assert!(server_kills > 0);
    for (job, collected) in &pictures {
        assert_eq!(collected.pixels, picture(collected.recipe.seed, collected.recipe.size), "{job}");
    }
    let seeds: HashSet<u64> = pictures.values().map(|collected| collected.recipe.seed.0).collect();
    assert_eq!(seeds.len(), 200);
    while let Ok(event) = events.recv_timeout(Duration::from_millis(1500)) {
        assert!(!matches!(event, FarmEvent::Ended { .. }), "{event:?}");
    }
    let status = farm.status().unwrap();
    assert_eq!((status.waiting + status.running, status.dead, status.ended), (0, 0, 0), "{status:?}");
}

#[test]
fn a_worker_that_is_cut_off_costs_one_redelivery_and_its_late_result_is_discarded() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let sleeper = WorkerPlan::slow(700).start(&server, "sleeper");
    sleeper.wait_for("Ready");
    farm.submit(&submissions("job", 0..1)).unwrap();
    sleeper.wait_for("Begun");
    sleeper.signal("STOP");
    let _other = WorkerPlan::slow(10).start(&server, "other");
    let ends = collect(&farm, &events, 1, LONG);
    assert_right(&ends);
    let one = &ends.pictures[&token("job0")];
    assert_eq!((one.worker.as_str(), one.deliveries), ("other", 2));
    sleeper.signal("CONT");
    sleeper.wait_for("Discarded");
    assert!(events.recv_timeout(Duration::from_secs(1)).is_err_and(|_| true));
    let status = farm.status().unwrap();
    assert_eq!(
        (status.waiting, status.running, status.ended, status.picture_bytes),
        (0, 0, 0, 0),
        "{status:?}"
    );
}

#[test]
fn a_worker_that_is_asked_to_leave_finishes_or_gives_back() {
    let server = Server::start();
    let farm = connect(&server, "me");
    let events = farm.follow();
    let quick = WorkerPlan::slow(500).start(&server, "quick");
    quick.wait_for("Ready");
    farm.submit(&submissions("job", 0..3)).unwrap();
    quick.wait_for("Begun");
    quick.signal("TERM");
    quick.wait_for("stopped after 1 pictures");
    let slow = WorkerPlan::slow(60_000).start(&server, "slow");
    slow.wait_for("Begun");
    slow.signal("TERM");
    // Its grace is five seconds; asked again it gives the job back at once.
    slow.signal("INT");
    slow.wait_for("stopped after 0 pictures");
    let began = Instant::now();
    let _last = WorkerPlan::default().start(&server, "last");
    let ends = collect(&farm, &events, 3, LONG);
    assert_right(&ends);
    assert!(began.elapsed() < Duration::from_secs(5), "jobs were given back, not waited for");
}

#[test]
fn a_full_farm_says_so_and_goes_on_when_there_is_room() {
    let server = Server::start();
    let small = FarmOptions { jobs_bytes: Some(20_000), pictures_bytes: Some(60_000), ..options() };
    let farm = Farm::connect(&server.connection(), &small, token("me"), "me").unwrap();
    let events = farm.follow();
    let error = farm.submit(&submissions("job", 0..200)).unwrap_err();
    assert!(matches!(error, FarmError::Full { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("max_file_store"));
    let taken = farm.status().unwrap().waiting;
    assert!((5..100).contains(&taken), "{taken}");

    // Nobody picks pictures up for a while: the worker holds on to what it drew.
    let worker = WorkerPlan::default().start(&server, "one");
    worker.wait_for("the farm is full");
    // Handed over again until all fit.
    let mut ended = HashSet::new();
    let deadline = Instant::now() + LONG;
    let mut left = submissions("job", 0..200);
    let mut last_try = Instant::now();
    while ended.len() < 200 {
        assert!(Instant::now() < deadline, "{} ended; {:?}\n{}", ended.len(), farm.status(), worker.output());
        if last_try.elapsed() > Duration::from_millis(200) && !left.is_empty() {
            left.retain(|job| !ended.contains(&job.job));
            let _ = farm.submit(&left);
            last_try = Instant::now();
        }
        let Ok(FarmEvent::Ended { job, ended: Ended::Finished(ready) }) =
            events.recv_timeout(Duration::from_millis(50))
        else {
            continue;
        };
        assert_eq!(farm.collect(&ready).unwrap().recipe.model.hash.as_deref(), Some(MODEL));
        farm.confirm(&job).unwrap();
        assert!(ended.insert(job));
    }
}

#[test]
fn a_submitter_waits_for_a_server_that_restarts_and_gives_up_on_one_that_does_not() {
    let mut server = Server::start();
    let patient = FarmOptions { patience: Duration::from_secs(2), ..options() };
    let farm = Farm::connect(&server.connection(), &patient, token("me"), "me").unwrap();
    let events = farm.follow();
    server.kill();
    assert!(matches!(events.recv_timeout(LONG).unwrap(), FarmEvent::Disconnected));
    let error = farm.submit(&submissions("job", 0..1)).unwrap_err();
    assert!(matches!(error, FarmError::Lost { .. }), "{error:?}");
    assert!(!farm.connected());
    let farm = Arc::new(farm);
    let submitting = {
        let farm = Arc::clone(&farm);
        thread::spawn(move || farm.submit(&[Submission::new(token("late"), recipe(1))]))
    };
    thread::sleep(Duration::from_millis(300));
    server.revive();
    submitting.join().unwrap().unwrap();
    let _worker = WorkerPlan::default().start(&server, "one");
    let ends = collect(&farm, &events, 1, LONG);
    assert!(ends.pictures.contains_key(&token("late")) || ends.pictures.contains_key(&token("job0")));
}
