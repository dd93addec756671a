//! Drives the real `tarim` and `tarim-renderer`, built beforehand by `cargo xtask test`, as a user would: words in,
//! exit code, output and files out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)] // a helper of tests: what fails here fails the test

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// The starter model's folder.
pub fn starter() -> PathBuf {
    root().join("models/starter")
}

/// A built program: it lies two folders above the test that runs (`target/debug/deps/test`).
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not built: run `cargo xtask test`", path.display());
    path
}

/// What a run of `tarim` left behind.
pub struct Ran {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Fails the test unless the run ended well.
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON lines.
    pub fn lines(&self) -> Vec<Value> {
        let parsed = self.out.lines().map(|line| serde_json::from_str(line).expect(line));
        parsed.collect()
    }
}

/// `tarim WORDS…`, not started yet.
pub fn command(words: &[&str]) -> Command {
    let mut command = Command::new(program("tarim"));
    command.args(words).env("TARIM_RENDERER", program("tarim-renderer"));
    command
}

/// Runs `tarim WORDS…` to its end.
pub fn tarim(words: &[&str]) -> Ran {
    finish(&mut command(words))
}

/// Runs a prepared command to its end.
pub fn finish(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}
