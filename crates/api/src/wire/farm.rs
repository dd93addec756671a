//! The render farm.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Millis;

/// What is chosen about the farm. Sign-ins are never part of it: they stay in the connection's own file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FarmSettings {
    /// Whether the queue uses it.
    pub on: bool,
    /// Its server: `nats://HOST:PORT` or `tls://HOST:PORT`; empty when the file names it.
    pub url: String,
    /// Its namespace on the server; empty is the usual one.
    pub namespace: String,
    /// A file (TOML) with sign-in and certificates; empty is none.
    pub connection_file: String,
    /// How many jobs are on the farm at once; 0 is twice as many as there are workers.
    pub window: u32,
    /// Whether models that no worker has are put on the farm for workers to fetch.
    pub share_models: bool,
}

/// The workers of the farm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FarmWorkers {
    /// By name.
    pub workers: Vec<FarmWorker>,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FarmWorker {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its device as its maker calls it; empty when not known.
    pub device: String,
    /// `cpu`, `cuda:0`, `mps`; empty when not known.
    pub device_id: String,
    /// The models that it has.
    pub models: Vec<FarmModel>,
    /// Whether it fetches models that it does not have.
    pub fetches_models: bool,
    /// The hash of the model in memory.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded: Option<String>,
    /// Whose job it works on; absent while it waits.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_for: Option<String>,
    /// Pictures finished since it started.
    pub pictures: f64,
    /// Megapixels times steps a second, over the last pictures.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// Whether it takes no more jobs.
    pub leaving: bool,
    /// When it started.
    pub since: Millis,
    /// When it was last heard of.
    pub seen: Millis,
}

/// A model that a worker has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FarmModel {
    /// Its SHA-256.
    pub hash: String,
    /// Its name.
    pub name: String,
}

/// The farm as a whole, of all who use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FarmStatus {
    /// The server's address.
    pub server: String,
    /// The server's version.
    pub version: String,
    /// Jobs that wait for a worker.
    pub waiting: f64,
    /// Jobs being drawn.
    pub running: f64,
    /// Ended jobs that nobody picked up yet.
    pub ended: f64,
    /// Jobs that were given up.
    pub dead: f64,
    /// Workers.
    pub workers: f64,
    /// Bytes of finished pictures, initial pictures and shared models.
    pub bytes: f64,
}
