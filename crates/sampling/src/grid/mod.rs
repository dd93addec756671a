//! Which noise levels a run visits, and at which timesteps the network is asked.

mod a1111;
mod beta;
mod diffusers;

pub(crate) use a1111::karras;

use tarim_recipe::{Sampler, Schedule};

use crate::{GridError, NoiseSchedule};

/// Whose arithmetic turns a schedule's name into levels, where the two differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Convention {
    /// A1111 over k-diffusion: the model's whole range of levels, timesteps interpolated and never rounded, DPM2's
    /// next-to-last level left out. [`Schedule::Leading`], [`Schedule::Trailing`] and [`Schedule::Linspace`] are
    /// diffusers' all the same.
    #[default]
    A1111,
    /// diffusers' scheduler class for the sampler: `use_karras_sigmas`, `use_exponential_sigmas` and
    /// `use_beta_sigmas` over `GridOptions::spacing`, timesteps rounded or cut where that class does so. Schedules
    /// that diffusers lacks stay A1111's.
    Diffusers,
}

/// The level after the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinalSigma {
    /// `final_sigmas_type="zero"`, `set_alpha_to_one=true`.
    Zero,
    /// `final_sigmas_type="sigma_min"`, `set_alpha_to_one=false`.
    SigmaMin,
}

/// The finer choices.
#[derive(Clone, Debug, PartialEq)]
pub struct GridOptions {
    /// Whose arithmetic.
    pub convention: Convention,
    /// diffusers' `steps_offset` for [`Schedule::Leading`]; 1 for Stable Diffusion.
    pub steps_offset: u32,
    /// The level after the last step; `None` is what the sampler's diffusers class does with Stable Diffusion's
    /// configuration: the lowest level for DDIM, PNDM and DEIS, else zero. Used by diffusers' spacings only.
    pub final_sigma: Option<FinalSigma>,
    /// Under [`Convention::Diffusers`], the spacing below Karras, exponential and beta levels.
    pub spacing: Schedule,
    /// Exponent of the Karras schedule.
    pub karras_rho: f64,
    /// Exponent of the polyexponential schedule.
    pub polyexponential_rho: f64,
    /// LCM's and TCD's `original_inference_steps`.
    pub original_inference_steps: u32,
    /// Align Your Steps' table for Stable Diffusion XL rather than 1.5.
    pub sdxl: bool,
}

impl Default for GridOptions {
    fn default() -> Self {
        Self {
            convention: Convention::A1111,
            steps_offset: 1,
            final_sigma: None,
            spacing: Schedule::Linspace,
            karras_rho: 7.0,
            polyexponential_rho: 1.0,
            original_inference_steps: 50,
            sdxl: false,
        }
    }
}

/// A sampler's run, ready to go: levels, timesteps and scales.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The solver.
    pub sampler: Sampler,
    /// The schedule, [`Schedule::Automatic`] resolved.
    pub schedule: Schedule,
    /// Falling levels, one more than there are steps; the last is what the run ends at.
    pub sigmas: Vec<f64>,
    /// The network's timestep at each level but the last.
    pub timesteps: Vec<f64>,
    /// txt2img starts from unit noise times this.
    pub initial_scale: f64,
    /// Where step `i` leads: `sigmas[i + 1]` but for diffusers' DDIM and PNDM, which go down by a whole number of
    /// timesteps and take the result for a sample of the next level, even where rounding put that one elsewhere.
    pub(crate) targets: Vec<f64>,
    /// Whether samples are variance preserving to the reference, so that a run that ends above 0 is scaled.
    pub(crate) preserving: bool,
    /// Which evaluation PNDM does twice, counted from the start of the run.
    pub(crate) repeat: Option<usize>,
    /// Timesteps between levels, where diffusers' PNDM counts by it.
    pub(crate) stride: Option<usize>,
    /// Whether the levels are diffusers', which chooses between it and k-diffusion where their samplers differ too.
    pub(crate) as_diffusers: bool,
    /// Steps before [`Grid::with_strength`], by which DEIS decides how to end.
    pub(crate) planned: usize,
}

/// Levels as a schedule function gives them.
pub(crate) struct Levels {
    /// With the last.
    pub(crate) sigmas: Vec<f64>,
    /// Without.
    pub(crate) timesteps: Vec<f64>,
}

/// Whether diffusers writes the sampler in variance-preserving form, starting from unit noise at the first level.
fn variance_preserving(sampler: Sampler) -> bool {
    use Sampler::{
        Ddim, Ddpm, Deis, Dpm2, Dpm2Ancestral, DpmPp2M, DpmPp2MSde, DpmPp2MSdeHeun, DpmPp2SAncestral,
        DpmPp3MSde, DpmPpSde, Euler, EulerAncestral, Heun, Lcm, Lms, Pndm, Restart, Tcd, UniPc,
    };
    match sampler {
        Ddim | Ddpm | Pndm | UniPc | Deis | Lcm | Tcd | DpmPp2M | DpmPp2MSde | DpmPp2MSdeHeun
        | DpmPp3MSde => true,
        Euler | EulerAncestral | Heun | Dpm2 | Dpm2Ancestral | DpmPp2SAncestral | DpmPpSde | Lms
        | Restart => false,
    }
}

impl Grid {
    /// The levels of `steps` steps.
    ///
    /// A1111's `DDIM` schedule visits more levels than asked for where the timesteps do not divide evenly, as it does
    /// there; [`Grid::steps`] tells.
    pub fn new(
        sampler: Sampler,
        schedule: Schedule,
        steps: u32,
        noise: &NoiseSchedule,
        options: &GridOptions,
    ) -> Result<Self, GridError> {
        let steps = steps as usize;
        let few_step = matches!(sampler, Sampler::Lcm | Sampler::Tcd);
        let schedule = schedule.resolve(sampler);
        let spaced = matches!(schedule, Schedule::Leading | Schedule::Trailing | Schedule::Linspace);
        options.check(few_step, noise)?;
        let most = if few_step && spaced {
            noise.timesteps().min(options.original_inference_steps as usize)
        } else {
            noise.timesteps()
        };
        if !(1..=most).contains(&steps) {
            return Err(GridError::Steps { steps, most });
        }

        let as_diffusers = options.convention == Convention::Diffusers
            && matches!(schedule, Schedule::Karras | Schedule::Exponential | Schedule::Beta);
        let as_diffusers = spaced || as_diffusers;
        let levels = if as_diffusers {
            diffusers::levels(sampler, schedule, steps, noise, options)
        } else {
            a1111::levels(sampler, schedule, steps, noise, options)
        };
        let Levels { sigmas, timesteps } = levels;
        if let Some((step, sigma)) = unusable(&sigmas) {
            return Err(GridError::Levels { schedule, step, sigma });
        }

        let strided = spaced && matches!(sampler, Sampler::Ddim | Sampler::Pndm);
        let stride = strided.then_some(noise.timesteps() / steps);
        let mut targets: Vec<f64> = sigmas.iter().skip(1).copied().collect();
        if let Some(stride) = stride {
            // Also the last, where rounding leaves a timestep below it (6 steps, trailing).
            for (target, timestep) in targets.iter_mut().zip(&timesteps) {
                let below = timestep - stride as f64;
                if below >= 0.0 {
                    *target = noise.t_to_sigma_linear(below);
                }
            }
        }
        let preserving = variance_preserving(sampler);
        let first = sigmas.first().copied().unwrap_or_default();
        let narrow =
            spaced && schedule == Schedule::Leading || as_diffusers && options.spacing == Schedule::Leading;
        let vp_start = if spaced || as_diffusers {
            preserving || narrow
        } else {
            // A1111 starts its "timesteps samplers" from unit noise, its k-diffusion samplers from `noise * sigma`.
            preserving
                && !matches!(
                    sampler,
                    Sampler::DpmPp2M | Sampler::DpmPp2MSde | Sampler::DpmPp2MSdeHeun | Sampler::DpmPp3MSde
                )
        };
        let initial_scale = if vp_start { first.hypot(1.0) } else { first };
        let preserving = preserving && as_diffusers;
        let repeat = (sampler == Sampler::Pndm && timesteps.len() > 1).then_some(1);
        let planned = timesteps.len();
        Ok(Self {
            sampler,
            schedule,
            sigmas,
            timesteps,
            initial_scale,
            targets,
            preserving,
            repeat,
            stride,
            as_diffusers,
            planned,
        })
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.timesteps.len()
    }

    /// The end of the run for img2img: `int(steps * strength)` steps, as diffusers counts them.
    ///
    /// A1111 does one step more for the same strength (`int(steps * strength) + 1`); ask for a higher strength to get
    /// it. Strength 0 leaves no step: [`crate::sample`] then returns the latents unchanged, and `sigmas[0]` is the
    /// level of a finished picture, at which no noise need be added.
    pub fn with_strength(mut self, strength: f64) -> Result<Self, GridError> {
        if !(0.0..=1.0).contains(&strength) {
            return Err(GridError::Strength(strength));
        }
        let steps = self.steps();
        let kept = ((steps as f64 * strength) as usize).min(steps);
        let mut skip = steps - kept;
        if kept == 0 {
            skip = steps;
        } else if self.stride.is_some() && self.repeat.is_some() {
            // diffusers cuts PNDM's list of evaluations, in which the second timestep stands twice.
            match skip {
                0 => {}
                1 => self.repeat = Some(0),
                _ => {
                    self.repeat = None;
                    skip -= 1;
                }
            }
        }
        self.sigmas.drain(..skip);
        self.timesteps.drain(..skip);
        self.targets.drain(..skip);
        if kept == 0 {
            self.sigmas = vec![0.0];
        }
        let first = self.sigmas.first().copied().unwrap_or_default();
        if skip > 0 {
            self.initial_scale = first;
        }
        if self.stride.is_none() {
            self.repeat = (self.sampler == Sampler::Pndm && self.steps() > 1).then_some(1);
        }
        Ok(self)
    }

    /// The level that step `step` starts at; the last level beyond the end.
    pub(crate) fn sigma(&self, step: usize) -> f64 {
        self.sigmas.get(step).or(self.sigmas.last()).copied().unwrap_or_default()
    }

    /// The level that step `step` leads to.
    pub(crate) fn target(&self, step: usize) -> f64 {
        self.targets.get(step).copied().unwrap_or_default()
    }

    /// The timestep that step `step` starts at.
    pub(crate) fn timestep(&self, step: usize) -> f64 {
        self.timesteps.get(step).or(self.timesteps.last()).copied().unwrap_or_default()
    }
}

impl GridOptions {
    fn check(&self, few_step: bool, noise: &NoiseSchedule) -> Result<(), GridError> {
        let positive = |name, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(GridError::Option { name, value, range: "it is above 0" })
            }
        };
        positive("karras_rho", self.karras_rho)?;
        positive("polyexponential_rho", self.polyexponential_rho)?;
        let option = |name, value: u32, range| GridError::Option { name, value: value.into(), range };
        if self.steps_offset as usize >= noise.timesteps() {
            return Err(option(
                "steps_offset",
                self.steps_offset,
                "it is below the number of training timesteps",
            ));
        }
        if few_step && !(1..=noise.timesteps()).contains(&(self.original_inference_steps as usize)) {
            let range = "it is 1 to the number of training timesteps";
            return Err(option("original_inference_steps", self.original_inference_steps, range));
        }
        Ok(())
    }
}

/// The first level that is not finite, negative, or above the one before.
fn unusable(sigmas: &[f64]) -> Option<(usize, f64)> {
    let mut before = f64::INFINITY;
    for (step, &sigma) in sigmas.iter().enumerate() {
        if !sigma.is_finite() || sigma < 0.0 || sigma > before {
            return Some((step, sigma));
        }
        before = sigma;
    }
    None
}
