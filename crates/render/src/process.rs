//! One child process: started, listened to on its own threads, and ended.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::ending::{self, Ending, MemoryWatch};
use crate::error::RenderError;
use crate::frame::{self, Frame, FrameError};
use crate::messages::{self, Event, Hello, LIBTORCH_MISMATCH, PROTOCOL, Request};

/// Lets libtorch's idle threads sleep instead of spin. On a machine that does other work too, spinning threads wait for
/// ones that are not running: a picture of the starter model then took ten times as long.
pub(crate) const PATIENT_THREADS: (&str, &str) = ("OMP_WAIT_POLICY", "passive");

/// What to run and how.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// The renderer program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The libtorch folder (the one that holds `lib`) that goes first on the library path; `None` leaves it alone.
    pub libtorch: Option<PathBuf>,
    /// The library path of our own environment, to which libtorch is added.
    pub library_path: Option<OsString>,
    /// Additions to the environment; [`Self::new`] starts with what lets idle threads sleep.
    pub environment: Vec<(OsString, OsString)>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
}

impl ProcessOptions {
    /// Options with the usual timeouts and nothing else.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            libtorch: None,
            library_path: None,
            environment: vec![(PATIENT_THREADS.0.into(), PATIENT_THREADS.1.into())],
            timeouts: Timeouts::default(),
        }
    }

    /// The environment variable in which this system looks for shared libraries.
    pub const fn library_path_variable() -> &'static str {
        if cfg!(windows) {
            "PATH"
        } else if cfg!(target_os = "macos") {
            "DYLD_LIBRARY_PATH"
        } else {
            "LD_LIBRARY_PATH"
        }
    }
}

/// How long to wait for what. The defaults are for people at real machines; tests shorten them.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// From start to hello. Reading libtorch from a cold disk takes its time.
    pub hello: Duration,
    /// Between a pong and the next ping.
    pub ping_every: Duration,
    /// From ping to pong before the process counts as hung.
    pub pong: Duration,
    /// From a cancel to the kill. Longer than one step of a large picture takes.
    pub cancel: Duration,
    /// From the end of the pipe to the kill.
    pub goodbye: Duration,
    /// The least pause after a crash; doubles with each further crash in a row.
    pub pause_after_crash: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
    /// How long a self-test may take.
    pub self_test: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            hello: Duration::from_mins(1),
            ping_every: Duration::from_secs(5),
            pong: Duration::from_mins(1),
            cancel: Duration::from_secs(15),
            goodbye: Duration::from_secs(2),
            pause_after_crash: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            self_test: Duration::from_mins(2),
        }
    }
}

/// What a child's threads report.
pub(crate) enum Report {
    /// A message, with its payload.
    Event(Event, Vec<u8>),
    /// It has ended; the last report.
    Ended(Ending),
    /// Nothing new from the child: a caller changed something that the supervisor must look at.
    Wake,
}

/// A running child.
pub(crate) struct Process {
    child: Mutex<Child>,
    /// To the thread that writes to the child; `None` once the pipe was closed.
    outbox: Mutex<Option<Sender<Vec<u8>>>>,
    /// Why we killed it, where we did.
    killed: Mutex<Option<Ending>>,
    stderr: Arc<Mutex<Tail>>,
    memory: MemoryWatch,
    timeouts: Timeouts,
}

/// A child that has said hello.
pub(crate) struct Started {
    pub(crate) process: Arc<Process>,
    pub(crate) hello: Hello,
    /// To wake the supervisor with.
    pub(crate) reporter: Sender<Report>,
    pub(crate) reports: Receiver<Report>,
}

/// Locks even after a panic elsewhere: every value guarded here is whole at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    /// Starts the child and waits for its hello.
    pub(crate) fn start(options: &ProcessOptions) -> Result<Started, RenderError> {
        let spawned = |source| RenderError::Spawn { program: options.program.clone(), source };
        let memory = MemoryWatch::start();
        let mut child = command(options).spawn().map_err(spawned)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(spawned(std::io::Error::other("its pipes could not be made")));
        };
        let tail = Arc::new(Mutex::new(Tail::default()));
        let (outbox, outgoing) = mpsc::channel::<Vec<u8>>();
        let process = Arc::new(Self {
            child: Mutex::new(child),
            outbox: Mutex::new(Some(outbox)),
            killed: Mutex::new(None),
            stderr: Arc::clone(&tail),
            memory,
            timeouts: options.timeouts.clone(),
        });
        let (reporter, reports) = mpsc::channel();

        // Ends when the outbox is dropped, which closes the pipe and so tells the child to leave, or when the child
        // is gone; the reader below notices the latter.
        thread::spawn(move || {
            let mut stdin = stdin;
            while let Ok(bytes) = outgoing.recv() {
                if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
                    break;
                }
            }
        });
        let errors = thread::spawn(move || read_lines(stderr, &tail));
        let reader = Arc::clone(&process);
        let to_reporter = reporter.clone();
        thread::spawn(move || {
            let garbage = read_events(stdout, &to_reporter);
            let ending = reader.finish(garbage.as_ref(), &errors);
            // Nobody may be listening any more.
            let _ = to_reporter.send(Report::Ended(ending));
        });

        match process.greet(options, &reports) {
            Ok(hello) => Ok(Started { process, hello, reporter, reports }),
            Err(error) => {
                process.kill(Ending::Killed);
                Err(error)
            }
        }
    }

    fn greet(&self, options: &ProcessOptions, reports: &Receiver<Report>) -> Result<Hello, RenderError> {
        let program = options.program.clone();
        let after = options.timeouts.hello;
        match reports.recv_timeout(after) {
            Ok(Report::Event(Event::Hello(hello), _)) if hello.protocol == PROTOCOL => Ok(hello),
            Ok(Report::Event(Event::Hello(hello), _)) => {
                Err(RenderError::Protocol { program, theirs: hello.protocol })
            }
            Ok(Report::Event(..) | Report::Wake) => {
                Err(RenderError::NotARenderer { program, detail: "it did not say hello first".to_owned() })
            }
            Ok(Report::Ended(Ending::Garbage(detail))) => Err(RenderError::NotARenderer { program, detail }),
            Ok(Report::Ended(ending)) => Err(self.not_started(ending)),
            Err(RecvTimeoutError::Timeout) => Err(RenderError::NoAnswer { program, after }),
            Err(RecvTimeoutError::Disconnected) => {
                Err(RenderError::Ended { ending: Ending::Killed, stderr: self.last_words() })
            }
        }
    }

    /// A child that ended before its hello most often lacks its libtorch.
    fn not_started(&self, ending: Ending) -> RenderError {
        let stderr = self.last_words();
        let line_with = |phrases: &[&str]| {
            stderr.lines().find(|line| phrases.iter().any(|phrase| line.contains(phrase))).map(str::to_owned)
        };
        if let Some(line) = line_with(&[LIBTORCH_MISMATCH]) {
            let detail = line.split_once(LIBTORCH_MISMATCH).map_or(line.as_str(), |(_, detail)| detail);
            return RenderError::LibtorchMismatch { detail: detail.to_owned() };
        }
        // Linux, then macOS.
        if let Some(detail) =
            line_with(&["error while loading shared libraries", "Library not loaded", "image not found"])
        {
            return RenderError::LibtorchMissing { detail };
        }
        if let Some(detail) = line_with(&[
            "undefined symbol",
            "symbol lookup error",
            "' not found (required by",
            "Symbol not found",
        ]) {
            return RenderError::LibtorchMismatch { detail };
        }
        // Windows says it in the exit code: STATUS_DLL_NOT_FOUND and STATUS_ENTRYPOINT_NOT_FOUND.
        match ending {
            Ending::Exit(code) if code.cast_unsigned() == 0xC000_0135 => {
                RenderError::LibtorchMissing { detail: "a DLL was not found".to_owned() }
            }
            Ending::Exit(code) if code.cast_unsigned() == 0xC000_0139 => {
                RenderError::LibtorchMismatch { detail: "a DLL lacks a function".to_owned() }
            }
            ending => RenderError::Ended { ending, stderr },
        }
    }

    /// Hands a message to the writing thread. A child that is gone is reported by its end, not here.
    pub(crate) fn send(&self, request: &Request, payload: &[&[u8]]) -> Result<(), FrameError> {
        let bytes = frame::encode(request, payload)?;
        if let Some(outbox) = lock(&self.outbox).as_ref() {
            let _ = outbox.send(bytes);
        }
        Ok(())
    }

    /// Ends the child at once; its end is reported as `why`.
    pub(crate) fn kill(&self, why: Ending) {
        lock(&self.killed).get_or_insert(why);
        // An error means that it has ended already.
        let _ = lock(&self.child).kill();
    }

    /// Closes the pipe, so that the child leaves once it has noticed.
    fn say_goodbye(&self) {
        lock(&self.outbox).take();
    }

    /// Lets the child leave by itself, and ends it when it takes too long.
    pub(crate) fn leave(&self) {
        self.say_goodbye();
        if self.wait(self.timeouts.goodbye).is_none() {
            self.kill(Ending::Killed);
        }
    }

    /// The last lines of stderr.
    pub(crate) fn last_words(&self) -> String {
        lock(&self.stderr).text()
    }

    /// After the end of the child's stdout: waits for the child itself and tells how it ended.
    fn finish(&self, garbage: Option<&FrameError>, errors: &thread::JoinHandle<()>) -> Ending {
        if let Some(error) = garbage {
            // What it says on stderr next often explains it; a moment is all it gets.
            self.wait(Duration::from_millis(100));
            self.kill(Ending::Garbage(with_causes(error)));
        }
        self.say_goodbye();
        let status = self.wait(self.timeouts.goodbye).or_else(|| {
            self.kill(Ending::Hung);
            lock(&self.child).wait().ok()
        });
        // Stderr may be held open by somebody else's process, so this wait has an end too.
        let deadline = Instant::now() + Duration::from_secs(1);
        while !errors.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        if let Some(why) = lock(&self.killed).clone() {
            return why;
        }
        match status {
            Some(status) => ending::of_process(status, &self.last_words(), self.memory.killed_since()),
            None => Ending::Exit(-1),
        }
    }

    fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Ok(Some(status)) = lock(&self.child).try_wait() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn with_causes(error: &FrameError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn command(options: &ProcessOptions) -> Command {
    let mut command = Command::new(&options.program);
    command
        .args(&options.arguments)
        .envs(options.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(libtorch) = &options.libtorch {
        command.env("LIBTORCH", libtorch);
        let before = options.library_path.clone().unwrap_or_default();
        let folders = std::iter::once(libtorch.join("lib"))
            .chain(std::env::split_paths(&before).filter(|folder| !folder.as_os_str().is_empty()));
        // A folder with the separator in its name cannot be on the path at all; the loader then says what is missing.
        if let Ok(joined) = std::env::join_paths(folders) {
            command.env(ProcessOptions::library_path_variable(), joined);
        }
    }
    in_a_group_of_its_own(&mut command);
    command
}

/// So that the terminal's Ctrl-C reaches us alone, and we decide what it means for the child.
#[cfg(unix)]
fn in_a_group_of_its_own(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn in_a_group_of_its_own(command: &mut Command) {
    // CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
    std::os::windows::process::CommandExt::creation_flags(command, 0x0000_0200 | 0x0800_0000);
}

/// Reads until the pipe ends; what is no message ends it too and is returned.
fn read_events(stdout: ChildStdout, reporter: &Sender<Report>) -> Option<FrameError> {
    let mut stdout = BufReader::new(stdout);
    let mut greeted = false;
    loop {
        let frame = match frame::read(&mut stdout) {
            Ok(Some(frame)) => frame,
            // A frame cut short is what a crash looks like from here.
            Ok(None) | Err(FrameError::Truncated | FrameError::Io(_)) => return None,
            Err(error) => return Some(error),
        };
        let event = if greeted { messages::event(&frame) } else { first_event(&frame) };
        greeted = true;
        match event {
            Ok(event) => {
                if reporter.send(Report::Event(event, frame.payload)).is_err() {
                    return None;
                }
            }
            Err(error) => return Some(error),
        }
    }
}

/// Of a greeting in another version nothing but the version can be relied on.
fn first_event(frame: &Frame) -> Result<Event, FrameError> {
    match messages::greeting_version(frame) {
        Some(protocol) if protocol != PROTOCOL => Ok(Event::Hello(Hello {
            protocol,
            renderer_version: String::new(),
            libtorch: String::new(),
            devices: Vec::new(),
            notes: Vec::new(),
        })),
        _ => messages::event(frame),
    }
}

/// The last lines of a stream.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    const LINES: usize = 40;
    const LINE_BYTES: usize = 4096;

    fn push(&mut self, line: &[u8]) {
        if self.lines.len() == Self::LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
    }

    fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        lines.join("\n").trim().to_owned()
    }
}

fn read_lines(stream: impl std::io::Read, tail: &Mutex<Tail>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        // A line without an end must not grow without an end.
        let mut limited = std::io::Read::take(&mut stream, Tail::LINE_BYTES as u64);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => lock(tail).push(&line),
        }
    }
}
