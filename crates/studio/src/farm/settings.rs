//! What people choose about the farm.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The most jobs that may be on the farm at once.
const MOST: u32 = 10_000;

/// The farm. Passwords, tokens and keys are never among the settings: they stay in the connection's own file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FarmSettings {
    /// Whether the queue uses it.
    pub on: bool,
    /// Its server: `nats://HOST:PORT` or `tls://HOST:PORT`. Empty when the file names it.
    pub url: String,
    /// Its namespace on the server; `None` is the usual one.
    pub namespace: Option<String>,
    /// A file (TOML) with the sign-in and certificates.
    pub connection_file: Option<PathBuf>,
    /// How many jobs are on the farm at once; 0 is twice as many as there are workers.
    pub window: u32,
    /// Whether models that no worker has are put on the farm for workers to fetch.
    pub share_models: bool,
}

impl FarmSettings {
    /// Whether it says where the farm is.
    pub fn is_named(&self) -> bool {
        !self.url.trim().is_empty() || self.connection_file.is_some()
    }

    /// What cannot be used as it is.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.window > MOST {
            return Some(format!(
                "farm.window is {}; allowed are 0 (twice the workers) to {MOST}",
                self.window
            ));
        }
        if self.on && !self.is_named() {
            return Some("the farm is switched on and has no address".to_owned());
        }
        if self.connection_file.as_ref().is_some_and(|file| !file.is_absolute()) {
            return Some("the farm's connection file is not a whole path".to_owned());
        }
        // Settings are shown and copied around.
        if self.url.contains('@') {
            return Some(
                "the farm's address holds a sign-in, which belongs into its connection file".to_owned(),
            );
        }
        None
    }
}
