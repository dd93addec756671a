//! The renderer as a supervised child process of our own.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::device::DeviceChoice;
use crate::ending::Ending;
use crate::error::RenderError;
use crate::messages::{Event, Failure, FailureCode, Hello, JobId, Outcome, Request, SelfTestReport};
use crate::pixels::{PixelShape, Pixels};
use crate::port::{Job, JobEvent, Renderer};
use crate::process::{Process, ProcessOptions, Report, Started, Timeouts, lock};

/// A renderer process of our own: started when needed, asked whether it lives, started anew after a crash.
///
/// Dropping it ends the process.
pub struct LocalRenderer {
    options: ProcessOptions,
    /// Held while a process starts, so that two callers do not start two.
    starting: Mutex<()>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    jobs: HashMap<JobId, Watched>,
    tests: Vec<(DeviceChoice, Sender<Result<SelfTestReport, Failure>>)>,
    /// Crashes since the last job that ended well.
    crashes: u32,
    last_crash: Option<Instant>,
}

struct Running {
    process: Arc<Process>,
    hello: Hello,
    wake: Sender<Report>,
}

/// A job and who listens to it.
struct Watched {
    events: Sender<JobEvent>,
    cancelled_at: Option<Instant>,
    /// Pictures that are still to come.
    open: BTreeSet<u32>,
}

impl LocalRenderer {
    /// A renderer that runs as `options` say. Nothing starts yet.
    pub fn new(options: ProcessOptions) -> Self {
        Self { options, starting: Mutex::new(()), state: Arc::default() }
    }

    /// The last lines that the running process wrote to stderr; empty when none runs.
    pub fn log_tail(&self) -> String {
        lock(&self.state).running.as_ref().map(|running| running.process.last_words()).unwrap_or_default()
    }

    /// Waits as long as the crashes so far demand.
    fn pause_after_crash(&self) {
        let until = {
            let state = lock(&self.state);
            let Some(last) = state.last_crash else { return };
            last + pause(&self.options.timeouts, state.crashes)
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

/// The pause before the next start after so many crashes in a row.
fn pause(timeouts: &Timeouts, crashes: u32) -> Duration {
    match crashes {
        0 => Duration::ZERO,
        n => timeouts.pause_after_crash.saturating_mul(1 << (n - 1).min(16)).min(timeouts.longest_pause),
    }
}

impl Renderer for LocalRenderer {
    fn start(&self) -> Result<Hello, RenderError> {
        let _only_one = lock(&self.starting);
        if let Some(running) = &lock(&self.state).running {
            return Ok(running.hello.clone());
        }
        self.pause_after_crash();
        let Started { process, hello, reporter: wake, reports } = match Process::start(&self.options) {
            Ok(started) => started,
            Err(error) => {
                lock(&self.state).note_crash();
                return Err(error);
            }
        };
        let running = Running { process: Arc::clone(&process), hello: hello.clone(), wake };
        lock(&self.state).running = Some(running);
        let state = Arc::clone(&self.state);
        let timeouts = self.options.timeouts.clone();
        thread::spawn(move || {
            Supervisor { process, state, timeouts, pinged: None, heard: Instant::now() }.run(&reports);
        });
        Ok(hello)
    }

    fn submit(&self, job: Job) -> Result<Receiver<JobEvent>, RenderError> {
        let id = job.id;
        let open = (0..job.pictures.len() as u32).collect();
        let (request, images) = job.into_request();
        let payload: Vec<&[u8]> = images.iter().map(|image| image.bytes()).collect();
        self.start()?;
        let (events, listener) = mpsc::channel();
        let mut state = lock(&self.state);
        // It may have ended since; then the job fails as it would have a moment later.
        let Some(running) = &state.running else {
            return Err(RenderError::Ended { ending: Ending::Killed, stderr: String::new() });
        };
        running
            .process
            .send(&request, &payload)
            .map_err(|error| RenderError::Unspeakable(error.to_string()))?;
        state.jobs.insert(id, Watched { events, cancelled_at: None, open });
        Ok(listener)
    }

    fn cancel(&self, job: JobId) {
        let mut state = lock(&self.state);
        let Some(watched) = state.jobs.get_mut(&job) else { return };
        watched.cancelled_at.get_or_insert_with(Instant::now);
        if let Some(running) = &state.running {
            // Both only fail when the process is gone, and then the job has ended with it.
            let _ = running.process.send(&Request::Cancel { job, pictures: Vec::new() }, &[]);
            let _ = running.wake.send(Report::Wake);
        }
    }

    fn cancel_picture(&self, job: JobId, picture: u32) {
        let last = {
            let mut state = lock(&self.state);
            let Some(watched) = state.jobs.get_mut(&job) else { return };
            let was_open = watched.open.remove(&picture);
            let last = was_open && watched.open.is_empty();
            if let Some(running) = state.running.as_ref().filter(|_| was_open && !last) {
                let _ = running.process.send(&Request::Cancel { job, pictures: vec![picture] }, &[]);
            }
            last
        };
        // Nothing is left to wait for, so the grace period begins.
        if last {
            self.cancel(job);
        }
    }

    fn self_test(&self, device: DeviceChoice) -> Result<SelfTestReport, RenderError> {
        self.start()?;
        let (sender, result) = mpsc::channel();
        let process = {
            let mut state = lock(&self.state);
            let Some(running) = &state.running else {
                return Err(RenderError::Ended { ending: Ending::Killed, stderr: String::new() });
            };
            let process = Arc::clone(&running.process);
            state.tests.push((device, sender));
            process
        };
        process
            .send(&Request::SelfTest { device }, &[])
            .map_err(|error| RenderError::Unspeakable(error.to_string()))?;
        let after = self.options.timeouts.self_test;
        match result.recv_timeout(after) {
            Ok(result) => result.map_err(RenderError::Refused),
            Err(RecvTimeoutError::Disconnected) => {
                Err(RenderError::Ended { ending: Ending::Killed, stderr: process.last_words() })
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(RenderError::NoAnswer { program: self.options.program.clone(), after })
            }
        }
    }

    fn kill(&self) {
        let process = lock(&self.state).running.as_ref().map(|running| Arc::clone(&running.process));
        let Some(process) = process else { return };
        process.kill(Ending::Killed);
        // So that a job submitted next goes to the next process and not down with this one.
        let deadline = Instant::now() + self.options.timeouts.goodbye;
        while lock(&self.state).running.is_some() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for LocalRenderer {
    fn drop(&mut self) {
        let Some(running) = lock(&self.state).running.take() else { return };
        let _ = running.process.send(&Request::Shutdown, &[]);
        running.process.leave();
    }
}

impl State {
    fn note_crash(&mut self) {
        self.crashes = self.crashes.saturating_add(1);
        self.last_crash = Some(Instant::now());
    }

    fn tell(&self, job: JobId, event: JobEvent) {
        if let Some(watched) = self.jobs.get(&job) {
            // A listener that has gone does not care.
            let _ = watched.events.send(event);
        }
    }

    /// A picture need not be waited for any more.
    fn came(&mut self, job: JobId, picture: u32) {
        if let Some(watched) = self.jobs.get_mut(&job) {
            watched.open.remove(&picture);
        }
    }

    fn finish(&mut self, job: JobId, last: JobEvent) {
        if let Some(watched) = self.jobs.remove(&job) {
            let _ = watched.events.send(last);
        }
    }
}

/// The thread that listens to one process and watches over it.
struct Supervisor {
    process: Arc<Process>,
    state: Arc<Mutex<State>>,
    timeouts: Timeouts,
    /// When the unanswered ping was sent.
    pinged: Option<Instant>,
    /// When something was last heard.
    heard: Instant,
}

impl Supervisor {
    fn run(mut self, reports: &Receiver<Report>) {
        loop {
            match reports.recv_timeout(self.next_deadline()) {
                Ok(Report::Event(event, payload)) => {
                    self.heard = Instant::now();
                    self.pinged = None;
                    if let Err(wrong) = self.hear(event, payload) {
                        self.process.kill(Ending::Garbage(wrong));
                    }
                }
                Ok(Report::Ended(ending)) => return self.bury(&ending),
                Ok(Report::Wake) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.bury(&Ending::Killed),
            }
            self.watch();
        }
    }

    fn next_deadline(&self) -> Duration {
        let health = match self.pinged {
            Some(at) => at + self.timeouts.pong,
            None => self.heard + self.timeouts.ping_every,
        };
        let next = self.cancel_deadlines().into_iter().fold(health, Instant::min);
        // A deadline stays in the past until a killed process has ended; do not spin meanwhile.
        next.saturating_duration_since(Instant::now()).max(Duration::from_millis(5))
    }

    fn cancel_deadlines(&self) -> Vec<Instant> {
        let state = lock(&self.state);
        state.jobs.values().filter_map(|job| job.cancelled_at).map(|at| at + self.timeouts.cancel).collect()
    }

    /// Acts on deadlines that have passed.
    fn watch(&mut self) {
        let now = Instant::now();
        if self.cancel_deadlines().iter().any(|deadline| *deadline <= now) {
            self.process.kill(Ending::KilledToCancel);
        }
        match self.pinged {
            Some(at) if at + self.timeouts.pong <= now => self.process.kill(Ending::Hung),
            None if self.heard + self.timeouts.ping_every <= now => {
                self.pinged = Some(now);
                // A ping is small enough to be spelled; a process that is gone reports its end.
                let _ = self.process.send(&Request::Ping { token: 0 }, &[]);
            }
            _ => {}
        }
    }

    /// Passes a message on. The error says what in it cannot be.
    fn hear(&self, event: Event, payload: Vec<u8>) -> Result<(), String> {
        let pixels =
            |shape: PixelShape, payload| Pixels::new(shape, payload).map_err(|error| error.to_string());
        let mut state = lock(&self.state);
        match event {
            Event::Stage { job, stage, pictures } => state.tell(job, JobEvent::Stage { stage, pictures }),
            Event::Progress { job, picture, step, steps, preview } => {
                let preview = preview.map(|shape| pixels(shape, payload)).transpose()?;
                state.tell(job, JobEvent::Progress { picture, step, steps, preview });
            }
            Event::Picture { job, picture, seed, shape, timings } => {
                let pixels = pixels(shape, payload)?;
                state.came(job, picture);
                state.tell(job, JobEvent::Picture { picture, seed, pixels, timings });
            }
            Event::PictureFailed { job, picture, failure } => {
                state.came(job, picture);
                state.tell(job, JobEvent::PictureFailed { picture, failure });
            }
            Event::Fewer { job, together } => state.tell(job, JobEvent::Fewer(together)),
            Event::Warning { job: Some(job), message } => state.tell(job, JobEvent::Warning(message)),
            Event::Done { job, outcome } => {
                state.crashes = 0;
                state.finish(job, JobEvent::Done(outcome));
            }
            Event::Failed { job, failure } => state.finish(job, JobEvent::Failed(failure)),
            Event::SelfTestResult { device, result } => {
                if let Some(at) = state.tests.iter().position(|(waiting, _)| *waiting == device) {
                    let _ = state.tests.swap_remove(at).1.send(result);
                }
            }
            Event::Warning { job: None, .. } | Event::Hello(_) | Event::Pong { .. } | Event::Unknown => {}
        }
        Ok(())
    }

    /// Ends every job of a process that has ended.
    fn bury(&self, ending: &Ending) {
        let mut state = lock(&self.state);
        // A renderer that is being dropped has taken it out already.
        state.running = None;
        if matches!(ending.code(), FailureCode::Crashed | FailureCode::OutOfMemory) || *ending == Ending::Hung
        {
            state.note_crash();
        }
        let failure =
            RenderError::Ended { ending: ending.clone(), stderr: self.process.last_words() }.to_failure();
        for (_, job) in state.jobs.drain() {
            let last = match job.cancelled_at {
                Some(_) => JobEvent::Done(Outcome::Cancelled),
                None => JobEvent::Failed(failure.clone()),
            };
            let _ = job.events.send(last);
        }
        // Dropping the senders tells those who wait for a self-test.
        state.tests.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let timeouts = Timeouts {
            pause_after_crash: Duration::from_secs(1),
            longest_pause: Duration::from_secs(10),
            ..Timeouts::default()
        };
        let seconds: Vec<u64> = (0..7).chain([100]).map(|n| pause(&timeouts, n).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 10, 10, 10]);
    }
}
