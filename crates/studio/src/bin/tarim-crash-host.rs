//! A program that can be killed, for the crash tests of this crate: a studio that works on a library's queue; called with
//! `farm`, a worker of a render farm; and, called with `render`, the renderer that both use, which only pretends.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tarim_checkpoint::Checkpoint;
use tarim_farm::{Connection, FarmOptions, Holdings, Stop, Token, WorkerOptions, work};
use tarim_render::{LocalRenderer, ProcessOptions};
use tarim_studio::{How, Origin, Role, Studio, Surroundings, Timing};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match arguments.as_slice() {
        [word, pid_file] if word.as_os_str() == "render" => {
            if fs::write(pid_file, std::process::id().to_string()).is_err() {
                return ExitCode::FAILURE;
            }
            tarim_render::fake::run_as_program()
        }
        [word, url, name, starter] if word.as_os_str() == "farm" => {
            farm_worker(&url.to_string_lossy(), &name.to_string_lossy(), starter)
        }
        [folder, starter] => host(folder, starter.clone()),
        _ => ExitCode::from(2),
    }
}

/// How the renderer is run, which writes down its process's number.
fn renderer(pid_file: PathBuf) -> Option<ProcessOptions> {
    let mut options = ProcessOptions::new(std::env::current_exe().ok()?);
    options.arguments = vec!["render".into(), pid_file.into()];
    options.timeouts.pause_after_crash = Duration::from_millis(5);
    options.timeouts.longest_pause = Duration::from_millis(50);
    Some(options)
}

/// Works for the farm at this address until it is killed.
fn farm_worker(url: &str, name: &str, starter: &Path) -> ExitCode {
    let hash = Checkpoint::open(starter).and_then(|model| model.hash(&mut |_, _| {}));
    let Some(hash) = hash.ok().and_then(|hash| Token::new(hash.hex()).ok()) else { return ExitCode::FAILURE };
    let Some(process) = renderer(std::env::temp_dir().join(format!("{name}.pid"))) else {
        return ExitCode::FAILURE;
    };
    let holdings = Holdings::default();
    holdings.add(hash, "starter", starter.to_owned());
    loop {
        let renderer = Arc::new(LocalRenderer::new(process.clone()));
        let options = WorkerOptions::new(name);
        let (farm, connection, stop) = (FarmOptions::default(), Connection::to(url), Stop::default());
        match work(&connection, &farm, options, renderer, holdings.clone(), &stop, |_| {}) {
            Ok(_) => return ExitCode::SUCCESS,
            // The server may just be dead.
            Err(error) if error.is_passing() => std::thread::sleep(Duration::from_millis(50)),
            Err(_) => return ExitCode::FAILURE,
        }
    }
}

/// Works on the queue until stdin ends.
fn host(folder: &Path, starter: PathBuf) -> ExitCode {
    let Some(options) = renderer(folder.join("renderer.pid")) else { return ExitCode::FAILURE };
    let surroundings = Surroundings {
        config_folder: folder.join("config"),
        default_library: folder.join("library"),
        library: None,
        starter_model: Some(starter),
        model_folders: Vec::new(),
        renderers: Surroundings::processes(Ok(options)),
        clock: Arc::new(SystemTime::now),
        random: Arc::new(|bytes| {
            // Each `RandomState` is keyed from the system's random source.
            for chunk in bytes.chunks_mut(8) {
                let random = RandomState::new().hash_one("random").to_le_bytes();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
        }),
        utc_offset_minutes: Arc::new(|_| 0),
        machine: "here".to_owned(),
        presence: tarim_studio::sets::Presence::default(),
        origin: Origin::Cli,
        role: Role::Owner,
        timing: Timing { poll: Duration::from_millis(50), ..Timing::default() },
    };
    let Ok(studio) = Studio::open(surroundings) else { return ExitCode::FAILURE };
    // Ends when whoever started this program closes the pipe, or is gone.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    studio.close(How::StopNow);
    ExitCode::SUCCESS
}
