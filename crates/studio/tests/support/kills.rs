//! What the tests share in which processes are killed: dice, a look at the library, processes and their children.
#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]
#![allow(dead_code)] // no test uses all of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tarim_render::RenderError;
use tarim_studio::{Origin, Role, Studio, Surroundings, Timing, sets::Presence};

/// The starter model.
pub const STARTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter");

/// Numbers that nobody expects, and that come again with the same seed.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The seed that `TARIM_CHAOS_SEED` names, else another each time; said, so that a run can be repeated.
pub fn seed() -> u64 {
    let named = std::env::var("TARIM_CHAOS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = named.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    println!("TARIM_CHAOS_SEED={seed}");
    seed
}

/// A studio that submits and looks, and leaves the work to others; its clock goes `ahead`.
pub fn guest(folder: &Path, seed: u64, ahead: Duration) -> Arc<Studio> {
    let dice = Mutex::new(Dice(seed));
    Studio::open(Surroundings {
        config_folder: folder.join("config"),
        default_library: folder.join("library"),
        library: None,
        starter_model: Some(STARTER.into()),
        model_folders: Vec::new(),
        renderers: Surroundings::processes(Err(RenderError::ProgramMissing { tried: Vec::new() })),
        clock: Arc::new(move || SystemTime::now() + ahead),
        random: Arc::new(move |bytes| bytes.fill_with(|| dice.lock().unwrap().below(256) as u8)),
        utc_offset_minutes: Arc::new(|_| 0),
        machine: "here".to_owned(),
        presence: Presence::default(),
        origin: Origin::Cli,
        role: Role::Guest,
        timing: Timing::default(),
    })
    .unwrap()
}

/// The files of a library, but for what is its own.
pub fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with(".tarim") {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// A process that is killed when the test gives up.
pub struct Running(pub Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// kill -9; false when it had ended by itself.
    pub fn kill(&mut self) -> bool {
        let alive = self.0.try_wait().unwrap().is_none();
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        alive
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The living children of a process.
pub fn children(parent: u32) -> Vec<u32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| is_child(*pid, parent).unwrap_or(false)).collect()
}

fn is_child(pid: u32, parent: u32) -> Option<bool> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name between the brackets may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    Some(fields.next()?.parse() == Ok(parent) && !matches!(state, "Z" | "X"))
}

/// kill -9; false when there was nothing to kill.
pub fn kill(pid: u32) -> bool {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
    killed.is_ok_and(|status| status.success())
}
