//! A NATS server of the caller's own, and recipes for its farm.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tarim_farm::{Connection, Token};
use tarim_recipe::{Emphasis, ModelRef, NoiseSource, Precision, Recipe, Sampler, Schedule, Seed, Size};
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
