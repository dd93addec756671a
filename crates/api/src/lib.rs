//! The contract between the doors (window, browser, terminal) and the service.
//!
//! What belongs here: the list of commands, the types that cross the wire, the error, the events, and their TypeScript.
//! What does not: what the commands do (the `studio` crate), and transport (the doors).

mod commands;
pub mod error;
pub mod events;
pub mod typescript;
pub mod wire;

pub use error::{ErrorCode, WireError};
pub use events::StudioEvent;
