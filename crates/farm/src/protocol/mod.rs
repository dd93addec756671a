//! All that farm and workers agree on: names on the server and the messages behind them.
//!
//! **Where things are.** `P` is the farm's namespace (`tarim` unless the user says otherwise), so that several farms can
//! share a server. All subjects name the version of the messages ([`VERSION`]); a program of another version sees none of them.
//!
//! | what | name | what for |
//! |---|---|---|
//! | stream | `P-jobs` | work queue: `P.v1.job.PRIORITY.MODEL.SUBMITTER.JOB`, one message a job ([`JobMessage`]) |
//! | consumer on it | `PRIORITY-MODEL-SUBMITTER` | one lane: what one submitter wants of one model, explicit acks |
//! | stream | `P-done` | `P.v1.done.SUBMITTER.JOB`: how a job ended ([`DoneMessage`]), until it is picked up |
//! | stream | `P-dead` | `P.v1.dead.SUBMITTER.JOB`: jobs that were given up ([`DeadLetter`]) |
//! | subject | `P.v1.event.SUBMITTER.JOB` | what happens to a job ([`EventHeader`]), not kept |
//! | subject | `P.v1.cancel.JOB` | a job is no longer wanted, not kept |
//! | subject | `P.v1.wake` | there is something new to do, not kept |
//! | key-value bucket | `P-workers` | one key a worker ([`WorkerCard`]), gone when the worker no longer renews it |
//! | object store | `P-inputs` | initial pictures and masks (PNG), named by the digest of their pixels |
//! | object store | `P-pictures` | finished pictures (PNG), named `JOB.NONCE`, deleted when they are picked up |
//! | object store | `P-models` | models in parts: `HASH/manifest` ([`Manifest`]) and `HASH/FILE/PART` |
//!
//! **A job's identity** is its id, chosen by the submitter: it is the message's `Nats-Msg-Id`, and its subject may hold one
//! message only. A second submission changes nothing, and the first result stands: a later one of the same job is refused.
//!
//! **Deliveries.** A worker says every third of `ack_wait` that it is at work on a job. When it falls silent, the job goes to
//! the next one. A job that has been delivered [`JobMessage::tries`] times without an end is given up, by the worker that
//! gets it next, so that a job that kills workers ends on the list of dead letters and holds up nobody.

mod messages;
mod names;
mod token;

pub use messages::*;
pub use names::{LaneKey, Names, Priority};
pub use token::{NameError, Token};

/// The version of names and messages.
pub const VERSION: u32 = 1;
/// The namespace that is used when none is named.
pub const DEFAULT_NAMESPACE: &str = "tarim";
