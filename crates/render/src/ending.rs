//! Why a child process ended, as far as the outside can tell; running out of memory above all.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::ExitStatus;

use crate::messages::FailureCode;

/// How a renderer process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It left with this code.
    Exit(i32),
    /// A signal ended it (Unix).
    Signal(i32),
    /// Memory ran out. `certain` when the kernel or the allocator said so, not when only SIGKILL speaks for it.
    OutOfMemory {
        /// Whether that is known rather than guessed.
        certain: bool,
    },
    /// We ended it because it did not stop a job in time.
    KilledToCancel,
    /// We ended it because it no longer answered.
    Hung,
    /// We ended it because it wrote something that is no message.
    Garbage(String),
    /// We ended it because the caller said so.
    Killed,
}

impl Ending {
    /// What kind of failure this is for a job.
    pub fn code(&self) -> FailureCode {
        match self {
            Self::OutOfMemory { .. } => FailureCode::OutOfMemory,
            Self::KilledToCancel | Self::Hung | Self::Killed => FailureCode::Stopped,
            Self::Exit(_) | Self::Signal(_) | Self::Garbage(_) => FailureCode::Crashed,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OutOfMemory { .. } => Some(
                "use a smaller size or `--precision bf16`, or close other programs; the next job starts anew",
            ),
            Self::Exit(_) | Self::Signal(_) | Self::Garbage(_) | Self::Hung => {
                Some("try once more; if it happens again, `tarim doctor` tests the device")
            }
            Self::KilledToCancel | Self::Killed => None,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "ended by itself with exit code {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "was ended by signal {number} ({name})"),
                None => write!(f, "was ended by signal {number}"),
            },
            Self::OutOfMemory { certain: true } => write!(f, "ran out of memory"),
            Self::OutOfMemory { certain: false } => {
                write!(f, "was killed from outside, most likely because memory ran out")
            }
            Self::KilledToCancel => write!(f, "had to be ended because a cancelled job did not stop"),
            Self::Hung => write!(f, "no longer answered and was ended"),
            Self::Garbage(found) => {
                write!(f, "was ended because it wrote something that is no message: {found}")
            }
            Self::Killed => write!(f, "was told to end"),
        }
    }
}

fn signal_name(number: i32) -> Option<&'static str> {
    // The numbers that Linux and macOS share; others go without a name.
    Some(match number {
        2 => "interrupted",
        4 => "illegal instruction: the CPU lacks something libtorch was built for",
        6 => "aborted",
        8 => "arithmetic fault",
        9 => "killed",
        11 => "invalid memory access",
        15 => "asked to end",
        _ => return None,
    })
}

/// What allocators say before they give up: libtorch on the CPU, libtorch on CUDA, C++, Rust.
const ALLOCATION_FAILURES: [&str; 5] = [
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "CUDA out of memory",
    "std::bad_alloc",
    "memory allocation of ",
];

/// Whether an error text of libtorch, C++ or Rust speaks of memory that ran out.
pub(crate) fn speaks_of_memory(text: &str) -> bool {
    ALLOCATION_FAILURES.iter().any(|phrase| text.contains(phrase))
}

/// Tells a process's ending from its status, its last words and the kernel's counter.
pub(crate) fn of_process(status: ExitStatus, stderr: &str, kernel_killed_for_memory: bool) -> Ending {
    let signal = signal(status);
    if kernel_killed_for_memory && signal == Some(9) || !status.success() && speaks_of_memory(stderr) {
        return Ending::OutOfMemory { certain: true };
    }
    match signal {
        // Nobody else sends SIGKILL to a process in a group of its own, except a user who means it.
        Some(9) => Ending::OutOfMemory { certain: false },
        Some(number) => Ending::Signal(number),
        None => Ending::Exit(status.code().unwrap_or(-1)),
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// The kernel's counts of processes that it killed for memory: of this control group and of the whole machine.
/// Where there are none (not Linux, no permission), nothing is ever certain.
#[derive(Clone, Debug)]
pub struct MemoryWatch {
    before: u64,
}

impl MemoryWatch {
    /// Notes the counts as they are now.
    pub fn start() -> Self {
        Self { before: kills() }
    }

    /// Whether the counts have grown since.
    pub fn killed_since(&self) -> bool {
        kills() > self.before
    }
}

fn kills() -> u64 {
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = group.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let root = Path::new("/sys/fs/cgroup");
    let files = [root.join(own).join("memory.events"), "/proc/vmstat".into()];
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).filter_map(|text| count(&text)).sum()
}

fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_counter_is_read() {
        assert_eq!(count("low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"), Some(1));
        assert_eq!(count("pgfault 12\noom_kill 7\n"), Some(7));
        assert_eq!(count("low 0\n"), None);
    }

    #[cfg(unix)]
    #[test]
    fn endings_are_told_apart() {
        use std::os::unix::process::ExitStatusExt;
        let check = |raw: i32, stderr: &str, counted: bool, expected: Ending| {
            assert_eq!(of_process(ExitStatus::from_raw(raw), stderr, counted), expected);
        };
        check(9, "", true, Ending::OutOfMemory { certain: true });
        check(9, "", false, Ending::OutOfMemory { certain: false });
        check(6, "memory allocation of 99999 bytes failed", false, Ending::OutOfMemory { certain: true });
        check(
            6,
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried",
            false,
            Ending::OutOfMemory { certain: true },
        );
        check(6, "assertion failed", true, Ending::Signal(6));
        check(11, "", false, Ending::Signal(11));
        check(3 << 8, "", false, Ending::Exit(3));
        check(0, "recovered from std::bad_alloc", false, Ending::Exit(0));
    }
}
