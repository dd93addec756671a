//! All that is printed: results on stdout, everything else on stderr.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place that prints")]

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::failure::{Exit, Failure};

/// A line of a result.
pub(crate) fn line(text: &str) {
    // A reader that has gone (`| head`) is no reason to panic.
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// A line of a result for programs.
pub(crate) fn json_line(value: &Value) {
    line(&value.to_string());
}

/// Something worth knowing.
pub(crate) fn warning(text: &str) {
    eprintln!("warning: {text}");
}

/// What is going on.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Why the command failed: message, causes, and after a blank line what to do.
pub(crate) fn failure(failure: &Failure, json: bool) {
    // Stopping is what was asked for.
    if failure.exit == Exit::Cancelled {
        return note(&failure.message);
    }
    eprintln!("error: {}", indented(&failure.message));
    for cause in &failure.causes {
        eprintln!("  caused by: {}", indented(cause));
    }
    if let Some(hint) = &failure.hint {
        eprintln!("\nhint: {hint}");
    }
    if json {
        json_line(&json!({
            "event": "error",
            "code": failure.exit.name(),
            "exit_code": failure.exit.code(),
            "message": failure.message,
            "causes": failure.causes,
            "hint": failure.hint,
        }));
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

/// A text of somebody else's in one line that does nothing to a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => shown.push(' '),
            // Marks that turn the direction of writing can make a line look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.extend(c.escape_unicode()),
            _ if c.is_control() => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    shown
}

/// Bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    let count = count as f64;
    if count >= 1e9 { format!("{:.1} GB", count / 1e9) } else { format!("{:.0} MB", count / 1e6) }
}
