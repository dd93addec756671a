//! A NATS server of the test's own, workers as processes, and jobs for them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod server;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use tarim_farm::{Collected, Ended, Farm, FarmEvent, FarmOptions, Submission, Token};
use tarim_render::fake::{SCRIPT_VARIABLE, Script};
use tempfile::TempDir;

pub use server::*;

/// A worker process.
pub struct Worker {
    pub child: Child,
    output: PathBuf,
    _folder: TempDir,
}

/// How a worker is started.
pub struct WorkerPlan {
    pub script: Script,
    pub models: Vec<&'static str>,
    pub fetch: Option<String>,
    pub namespace: Option<String>,
}

impl Default for WorkerPlan {
    fn default() -> Self {
        Self { script: Script::default(), models: vec![MODEL], fetch: None, namespace: None }
    }
}

impl WorkerPlan {
    /// A worker whose renderer takes so long for a picture (of one step).
    pub fn slow(ms: u64) -> Self {
        Self { script: Script { step_ms: ms, ..Script::default() }, ..Self::default() }
    }

    pub fn start(&self, server: &Server, name: &str) -> Worker {
        self.start_at(&server.url(), name)
    }

    pub fn start_at(&self, url: &str, name: &str) -> Worker {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("output");
        let log = fs::File::create(&output).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarim-test-farm-worker"));
        command.args([url, name]).env("TEST_MODELS", self.models.join(","));
        command.env(SCRIPT_VARIABLE, serde_json::to_string(&self.script).unwrap());
        if let Some(fetch) = &self.fetch {
            command.env("TEST_FETCH", fetch);
        }
        if let Some(namespace) = &self.namespace {
            command.env("TEST_NAMESPACE", namespace);
        }
        let child =
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Worker { child, output, _folder: folder }
    }
}

impl Worker {
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    pub fn wait_for(&self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.output().contains(words) {
            assert!(Instant::now() < deadline, "no `{words}` in:\n{}", self.output());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn submissions(prefix: &str, seeds: std::ops::Range<u64>) -> Vec<Submission> {
    seeds.map(|seed| Submission::new(token(format!("{prefix}{seed}")), recipe(seed))).collect()
}

/// Options with short times.
pub fn options() -> FarmOptions {
    FarmOptions {
        ack_wait: Duration::from_secs(1),
        worker_ttl: Duration::from_secs(2),
        ..FarmOptions::default()
    }
}

pub fn connect(server: &Server, submitter: &str) -> Farm {
    Farm::connect(&server.connection(), &options(), token(submitter), submitter).unwrap()
}

/// Ends as they come, and in which order.
#[derive(Default)]
pub struct Ends {
    pub pictures: HashMap<Token, Collected>,
    pub failures: HashMap<Token, tarim_render::Failure>,
    pub order: Vec<Token>,
}

/// Collects and confirms until so many jobs have ended.
pub fn collect(farm: &Farm, events: &Receiver<FarmEvent>, count: usize, limit: Duration) -> Ends {
    let deadline = Instant::now() + limit;
    let mut ends = Ends::default();
    while ends.order.len() < count {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(event) = events.recv_timeout(left.max(Duration::from_millis(1))) else {
            panic!("{} of {count} jobs ended; {:?}", ends.order.len(), farm.status());
        };
        let FarmEvent::Ended { job, ended } = event else { continue };
        match ended {
            Ended::Finished(ready) => {
                let picture = farm.collect(&ready).unwrap();
                assert!(ends.pictures.insert(job.clone(), picture).is_none(), "{job} came twice");
            }
            Ended::Failed(failure) => drop(ends.failures.insert(job.clone(), failure)),
        }
        farm.confirm(&job).unwrap();
        ends.order.push(job);
    }
    ends
}

/// The pictures are those that an undisturbed renderer makes.
pub fn assert_right(ends: &Ends) {
    for (job, picture) in &ends.pictures {
        let expected = tarim_render::fake::picture(picture.recipe.seed, picture.recipe.size);
        assert_eq!(picture.pixels, expected, "{job}");
    }
}
