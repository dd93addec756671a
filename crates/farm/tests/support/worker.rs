//! A worker process for tests. `tarim-test-farm-worker URL NAME` works with a fake renderer, which is this program itself,
//! run as `tarim-test-farm-worker --renderer` and following the script in its environment.
//!
//! Environment: `TEST_MODELS` (hashes, separated by commas), `TEST_FETCH` (`FOLDER:BYTES`), `TEST_NAMESPACE`.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, missing_docs)]

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tarim_farm::{
    Connection, FarmOptions, FetchOptions, Holdings, Stop, Token, WorkerEvent, WorkerOptions, work,
};
use tarim_render::{LocalRenderer, ProcessOptions};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments[0] == "--renderer" {
        return tarim_render::fake::run_as_program();
    }
    let mut process = ProcessOptions::new(std::env::current_exe().unwrap());
    process.arguments = vec!["--renderer".into()];
    process.timeouts.pause_after_crash = Duration::from_millis(10);
    process.timeouts.longest_pause = Duration::from_millis(100);
    let holdings = Holdings::default();
    for model in std::env::var("TEST_MODELS").unwrap_or_default().split(',').filter(|model| !model.is_empty())
    {
        holdings.add(Token::new(model).unwrap(), "test model", "/nowhere".into());
    }
    let connection = Connection {
        namespace: std::env::var("TEST_NAMESPACE").ok(),
        ..Connection::to(arguments[0].clone())
    };
    let mut options = WorkerOptions::new(arguments[1].clone());
    options.grace = Duration::from_secs(5);
    options.fetch = std::env::var("TEST_FETCH").ok().map(|text| {
        let (folder, quota) = text.rsplit_once(':').unwrap();
        FetchOptions { folder: folder.into(), quota: quota.parse().unwrap() }
    });
    let stop = Stop::default();
    let asked = stop.clone();
    ctrlc::set_handler(move || asked.stop()).unwrap();
    let farm = FarmOptions {
        ack_wait: Duration::from_secs(1),
        worker_ttl: Duration::from_secs(2),
        ..FarmOptions::default()
    };
    let tell = |event: WorkerEvent| {
        let _ = writeln!(std::io::stdout(), "{event:?}");
    };
    // As a supervisor would: a server that is away at the start comes back.
    loop {
        let renderer = Arc::new(LocalRenderer::new(process.clone()));
        match work(&connection, &farm, options.clone(), renderer, holdings.clone(), &stop, tell) {
            Ok(pictures) => {
                println!("stopped after {pictures} pictures");
                return ExitCode::SUCCESS;
            }
            Err(error) if error.is_passing() => {
                eprintln!("{error}");
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
}
