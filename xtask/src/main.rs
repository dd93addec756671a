//! Chores of the project, in Rust so that they run alike on Linux, macOS and Windows: `cargo xtask --help`.
//!
//! What belongs here: preparing a machine, building, testing, measuring. What does not: anything that a user of an
//! installed Tarim would need.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

mod bench;
mod bundle;
mod libtorch;
mod nats;
mod parity;
mod process;
mod python;
mod screenshots;
mod setup;
mod studio;
mod system;
mod test;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set up, run, test and measure Tarim")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prepare this machine: compiler, Python, libtorch, and the programs built. Can be run again at any time.
    Setup {
        /// Fetch the libtorch build with CUDA (several GB) instead of the one for CPUs.
        #[arg(long)]
        cuda: bool,
    },
    /// Set up, then open the studio's window on the starter model; where there is no screen, serve it to a browser.
    Studio {
        /// Serve it to a browser even where there is a screen.
        #[arg(long)]
        headless: bool,
        /// Only draw this prompt, and say where the picture is.
        #[arg(long)]
        prompt: Option<String>,
    },
    /// Set up, then make an installable package (`.deb`).
    Bundle,
    /// Set up, then check formatting and lints and run the tests.
    Test {
        /// Only what needs neither libtorch nor a model: the everyday loop.
        #[arg(long)]
        fast: bool,
    },
    /// Measure speed and memory against named peers and print ratios.
    Bench {
        /// What to measure.
        #[arg(value_enum, default_value_t = bench::Subject::Engine)]
        subject: bench::Subject,
        /// Solver steps measured for each engine and precision.
        #[arg(long, default_value_t = 3)]
        steps: u32,
        /// Rewrite the table in BENCHMARKS.md.
        #[arg(long)]
        write: bool,
    },
    /// Make the reference environment, record the reference's outputs again, and compare with them.
    Parity {
        /// Also compare live at the shapes of SD 1.5 and SD 2.1 (slow, needs 20 GB of disk).
        #[arg(long)]
        full: bool,
        /// Also compare with diffusers-rs, another engine (builds it first).
        #[arg(long)]
        peers: bool,
        /// Compare with the recordings in the tree and do not make new ones.
        #[arg(long)]
        no_record: bool,
    },
    /// Take pictures of every view, for the README (docs/screenshots) and to be looked at (target/screenshots).
    Screenshots,
    /// Write the TypeScript of the contract between the UI and the service again, from crates/api.
    Types,
    /// Fetch nats-server for the farm's tests, and say where it is.
    NatsServer,
    /// Check licences and sources of all dependencies with cargo-deny, installing it first if needed.
    Deny,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Setup { cuda } => setup::run(cuda),
        Task::Studio { prompt: Some(prompt), .. } => studio::draw(&prompt),
        Task::Studio { headless, prompt: None } => studio::run(headless),
        Task::Bundle => bundle::run(),
        Task::Test { fast } => test::run(fast),
        Task::Bench { subject, steps, write } => bench::run(subject, steps, write),
        Task::Parity { full, peers, no_record } => parity::run(full, peers, !no_record),
        Task::Screenshots => screenshots::run(),
        Task::Types => test::types(),
        Task::NatsServer => nats::find_or_fetch().map(|program| println!("{}", program.display())),
        Task::Deny => test::deny(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
