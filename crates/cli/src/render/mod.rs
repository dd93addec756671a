//! `tarim render`.

mod progress;
pub(crate) mod save;
mod wanted;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use serde_json::json;
use tarim_recipe::prompt::{Role, Severity, Timeline, parse};
use tarim_recipe::{Draft, Environment as Prepared, ModelFacts, Precision, Recipe, prepare};
use tarim_render::{DeviceChoice, Hello, Job, JobEvent, JobId, Outcome, Renderer, ToRender};

use crate::args::render::RenderOptions;
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::interrupt::Interrupt;
use crate::model;
use progress::Reporter;
use save::Target;
use tarim_machine::fresh_seed;
use wanted::Wanted;

/// Each process runs one job.
const JOB: JobId = JobId(1);

pub(crate) fn run(options: &RenderOptions, environment: &Environment) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let mut reporter = Reporter::new(options.json, environment.stderr_is_terminal);
    // Everything that can be wrong without a renderer comes first.
    let wanted = Wanted::gather(options)?;
    let path = model::locate(options.model.as_deref(), environment)?;
    let checkpoint = model::open(&path)?;
    let facts = model::facts(&checkpoint)?;
    let mut recipe = prepared(&wanted.draft, &facts, &mut reporter)?;
    for warning in &wanted.warnings {
        reporter.warning(warning);
    }
    remark_on_prompts(&recipe, &mut reporter);
    let target = Target::new(&options.out, options.count)?;
    // A model of some gigabytes takes seconds to hash; its name in the pictures needs it, rendering does not.
    let hash = thread::spawn(move || checkpoint.hash(&mut |_, _| {}).ok().map(|hash| hash.hex()));

    reporter.stage("starting the renderer");
    let renderer: Arc<dyn Renderer> = Arc::new(environment.renderer()?);
    let hello = renderer.start()?;
    let device = hello.device(options.device).ok_or_else(|| no_such_device(options, &hello))?;
    if let Some(note) = &device.note {
        reporter.warning(note);
    }
    recipe.precision = wanted.draft.precision.unwrap_or(device.preferred_precision);
    reporter.start(&recipe, options.count, &path, &hello, device);
    if options.device == DeviceChoice::Auto && device.id == DeviceChoice::Cpu {
        reporter.notes(&hello.notes);
    }

    let job = Job {
        id: JOB,
        pictures: ToRender::series(&recipe, options.count, wanted.init, wanted.mask),
        model: path,
        device: device.id,
        together: 1,
        preview_every: u32::from(options.preview),
    };
    let events = renderer.submit(job)?;
    interrupt.watch(Arc::clone(&renderer), JOB);
    let mut run = Run {
        recipe,
        wanted_hash: wanted.draft.model.and_then(|model| model.hash),
        target,
        preview: None,
        hash: Some(hash),
        finished: 0,
        failure: None,
    };
    let result = events.iter().find_map(|event| run.happened(event, &mut reporter, &*renderer));
    run.sweep();
    let outcome = result.unwrap_or_else(|| Err(Failure::new(Exit::Renderer, "the renderer is gone")));
    reporter.clear();
    match outcome {
        Ok(Outcome::Finished) => {
            reporter.done("finished", run.finished);
            Ok(())
        }
        Ok(Outcome::Cancelled) => {
            reporter.done("cancelled", run.finished);
            let message = format!("stopped: {} of {} pictures are finished", run.finished, options.count);
            Err(Failure::new(Exit::Cancelled, message))
        }
        Err(failure) => Err(failure),
    }
}

fn prepared(draft: &Draft, model: &ModelFacts, reporter: &mut Reporter) -> Result<Recipe> {
    // The precision is the device's to choose, and the device is known later.
    let environment = Prepared { fresh_seed: fresh_seed(), precision: Precision::Fp32 };
    let (recipe, warnings) =
        prepare(draft, model, &environment).map_err(|error| Failure::from_error(Exit::BadInput, &error))?;
    for warning in warnings {
        reporter.warning(&warning.to_string());
    }
    Ok(recipe)
}

/// Says what in the prompts is broken and rendered all the same.
fn remark_on_prompts(recipe: &Recipe, reporter: &mut Reporter) {
    let prompts = [
        ("the prompt", &recipe.prompt.text, Role::Positive),
        ("the negative prompt", &recipe.negative_prompt.text, Role::Negative),
    ];
    for (name, text, role) in prompts {
        let resolved = parse(text, recipe.emphasis, role).resolve(Timeline::new(recipe.steps));
        for remark in resolved.diagnostics.iter().filter(|remark| remark.severity == Severity::Warning) {
            let place = remark.span.of(text);
            reporter.warning(&format!("{name}, at `{place}`: {}", remark.code.message()));
        }
    }
}

fn no_such_device(options: &RenderOptions, hello: &Hello) -> Failure {
    let ids: Vec<String> = hello.devices.iter().map(|device| format!("`{}`", device.id)).collect();
    let message = format!("there is no device `{}`; there are: {}", options.device, ids.join(", "));
    let failure = Failure::bad_input(message);
    if hello.notes.is_empty() { failure } else { failure.hint(hello.notes.join("; ")) }
}

/// A job under way.
struct Run {
    recipe: Recipe,
    /// The hash of the model that a recipe file asks for, or its beginning.
    wanted_hash: Option<String>,
    target: Target,
    /// The preview's file, once there is one.
    preview: Option<PathBuf>,
    hash: Option<thread::JoinHandle<Option<String>>>,
    finished: u32,
    /// Why the first of those that could not be rendered could not.
    failure: Option<tarim_render::Failure>,
}

impl Run {
    /// Takes note of an event; the last one gives the result.
    fn happened(
        &mut self,
        event: JobEvent,
        reporter: &mut Reporter,
        renderer: &dyn Renderer,
    ) -> Option<Result<Outcome>> {
        match event {
            JobEvent::Stage { stage, .. } => reporter.job_stage(stage),
            JobEvent::Progress { picture, step, steps, preview } => {
                if let Some(preview) = preview {
                    match self.target.save_preview(preview, &self.recipe) {
                        Ok(path) => self.preview = Some(path),
                        Err(failure) => reporter.warning(&failure.message),
                    }
                }
                reporter.progress(picture, step, steps, self.preview.as_deref());
            }
            JobEvent::Picture { picture, seed, pixels, timings } => {
                self.learn_hash(reporter);
                let recipe = self.recipe.nth(picture.into());
                let (width, height) = (pixels.width(), pixels.height());
                match self.target.save(picture, pixels, &recipe) {
                    Ok(saved) => {
                        self.finished += 1;
                        if let Some(warning) = saved.warning {
                            reporter.warning(&warning);
                        }
                        reporter.picture(
                            &saved.path,
                            &json!({
                                "event": "picture",
                                "picture": picture,
                                "seed": seed,
                                "path": saved.path.to_string_lossy(),
                                "width": width,
                                "height": height,
                                "seconds": timings,
                            }),
                        );
                    }
                    Err(failure) => {
                        // The others would end the same way.
                        renderer.kill();
                        return Some(Err(failure));
                    }
                }
            }
            JobEvent::PictureFailed { picture, failure } => {
                reporter.warning(&format!("picture {}: {}", picture + 1, failure.message));
                self.failure.get_or_insert(failure);
            }
            JobEvent::Fewer(_) => {}
            JobEvent::Warning(message) => reporter.warning(&message),
            JobEvent::Done(Outcome::Finished) if self.failure.is_some() => {
                return self.failure.take().map(|failure| Err(failure.into()));
            }
            JobEvent::Done(outcome) => return Some(Ok(outcome)),
            JobEvent::Failed(failure) => return Some(Err(failure.into())),
        }
        None
    }

    /// Before the first picture is written: the model's hash goes into its recipe.
    fn learn_hash(&mut self, reporter: &mut Reporter) {
        let Some(hash) = self.hash.take() else { return };
        self.recipe.model.hash = hash.join().ok().flatten();
        if let (Some(wanted), Some(used)) = (&self.wanted_hash, &self.recipe.model.hash)
            && !used.starts_with(&wanted.to_lowercase())
        {
            reporter.warning(&format!(
                "the recipe was made with another model of hash {}; this one has {}: the picture will differ",
                short(wanted),
                short(used)
            ));
        }
    }

    /// Takes the preview away.
    fn sweep(&self) {
        if let Some(preview) = &self.preview {
            // Somebody else may have been quicker.
            let _ = std::fs::remove_file(preview);
        }
    }
}

fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}
