//! What a run would be, in words.

use tarim_api::wire::sets::{Plan, RunOptions, RunSet};
use tarim_sets::{Problem, Severity};

use super::super::Door;
use super::choose::Chosen;
use super::moment::words;
use crate::failure::{Failure, Result};
use crate::output;

/// How many problems are told one by one.
const TOLD: usize = 50;

/// A plan, with its problems where the file has them, errors first.
pub(super) fn make(door: &Door, chosen: &Chosen, options: &RunOptions) -> Result<Plan> {
    let request = RunSet { id: chosen.id.to_string(), options: options.clone() };
    let mut plan: Plan = door.ask("plan_set", &request)?;
    let mut problems: Vec<Problem> = chosen.file.iter().flat_map(|file| file.problems.clone()).collect();
    let count =
        |problems: &[Problem], severity| problems.iter().filter(|it| it.severity == severity).count() as u32;
    plan.errors += count(&problems, Severity::Error);
    plan.warnings += count(&problems, Severity::Warning);
    for problem in plan.problems.drain(..) {
        let problem = chosen.locate(problem);
        // Reading the file and checking the set see some things both.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems.sort_by_key(|problem| (std::cmp::Reverse(problem.severity), problem.row));
    plan.problems = problems;
    Ok(plan)
}

/// Why a run of this is refused, if it is.
pub(super) fn refusal(plan: &Plan, skip_bad: bool) -> Option<Failure> {
    if let Some(error) = &plan.refused {
        return Some(Failure::from(error.clone()));
    }
    if skip_bad || (plan.bad == 0 && plan.errors == 0) {
        return None;
    }
    let message = match plan.bad {
        0 => "a part of the file cannot be used".to_owned(),
        1 => format!("1 of {} rows cannot run", plan.rows),
        bad => format!("{bad} of {} rows cannot run", plan.rows),
    };
    Some(Failure::bad_input(message).hint("mend what is named above, or leave it out with `--skip-bad`"))
}

/// What is wrong: `error: prompts.csv, row 3, column "Steps": …`.
pub(super) fn tell_problems(plan: &Plan) {
    for problem in plan.problems.iter().take(TOLD) {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        output::note(&format!("{severity}: {}", output::printable(&problem.to_string())));
    }
    let more = (plan.errors as usize + plan.warnings as usize).max(plan.problems.len());
    if more > TOLD {
        output::note(&format!("… and {} more; `--json` lists 1000", more - TOLD));
    }
    for remark in &plan.remarks {
        output::warning(&remark.message);
        if let Some(hint) = &remark.hint {
            output::note(&format!("hint: {hint}"));
        }
    }
}

/// The plan as a few lines.
pub(super) fn show(chosen: &Chosen, plan: &Plan, finish_by: Option<&str>) {
    let line = |label: &str, text: String| output::line(&format!("{label:<9} {text}"));
    line("set", format!("{} ({})", output::printable(&chosen.name), chosen.id));
    let mut rows = vec![format!("{} of {} run", plan.ready, plan.rows)];
    let some = |count: u32, what: &str| (count > 0).then(|| format!("{count} {what}"));
    rows.extend(some(plan.bad, "cannot"));
    rows.extend(some(plan.off, "are blank or switched off"));
    line("rows", rows.join(", "));
    let mut pictures = vec![format!("{} asked for, {} to draw", plan.pictures, plan.new)];
    pictures.extend(some(plan.existing, "exist"));
    pictures.extend(some(plan.trashed, "in the trash"));
    pictures.extend(some(plan.queued, "in the queue"));
    pictures.extend(some(plan.duplicates, "asked for twice"));
    line("pictures", pictures.join(", "));
    if plan.new == 0 {
        return;
    }
    let time = match plan.seconds {
        Some(range) => {
            let (low, likely, high) = (words(range.low), words(range.likely), words(range.high));
            if low == high { format!("about {likely}") } else { format!("about {likely} ({low} to {high})") }
        }
        None => "unknown until some pictures like these are drawn".to_owned(),
    };
    let ahead = plan.seconds_ahead.map(|ahead| format!(", after {} of the queue", words(ahead)));
    line("time", time + &ahead.unwrap_or_default());
    if let (Some(done), Some(time)) = (plan.done_by, finish_by) {
        line("in time", format!("{done} of {} by {time}", plan.new));
    }
    let free = plan.free_bytes.map(|free| format!(" of {} free", output::bytes(free as u64)));
    line("room", format!("{}{}", room(plan.bytes), free.unwrap_or_default()));
    for model in &plan.models {
        let loaded = if model.loaded { ", in memory" } else { "" };
        line("model", format!("{}: {} pictures{loaded}", output::printable(&model.name), model.pictures));
    }
    if plan.models.iter().any(|model| !model.hashed) {
        output::note(
            "a model has not been read yet; pictures of it that exist are recognised when the run begins",
        );
    }
}

fn room(bytes: f64) -> String {
    if bytes < 1e6 { "less than 1 MB".to_owned() } else { format!("about {}", output::bytes(bytes as u64)) }
}
