//! The course of a fake job.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tarim_recipe::Recipe;

use super::{Script, TroubleKind, drawn, picture};
use crate::messages::{Outcome, Stage, Timings};
use crate::port::JobEvent;

/// Plays a job up to its end (`Ok`) or to the trouble that the script has for it.
pub(super) fn play(
    script: &Script,
    recipe: &Recipe,
    count: u32,
    preview_every: u32,
    cancelled: &dyn Fn() -> bool,
    emit: &mut dyn FnMut(JobEvent),
) -> Result<(), TroubleKind> {
    let cancelled = || !script.ignores_cancel && cancelled();
    for warning in &script.warnings {
        emit(JobEvent::Warning(warning.clone()));
    }
    emit(JobEvent::Stage(Stage::LoadingModel));
    thread::sleep(Duration::from_millis(script.load_ms));
    if let Some(failure) = &script.fail {
        emit(JobEvent::Failed(failure.clone()));
        return Ok(());
    }
    for index in 0..count {
        emit(JobEvent::Stage(Stage::Sampling));
        for step in 1..=recipe.steps {
            if cancelled() {
                emit(JobEvent::Done(Outcome::Cancelled));
                return Ok(());
            }
            thread::sleep(Duration::from_millis(script.step_ms));
            let wanted = preview_every > 0 && step % preview_every == 0;
            let preview = wanted.then(|| {
                drawn(recipe.seed, (recipe.size.width() / 8).max(1), (recipe.size.height() / 8).max(1))
            });
            emit(JobEvent::Progress { picture: index, step, steps: recipe.steps, preview });
            if let Some(trouble) = &script.trouble
                && (trouble.picture, trouble.step) == (index, step)
                && script.trouble_once.as_deref().is_none_or(first_time)
            {
                return Err(trouble.what);
            }
        }
        emit(JobEvent::Stage(Stage::Decoding));
        let seed = recipe.nth(index.into()).seed;
        let pixels = picture(seed, recipe.size);
        let timings = Timings { sample: 0.5, ..Timings::default() };
        emit(JobEvent::Picture { picture: index, seed, pixels, timings });
    }
    emit(JobEvent::Done(Outcome::Finished));
    Ok(())
}

fn first_time(marker: &Path) -> bool {
    fs::File::create_new(marker).is_ok()
}
