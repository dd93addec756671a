//! The course of a fake job.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tarim_recipe::Recipe;

use super::{Script, TroubleKind, drawn, picture};
use crate::messages::{Failure, FailureCode, Outcome, Stage, Timings};
use crate::port::JobEvent;

/// What a fake job is about.
pub(super) struct Part<'a> {
    pub(super) recipes: &'a [Recipe],
    pub(super) together: u32,
    pub(super) preview_every: u32,
    /// Whether a picture, or the whole job, is to stop.
    pub(super) cancelled: &'a dyn Fn(Option<u32>) -> bool,
}

/// Plays a job up to its end (`Ok`) or to the trouble that the script has for it.
pub(super) fn play(
    script: &Script,
    part: &Part<'_>,
    emit: &mut dyn FnMut(JobEvent),
) -> Result<(), TroubleKind> {
    for warning in &script.warnings {
        emit(JobEvent::Warning(warning.clone()));
    }
    emit(JobEvent::Stage { stage: Stage::LoadingModel, pictures: Vec::new() });
    thread::sleep(Duration::from_millis(script.load_ms));
    if let Some(failure) = &script.fail {
        emit(JobEvent::Failed(failure.clone()));
        return Ok(());
    }
    let wanted = part.together.max(1);
    let together = script.most_together.map_or(wanted, |most| wanted.min(most.max(1)));
    if together < wanted.min(part.recipes.len() as u32) {
        emit(JobEvent::Fewer(together));
    }
    let places: Vec<u32> = (0..part.recipes.len() as u32).collect();
    for group in places.chunks(together as usize) {
        if !render(script, part, group, emit)? {
            emit(JobEvent::Done(Outcome::Cancelled));
            return Ok(());
        }
    }
    emit(JobEvent::Done(Outcome::Finished));
    Ok(())
}

/// Renders pictures that share their calls; `Ok(false)` when the job was cancelled.
fn render(
    script: &Script,
    part: &Part<'_>,
    group: &[u32],
    emit: &mut dyn FnMut(JobEvent),
) -> Result<bool, TroubleKind> {
    let cancelled = |which| !script.ignores_cancel && (part.cancelled)(which);
    let mut alive: Vec<u32> = group.iter().copied().filter(|index| !cancelled(Some(*index))).collect();
    let recipe = |index: u32| &part.recipes[index as usize];
    let Some(steps) = alive.first().map(|index| recipe(*index).steps) else { return Ok(!cancelled(None)) };
    emit(JobEvent::Stage { stage: Stage::Sampling, pictures: alive.clone() });
    for step in 1..=steps {
        alive.retain(|index| !cancelled(Some(*index)));
        if cancelled(None) {
            return Ok(false);
        }
        if alive.is_empty() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(script.step_ms));
        for index in &alive {
            let Recipe { seed, size, .. } = *recipe(*index);
            let wanted = part.preview_every > 0 && step % part.preview_every == 0;
            let preview = wanted.then(|| drawn(seed, (size.width() / 8).max(1), (size.height() / 8).max(1)));
            emit(JobEvent::Progress { picture: *index, step, steps, preview });
            if let Some(trouble) = &script.trouble
                && (trouble.picture, trouble.step) == (*index, step)
                && script.trouble_once.as_deref().is_none_or(first_time)
            {
                return Err(trouble.what);
            }
        }
    }
    for index in alive {
        emit(JobEvent::Stage { stage: Stage::Decoding, pictures: vec![index] });
        let Recipe { seed, size, .. } = *recipe(index);
        if script.bad_seeds.contains(&seed.0) {
            let message = format!("the script fails seed {}", seed.0);
            let failure = Failure { code: FailureCode::BadInput, message, hint: None };
            emit(JobEvent::PictureFailed { picture: index, failure });
            continue;
        }
        let timings = Timings { sample: 0.5, ..Timings::default() };
        emit(JobEvent::Picture { picture: index, seed, pixels: picture(seed, size), timings });
    }
    Ok(true)
}

fn first_time(marker: &Path) -> bool {
    fs::File::create_new(marker).is_ok()
}
