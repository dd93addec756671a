//! Commands that work with the library: the same studio as the window's and the browser's, asked in the same words.

mod add;
mod batch;
mod derive;
mod grid;
mod library;
mod queue;
mod search;
mod serve;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tarim_api::{Caller, ErrorCode, StudioEvent, WireError};
use tarim_studio::{How, Origin, Role, Studio};

use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;

pub(crate) use batch::run as batch;
pub(crate) use grid::run as grid;
pub(crate) use library::run as library;
pub(crate) use queue::run as queue;
pub(crate) use search::{gallery, history};
pub(crate) use serve::run as serve;

/// A studio for the time of one command.
struct Door {
    studio: Arc<Studio>,
}

impl Door {
    /// Opens the library that is named, else the one of the environment, else the settings'.
    fn open(environment: &Environment, library: Option<&Path>, origin: Origin, role: Role) -> Result<Self> {
        let mut surroundings = environment.surroundings(origin, role);
        if let Some(library) = library {
            // Settings hold whole paths, whatever folder a later program is started in.
            let absolute = std::path::absolute(library);
            surroundings.library = Some(absolute.unwrap_or_else(|_| library.to_owned()));
        }
        let studio = Studio::open(surroundings).map_err(|error| Failure::from(WireError::from(error)))?;
        for problem in studio.problems() {
            output::warning(&problem.message);
            if let Some(hint) = &problem.hint {
                output::note(&format!("hint: {hint}"));
            }
        }
        Ok(Self { studio })
    }

    /// Asks a command.
    fn ask<Request: Serialize, Response: DeserializeOwned>(
        &self,
        name: &str,
        request: &Request,
    ) -> Result<Response> {
        let wrong = |error: serde_json::Error| {
            Failure::from_error(Exit::Failure, &error).context(format!("`{name}` cannot be asked"))
        };
        let request = serde_json::to_vec(request).map_err(wrong)?;
        let caller = Caller::here(Origin::Cli);
        let answer = tarim_api::dispatch_bytes(&self.studio, &caller, name, &request)?;
        serde_json::from_slice(&answer).map_err(wrong)
    }

    /// Hands every event to `heard` until it gives a result.
    fn follow<T>(&self, mut heard: impl FnMut(&Self, Option<StudioEvent>) -> Option<T>) -> Result<T> {
        let events = tarim_api::subscribe(&self.studio);
        loop {
            // Now and then without an event, so that what another process does is seen too.
            if let Some(result) = heard(self, events.next(Duration::from_millis(500))) {
                return Ok(result);
            }
            if events.closed() {
                return Err(Failure::new(Exit::Failure, "the studio has closed"));
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.studio.close(How::StopNow);
    }
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        let exit = match error.code {
            ErrorCode::BadInput
            | ErrorCode::NotFound
            | ErrorCode::Conflict
            | ErrorCode::Model
            | ErrorCode::Device
            | ErrorCode::NotAllowed
            | ErrorCode::LibraryNewer => Exit::BadInput,
            ErrorCode::Renderer | ErrorCode::OutOfMemory => Exit::Renderer,
            ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::Io => Exit::Output,
            ErrorCode::LibraryDamaged | ErrorCode::UnknownCommand | ErrorCode::Internal => Exit::Failure,
        };
        let failure = Self::new(exit, error.message);
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Prints an answer as one line of JSON.
fn print_json(value: &impl Serialize) {
    // Wire types always become JSON.
    output::json_line(&serde_json::to_value(value).unwrap_or_default());
}
