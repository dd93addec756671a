//! `tarim`: Tarim on the command line.
//!
//! What belongs here: reading options, environment, clock and randomness; showing progress, results and errors;
//! exit codes. What does not: anything that another door would need too.

mod args;
mod doctor;
mod environment;
mod failure;
mod farm;
mod inspect;
mod interrupt;
mod model;
mod output;
mod picture_file;
mod query_words;
mod render;
mod studio;
mod template;
mod tokens;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::environment::Environment;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse_from(query_words::set_apart(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors: clap prints them to stdout.
            let code = if error.use_stderr() { failure::Exit::Usage.code() } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let environment = Environment::read();
    let json = arguments.command.json();
    let result = match arguments.command {
        Command::Render(options) => render::run(&options, &environment),
        Command::Inspect(options) => inspect::run(&options),
        Command::Tokens(options) => tokens::run(&options),
        Command::Doctor(options) => doctor::run(&options, &environment),
        Command::Serve(options) => studio::serve(&options, &environment),
        Command::Library(options) => studio::library(&options, &environment),
        Command::Queue(options) => studio::queue(&options, &environment),
        Command::History(options) => studio::history(&options, &environment),
        Command::Gallery(options) => studio::gallery(&options, &environment),
        Command::Template(options) => template::run(&options, &environment),
        Command::Batch(options) => studio::batch(&options, &environment),
        Command::Grid(options) => studio::grid(&options, &environment),
        Command::Farm(options) => farm::run(&options, &environment),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure, json);
            ExitCode::from(failure.exit.code())
        }
    }
}
