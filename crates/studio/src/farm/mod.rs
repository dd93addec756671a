//! The render farm as a lane of the queue: jobs go out to other machines and come back as pictures, and nobody who looks at
//! the queue sees the difference.
//!
//! What belongs here: which jobs go out, how many, and when they are taken back. What does not: how a farm works
//! (`tarim-farm`), and how pictures are saved ([`crate::Ticket::deliver`], as for every lane).

mod board;
mod lane;
mod outgoing;
mod settings;

use std::time::Duration;

use tarim_farm::{Connection, Farm, FarmError, FarmOptions, Token, WorkerCard};

use crate::error::{ErrorKind, Result, StudioError};

pub use lane::FarmLane;
pub use settings::FarmSettings;
pub use tarim_farm::{Status, WorkerCard as Worker};

/// How long an operation waits for a connection that is lost. The queue must not stand still for longer.
const PATIENCE: Duration = Duration::from_secs(5);

impl From<FarmError> for StudioError {
    fn from(error: FarmError) -> Self {
        let kind = match &error {
            FarmError::Address { .. }
            | FarmError::Options(_)
            | FarmError::Name(_)
            | FarmError::Recipe { .. } => ErrorKind::BadInput,
            FarmError::Missing(_) => ErrorKind::NotFound,
            FarmError::Model { .. } => ErrorKind::Model,
            FarmError::Full { .. } => ErrorKind::DiskFull,
            FarmError::Renderer(_) => ErrorKind::Renderer,
            _ => ErrorKind::Io,
        };
        let told = Self::caused(kind, &error);
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

/// Connects as the settings say.
fn connect(settings: &FarmSettings, submitter: Token) -> Result<Farm, FarmError> {
    let file = settings.connection_file.as_deref().map(Connection::read).transpose()?.unwrap_or_default();
    let connection = file.overridden_by(Connection {
        url: settings.url.clone(),
        namespace: settings.namespace.clone(),
        ..Connection::default()
    });
    let options = FarmOptions { patience: PATIENCE, ..FarmOptions::default() };
    Farm::connect(&connection, &options, submitter, "Tarim")
}

/// The workers of the farm that the settings name, whether or not the queue uses it.
pub fn workers(settings: &FarmSettings) -> Result<Vec<WorkerCard>> {
    Ok(connect(settings, Token::random())?.workers()?)
}

/// The farm that the settings name, as a whole.
pub fn status(settings: &FarmSettings) -> Result<Status> {
    Ok(connect(settings, Token::random())?.status()?)
}
