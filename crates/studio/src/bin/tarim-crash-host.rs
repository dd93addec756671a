//! A program that can be killed, for the crash test of this crate: a studio that works on a library's queue, and, called
//! with `render`, the renderer that it uses, which only pretends.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tarim_render::ProcessOptions;
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
        [folder, starter] => host(folder, starter.clone()),
        _ => ExitCode::from(2),
    }
}

/// Works on the queue until stdin ends.
fn host(folder: &Path, starter: PathBuf) -> ExitCode {
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    let mut options = ProcessOptions::new(program);
    options.arguments = vec!["render".into(), folder.join("renderer.pid").into()];
    options.timeouts.pause_after_crash = Duration::from_millis(5);
    options.timeouts.longest_pause = Duration::from_millis(50);
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
        worker: format!("here/{}", std::process::id()),
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
