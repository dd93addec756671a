//! The farm's lane, against a real server and workers with renderers that only pretend.

#[path = "../../../farm/tests/support/server.rs"]
mod server;

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use server::Server;
use tarim_checkpoint::Checkpoint;
use tarim_farm::{Connection, FarmOptions, Holdings, Stop as Leave, Token, WorkerOptions, work};
use tarim_render::fake::{FakeRenderer, Script};

use super::{Bench, files, job, pictures, until, until_done};
use crate::Studio;
use crate::farm::FarmSettings;

const STARTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter");

/// A worker in a thread of this process.
struct Worker {
    leave: Leave,
    thread: Option<JoinHandle<u64>>,
}

impl Worker {
    fn start(connection: Connection, step_ms: u64) -> Self {
        let leave = Leave::default();
        let leaving = leave.clone();
        let thread = thread::spawn(move || {
            let holdings = Holdings::default();
            let hash = Checkpoint::open(Path::new(STARTER)).unwrap().hash(&mut |_, _| {}).unwrap().hex();
            holdings.add(Token::new(hash).unwrap(), "starter", STARTER.into());
            let renderer = Arc::new(FakeRenderer::new(Script { step_ms, ..Script::default() }));
            let mut options = WorkerOptions::new("far");
            options.grace = Duration::ZERO;
            work(&connection, &FarmOptions::default(), options, renderer, holdings, &leaving, |_| {})
                .unwrap_or(0)
        });
        Self { leave, thread: Some(thread) }
    }

    fn stop(mut self) -> u64 {
        self.leave.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn use_farm(studio: &Studio, server: &Server) {
    let farm = FarmSettings { on: true, url: server.url(), window: 4, ..FarmSettings::default() };
    studio.change_settings(|settings| settings.farm = farm).unwrap();
    until("the worker is seen", || !crate::farm::workers(&studio.settings().farm).unwrap().is_empty());
}

#[test]
fn the_queue_hands_jobs_over_and_saves_what_comes_back_once() {
    let server = Server::start();
    let worker = Worker::start(server.connection(), 1);
    // This machine is so slow that the farm draws nearly everything.
    let bench = Bench::new(Script { step_ms: 1500, ..Script::default() });
    let studio = bench.open();
    use_farm(&studio, &server);
    thread::sleep(Duration::from_millis(300));
    let submitted = studio.submit(&pictures("far away", 12, 1)).unwrap();
    until_done(&studio, &submitted);
    let far = submitted.jobs.iter().filter(|id| {
        let job = job(&studio, **id);
        assert_eq!(job.attempts, 1);
        job.timings.is_some_and(|timings| timings.contains("farm far cpu"))
    });
    assert!(far.count() >= 8);
    assert_eq!(files(&studio.library().unwrap()).len(), 12);
    // Nothing stays there.
    let status = || crate::farm::status(&studio.settings().farm).unwrap();
    until("the farm is empty", || {
        let status = status();
        (status.waiting, status.running, status.ended, status.picture_bytes) == (0, 0, 0, 0)
    });
    assert!(worker.stop() >= 8);
}

#[test]
fn jobs_come_back_when_the_farm_is_gone_or_switched_off() {
    let mut server = Server::start();
    // Half a minute a picture there, a tenth of a second here.
    let worker = Worker::start(server.connection(), 300);
    let mut bench = Bench::new(Script { step_ms: 1, ..Script::default() });
    bench.timing.minute = Duration::from_secs(3);
    let studio = bench.open();
    use_farm(&studio, &server);
    thread::sleep(Duration::from_millis(300));
    let submitted = studio.submit(&pictures("gone", 8, 100)).unwrap();
    let there = || crate::farm::status(&studio.settings().farm).unwrap();
    until("jobs are on the farm", || there().running == 1);
    // Switched off: what was there is taken off it and drawn here.
    studio.change_settings(|settings| settings.farm.on = false).unwrap();
    until_done(&studio, &submitted);
    until("the farm is empty", || {
        let status = there();
        (status.waiting, status.running) == (0, 0)
    });
    // Killed: the same after a while.
    use_farm(&studio, &server);
    let again = studio.submit(&pictures("gone again", 8, 100)).unwrap();
    until("jobs are on the farm", || there().waiting + there().running > 0);
    server.kill();
    until_done(&studio, &again);
    assert_eq!(files(&studio.library().unwrap()).len(), 16);
    drop(worker);
}
