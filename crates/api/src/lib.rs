//! The contract between the doors (window, browser, terminal) and the service.
//!
//! What belongs here: the list of commands, the types that cross the wire, the error, the events, and their TypeScript;
//! and the way from a command's name to the service and back. What does not: what the commands do (the `studio` crate),
//! and transport (the doors).
//!
//! A door needs four things: [`dispatch_bytes`] for commands, [`resource`] for bytes, [`upload`] for pictures that come in,
//! and [`subscribe`] for what happens meanwhile. All of them may wait for the disk, so a door calls them from threads.

mod commands;
mod convert;
mod dispatch;
pub mod error;
pub mod events;
mod handlers;
mod resources;
pub mod typescript;
pub mod wire;

pub use dispatch::{Caller, MOST_REQUEST_BYTES, commands, dispatch, dispatch_bytes};
pub use error::{ErrorCode, WireError};
pub use events::{Events, StudioEvent, subscribe};
pub use resources::{Body, Resource, picture_file, resource, upload};
