//! Throughput of a farm on this machine: workers are threads with renderers that take a fixed time, so that what is measured
//! is the farm and not the drawing. `cargo xtask bench farm` runs it.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[path = "../tests/support/server.rs"]
mod server;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use server::{MODEL, Server, recipe, token};
use tarim_farm::{Ended, Farm, FarmEvent, FarmOptions, Holdings, Stop, Submission, WorkerOptions, work};
use tarim_render::fake::{FakeRenderer, Script};

/// Pictures a second with so many workers whose renders take `ms`.
fn measure(workers: u32, pictures: u64, ms: u64) -> (f64, f64) {
    let server = Server::start();
    let farm = Farm::connect(&server.connection(), &FarmOptions::default(), token("bench"), "bench").unwrap();
    let events = farm.follow();
    let stop = Stop::default();
    let threads: Vec<_> = (0..workers)
        .map(|n| {
            let (connection, stop, holdings) = (server.connection(), stop.clone(), Holdings::default());
            holdings.add(token(MODEL), "bench", "/nowhere".into());
            let renderer = Arc::new(FakeRenderer::new(Script { step_ms: ms, ..Script::default() }));
            let options = WorkerOptions::new(format!("w{n}"));
            thread::spawn(move || {
                work(&connection, &FarmOptions::default(), options, renderer, holdings, &stop, |_| {})
            })
        })
        .collect();
    while farm.workers().unwrap().len() < workers as usize {
        thread::sleep(Duration::from_millis(20));
    }
    let jobs: Vec<Submission> =
        (0..pictures).map(|seed| Submission::new(token(format!("j{seed}")), recipe(seed))).collect();
    let began = Instant::now();
    farm.submit(&jobs).unwrap();
    let submitted = began.elapsed().as_secs_f64();
    let mut left = pictures;
    while left > 0 {
        if let FarmEvent::Ended { job, ended: Ended::Finished(ready) } = events.recv().unwrap() {
            farm.collect(&ready).unwrap();
            farm.confirm(&job).unwrap();
            left -= 1;
        }
    }
    let rate = pictures as f64 / began.elapsed().as_secs_f64();
    stop.stop();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    (rate, pictures as f64 / submitted)
}

fn main() {
    println!("| workers | render, ms | pictures a second | times one worker | submitted a second |");
    println!("|---|---|---|---|---|");
    let mut one = 0.0;
    for workers in [1, 2, 4, 8] {
        let (rate, submitted) = measure(workers, u64::from(workers) * 40, 200);
        if workers == 1 {
            one = rate;
        }
        println!("| {workers} | 200 | {rate:.2} | {:.2} | {submitted:.0} |", rate / one);
    }
    for workers in [1, 2] {
        let (rate, submitted) = measure(workers, 1000, 0);
        println!("| {workers} | 0 | {rate:.1} | - | {submitted:.0} |");
    }
}
