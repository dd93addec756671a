//! `tarim queue`: what waits, and working on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use tarim_api::StudioEvent;
use tarim_api::events::JobEnd;
use tarim_api::wire::queue::{Job, PauseQueue, Queue, Which, WhichJobs};
use tarim_api::wire::{Changed, Empty};
use tarim_studio::{Origin, Role};

use super::{Door, add, print_json};
use crate::args::queue::{QueueCommand, QueueOptions};
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;

pub(crate) fn run(options: &QueueOptions, environment: &Environment) -> Result<()> {
    let role = if matches!(options.command, QueueCommand::Run) { Role::Owner } else { Role::Guest };
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, role)?;
    match &options.command {
        QueueCommand::List => show(&door, "get_queue", &Empty {}, options.json),
        QueueCommand::Add(add) => add::run(&door, add, options.json),
        QueueCommand::Run => work(&door, options.json),
        QueueCommand::Pause => pause(&door, true, options.json),
        QueueCommand::Resume => pause(&door, false, options.json),
        QueueCommand::Cancel { ids } => change(&door, "cancel_jobs", ids, "cancelled", options.json),
        QueueCommand::Retry { ids } => change(&door, "retry_jobs", ids, "queued again", options.json),
    }
}

fn pause(door: &Door, paused: bool, json: bool) -> Result<()> {
    show(door, "pause_queue", &PauseQueue { paused, finish_current: true }, json)
}

/// Asks a command that answers with the queue, and shows it.
fn show(door: &Door, command: &str, request: &impl Serialize, json: bool) -> Result<()> {
    let queue: Queue = door.ask(command, request)?;
    if json {
        print_json(&queue);
        return Ok(());
    }
    let job = |state: &str, job: &Job| {
        output::line(&format!("{state:<8} {}  {}", job.id, job.prompt.replace('\n', " ")));
        if let Some(error) = &job.error {
            output::line(&format!("         {}", error.message));
        }
    };
    queue.running.iter().for_each(|it| job("running", it));
    queue.waiting.iter().for_each(|it| job("waiting", it));
    queue.failed.iter().for_each(|it| job("failed", it));
    let state = if queue.paused { "paused" } else { "open" };
    output::note(&format!(
        "{} running, {} waiting, {} failed; the queue is {state}",
        queue.running.len(),
        queue.waiting_total,
        queue.failed_total
    ));
    Ok(())
}

fn change(door: &Door, command: &str, ids: &[String], done: &str, json: bool) -> Result<()> {
    let which = if ids.is_empty() { Which::All } else { Which::Jobs(ids.to_vec()) };
    let changed: Changed = door.ask(command, &WhichJobs { which })?;
    if json {
        print_json(&changed);
    } else {
        output::line(&format!("{} {done}", changed.changed));
    }
    Ok(())
}

/// Works on the queue until it is empty or paused. Ctrl-C puts the picture in work back.
fn work(door: &Door, json: bool) -> Result<()> {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    ctrlc::set_handler(move || {
        if count.fetch_add(1, Ordering::Relaxed) > 0 {
            std::process::exit(Exit::Cancelled.code().into());
        }
        output::note("stopping; the picture in work is begun again later (Ctrl-C again ends at once)");
    })
    .map_err(|error| Failure::from_error(Exit::Failure, &error).context("Ctrl-C cannot be listened to"))?;

    let (mut done, mut failed) = (0_u32, 0_u32);
    let ended: Result<bool> = door.follow(|door, event| {
        if asked.load(Ordering::Relaxed) > 0 {
            return Some(Ok(false));
        }
        match event {
            Some(StudioEvent::JobEnded { job, request, end }) => {
                match &end {
                    JobEnd::Done { seconds } => {
                        done += 1;
                        if !json {
                            output::line(&format!("{job}  {seconds:.1} s"));
                        }
                    }
                    JobEnd::Failed { error } => {
                        failed += 1;
                        output::warning(&format!("{job}: {}", error.message));
                    }
                    JobEnd::Cancelled | JobEnd::Requeued => {}
                }
                if json {
                    print_json(&StudioEvent::JobEnded { job, request, end });
                }
            }
            Some(StudioEvent::Notice(problem)) => output::warning(&problem.message),
            Some(_) => return None,
            None => {}
        }
        match door.ask::<_, Queue>("get_queue", &Empty {}) {
            Ok(queue) if queue.running.is_empty() && (queue.waiting_total == 0 || queue.paused) => {
                Some(Ok(true))
            }
            Ok(_) => None,
            Err(failure) => Some(Err(failure)),
        }
    })?;
    if !ended? {
        return Err(Failure::new(Exit::Cancelled, format!("stopped: {done} pictures are finished")));
    }
    output::note(&format!("{done} pictures finished, {failed} failed"));
    if failed > 0 {
        let message = format!("{failed} pictures failed");
        return Err(Failure::new(Exit::Renderer, message)
            .hint("`tarim queue list` says why, `tarim queue retry` tries again"));
    }
    Ok(())
}
