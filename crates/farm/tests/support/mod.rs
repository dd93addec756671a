//! A NATS server of the test's own, workers as processes, and jobs for them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use tarim_farm::{Collected, Connection, Ended, Farm, FarmEvent, FarmOptions, Submission, Token};
use tarim_recipe::{Emphasis, ModelRef, NoiseSource, Precision, Recipe, Sampler, Schedule, Seed, Size};
use tarim_render::fake::{SCRIPT_VARIABLE, Script};
use tempfile::TempDir;

pub const MODEL: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const OTHER_MODEL: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// The server program: the one that `TARIM_NATS_SERVER` names, else the one that xtask fetched.
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("TARIM_NATS_SERVER") {
        return named.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let name = format!("nats-server{}", std::env::consts::EXE_SUFFIX);
    let fetched = root.join("target/nats-server-2.15.1").join(name);
    assert!(fetched.is_file(), "{} is missing: run `cargo xtask nats-server`", fetched.display());
    fetched
}

/// A server on loopback with a folder of its own.
pub struct Server {
    pub folder: TempDir,
    pub port: u16,
    child: Child,
    jetstream: bool,
}

impl Server {
    pub fn start() -> Self {
        Self::with("")
    }

    /// With more lines for its configuration. A JetStream block is added unless there is one.
    pub fn with(more: &str) -> Self {
        Self::with_folder(tempfile::tempdir().unwrap(), more)
    }

    pub fn with_folder(folder: TempDir, more: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = folder.path().join("store");
        let mut config = format!("listen: 127.0.0.1:{port}\n{more}\n");
        if !more.contains("jetstream") {
            config += &format!("jetstream {{ store_dir: {:?} }}\n", store.display().to_string());
        }
        fs::write(folder.path().join("nats.conf"), config.replace("STORE", &store.display().to_string()))
            .unwrap();
        let jetstream = !more.contains("jetstream: disabled");
        let child = launch(folder.path());
        let server = Self { folder, port, child, jetstream };
        server.wait();
        server
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
        while self.jetstream && !self.log().contains("Server is ready") {
            assert!(Instant::now() < deadline, "{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn connection(&self) -> Connection {
        Connection::to(self.url())
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same server again, on the same port and folder.
    pub fn revive(&mut self) {
        fs::remove_file(self.folder.path().join("log")).unwrap();
        self.child = launch(self.folder.path());
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(folder: &Path) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    Command::new(program())
        .arg("-c")
        .arg(folder.join("nats.conf"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("nats-server can be started")
}

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

pub fn token(text: impl Into<String>) -> Token {
    Token::new(text).unwrap()
}

/// A tiny picture of one step.
pub fn recipe(seed: u64) -> Recipe {
    recipe_with(seed, MODEL, 1)
}

pub fn recipe_with(seed: u64, model: &str, steps: u32) -> Recipe {
    Recipe {
        model: ModelRef { name: "test".to_owned(), hash: Some(model.to_owned()) },
        prompt: "a lake in the desert".into(),
        negative_prompt: "".into(),
        size: Size::new(64, 64).unwrap(),
        sampler: Sampler::Euler,
        schedule: Schedule::Automatic,
        steps,
        guidance_scale: 7.0,
        guidance_rescale: 0.0,
        seed: Seed(seed),
        variation: None,
        noise_source: NoiseSource::Cpu,
        clip_skip: 1,
        emphasis: Emphasis::Original,
        eta: None,
        precision: Precision::Fp32,
        init: None,
        postprocess: Vec::new(),
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
