//! The render farm: jobs, pictures and workers over NATS JetStream.
//!
//! What belongs here: the names and messages of a farm ([`protocol`]), how to reach one ([`Connection`]), its client side
//! ([`Farm`]) and its worker side ([`work`]). What does not: the queue of a studio, rendering itself, flags and printing.
//!
//! From outside everything is synchronous; a runtime of its own does the waiting inside.

mod client;
mod connection;
mod error;
mod models;
mod objects;
mod pixels;
pub mod protocol;
mod shelves;
mod worker;

pub use client::{
    Collected, Ended, Farm, FarmEvent, Letter, ModelPlace, News, Purged, Ready, Status, Submission,
    SubmitterStatus,
};
pub use connection::{Connection, Secret};
pub use error::FarmError;
pub use models::{FetchOptions, ModelFile, model_files};
pub use pixels::digest;
pub use protocol::{Priority, Token, WorkerCard};
pub use shelves::FarmOptions;
pub use worker::{Holdings, Stop, WorkerEvent, WorkerOptions, work};
