//! The fake as a program of its own, for tests of the supervisor and of programs that start a renderer.
#![allow(clippy::print_stderr, reason = "this module is a program's main, and stderr is part of the script")]

use std::io::{Stdout, Write};
use std::process::{Command, ExitCode, abort, exit, id};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::play::{Part, play};
use super::{Cancelled, Script, TroubleKind, hello, self_test};
use crate::frame;
use crate::messages::{self, Event, JobId, RenderRequest, Request};
use crate::pixels::Pixels;
use crate::port::JobEvent;
use crate::process::lock;

/// The environment variable that holds the [`Script`] as JSON.
pub const SCRIPT_VARIABLE: &str = "TARIM_FAKE_SCRIPT";

#[derive(Clone)]
struct Output(Arc<Mutex<Stdout>>);

impl Output {
    /// Whoever cannot be written to is gone, and so is the reason to live.
    fn send(&self, event: &Event, payload: &[u8]) {
        if frame::write(&mut *lock(&self.0), event, &[payload]).is_err() {
            exit(0);
        }
    }
}

/// Serves until stdin ends or the script says otherwise. The whole of a fake renderer's `main`.
pub fn run_as_program() -> ExitCode {
    let script: Script = match std::env::var(SCRIPT_VARIABLE).as_deref().map(serde_json::from_str) {
        Ok(Ok(script)) => script,
        Ok(Err(error)) => {
            eprintln!("{SCRIPT_VARIABLE}: {error}");
            return ExitCode::from(64);
        }
        Err(_) => Script::default(),
    };
    for line in &script.stderr {
        eprintln!("{line}");
    }
    if let Some(code) = script.exit_at_start {
        exit(code);
    }
    thread::sleep(Duration::from_millis(script.hello_ms));
    let output = Output(Arc::new(Mutex::new(std::io::stdout())));
    output.send(&Event::Hello(hello(&script)), &[]);

    let (work, jobs) = mpsc::channel();
    let cancelled: Arc<Mutex<Cancelled>> = Arc::default();
    let (worker_output, worker_cancelled, worker_script) =
        (output.clone(), Arc::clone(&cancelled), script.clone());
    thread::spawn(move || serve(&worker_script, &jobs, &worker_cancelled, &worker_output));

    let mut input = std::io::stdin().lock();
    while let Ok(Some(frame)) = frame::read(&mut input) {
        match messages::request(&frame) {
            Ok(Request::Render(request)) => drop(work.send(*request)),
            Ok(Request::Cancel { job, pictures }) => lock(&cancelled).add(job, &pictures),
            Ok(Request::Ping { token }) if !script.ignores_ping => output.send(&Event::Pong { token }, &[]),
            Ok(Request::SelfTest { device }) => {
                output.send(&Event::SelfTestResult { device, result: Ok(self_test()) }, &[]);
            }
            Ok(Request::Ping { .. } | Request::Unknown) => {}
            Ok(Request::Shutdown) => break,
            Err(error) => {
                eprintln!("{error}");
                exit(65);
            }
        }
    }
    // The worker may be in the middle of something; its process ends with it.
    exit(0)
}

fn serve(script: &Script, jobs: &Receiver<RenderRequest>, cancelled: &Mutex<Cancelled>, output: &Output) {
    for request in jobs {
        let job = request.job;
        let mut emit = |event| {
            let (event, payload) = to_wire(job, event);
            output.send(&event, &payload);
        };
        let recipes: Vec<_> = request.pictures.into_iter().map(|picture| picture.recipe).collect();
        let part = Part {
            recipes: &recipes,
            together: request.together,
            preview_every: request.preview_every,
            cancelled: &|picture| lock(cancelled).has(job, picture),
        };
        if let Err(trouble) = play(script, &part, &mut emit) {
            suffer(trouble, output);
        }
    }
}

fn suffer(trouble: TroubleKind, output: &Output) {
    match trouble {
        TroubleKind::Exit(code) => exit(code),
        TroubleKind::Abort => abort(),
        TroubleKind::AllocationFailure => {
            eprintln!("memory allocation of 68719476736 bytes failed");
            abort();
        }
        TroubleKind::Kill => {
            // Without unsafe code, another program has to send the signal.
            let _ = Command::new("kill").args(["-9", &id().to_string()]).status();
            abort();
        }
        TroubleKind::Garbage => {
            let _ = lock(&output.0).write_all(b"Warning: falling back to the slow path\n");
            let _ = lock(&output.0).flush();
        }
        TroubleKind::Hang => loop {
            thread::sleep(Duration::from_secs(1));
        },
    }
}

fn to_wire(job: JobId, event: JobEvent) -> (Event, Vec<u8>) {
    match event {
        JobEvent::Stage { stage, pictures } => (Event::Stage { job, stage, pictures }, Vec::new()),
        JobEvent::PictureFailed { picture, failure } => {
            (Event::PictureFailed { job, picture, failure }, Vec::new())
        }
        JobEvent::Fewer(together) => (Event::Fewer { job, together }, Vec::new()),
        JobEvent::Progress { picture, step, steps, preview } => {
            let shape = preview.as_ref().map(Pixels::shape);
            let bytes = preview.map(Pixels::into_bytes).unwrap_or_default();
            (Event::Progress { job, picture, step, steps, preview: shape }, bytes)
        }
        JobEvent::Picture { picture, seed, pixels, timings } => {
            let shape = pixels.shape();
            (Event::Picture { job, picture, seed, shape, timings }, pixels.into_bytes())
        }
        JobEvent::Warning(message) => (Event::Warning { job: Some(job), message }, Vec::new()),
        JobEvent::Done(outcome) => (Event::Done { job, outcome }, Vec::new()),
        JobEvent::Failed(failure) => (Event::Failed { job, failure }, Vec::new()),
    }
}
