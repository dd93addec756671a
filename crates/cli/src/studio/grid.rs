//! `tarim grid`: a comparison along axes, drawn and laid out.

use std::path::Path;

use serde_json::json;
use tarim_api::wire::Id;
use tarim_api::wire::sets::{
    AxisPreview, AxisText, Batch, BatchState, Batches, ChangeSet, CreateSet, ListBatches, ListSets,
    PauseBatch, Plan, ReadAxis, RunOptions, RunSet, RunStarted, SetDetail, SetKind, SetList,
};
use tarim_sets::{Defaults, Severity};
use tarim_studio::{Origin, Role};

use super::batch::{Interrupt, Telling, follow, write_resource};
use super::{Door, add};
use crate::args::sets::GridOptions;
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// Characters of the prompt that name a comparison.
const NAME: usize = 60;

pub(crate) fn run(options: &GridOptions, environment: &Environment) -> Result<()> {
    check_files(options)?;
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Guest)?;
    let draft = add::draft(&door, &options.draft, "tarim grid")?;
    let axes = axes(&door, options, draft.prompt.as_ref().map(|prompt| prompt.text.as_str()))?;
    let prompt = draft.prompt.as_ref().map(|prompt| prompt.text.clone()).unwrap_or_default();
    let name = match &options.name {
        Some(name) => name.clone(),
        None => output::printable(&prompt).chars().take(NAME).collect(),
    };
    let set = find_or_make(&door, options, &name, Defaults::from(draft), axes)?;
    let batch = start(&door, &set, options.again)?;
    drop(door);
    if options.json {
        output::json_line(&json!({ "event": "run", "run": batch }));
    }

    let interrupt = Interrupt::install()?;
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Owner)?;
    let go_on = Some("the same command");
    let telling = Telling { json: options.json, terminal: environment.stderr_is_terminal, go_on };
    let ended = follow(&door, &batch, &interrupt, telling);
    if ended.as_ref().is_err_and(|failure| failure.exit == Exit::Cancelled) {
        return ended.map(drop);
    }
    // Cells that failed stay empty.
    let files = [(&options.out, "png"), (&options.html, "html")];
    for (path, format) in files.into_iter().filter_map(|(path, format)| Some((path.as_ref()?, format))) {
        write_resource(&door, &format!("grid/{}?format={format}", batch.id), path)?;
        let path = path.display().to_string();
        if options.json {
            output::json_line(&json!({ "event": "grid", "format": format, "path": path }));
        } else {
            output::line(&path);
        }
    }
    ended.map(drop)
}

/// Whether the grid can be written, before hours are spent on it.
fn check_files(options: &GridOptions) -> Result<()> {
    if options.out.is_none() && options.html.is_none() {
        return Err(Failure::new(Exit::Usage, "there is no file for the grid")
            .hint("give `--out grid.png`, `--html grid.html`, or both"));
    }
    let check = |path: &Option<std::path::PathBuf>, endings: &[&str]| {
        let Some(path) = path else { return Ok(()) };
        let ending =
            path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if !endings.contains(&ending.as_str()) {
            let message = format!("`{}` does not end in .{}", path.display(), endings[0]);
            return Err(Failure::new(Exit::Usage, message));
        }
        if path.exists() && !options.force {
            return Err(Failure::new(Exit::Output, format!("`{}` exists", path.display()))
                .hint("name another file, or give `--force` to replace it"));
        }
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Failure::new(Exit::Output, format!("there is no folder for `{}`", path.display())));
        }
        Ok(())
    };
    check(&options.out, &["png"])?;
    check(&options.html, &["html", "htm"])
}

fn axes(door: &Door, options: &GridOptions, prompt: Option<&str>) -> Result<Vec<AxisText>> {
    let given = [("--x", &options.x), ("--y", &options.y), ("--z", &options.z)];
    if given.iter().all(|(_, axis)| axis.is_none()) {
        return Err(Failure::new(Exit::Usage, "there is no axis")
            .hint("give one to three, such as `--x \"steps=10,20,30\" --y \"sampler=Euler,DDIM\"`"));
    }
    let mut axes = Vec::new();
    for (option, axis) in given {
        // A later axis keeps its place.
        let Some(axis) = axis else {
            axes.push(AxisText::default());
            continue;
        };
        let axis = AxisText { field: axis.field.clone(), values: axis.values.clone() };
        let read: AxisPreview =
            door.ask("read_axis", &ReadAxis { axis: axis.clone(), prompt: prompt.map(str::to_owned) })?;
        for problem in &read.problems {
            if problem.severity == Severity::Error {
                let mut failure =
                    Failure::bad_input(format!("{option}: {}", output::printable(&problem.message)));
                failure.hint.clone_from(&problem.hint);
                return Err(failure);
            }
            output::warning(&output::printable(&problem.to_string()));
        }
        axes.push(axis);
    }
    while axes.last().is_some_and(|axis| axis.field.is_empty()) {
        axes.pop();
    }
    Ok(axes)
}

/// The comparison of these axes over this draft, made if it is a new one.
fn find_or_make(
    door: &Door,
    options: &GridOptions,
    name: &str,
    defaults: Defaults,
    axes: Vec<AxisText>,
) -> Result<SetDetail> {
    let model = options.draft.model.as_deref().map(|name| add::model(door, name)).transpose()?;
    let list: SetList = door.ask("list_sets", &ListSets::default())?;
    for summary in list.sets.into_iter().filter(|set| set.kind == SetKind::Grid) {
        let named = options.name.as_ref().is_none_or(|name| summary.name == *name);
        let set: SetDetail = door.ask("get_set", &Id { id: summary.id })?;
        if named && set.defaults == defaults && set.axes == axes && set.model == model {
            return Ok(set);
        }
    }
    let create =
        CreateSet { name: name.to_owned(), kind: SetKind::Grid, defaults, axes, ..CreateSet::default() };
    let set: SetDetail = door.ask("create_set", &create)?;
    if model.is_none() {
        return Ok(set);
    }
    door.ask("change_set", &ChangeSet { id: set.summary.id, model, ..ChangeSet::default() })
}

/// A run of the comparison: the one that is under way or has drawn it, else a new one.
fn start(door: &Door, set: &SetDetail, again: bool) -> Result<Batch> {
    let id = set.summary.id.clone();
    let request = RunSet { id: id.clone(), options: RunOptions { again, ..RunOptions::default() } };
    let plan: Plan = door.ask("plan_set", &request)?;
    if let Some(problem) = plan.problems.iter().find(|problem| problem.severity == Severity::Error) {
        let cell = problem.row.map(|cell| format!("cell {cell}: ")).unwrap_or_default();
        let mut failure = Failure::bad_input(format!("{cell}{}", output::printable(&problem.message)));
        failure.hint.clone_from(&problem.hint);
        return Err(failure);
    }
    if let Some(error) = plan.refused {
        return Err(Failure::from(error));
    }
    if plan.new == 0 {
        let runs: Batches =
            door.ask("list_batches", &ListBatches { set: Some(id), ..ListBatches::default() })?;
        let unfinished = runs.batches.iter().find(|run| run.state != BatchState::Finished);
        if let Some(run) = unfinished.or(runs.batches.first()).cloned() {
            let held = run.hold.is_some();
            return if held {
                door.ask("pause_batch", &PauseBatch { id: run.id, paused: false })
            } else {
                Ok(run)
            };
        }
    }
    Ok(door.ask::<_, RunStarted>("run_set", &request)?.batch)
}
