//! Why the farm cannot be used as asked, and what to do.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::protocol::NameError;

/// Why the farm cannot be used as asked. [`FarmError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FarmError {
    /// The address cannot be read.
    #[error("`{url}` is not the address of a NATS server: {reason}")]
    Address {
        /// The address, without secrets.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the connection cannot be used.
    #[error("{what} `{}` cannot be used: {reason}", path.display())]
    File {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The options of the connection do not fit together.
    #[error("{0}")]
    Options(String),
    /// Nobody answers.
    #[error("no NATS server answers at {url}: {reason}")]
    Unreachable {
        /// The address, without secrets.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server does not let us in.
    #[error("the NATS server at {url} refused the sign-in")]
    Refused {
        /// The address, without secrets.
        url: String,
    },
    /// No encrypted connection came about.
    #[error("no encrypted connection to {url} came about: {reason}")]
    Tls {
        /// The address, without secrets.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server is too old.
    #[error("the NATS server at {url} is version {found}; the farm needs 2.10 or later")]
    TooOld {
        /// The address, without secrets.
        url: String,
        /// Its version.
        found: String,
    },
    /// The server keeps nothing.
    #[error("the NATS server at {url} runs without JetStream, which keeps the farm's jobs and pictures")]
    NoJetStream {
        /// The address, without secrets.
        url: String,
    },
    /// There is no room.
    #[error("the farm is full: {what} could not be stored ({reason})")]
    Full {
        /// What.
        what: String,
        /// The server's words.
        reason: String,
    },
    /// The server did not do what it was asked.
    #[error("the NATS server did not {what}: {reason}")]
    Server {
        /// What it was asked to do.
        what: String,
        /// Why not.
        reason: String,
    },
    /// The connection is gone for longer than we wait.
    #[error("the connection to the farm is lost; {what} was tried {tries} times")]
    Lost {
        /// What.
        what: String,
        /// How often.
        tries: u32,
    },
    /// Something came that is not what was sent.
    #[error("{what} came damaged: {reason}")]
    Damaged {
        /// What.
        what: String,
        /// How it can be told.
        reason: String,
    },
    /// It is not there.
    #[error("{0} is not on the farm")]
    Missing(String),
    /// A name that cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The recipe cannot be sent.
    #[error("the recipe of job {job} cannot be rendered on a farm: {reason}")]
    Recipe {
        /// The job.
        job: String,
        /// Why.
        reason: String,
    },
    /// A model cannot be fetched.
    #[error("the model {name} cannot be fetched: {reason}")]
    Model {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The renderer of a worker does not work.
    #[error("the worker's renderer cannot be used: {0}")]
    Renderer(#[from] tarim_render::RenderError),
    /// A local file or thread.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl FarmError {
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    /// From an error of the client library: full, or whatever it says.
    pub(crate) fn server(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let what = what.into();
        let reason = words(error);
        if speaks_of_room(&reason) {
            return Self::Full { what: what.trim_start_matches("store ").to_owned(), reason };
        }
        Self::Server { what, reason }
    }

    /// Whether it may go away by itself: the server restarts, the network is away.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => true,
            Self::Server { reason, .. } => {
                let passing = [
                    "timed out",
                    "broken pipe",
                    "no responders",
                    "temporarily",
                    "closed",
                    "disconnected",
                    "dropped",
                    "leader",
                    "reset",
                    "not yet",
                ];
                let reason = reason.to_lowercase();
                passing.iter().any(|word| reason.contains(word))
            }
            _ => false,
        }
    }

    /// A short name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } | Self::Options(_) | Self::File { .. } | Self::Name(_) => "farm_settings",
            Self::Unreachable { .. } | Self::Lost { .. } => "farm_unreachable",
            Self::Refused { .. } => "farm_refused",
            Self::Tls { .. } => "farm_tls",
            Self::TooOld { .. } => "farm_too_old",
            Self::NoJetStream { .. } => "farm_without_jetstream",
            Self::Full { .. } => "farm_full",
            Self::Server { .. } => "farm_server",
            Self::Damaged { .. } => "farm_damaged",
            Self::Missing(_) => "farm_missing",
            Self::Recipe { .. } => "farm_recipe",
            Self::Model { .. } => "farm_model",
            Self::Renderer(_) => "farm_renderer",
            Self::Io { .. } => "farm_io",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Address { .. } => "write it as `nats://HOST:4222` or, encrypted, `tls://HOST:4222`",
            Self::Unreachable { .. } => {
                "check the address, and that `nats-server -js` runs there and a firewall lets it through"
            }
            Self::Refused { .. } => {
                "check user and password, token, NKey or creds file; the server's log says which it expected"
            }
            Self::Tls { .. } => {
                "name the authority that signed the server's certificate with `--nats-ca`; the host name must be in it"
            }
            Self::TooOld { .. } => {
                "install a current nats-server (Debian's package is too old: take the one from nats.io)"
            }
            Self::NoJetStream { .. } => "start it with `-js`, or add `jetstream {}` to its configuration",
            Self::Full { .. } => {
                "pick up finished pictures, `tarim farm purge` what is not needed, or give JetStream more room \
                 (`max_file_store`) on the server"
            }
            Self::Lost { .. } => "check that the server runs; nothing that it took is lost",
            Self::Damaged { .. } => "submit the job again; if it happens again, check the server's disk",
            Self::Renderer(error) => return error.hint(),
            Self::File { .. }
            | Self::Options(_)
            | Self::Server { .. }
            | Self::Missing(_)
            | Self::Name(_)
            | Self::Recipe { .. }
            | Self::Model { .. }
            | Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// An error and its causes in one line.
pub(crate) fn words(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// What JetStream says when a limit or the disk is reached.
fn speaks_of_room(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    [
        "maximum bytes exceeded",
        "maximum messages exceeded",
        "insufficient",
        "resources exceeded",
        "resource limits",
        "no space left",
        "10047",
        "10023",
        "10002",
    ]
    .iter()
    .any(|phrase| reason.contains(phrase))
}
