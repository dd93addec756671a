//! Running a sampler over a grid.

use tarim_recipe::Sampler;

use crate::{
    Denoiser, Grid, GridError, Latents, NoiseSampler, NoiseSchedule, Prediction, SampleError, StepEnd,
    StepInfo,
    samplers::{self, SecondOrder},
};

/// Parameters of samplers; each uses what it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How much noise comes back each step, 0 to 1 (ancestral and SDE samplers take more): DDIM's η, TCD's γ.
    /// `None` is the sampler's own: DDIM 0, TCD 0.3, the others 1.
    pub eta: Option<f64>,
    /// Scale of the noise that comes back; 1 is right in theory.
    pub s_noise: f64,
    /// Karras et al.'s churn for Euler, Heun and DPM2; 0 is off.
    pub s_churn: f64,
    /// Lowest level that churns.
    pub s_tmin: f64,
    /// Highest level that churns.
    pub s_tmax: f64,
    /// DPM++ SDE's middle of a step, in log sigma, between 0 and 1.
    pub r: f64,
    /// LMS's order, 1 to 4.
    pub lms_order: usize,
    /// What the network predicts. PNDM alone asks: diffusers extrapolates the network's own output there.
    pub prediction: Prediction,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            eta: None,
            s_noise: 1.0,
            s_churn: 0.0,
            s_tmin: 0.0,
            s_tmax: f64::INFINITY,
            r: 0.5,
            lms_order: 4,
            prediction: Prediction::Epsilon,
        }
    }
}

impl Options {
    fn check(&self, sampler: Sampler) -> Result<(), GridError> {
        let option = |name, value, fine: bool, range| {
            if fine { Ok(()) } else { Err(GridError::Option { name, value, range }) }
        };
        let within = |value: f64, most: f64| (0.0..=most).contains(&value);
        if let Some(eta) = self.eta {
            let most = if matches!(sampler, Sampler::Ddim | Sampler::Tcd) { 1.0 } else { 1000.0 };
            let range = "it is 0 to 1 (more with ancestral and SDE samplers)";
            option("eta", eta, within(eta, most), range)?;
        }
        option("s_noise", self.s_noise, within(self.s_noise, 1000.0), "it is 0 or a little above")?;
        option("s_churn", self.s_churn, within(self.s_churn, f64::INFINITY), "it is 0 or above")?;
        option("s_tmin", self.s_tmin, !self.s_tmin.is_nan(), "it is a level")?;
        option("s_tmax", self.s_tmax, !self.s_tmax.is_nan(), "it is a level")?;
        option("r", self.r, self.r > 0.0 && self.r < 1.0, "it lies between 0 and 1")?;
        option("lms_order", self.lms_order as f64, (1..=4).contains(&self.lms_order), "it is 1 to 4")
    }
}

/// Runs the grid's sampler from `x`, which is at the grid's first level, and returns clean latents.
///
/// txt2img starts from `noise * grid.initial_scale`, img2img from `encoded + noise * grid.sigmas[0]`. Noise is drawn
/// once for each place where the reference draws, in its order (for DDIM only with eta above 0).
pub fn sample<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    grid: &Grid,
    schedule: &NoiseSchedule,
    x: L,
    denoiser: &mut D,
    noise: &mut N,
    options: &Options,
) -> Result<L, SampleError<D::Error>> {
    options.check(grid.sampler)?;
    if grid.steps() == 0 {
        return Ok(x);
    }
    let run = &mut Run {
        grid,
        schedule,
        denoiser,
        noise,
        options,
        evaluations: 0,
        types: std::marker::PhantomData,
    };
    let x = match grid.sampler {
        Sampler::Euler => samplers::euler(run, x),
        Sampler::EulerAncestral => samplers::euler_ancestral(run, x),
        Sampler::Heun => samplers::heun(run, x),
        Sampler::Dpm2 => samplers::dpm2(run, x),
        Sampler::Dpm2Ancestral => samplers::dpm2_ancestral(run, x),
        Sampler::DpmPp2SAncestral => samplers::dpmpp_2s_ancestral(run, x),
        Sampler::DpmPp2M => samplers::dpmpp_2m(run, x),
        Sampler::DpmPpSde => samplers::dpmpp_sde(run, x),
        Sampler::DpmPp2MSde => samplers::dpmpp_2m_sde(run, x, SecondOrder::Midpoint),
        Sampler::DpmPp2MSdeHeun => samplers::dpmpp_2m_sde(run, x, SecondOrder::Heun),
        Sampler::DpmPp3MSde => samplers::dpmpp_3m_sde(run, x),
        Sampler::Lms => samplers::lms(run, x),
        Sampler::Ddim => samplers::ddim(run, x),
        Sampler::Ddpm => samplers::ddpm(run, x),
        Sampler::Pndm => samplers::plms(run, x),
        Sampler::UniPc => samplers::unipc(run, x),
        Sampler::Deis => samplers::deis(run, x),
        Sampler::Lcm => samplers::lcm(run, x),
        Sampler::Tcd => samplers::tcd(run, x),
        Sampler::Restart => samplers::restart(run, x),
    }
    .map_err(SampleError::Denoiser)?;
    // A variance-preserving reference leaves √ᾱ x0 + √(1−ᾱ) noise at the last level, and decodes that.
    let last = grid.targets.last().copied().unwrap_or_default();
    Ok(if grid.preserving && last > 0.0 { x.times(1.0 / last.hypot(1.0)) } else { x })
}

/// What a sampler has at hand.
pub(crate) struct Run<'a, L, D, N> {
    pub(crate) grid: &'a Grid,
    pub(crate) schedule: &'a NoiseSchedule,
    pub(crate) options: &'a Options,
    denoiser: &'a mut D,
    noise: &'a mut N,
    evaluations: usize,
    types: std::marker::PhantomData<L>,
}

impl<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>> Run<'_, L, D, N> {
    /// `x0` at a level of the grid.
    pub(crate) fn denoise(&mut self, x: &L, step: usize) -> Result<L, D::Error> {
        self.denoise_at(x, self.grid.sigma(step), self.grid.timestep(step), step)
    }

    /// `x0` at a level between; the network's timestep is interpolated.
    pub(crate) fn denoise_between(&mut self, x: &L, sigma: f64, step: usize) -> Result<L, D::Error> {
        self.denoise_at(x, sigma, self.schedule.sigma_to_t(sigma), step)
    }

    pub(crate) fn denoise_at(
        &mut self,
        x: &L,
        sigma: f64,
        timestep: f64,
        step: usize,
    ) -> Result<L, D::Error> {
        let info = StepInfo { step, steps: self.grid.steps(), evaluation: self.evaluations, timestep };
        self.evaluations += 1;
        self.denoiser.denoise(x, sigma, info)
    }

    /// Unit noise.
    pub(crate) fn noise(&mut self, sigma: f64, sigma_next: f64) -> L {
        self.noise.noise(sigma, sigma_next)
    }

    /// `x` with the noise of the step from `sigma` to `sigma_next` put back, at level `up` times `s_noise`.
    pub(crate) fn renoise(&mut self, x: &L, sigma: f64, sigma_next: f64, up: f64) -> L {
        let noise = self.noise(sigma, sigma_next);
        x.mix(1.0, self.options.s_noise * up, &noise)
    }

    /// Ends a step, at the level the grid has there.
    pub(crate) fn end(&mut self, x: L, step: usize) -> Result<L, D::Error> {
        self.end_at(x, step, self.grid.steps(), self.grid.sigma(step + 1))
    }

    pub(crate) fn end_at(&mut self, x: L, step: usize, steps: usize, sigma: f64) -> Result<L, D::Error> {
        self.denoiser.end_step(x, StepEnd { step, steps, sigma })
    }

    pub(crate) fn eta(&self, usual: f64) -> f64 {
        self.options.eta.unwrap_or(usual)
    }
}

/// Shorthand over [`Latents::linear`].
pub(crate) trait Arithmetic: Latents {
    /// `c x`.
    fn times(&self, factor: f64) -> Self {
        Self::linear(&[(factor, self)])
    }

    /// `a x + b y`.
    fn mix(&self, a: f64, b: f64, y: &Self) -> Self {
        Self::linear(&[(a, self), (b, y)])
    }

    /// Moves along the straight line through the denoised latents, from one level to another: `x0 + (to/from)(x-x0)`.
    fn towards(&self, denoised: &Self, from: f64, to: f64) -> Self {
        let ratio = if from > 0.0 { to / from } else { 1.0 };
        self.mix(ratio, 1.0 - ratio, denoised)
    }

    /// `(x - x0) / sigma`: the noise in the latents, and the ODE's derivative.
    fn derivative(&self, denoised: &Self, sigma: f64) -> Self {
        let inverse = if sigma > 0.0 { 1.0 / sigma } else { 0.0 };
        self.mix(inverse, -inverse, denoised)
    }
}

impl<L: Latents> Arithmetic for L {}
