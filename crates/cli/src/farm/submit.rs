//! `tarim farm submit`: recipes out, pictures in.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;
use tarim_checkpoint::Layout;
use tarim_farm::{Ended, Farm, FarmEvent, News, Submission, Token, model_files};
use tarim_library::picture;
use tarim_recipe::{Recipe, sha256};

use super::args::SubmitOptions;
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::render::save::Target;
use crate::{model, output};

/// The largest file of recipes.
const MAX_BYTES: u64 = 512 << 20;

pub(super) fn run(farm: &Farm, options: &SubmitOptions, json: bool, environment: &Environment) -> Result<()> {
    let mut recipes = Vec::new();
    for file in &options.recipes {
        recipes.extend(read(file)?);
    }
    let hash =
        options.model.as_deref().map(|path| prepare_model(farm, path, options.share_models)).transpose()?;
    let submissions = submissions(&recipes, options, hash.as_deref())?;
    warn_of_models(farm, &submissions)?;
    // Before anything is drawn.
    let target = if options.detach { None } else { Some(Target::new(&options.out, u32::MAX)?) };
    let events = farm.follow();
    farm.submit(&submissions)?;
    if json {
        output::json_line(&json!({ "event": "submitted", "jobs": submissions.len() }));
    }
    let Some(target) = target else {
        if !json {
            output::note(&format!("{} jobs are on the farm", submissions.len()));
        }
        return Ok(());
    };
    let stopped = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&stopped);
    ctrlc::set_handler(move || heard.store(true, Ordering::Relaxed)).map_err(|error| {
        Failure::from_error(Exit::Failure, &error).context("Ctrl-C cannot be listened to")
    })?;
    let bar = (environment.stderr_is_terminal && !json).then(|| ProgressBar::new(submissions.len() as u64));
    let mut wait = Wait { farm, target, bar, json, saved: 0, failed: 0 };
    let mut open: HashMap<Token, u32> = submissions.into_iter().map(|one| one.job).zip(0..).collect();
    let all = open.len();
    while !open.is_empty() {
        if stopped.load(Ordering::Relaxed) {
            let message = format!(
                "stopped: {} of {all} pictures are saved; the others go on being drawn, and the same command picks them up",
                wait.saved
            );
            return Err(Failure::new(Exit::Cancelled, message));
        }
        match events.recv_timeout(Duration::from_millis(200)) {
            Ok(event) => wait.happened(event, &mut open)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(Exit::Farm, "the connection to the farm ended"));
            }
        }
    }
    if let Some(bar) = &wait.bar {
        bar.finish_and_clear();
    }
    if wait.failed > 0 {
        let message = format!("{} of {all} pictures could not be drawn", wait.failed);
        return Err(
            Failure::new(Exit::Renderer, message).hint("`tarim farm dead` lists them with their reasons")
        );
    }
    if json {
        output::json_line(&json!({ "event": "done", "pictures": wait.saved }));
    }
    Ok(())
}

struct Wait<'a> {
    farm: &'a Farm,
    target: Target,
    bar: Option<ProgressBar>,
    json: bool,
    saved: usize,
    failed: usize,
}

impl Wait<'_> {
    fn happened(&mut self, event: FarmEvent, open: &mut HashMap<Token, u32>) -> Result<()> {
        match event {
            FarmEvent::Ended { job, ended } => {
                let Some(index) = open.remove(&job) else { return Ok(()) };
                match ended {
                    Ended::Finished(ready) => {
                        let collected = self.farm.collect(&ready)?;
                        let (width, height) = (collected.pixels.width(), collected.pixels.height());
                        let saved = self.target.save(index, collected.pixels, &collected.recipe)?;
                        self.saved += 1;
                        if self.json {
                            output::json_line(&json!({
                                "event": "picture", "job": job, "path": saved.path.to_string_lossy(),
                                "seed": collected.recipe.seed, "width": width, "height": height,
                                "worker": collected.worker, "seconds": collected.seconds,
                            }));
                        } else {
                            self.quietly(|| output::line(&saved.path.to_string_lossy()));
                        }
                    }
                    Ended::Failed(failure) => {
                        self.failed += 1;
                        if self.json {
                            output::json_line(&json!({ "event": "failed", "job": job, "failure": failure }));
                        } else {
                            self.quietly(|| output::warning(&format!("job {job}: {}", failure.message)));
                        }
                    }
                }
                // Only now, when the picture is on the disk.
                self.farm.confirm(&job)?;
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            FarmEvent::News { job, news: News::Again(failure) } => {
                self.quietly(|| output::warning(&format!("job {job} is tried again: {}", failure.message)));
            }
            FarmEvent::News { job, news: News::Step { step, steps, .. } } if self.json => {
                let line = json!({ "event": "progress", "job": job, "step": step, "steps": steps });
                output::json_line(&line);
            }
            FarmEvent::Disconnected => {
                self.quietly(|| output::warning("the connection to the farm is lost; trying again"));
            }
            FarmEvent::Connected | FarmEvent::News { .. } => {}
        }
        Ok(())
    }

    fn quietly(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

/// The recipes in a file.
fn read(path: &Path) -> Result<Vec<Recipe>> {
    let unreadable = |failure: Failure| failure.context(format!("`{}` cannot be used", path.display()));
    if let Ok(info) = picture::read(path) {
        return match info.recipe {
            Some(Ok(recipe)) => Ok(vec![recipe]),
            Some(Err(error)) => Err(unreadable(Failure::from_error(Exit::BadInput, &error))),
            None => Err(Failure::bad_input(format!("the picture `{}` carries no recipe", path.display()))),
        };
    }
    let io = |error: std::io::Error| unreadable(Failure::from_error(Exit::BadInput, &error));
    let size = fs::metadata(path).map_err(io)?.len();
    if size > MAX_BYTES {
        return Err(Failure::bad_input(format!("`{}` is too large to be recipes", path.display())));
    }
    let text = fs::read_to_string(path).map_err(io)?;
    if let Ok(recipe) = Recipe::from_json(&text) {
        return Ok(vec![recipe]);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let recipes: Vec<Recipe> = lines
        .map(|(number, line)| {
            Recipe::from_json(line).map_err(|error| {
                Failure::from_error(Exit::BadInput, &error).context(format!(
                    "`{}`, line {}, is no recipe",
                    path.display(),
                    number + 1
                ))
            })
        })
        .collect::<Result<_>>()?;
    if recipes.is_empty() {
        return Err(Failure::bad_input(format!("`{}` holds no recipe", path.display())));
    }
    Ok(recipes)
}

/// One submission a picture. Its id comes from its recipe, so that the same again finds what was drawn before.
fn submissions(recipes: &[Recipe], options: &SubmitOptions, hash: Option<&str>) -> Result<Vec<Submission>> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut submissions = Vec::new();
    for recipe in recipes {
        if recipe.init.is_some() {
            return Err(Failure::bad_input(
                "a recipe that starts from a picture cannot be submitted from a file",
            )
            .hint("put it into the queue of a studio that uses the farm: `tarim queue add --init`"));
        }
        for index in 0..options.count {
            let mut recipe = recipe.nth(index.into());
            if recipe.model.hash.is_none() {
                recipe.model.hash = hash.map(str::to_owned);
            }
            let json =
                recipe.canonical_json().map_err(|error| Failure::from_error(Exit::BadInput, &error))?;
            let times = seen.entry(json.clone()).or_default();
            let id = &sha256(format!("{json}\n{times}").as_bytes())[..32];
            *times += 1;
            let job = Token::new(id).map_err(|error| Failure::from_error(Exit::BadInput, &error))?;
            submissions.push(Submission { tries: options.tries, ..Submission::new(job, recipe) });
        }
    }
    Ok(submissions)
}

/// The model's hash; and the model on the farm, where it is to be shared.
fn prepare_model(farm: &Farm, path: &Path, share: bool) -> Result<String> {
    let checkpoint = model::open(path)?;
    let hash = checkpoint
        .hash(&mut |_, _| {})
        .map_err(|error| Failure::from_error(Exit::BadInput, &error).context("the model cannot be read"))?
        .hex();
    if share {
        let token = Token::new(&hash).map_err(|error| Failure::from_error(Exit::BadInput, &error))?;
        let files = model_files(path, checkpoint.files().iter().map(AsRef::as_ref));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = checkpoint.layout() == Layout::DiffusersFolder;
        farm.share_model(&token, &name, folder, &files, &mut |_, _| true)?;
    }
    Ok(hash)
}

/// Says before the wait begins that it may not end.
fn warn_of_models(farm: &Farm, submissions: &[Submission]) -> Result<()> {
    let mut models: Vec<Token> =
        submissions.iter().filter_map(|one| Token::new(one.recipe.model.hash.clone()?).ok()).collect();
    models.sort();
    models.dedup();
    for place in farm.places(&models)? {
        if !place.can_be_drawn() {
            let short: String = place.model.as_str().chars().take(10).collect();
            output::warning(&format!("no worker has the model {short}; its jobs wait for one that does"));
        }
    }
    Ok(())
}
