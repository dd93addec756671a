//! A folder of its own for each test, and `tarim` run in it with a fake renderer.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "helpers of tests are tests; not every test uses all of them"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tarim_render::fake::{SCRIPT_VARIABLE, Script, Trouble, TroubleKind};
use tempfile::TempDir;

pub(crate) struct World {
    folder: TempDir,
    pub(crate) script: Script,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        crate::model::write(&folder.path().join("模型"));
        Self { folder, script: Script::default() }
    }

    pub(crate) fn with(script: Script) -> Self {
        Self { script, ..Self::new() }
    }

    /// Something goes wrong after the second step of the second picture.
    pub(crate) fn with_trouble(what: TroubleKind) -> Self {
        Self::with(Script { trouble: Some(Trouble { picture: 1, step: 2, what }), ..Script::default() })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The names of the files in a folder, sorted; none when it is not there.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarim"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TARIM_MODEL", "模型")
            .env("TARIM_LIBRARY", self.path("library"))
            .env("TARIM_CONFIG", self.path("config"))
            .env("TARIM_RENDERER", env!("CARGO_BIN_EXE_tarim-test-renderer"))
            .env(SCRIPT_VARIABLE, serde_json::to_string(&self.script).unwrap())
            .env_remove("LIBTORCH")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.finished(self.command(arguments).output().unwrap())
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Paths of this machine are taken out of the texts.
    pub(crate) fn finished(&self, output: Output) -> Run {
        let text = |bytes| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&*self.folder.path().to_string_lossy(), "~")
                .replace(env!("CARGO_BIN_EXE_tarim-test-renderer"), "RENDERER")
        };
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// A picture of one colour.
    pub(crate) fn picture(&self, name: &str, width: u32, height: u32) {
        let file = fs::File::create(self.path(name)).unwrap();
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        let bytes = vec![200; (width * height * 3) as usize];
        encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
    }
}

impl Run {
    /// Stdout as JSON lines.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self
    }
}

/// The pixels of a picture.
pub(crate) fn pixels(path: &Path) -> Vec<u8> {
    tarim_library::pixels::load(path).unwrap().rgb
}
