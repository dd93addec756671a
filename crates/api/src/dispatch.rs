//! From a command's name and its request to its answer: what every door calls.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tarim_studio::{Origin, Studio};

use crate::commands::with_commands;
use crate::error::{ErrorCode, WireError};
use crate::handlers;
use crate::wire::app::Allowed;

/// The largest request that is read, in bytes: the ids of a million pictures.
pub const MOST_REQUEST_BYTES: usize = 64 << 20;

/// Who asks, and what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Through which door.
    pub origin: Origin,
    /// What that door may do.
    pub allowed: Allowed,
}

impl Caller {
    /// Somebody at this machine: the window, the terminal.
    pub fn here(origin: Origin) -> Self {
        Self { origin, allowed: Allowed { choose_folders: true, reveal: true } }
    }

    /// Somebody elsewhere: a browser that may draw and sort pictures, and nothing else of this machine.
    pub fn elsewhere() -> Self {
        let allowed = Allowed { choose_folders: false, reveal: false };
        Self { origin: Origin::Browser, allowed }
    }
}

/// What a handler works with.
#[derive(Clone, Copy)]
pub(crate) struct Door<'a> {
    pub(crate) studio: &'a Arc<Studio>,
    pub(crate) caller: &'a Caller,
}

/// Runs a command. The request and the answer are JSON; no request at all, or `null`, stands for `{}`.
///
/// # Errors
/// An unknown command, a request that does not fit it, what the command itself says, and a panic inside it.
pub fn dispatch_bytes(
    studio: &Arc<Studio>,
    caller: &Caller,
    name: &str,
    request: &[u8],
) -> Result<Vec<u8>, WireError> {
    if request.len() > MOST_REQUEST_BYTES {
        let message = format!("the request has {} bytes; {MOST_REQUEST_BYTES} are allowed", request.len());
        return Err(WireError::new(ErrorCode::BadInput, message).hint("do it in several parts"));
    }
    let request: &[u8] = match request.trim_ascii() {
        b"" | b"null" => b"{}",
        request => request,
    };
    let door = Door { studio, caller };
    macro_rules! call {
        ($($(#[doc = $doc:literal])+ $area:ident $command:ident($request:ty) -> $response:ty;)*) => {
            match name {
                $(stringify!($command) => {
                    run(name, request, |request| handlers::$area::$command(&door, request))
                })*
                _ => Err(unknown(name)),
            }
        };
    }
    with_commands!(call)
}

/// The same for values.
pub fn dispatch(
    studio: &Arc<Studio>,
    caller: &Caller,
    name: &str,
    request: &Value,
) -> Result<Value, WireError> {
    let bytes = if request.is_null() { Vec::new() } else { request.to_string().into_bytes() };
    let answer = dispatch_bytes(studio, caller, name, &bytes)?;
    serde_json::from_slice(&answer).map_err(|error| internal(name, &error.to_string()))
}

/// The names of all commands.
pub fn commands() -> &'static [&'static str] {
    macro_rules! names {
        ($($(#[doc = $doc:literal])+ $area:ident $command:ident($request:ty) -> $response:ty;)*) => {
            &[$(stringify!($command)),*]
        };
    }
    with_commands!(names)
}

fn run<Request: DeserializeOwned, Response: Serialize>(
    name: &str,
    request: &[u8],
    handler: impl FnOnce(Request) -> Result<Response, WireError>,
) -> Result<Vec<u8>, WireError> {
    let request = serde_json::from_slice(request).map_err(|error| {
        WireError::new(ErrorCode::BadInput, format!("the request of `{name}` cannot be understood: {error}"))
            .hint("the window or page may be of another version than the program; reload it")
    })?;
    // A fault in one command must not take the others, the queue or the window with it.
    let answer = catch_unwind(AssertUnwindSafe(|| handler(request)));
    let response = answer.map_err(|panic| internal(name, &panic_message(&*panic)))??;
    serde_json::to_vec(&response).map_err(|error| internal(name, &error.to_string()))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

fn internal(name: &str, reason: &str) -> WireError {
    WireError::new(ErrorCode::Internal, format!("`{name}` ended because of a fault in Tarim ({reason})"))
        .hint("try again; if it comes back, report it with these words")
}

fn unknown(name: &str) -> WireError {
    let shown: String = name.chars().take(80).collect();
    WireError::new(ErrorCode::UnknownCommand, format!("there is no command `{shown}`"))
        .hint("the window or page may be of another version than the program; reload it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Empty;

    #[test]
    fn a_panic_is_an_error_of_that_command_alone() {
        let ask = |handler: fn(Empty) -> Result<Empty, WireError>| run("test", b"{}", handler);
        let error = ask(|_| panic!("number {}", 7)).unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(error.message.contains("number 7"), "{error:?}");
        assert!(ask(|_| panic!("words")).unwrap_err().message.contains("words"));
        assert_eq!(ask(Ok).unwrap(), b"{}");
    }
}
