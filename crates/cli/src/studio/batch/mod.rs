//! `tarim batch`: prompt sets planned, run, gone on with, looked at.

mod choose;
mod follow;
mod moment;
mod plan;

use std::fs;
use std::path::Path;

use serde_json::json;
use tarim_api::Body;
use tarim_api::wire::Id;
use tarim_api::wire::sets::{
    Batch, BatchDetail, BatchState, Batches, ChangeBatch, ChangeSet, ListBatches, PauseBatch, RetryBatch,
    RunOptions, RunSet, RunStarted, SetDetail, SetKind,
};
use tarim_studio::{Origin, Role};

use super::{Door, add, print_json};
use crate::args::sets::{BatchCommand, BatchOptions, Conditions, RunChoices};
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;
use choose::{Chosen, choose, find_run};
use follow::pictures;

pub(super) use follow::{Interrupt, Telling, follow};

/// Runs that `status` lists.
const LISTED: u32 = 20;
/// Rows that are named for one reason of failures.
const ROWS_NAMED: usize = 12;

pub(crate) fn run(options: &BatchOptions, environment: &Environment) -> Result<()> {
    let works = match &options.command {
        BatchCommand::Run { detach, .. } => !detach,
        BatchCommand::Resume { .. } => true,
        BatchCommand::Plan(_) | BatchCommand::Status { .. } => false,
    };
    let finish_by = |conditions: &Conditions| finish_by(conditions, environment);
    let telling = Telling { json: options.json, terminal: environment.stderr_is_terminal, go_on: None };
    // A time that is none is told before anything is opened.
    let ends = match &options.command {
        BatchCommand::Plan(choices) | BatchCommand::Run { choices, .. } => finish_by(&choices.conditions)?,
        BatchCommand::Resume { conditions, .. } => finish_by(conditions)?,
        BatchCommand::Status { .. } => None,
    };
    let report = match &options.command {
        BatchCommand::Run { report, .. }
        | BatchCommand::Resume { report, .. }
        | BatchCommand::Status { report, .. } => report.report.as_deref(),
        BatchCommand::Plan(_) => None,
    };
    report.map(report_format).transpose()?;
    // Looks at the set before anything is drawn, so that what is wrong with it is told at once.
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Guest)?;
    match &options.command {
        BatchCommand::Plan(choices) => {
            let (chosen, plan) = look(&door, choices, ends)?;
            plan::tell_problems(&plan);
            if options.json {
                let file = chosen.file.is_some();
                output::json_line(
                    &json!({ "event": "plan", "set": chosen.id.to_string(), "file": file, "plan": plan }),
                );
            } else {
                plan::show(&chosen, &plan, choices.conditions.finish_by.as_deref());
            }
            plan::refusal(&plan, choices.skip_bad).map_or(Ok(()), Err)
        }
        BatchCommand::Status { which, .. } => status(&door, which.as_deref(), report, options.json),
        BatchCommand::Run { choices, .. } => {
            let Some(batch) = begin(&door, choices, ends, options.json)? else { return Ok(()) };
            drop(door);
            begun(&batch, options.json);
            if works { work(options, environment, &batch, telling, report) } else { Ok(()) }
        }
        BatchCommand::Resume { which, retry, conditions, .. } => {
            let Some(batch) = find_run(&door, which.as_deref())? else {
                output::note("there is no unfinished run");
                return Ok(());
            };
            let batch = reopen(&door, batch, *retry, conditions, ends)?;
            drop(door);
            begun(&batch, options.json);
            work(options, environment, &batch, telling, report)
        }
    }
}

/// Puts into the queue what is not drawn yet; `None` if that is nothing.
fn begin(door: &Door, choices: &RunChoices, ends: Option<f64>, json: bool) -> Result<Option<Batch>> {
    let (chosen, plan) = look(door, choices, ends)?;
    let set = chosen.id.to_string();
    plan::tell_problems(&plan);
    if json {
        output::json_line(&json!({ "event": "plan", "set": set, "plan": plan }));
    }
    if let Some(refusal) = plan::refusal(&plan, choices.skip_bad) {
        return Err(refusal);
    }
    if plan.new == 0 && plan.queued == 0 {
        let there = pictures(plan.existing + plan.trashed + plan.duplicates);
        let trash = if plan.trashed > 0 { " (`--replace-trashed` draws those in the trash)" } else { "" };
        output::note(&format!("nothing to draw: {there} exist already{trash}"));
        return Ok(None);
    }
    if plan.new == 0 {
        // What is asked for waits in the queue: that run goes on.
        let waiting = find_run(door, Some(&set))?;
        if let Some(batch) = waiting.filter(|batch| batch.state != BatchState::Finished) {
            return Ok(Some(batch));
        }
    }
    let options = run_options(door, choices, &chosen, ends)?;
    let started: RunStarted = door.ask("run_set", &RunSet { id: set, options })?;
    Ok(Some(started.batch))
}

/// Draws until a run has ended.
fn work(
    options: &BatchOptions,
    environment: &Environment,
    batch: &Batch,
    telling: Telling,
    report: Option<&Path>,
) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Owner)?;
    let ended = follow(&door, batch, &interrupt, telling);
    if let Some(path) = report {
        write_report(&door, &batch.id, path)?;
    }
    let detail = ended?;
    let skipped = detail.batch.skipped;
    let skipped = if skipped > 0 { format!(", {skipped} existed already") } else { String::new() };
    output::note(&format!("{} are done{skipped}", pictures(detail.batch.done)));
    Ok(())
}

fn look(
    door: &Door,
    choices: &RunChoices,
    ends: Option<f64>,
) -> Result<(Chosen, tarim_api::wire::sets::Plan)> {
    let chosen = choose(door, &choices.set, choices.sheet.as_deref(), choices.new_set)?;
    if let Some(model) = &choices.model {
        let model = add::model(door, model)?;
        let set: SetDetail = door.ask("get_set", &Id { id: chosen.id.to_string() })?;
        if set.model.as_ref() != Some(&model) {
            let change = ChangeSet { id: chosen.id.to_string(), model: Some(model), ..ChangeSet::default() };
            door.ask::<_, SetDetail>("change_set", &change)?;
        }
    }
    let options = run_options(door, choices, &chosen, ends)?;
    let plan = plan::make(door, &chosen, &options)?;
    Ok((chosen, plan))
}

fn run_options(door: &Door, choices: &RunChoices, chosen: &Chosen, ends: Option<f64>) -> Result<RunOptions> {
    Ok(RunOptions {
        name: choices.name.clone(),
        rows: choices.rows.as_ref().map(|numbers| chosen.rows(door, numbers)).transpose()?,
        again: choices.again,
        replace_trashed: choices.replace_trashed,
        new_seeds: choices.new_seeds,
        tags: choices.tag.clone(),
        project: choices.project.clone(),
        priority: choices.priority,
        finish_by: ends,
        spare_battery: choices.conditions.spare_battery,
        spare_user: choices.conditions.spare_user,
    })
}

fn finish_by(conditions: &Conditions, environment: &Environment) -> Result<Option<f64>> {
    let Some(text) = &conditions.finish_by else { return Ok(None) };
    let surroundings = environment.surroundings(Origin::Cli, Role::Guest);
    moment::read(text, (surroundings.clock)(), &*surroundings.utc_offset_minutes).map(Some)
}

fn begun(batch: &Batch, json: bool) {
    if json {
        output::json_line(&json!({ "event": "run", "run": batch }));
    } else {
        output::note(&format!(
            "run {} of `{}`: {}",
            batch.id,
            output::printable(&batch.name),
            pictures(batch.pictures)
        ));
    }
}

/// Lets a run go on, whatever it waited for.
fn reopen(
    door: &Door,
    batch: Batch,
    retry: bool,
    conditions: &Conditions,
    ends: Option<f64>,
) -> Result<Batch> {
    let id = batch.id.clone();
    let mut batch = batch;
    if retry {
        batch = door.ask("retry_batch", &RetryBatch { id: id.clone(), cancelled: true })?;
    }
    if batch.hold.is_some() {
        batch = door.ask("pause_batch", &PauseBatch { id: id.clone(), paused: false })?;
    }
    if ends.is_some() || conditions.spare_battery || conditions.spare_user {
        let change = ChangeBatch {
            id,
            finish_by: ends,
            spare_battery: conditions.spare_battery,
            spare_user: conditions.spare_user,
        };
        batch = door.ask("change_batch", &change)?;
    }
    Ok(batch)
}

fn status(door: &Door, which: Option<&str>, report: Option<&Path>, json: bool) -> Result<()> {
    let Some(which) = which else {
        if report.is_some() {
            return Err(Failure::new(Exit::Usage, "`--report` needs a run")
                .hint("name it: `tarim batch status RUN --report FILE`"));
        }
        let list: Batches =
            door.ask("list_batches", &ListBatches { limit: LISTED, ..ListBatches::default() })?;
        for batch in &list.batches {
            if json { print_json(batch) } else { output::line(&summary(batch)) }
        }
        if list.batches.is_empty() && !json {
            output::note("no set was run yet");
        }
        return Ok(());
    };
    let Some(batch) = find_run(door, Some(which))? else {
        return Err(Failure::bad_input(format!("`{which}` was not run yet"))
            .hint(format!("`tarim batch run {which}` runs it")));
    };
    let detail: BatchDetail = door.ask("get_batch", &Id { id: batch.id.clone() })?;
    if let Some(path) = report {
        write_report(door, &batch.id, path)?;
    }
    if json {
        print_json(&detail);
    } else {
        output::line(&summary(&detail.batch));
        tell_failures(door, &detail);
    }
    if detail.batch.state == BatchState::Finished { follow::finished(&detail) } else { Ok(()) }
}

/// A run in a line.
fn summary(batch: &Batch) -> String {
    let state = match (batch.state, batch.hold) {
        (BatchState::Submitting, _) => "being submitted".to_owned(),
        (BatchState::Waiting, _) => "waiting".to_owned(),
        (BatchState::Running, _) => "running".to_owned(),
        (BatchState::Held, Some(hold)) => format!("held: {}", follow::reason(hold)),
        (BatchState::Held, None) => "held".to_owned(),
        (BatchState::Finished, _) => "finished".to_owned(),
    };
    let mut words = vec![state, format!("{} of {} done", batch.done, batch.pictures)];
    let some = |count: u32, what: &str| (count > 0).then(|| format!("{count} {what}"));
    words.extend(some(batch.failed, "failed"));
    words.extend(some(batch.cancelled, "cancelled"));
    words.extend(some(batch.skipped, "existed"));
    words.extend(batch.per_minute.map(|rate| format!("{rate:.1} a minute")));
    words.extend(batch.seconds_left.map(|left| format!("{} left", moment::words(left))));
    format!("{}  {}: {}", batch.id, output::printable(&batch.name), words.join(", "))
}

/// Why pictures failed, and in which rows.
fn tell_failures(door: &Door, detail: &BatchDetail) {
    if detail.failures.is_empty() {
        return;
    }
    let table = detail.batch.kind == SetKind::Table;
    let set = detail.batch.set.as_ref().filter(|_| table).and_then(|set| set.parse().ok());
    // Without its set, rows have no numbers any more.
    let ids = set.and_then(|set| choose::row_ids(door, set).ok()).unwrap_or_default();
    for failure in &detail.failures {
        let number = |id: &i64| {
            if table {
                ids.iter().position(|row| row == id).map(|place| place + 1)
            } else {
                usize::try_from(id + 1).ok()
            }
        };
        let mut rows: Vec<usize> = failure.rows.iter().filter_map(number).collect();
        rows.sort_unstable();
        rows.dedup();
        let more = if rows.len() > ROWS_NAMED { ", …" } else { "" };
        let named: Vec<String> = rows.iter().take(ROWS_NAMED).map(ToString::to_string).collect();
        let what = if table { "rows of the set" } else { "cells" };
        let place =
            if named.is_empty() { String::new() } else { format!(" ({what}: {}{more})", named.join(", ")) };
        output::line(&format!(
            "  {} failed: {}{place}",
            pictures(failure.count),
            output::printable(&failure.error.message)
        ));
        if let Some(hint) = &failure.error.hint {
            output::line(&format!("    {}", output::printable(hint)));
        }
    }
}

fn report_format(path: &Path) -> Result<&'static str> {
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => Ok("html"),
        Some("md") => Ok("md"),
        Some("json") => Ok("json"),
        _ => Err(Failure::new(Exit::Usage, format!("a report cannot be written as `{}`", path.display()))
            .hint("its name ends in .html, .md or .json")),
    }
}

fn write_report(door: &Door, batch: &str, path: &Path) -> Result<()> {
    let format = report_format(path)?;
    write_resource(door, &format!("report/{batch}?format={format}"), path)
}

/// Writes what is at an address of the studio into a file.
pub(super) fn write_resource(door: &Door, address: &str, path: &Path) -> Result<()> {
    let bytes = match tarim_api::resource(&door.studio, address)?.body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(file) => fs::read(file).map_err(|error| Failure::from_error(Exit::Output, &error))?,
    };
    fs::write(path, bytes).map_err(|error| {
        Failure::from_error(Exit::Output, &error).context(format!("`{}` cannot be written", path.display()))
    })
}
