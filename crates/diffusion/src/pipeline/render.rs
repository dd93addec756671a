//! Rendering prepared recipes.

use std::any::Any;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tarim_checkpoint::Task;
use tarim_recipe::{Recipe, Sampler};
use tarim_sampling::{FinalSigma, Grid, GridOptions, Options, SampleError, sample};

use super::api::{Picture, RenderInputs, Rendering, Stage, StepObserver};
use super::denoiser::{Counters, Evaluator, Stop, Subject, restore};
use super::error::{PipelineError, Result};
use super::guidance::Guidance;
use super::latents::{LatentBatch, Shape};
use super::load::Pipeline;
use super::noise::Noise;
use super::raster::Raster;
use super::start::{self, Paste, Start, Work};
use super::text::Prompts;

impl Pipeline {
    /// Renders one picture; see [`Self::render_batch`].
    ///
    /// # Errors
    /// As there.
    pub fn render(
        &mut self,
        inputs: &RenderInputs<'_>,
        observer: &mut dyn StepObserver,
    ) -> Result<Rendering> {
        self.render_batch(std::slice::from_ref(inputs), observer)
    }

    /// Renders pictures in order. Neighbours that agree in size, sampler, schedule, steps, eta and strength may share
    /// UNet calls ([`LoadOptions::pictures_per_call`](super::LoadOptions)); each has its own generator.
    ///
    /// # Errors
    /// Everything that can be told beforehand is, before the first step. An error loses the pictures of this call that
    /// the observer has not been given; the pipeline stays usable.
    pub fn render_batch(
        &mut self,
        inputs: &[RenderInputs<'_>],
        observer: &mut dyn StepObserver,
    ) -> Result<Rendering> {
        for input in inputs {
            self.check(input)?;
        }
        // What a panic may leave half done (a cache entry, a lazily loaded network) is only ever replaced whole.
        catch_unwind(AssertUnwindSafe(|| self.run(inputs, observer)))
            .unwrap_or_else(|panic| Err(PipelineError::Fault { message: message_of(panic.as_ref()) }))
    }

    fn check(&self, inputs: &RenderInputs<'_>) -> Result<()> {
        let recipe = inputs.recipe;
        recipe.validate()?;
        if recipe.precision != self.precision {
            let problem =
                format!("is {:?}, but the model is loaded in {:?}", recipe.precision, self.precision);
            return Err(PipelineError::input("precision", problem));
        }
        start::check(inputs, self.kind.task)?;
        let factor = self.vae.factor();
        if !(recipe.size.width().is_multiple_of(factor) && recipe.size.height().is_multiple_of(factor)) {
            let problem = format!("is {}, but this model draws multiples of {factor}", recipe.size);
            return Err(PipelineError::input("size", problem));
        }
        self.grid(recipe).map(|_| ())
    }

    fn run(&mut self, inputs: &[RenderInputs<'_>], observer: &mut dyn StepObserver) -> Result<Rendering> {
        let mut rendering = Rendering {
            pictures: Vec::with_capacity(inputs.len()),
            cancelled: false,
            warnings: Vec::new(),
            unet_calls: 0,
            unet_rows: 0,
        };
        let mut counters = Counters::default();
        let mut first = 0;
        while first < inputs.len() {
            let rest = inputs.get(first..).unwrap_or_default();
            let count = together(rest, self.kind.task).min(self.pictures_per_call).max(1);
            let group = rest.get(..count).unwrap_or_default();
            let ended = self.group(group, first..first + count, observer, &mut counters, &mut rendering);
            match ended {
                Ok(()) => first += count,
                Err(Stop::Cancelled) => {
                    rendering.cancelled = true;
                    break;
                }
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        (rendering.unet_calls, rendering.unet_rows) = (counters.calls, counters.rows);
        Ok(rendering)
    }

    /// Renders pictures that share their calls.
    fn group(
        &mut self,
        inputs: &[RenderInputs<'_>],
        places: Range<usize>,
        observer: &mut dyn StepObserver,
        counters: &mut Counters,
        rendering: &mut Rendering,
    ) -> Result<(), Stop> {
        let Some(RenderInputs { recipe: leader, .. }) = inputs.first() else { return Ok(()) };
        proceed(observer.stage(places.clone(), Stage::Encoding))?;
        let factor = self.vae.factor();
        let shape = Shape {
            channels: self.vae.channels(),
            height: (leader.size.height() / factor) as usize,
            width: (leader.size.width() / factor) as usize,
        };
        let mut works = Vec::with_capacity(inputs.len());
        for input in inputs {
            works.push(start::prepare(input, self.kind.task, &mut self.vae, shape)?);
        }
        let grid = self.grid(leader)?;
        let mut noise = Noise::new(shape, grid.sampler);
        let mut subjects = Vec::new();
        let mut beginnings = Vec::new();
        let mut ends = Vec::with_capacity(inputs.len());
        for (input, work) in inputs.iter().zip(works) {
            match work {
                Work::Done(picture, why) => {
                    rendering.warnings.extend(why.map(str::to_owned));
                    ends.push(End::Known(picture));
                }
                Work::Render(start) => {
                    let Start { latents, noise_cells, channels, blend, paste } = *start;
                    let first_noise = noise.add(input.recipe);
                    beginnings.push(beginning(latents, &first_noise, noise_cells.as_deref(), &grid));
                    let prompts = self.text.prompts(input.recipe)?;
                    subjects.push(Subject {
                        guidance: self.guidance(input.recipe, &prompts),
                        prompts,
                        channels,
                        can_hide_channels: self.kind.task == Task::InstructPix2Pix,
                        blend,
                        noise: first_noise,
                    });
                    ends.push(End::Rendered(paste));
                }
            }
        }
        let mut finished = LatentBatch::new(shape, beginnings);
        if !subjects.is_empty() {
            proceed(observer.stage(places.clone(), Stage::Sampling))?;
            let prediction = self.prediction();
            let mut evaluator = Evaluator {
                unet: &self.unet,
                vae: &mut self.vae,
                prediction,
                subjects: &subjects,
                pictures: places.clone(),
                observer,
                counters,
                estimate: None,
            };
            let options = Options { eta: leader.eta, ..Options::default() };
            finished = sample(&grid, &self.noise_schedule, finished, &mut evaluator, &mut noise, &options)
                .map_err(|error| match error {
                    SampleError::Denoiser(stop) => stop,
                    SampleError::Grid(error) => Stop::Failed(error.into()),
                })?;
            restore(&mut finished, &subjects, 0.0);
            if !finished.is_finite() {
                let steps = grid.steps() as u32;
                return Err(Stop::Failed(PipelineError::NotFinite { step: steps, steps }));
            }
        }
        self.finish(inputs, places, &finished, ends, observer, rendering)
    }

    fn finish(
        &mut self,
        inputs: &[RenderInputs<'_>],
        places: Range<usize>,
        finished: &LatentBatch,
        ends: Vec<End>,
        observer: &mut dyn StepObserver,
        rendering: &mut Rendering,
    ) -> Result<(), Stop> {
        let mut latents = finished.pictures();
        for ((input, place), end) in inputs.iter().zip(places).zip(ends) {
            if !observer.wants_picture(place) {
                if matches!(end, End::Rendered(_)) {
                    latents.next();
                }
                continue;
            }
            proceed(observer.stage(place..place + 1, Stage::Decoding))?;
            let raster = match end {
                End::Known(picture) => picture,
                End::Rendered(paste) => {
                    let values = latents.next().unwrap_or_default();
                    observer.latents(place, values);
                    let (decoded, again) = self.vae.decode(values, finished.shape())?;
                    if again {
                        rendering.warnings.push(
                            "the VAE overflowed, so the picture was decoded again in float32; precision fp32 avoids \
                             the second decoding"
                                .to_owned(),
                        );
                    }
                    match paste {
                        Some(paste) => paste.finish(&decoded),
                        None => decoded,
                    }
                }
            };
            let picture = Picture {
                width: raster.width(),
                height: raster.height(),
                seed: input.recipe.seed,
                rgb: raster.into_bytes(),
            };
            observer.picture(place, &picture);
            rendering.pictures.push(picture);
        }
        Ok(())
    }

    fn guidance(&self, recipe: &Recipe, prompts: &Prompts) -> Guidance {
        let weights: Vec<f64> = prompts.positive.iter().map(|part| part.weight).collect();
        let picture_scale = match (&recipe.init, self.kind.task) {
            (Some(init), Task::InstructPix2Pix) => Some(init.image_guidance_scale),
            _ => None,
        };
        Guidance::new(&weights, recipe.guidance_scale, picture_scale, recipe.guidance_rescale)
    }

    /// The levels of a recipe's run, from its strength on.
    fn grid(&self, recipe: &Recipe) -> Result<Grid> {
        let config = &self.scheduler;
        let final_sigma = matches!(recipe.sampler, Sampler::Ddim | Sampler::Pndm)
            .then_some(if config.set_alpha_to_one { FinalSigma::Zero } else { FinalSigma::SigmaMin });
        let options = GridOptions {
            // diffusers' Stable Diffusion pipelines take any other for an outdated file, as they do `clip_sample`.
            steps_offset: 1,
            final_sigma,
            original_inference_steps: config.original_inference_steps,
            ..GridOptions::default()
        };
        let grid = Grid::new(recipe.sampler, recipe.schedule, recipe.steps, &self.noise_schedule, &options)?;
        let Some(strength) = start::strength(recipe, self.kind.task) else { return Ok(grid) };
        // A strength too small for one step still asks for a change.
        let least = 1.0 / grid.steps().max(1) as f64 + f64::EPSILON;
        let strength = if strength > 0.0 { strength.max(least) } else { strength };
        Ok(grid.with_strength(strength)?)
    }
}

/// How a picture comes about.
enum End {
    /// It was known without rendering.
    Known(Raster),
    /// Decoded, and pasted into the initial picture where there was a mask.
    Rendered(Option<Paste>),
}

/// How many of the first inputs can share their calls.
fn together(inputs: &[RenderInputs<'_>], task: Task) -> usize {
    let key = |input: &RenderInputs<'_>| {
        let Recipe { size, sampler, schedule, steps, eta, .. } = *input.recipe;
        (
            size,
            sampler,
            schedule,
            steps,
            eta.map(f64::to_bits),
            start::strength(input.recipe, task).map(f64::to_bits),
        )
    };
    let first = inputs.first().map(key);
    inputs.iter().take_while(|input| Some(key(input)) == first).count()
}

fn proceed(flow: ControlFlow<()>) -> Result<(), Stop> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Stop::Cancelled),
    }
}

/// What the sampler starts from.
fn beginning(
    latents: Option<Vec<f32>>,
    noise: &[f32],
    noise_cells: Option<&[bool]>,
    grid: &Grid,
) -> Vec<f32> {
    let Some(mut latents) = latents else {
        return noise.iter().map(|noise| (f64::from(*noise) * grid.initial_scale) as f32).collect();
    };
    if let Some(noise_cells) = noise_cells {
        let cells = latents.iter_mut().zip(noise).zip(noise_cells.iter().cycle());
        cells.filter(|(_, drawn)| **drawn).for_each(|((value, noise), _)| *value = *noise);
    }
    let sigma = grid.sigmas.first().copied().unwrap_or_default();
    latents.iter().zip(noise).map(|(x, noise)| (f64::from(*x) + sigma * f64::from(*noise)) as f32).collect()
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}
