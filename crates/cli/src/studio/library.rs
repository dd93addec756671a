//! `tarim library`: the folder of pictures and its index.

use std::path::Path;

use tarim_api::StudioEvent;
use tarim_api::wire::Empty;
use tarim_api::wire::app::Hello;
use tarim_api::wire::library::{TaskProgress, TaskStarted};
use tarim_studio::{Origin, Role};

use super::{Door, print_json};
use crate::args::{LibraryCommand, LibraryOptions};
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;

pub(crate) fn run(options: &LibraryOptions, environment: &Environment) -> Result<()> {
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Guest)?;
    match options.command {
        LibraryCommand::Info => info(&door, options.json),
        LibraryCommand::Rebuild => task(&door, "rebuild_library", options.json),
        LibraryCommand::Reconcile => task(&door, "reconcile_library", options.json),
    }
}

fn info(door: &Door, json: bool) -> Result<()> {
    let hello: Hello = door.ask("hello", &Empty {})?;
    let library = hello.library.ok_or_else(|| {
        Failure::new(Exit::Failure, "the library cannot be opened").hint("the warning above says why")
    })?;
    if json {
        print_json(&library);
        return Ok(());
    }
    output::line(&format!("folder    {}", Path::new(&library.folder).display()));
    output::line(&format!("pictures  {}", library.pictures));
    output::line(&format!("trash     {}", library.trashed));
    output::line(&format!("requests  {}", library.requests));
    if let Some(free) = library.free_bytes {
        output::line(&format!("free      {}", output::bytes(free as u64)));
    }
    Ok(())
}

/// Starts long work and waits for its end.
fn task(door: &Door, command: &str, json: bool) -> Result<()> {
    // Listens before it asks, so that no end is missed.
    let mut started: Option<TaskStarted> = None;
    let ended: Result<TaskProgress> = door.follow(|door, event| {
        if started.is_none() {
            match door.ask(command, &Empty {}) {
                Ok(task) => started = Some(task),
                Err(failure) => return Some(Err(failure)),
            }
        }
        let Some(StudioEvent::Task(progress)) = event else { return None };
        if started.as_ref().is_none_or(|task| task.task != progress.task) {
            return None;
        }
        if json {
            print_json(&progress);
        }
        progress.finished.then_some(Ok(progress))
    })?;
    let ended = ended?;
    for problem in &ended.problems {
        output::warning(problem);
    }
    if !json {
        output::line(&format!("{} files looked at", ended.done));
    }
    Ok(())
}
