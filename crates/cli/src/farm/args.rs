//! The grammar of `tarim farm`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tarim_farm::{Connection, FarmError, Secret};

/// Have other machines draw: submit to a render farm, look at it, put it in order
///
/// A farm is a NATS server with JetStream (2.10 or later) and machines that run `tarim-renderer --nats URL`.
#[derive(Args)]
pub(crate) struct FarmOptions {
    #[command(subcommand)]
    pub(crate) command: FarmCommand,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
    /// Print JSON lines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum FarmCommand {
    /// Submit recipes, wait, and save the pictures. The same again goes on where it stopped
    Submit(SubmitOptions),
    /// Say what waits, what is drawn and how much room is used
    Status,
    /// List the workers: device, speed, models, what they do
    Workers,
    /// List the jobs that were given up and why
    Dead {
        #[command(subcommand)]
        command: Option<DeadCommand>,
    },
    /// Throw things away, of every submitter
    Purge(PurgeOptions),
}

#[derive(Subcommand)]
pub(crate) enum DeadCommand {
    /// Hand jobs over once more, or all of them
    Retry {
        /// Ids of jobs
        ids: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct SubmitOptions {
    /// Recipes: JSON, JSON Lines (one recipe a line), or pictures that carry one
    #[arg(required = true, value_name = "FILE")]
    pub(crate) recipes: Vec<PathBuf>,
    /// How many pictures of each recipe, each with the next seed
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
    /// The folder for the pictures, made if missing. Nothing is overwritten
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    pub(crate) out: PathBuf,
    /// The model on this machine: for recipes that do not name its hash, and for `--share-models`
    #[arg(short, long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
    /// Put the model on the farm for workers that fetch models
    #[arg(long, requires = "model")]
    pub(crate) share_models: bool,
    /// Do not wait: the same command without this picks the pictures up
    #[arg(long)]
    pub(crate) detach: bool,
    /// How often a job is tried before it is given up
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) tries: u32,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct PurgeOptions {
    /// Jobs that wait or are being drawn
    #[arg(long)]
    pub(crate) jobs: bool,
    /// Finished pictures that nobody picked up
    #[arg(long)]
    pub(crate) results: bool,
    /// Jobs that were given up
    #[arg(long)]
    pub(crate) dead: bool,
    /// Initial pictures and masks
    #[arg(long)]
    pub(crate) inputs: bool,
    /// Shared models
    #[arg(long)]
    pub(crate) models: bool,
}

/// How to reach the farm.
#[derive(Args)]
#[command(next_help_heading = "Farm")]
pub(crate) struct ServerOptions {
    /// The farm's NATS server, such as nats://host:4222 or tls://host:4222
    #[arg(long, value_name = "URL", env = "TARIM_NATS", global = true)]
    nats: Option<String>,
    /// A file with address and sign-in (TOML: url, user, password, token, nkey, creds, ca, cert, key, namespace)
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CONFIG", global = true)]
    nats_config: Option<PathBuf>,
    /// The farm's namespace on its server
    #[arg(long, value_name = "NAME", env = "TARIM_NATS_NAMESPACE", global = true)]
    namespace: Option<String>,
    /// Sign in as this user
    #[arg(long, value_name = "NAME", env = "TARIM_NATS_USER", global = true)]
    nats_user: Option<String>,
    /// The user's password; better in the environment or the file than here, where others on this machine see it
    #[arg(long, value_name = "PASSWORD", env = "TARIM_NATS_PASSWORD", hide_env_values = true, global = true)]
    nats_password: Option<String>,
    /// Sign in with this token; better in the environment or the file
    #[arg(long, value_name = "TOKEN", env = "TARIM_NATS_TOKEN", hide_env_values = true, global = true)]
    nats_token: Option<String>,
    /// Sign in with the NKey seed in this file
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_NKEY", global = true)]
    nats_nkey: Option<PathBuf>,
    /// Sign in with this creds file
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CREDS", global = true)]
    nats_creds: Option<PathBuf>,
    /// Trust the authority whose certificate (PEM) is in this file, and encrypt
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CA", global = true)]
    nats_ca: Option<PathBuf>,
    /// This machine's own certificate (PEM)
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CERT", global = true)]
    nats_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_KEY", global = true)]
    nats_key: Option<PathBuf>,
}

impl ServerOptions {
    pub(super) fn connection(&self) -> Result<Connection, FarmError> {
        let file = self.nats_config.as_deref().map(Connection::read).transpose()?.unwrap_or_default();
        let given = Connection {
            url: self.nats.clone().unwrap_or_default(),
            namespace: self.namespace.clone(),
            user: self.nats_user.clone(),
            password: self.nats_password.clone().map(Secret::new),
            token: self.nats_token.clone().map(Secret::new),
            nkey: self.nats_nkey.clone(),
            creds: self.nats_creds.clone(),
            ca: self.nats_ca.clone(),
            cert: self.nats_cert.clone(),
            key: self.nats_key.clone(),
        };
        Ok(file.overridden_by(given))
    }
}
