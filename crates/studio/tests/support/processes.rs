//! Other processes, as /proc shows them.
#![allow(clippy::unwrap_used, unreachable_pub)]

use std::fs;
use std::process::{Command, Stdio};

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
