//! `tarim-renderer --nats URL`: a worker of a render farm.
//!
//! What belongs here: the command line of a worker, its models, signals and the log on stderr. Rendering happens in a child
//! process, which is this program without arguments, so that an abort in libtorch costs one try of one job.
#![allow(clippy::print_stderr, reason = "a program for a terminal or a service manager: stderr is its log")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tarim_farm::{
    Connection, FarmError, FarmOptions, FetchOptions, Holdings, Secret, Stop, WorkerEvent, WorkerOptions,
    work,
};
use tarim_render::{DeviceChoice, LocalRenderer, ProcessOptions};

use crate::farm_models;

/// Exit code of a worker whose farm cannot be used.
const NO_FARM: u8 = 6;
/// Exit code of a worker whose renderer cannot be used.
const NO_RENDERER: u8 = 4;
/// The most that is waited before a farm that is away is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Render pictures for a farm. Without `--nats`, messages are read from stdin, as Tarim's other programs run it.
#[derive(Parser)]
#[command(name = "tarim-renderer", version)]
struct Arguments {
    /// The farm's NATS server, such as nats://host:4222 or tls://host:4222
    #[arg(long, value_name = "URL", env = "TARIM_NATS")]
    nats: Option<String>,
    /// A file with the farm's address and sign-in (TOML: url, user, password, token, nkey, creds, ca, cert, key, namespace)
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CONFIG")]
    nats_config: Option<PathBuf>,
    /// The farm's namespace on its server
    #[arg(long, value_name = "NAME", env = "TARIM_NATS_NAMESPACE")]
    namespace: Option<String>,
    /// Sign in as this user
    #[arg(long, value_name = "NAME", env = "TARIM_NATS_USER")]
    nats_user: Option<String>,
    /// The user's password; better in the environment or the file than here, where other users of the machine see it
    #[arg(long, value_name = "PASSWORD", env = "TARIM_NATS_PASSWORD", hide_env_values = true)]
    nats_password: Option<String>,
    /// Sign in with this token; better in the environment or the file
    #[arg(long, value_name = "TOKEN", env = "TARIM_NATS_TOKEN", hide_env_values = true)]
    nats_token: Option<String>,
    /// Sign in with the NKey seed in this file
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_NKEY")]
    nats_nkey: Option<PathBuf>,
    /// Sign in with this creds file
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CREDS")]
    nats_creds: Option<PathBuf>,
    /// Trust the authority whose certificate (PEM) is in this file, and encrypt
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CA")]
    nats_ca: Option<PathBuf>,
    /// The worker's own certificate (PEM)
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_CERT", requires = "nats_key")]
    nats_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", env = "TARIM_NATS_KEY")]
    nats_key: Option<PathBuf>,
    /// A folder of models, or a model; can be given several times
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    models: Vec<PathBuf>,
    /// Where to render: auto, cpu, cuda:N or mps
    #[arg(long, default_value_t)]
    device: DeviceChoice,
    /// The worker's name on the farm; the machine's and the device's when not given
    #[arg(long)]
    name: Option<String>,
    /// Fetch models that this machine does not have from submitters that share them
    #[arg(long)]
    fetch_models: bool,
    /// Where fetched models and the list of known hashes are kept
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// How many gigabytes of fetched models are kept
    #[arg(long, value_name = "GB", default_value_t = 50)]
    quota: u64,
    /// Seconds that a picture in work may still take when the worker is asked to end
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    grace: u64,
}

/// Works for a farm until it is told to end.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("\nhint: {hint}");
            }
            let code = match error {
                FarmError::Renderer(_) => NO_RENDERER,
                FarmError::Address { .. } | FarmError::Options(_) | FarmError::Name(_) => 2,
                _ => NO_FARM,
            };
            ExitCode::from(code)
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), FarmError> {
    let connection = connection(&arguments)?;
    for warning in connection.warnings() {
        eprintln!("warning: {warning}");
    }
    let cache = arguments.cache.unwrap_or_else(farm_models::cache_folder);
    let holdings = Holdings::default();
    farm_models::find(arguments.models, cache.clone(), holdings.clone());

    let mut options = WorkerOptions::new(arguments.name.unwrap_or_else(|| name_of(arguments.device)));
    options.device = arguments.device;
    options.grace = Duration::from_secs(arguments.grace);
    options.fetch = arguments.fetch_models.then(|| FetchOptions {
        folder: cache.join("models"),
        quota: arguments.quota.saturating_mul(1_000_000_000),
    });
    let stop = Stop::default();
    let asked = stop.clone();
    ctrlc::set_handler(move || asked.stop())
        .map_err(|error| FarmError::Options(format!("the worker could not be told how to end: {error}")))?;
    let program = std::env::current_exe().map_err(|source| FarmError::Io {
        what: "the renderer's own program could not be found".to_owned(),
        source,
    })?;
    let renderer = Arc::new(LocalRenderer::new(ProcessOptions::new(program)));
    let farm = FarmOptions::default();
    let mut pause = Duration::from_secs(1);
    loop {
        let renderer = Arc::clone(&renderer);
        match work(&connection, &farm, options.clone(), renderer, holdings.clone(), &stop, log) {
            Ok(pictures) => {
                eprintln!("stopped after {pictures} pictures");
                return Ok(());
            }
            // A worker is often started before its server, and outlives its restarts.
            Err(error) if error.is_passing() && !stop.is_asked() => {
                eprintln!("{error}; trying again in {} s", pause.as_secs());
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

fn connection(arguments: &Arguments) -> Result<Connection, FarmError> {
    let file = arguments.nats_config.as_deref().map(Connection::read).transpose()?.unwrap_or_default();
    let given = Connection {
        url: arguments.nats.clone().unwrap_or_default(),
        namespace: arguments.namespace.clone(),
        user: arguments.nats_user.clone(),
        password: arguments.nats_password.clone().map(Secret::new),
        token: arguments.nats_token.clone().map(Secret::new),
        nkey: arguments.nats_nkey.clone(),
        creds: arguments.nats_creds.clone(),
        ca: arguments.nats_ca.clone(),
        cert: arguments.nats_cert.clone(),
        key: arguments.nats_key.clone(),
    };
    Ok(file.overridden_by(given))
}

/// The machine's name and, where one was chosen, the device's.
fn name_of(device: DeviceChoice) -> String {
    #[cfg(unix)]
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let host = "worker".to_owned();
    match device {
        DeviceChoice::Auto => host,
        device => format!("{host} {device}"),
    }
}

fn log(event: WorkerEvent) {
    match event {
        WorkerEvent::Ready { device, .. } => eprintln!("ready: {} ({})", device.name, device.id),
        WorkerEvent::Begun { job, submitter, delivery: 1 } => eprintln!("job {job} of {submitter}"),
        WorkerEvent::Begun { job, submitter, delivery } => {
            eprintln!("job {job} of {submitter}, try {delivery}");
        }
        WorkerEvent::Finished { job, seconds } => eprintln!("job {job}: finished in {seconds:.1} s"),
        WorkerEvent::Discarded { job } => eprintln!("job {job}: not needed any more"),
        WorkerEvent::Again { job, failure } => eprintln!("job {job}: {}; it goes back", failure.message),
        WorkerEvent::Dead { job, failure } => eprintln!("job {job}: given up: {}", failure.message),
        WorkerEvent::Fetching { name, done, total } if done == total => eprintln!("fetched the model {name}"),
        WorkerEvent::Fetching { .. } => {}
        WorkerEvent::Trouble(words) => eprintln!("{words}"),
    }
}
