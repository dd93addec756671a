//! `tarim-renderer`: serves render messages on stdin and stdout, or works for a render farm.
//!
//! What belongs here: the process. The main thread reads requests, so that cancels, pings and the end of the pipe are
//! noticed at once; one other thread owns the pipeline. What does not: drawing (`tarim-diffusion`) and the messages
//! themselves (`tarim-render`).

mod batch;
mod cancel;
mod device;
mod failure;
mod farm;
mod farm_models;
mod follow;
mod output;
mod work;

use std::process::{ExitCode, exit};
use std::sync::mpsc;
use std::thread;

use tarim_render::frame;
use tarim_render::messages::{self, Event, LIBTORCH_MISMATCH, Request};

use crate::cancel::Cancels;
use crate::output::Output;
use crate::work::{Task, Worker};

/// Exit code of a renderer that cannot work: another libtorch than it was built for.
const UNUSABLE: u8 = 3;
/// Exit code of a renderer that was sent something that is no request.
const NOT_UNDERSTOOD: u8 = 65;

fn main() -> ExitCode {
    // Those who speak messages to it give no arguments.
    if std::env::args_os().len() > 1 {
        return farm::run();
    }
    let output = match Output::take_stdout() {
        Ok(output) => output,
        Err(error) => return complain(&format!("stdout cannot be used: {error}"), UNUSABLE),
    };
    if let Err(found) = device::check_libtorch() {
        return complain(&format!("{LIBTORCH_MISMATCH}{found}"), UNUSABLE);
    }
    output.send(&Event::Hello(device::hello()), &[]);

    let cancels = Cancels::default();
    let (queue, tasks) = mpsc::channel();
    let mut worker = Worker::new(output.clone(), cancels.clone());
    let busy = worker.busy();
    thread::spawn(move || worker.run(&tasks));

    let mut input = std::io::stdin().lock();
    loop {
        let frame = match frame::read(&mut input) {
            Ok(Some(frame)) => frame,
            // Whoever started us is gone, and so is the reason to go on.
            Ok(None) => break,
            Err(error) => return complain(&error.to_string(), NOT_UNDERSTOOD),
        };
        match messages::request(&frame) {
            // The queue lives as long as its thread, which ends only with the process.
            Ok(Request::Render(request)) => drop(queue.send(Task::Render(request, frame.payload))),
            Ok(Request::SelfTest { device }) => drop(queue.send(Task::SelfTest(device))),
            Ok(Request::Cancel { job, pictures }) => cancels.add(job, &pictures),
            Ok(Request::Ping { token }) => output.send(&Event::Pong { token }, &[]),
            Ok(Request::Shutdown) => break,
            Ok(Request::Unknown) => {}
            Err(error) => return complain(&error.to_string(), NOT_UNDERSTOOD),
        }
    }
    if busy.load(std::sync::atomic::Ordering::Relaxed) {
        end_in_the_middle();
    }
    exit(0)
}

/// An ordinary exit runs libtorch's destructors under the feet of the thread that computes with it.
fn end_in_the_middle() -> ! {
    #[cfg(unix)]
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    std::process::abort()
}

#[allow(clippy::print_stderr, reason = "stderr is this process's log, kept by whoever started it")]
fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(code)
}
