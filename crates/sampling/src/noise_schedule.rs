//! The noise schedule that a model was trained with.
//!
//! Betas as in diffusers' schedulers (`beta_schedule`, `rescale_betas_zero_snr`), levels and timesteps as in
//! k-diffusion's `DiscreteSchedule`.

use crate::NoiseScheduleError;

/// How betas grow over the training timesteps.
#[derive(Clone, Debug, PartialEq)]
pub enum BetaSchedule {
    /// Evenly from `beta_start` to `beta_end`.
    Linear,
    /// Evenly in the square root: Stable Diffusion's.
    ScaledLinear,
    /// From a squared cosine of `alphas_cumprod`, capped at 0.999 (Nichol and Dhariwal 2021, arXiv:2102.09672).
    SquaredcosCapV2,
    /// After a sigmoid from -6 to 6 (GeoDiff, as diffusers' DDPM).
    Sigmoid,
    /// One beta for each timestep.
    Trained(Vec<f64>),
}

/// What a noise schedule is made from; diffusers' names.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseScheduleConfig {
    /// Ignored where betas are [`BetaSchedule::Trained`].
    pub num_train_timesteps: usize,
    /// First beta.
    pub beta_start: f64,
    /// Last beta.
    pub beta_end: f64,
    /// Between the two.
    pub beta_schedule: BetaSchedule,
    /// Lin et al. 2023 (arXiv:2305.08891), algorithm 1: the last timestep is pure noise.
    pub rescale_betas_zero_snr: bool,
}

impl Default for NoiseScheduleConfig {
    /// Stable Diffusion 1 and 2.
    fn default() -> Self {
        Self {
            num_train_timesteps: 1000,
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: BetaSchedule::ScaledLinear,
            rescale_betas_zero_snr: false,
        }
    }
}

/// What the network predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Prediction {
    /// The noise.
    #[default]
    Epsilon,
    /// The velocity `√ᾱ · noise − √(1−ᾱ) · x0` (Salimans and Ho 2022, arXiv:2202.00512).
    VPrediction,
    /// The clean latents.
    Sample,
}

/// `x0 = c_skip * x + c_out * network(c_in * x, timestep)`, as in Karras et al. 2022 (arXiv:2206.00364), table 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalings {
    /// Weight of the latents themselves.
    pub c_skip: f64,
    /// Weight of the network's output.
    pub c_out: f64,
    /// Scale of the network's input: `√ᾱ`.
    pub c_in: f64,
}

impl Prediction {
    /// The scalings at a level, for latents `x = x0 + sigma * noise`.
    pub fn scalings(self, sigma: f64) -> Scalings {
        let variance = sigma * sigma + 1.0;
        let c_in = 1.0 / variance.sqrt();
        let (c_skip, c_out) = match self {
            Self::Epsilon => (1.0, -sigma),
            Self::VPrediction => (1.0 / variance, -sigma * c_in),
            Self::Sample => (0.0, 1.0),
        };
        Scalings { c_skip, c_out, c_in }
    }
}

/// The levels a model was trained at: `alphas_cumprod` and its sigmas, rising with the timestep.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseSchedule {
    betas: Vec<f64>,
    alphas_cumprod: Vec<f64>,
    sigmas: Vec<f64>,
    log_sigmas: Vec<f64>,
    zero_snr: bool,
}

/// diffusers' stand-in for a last `alphas_cumprod` of 0, "which will make it a small positive value": sigma 4096.
const ZERO_SNR_ALPHA_CUMPROD: f64 = 1.0 / 16_777_216.0;

impl NoiseSchedule {
    /// From betas.
    pub fn new(config: &NoiseScheduleConfig) -> Result<Self, NoiseScheduleError> {
        let count = match &config.beta_schedule {
            BetaSchedule::Trained(betas) => betas.len(),
            _ => config.num_train_timesteps,
        };
        if !(2..=100_000).contains(&count) {
            return Err(NoiseScheduleError::Timesteps(count));
        }
        let mut betas = betas(config, count);
        if let Some((timestep, &value)) =
            betas.iter().enumerate().find(|(_, beta)| !(**beta > 0.0 && **beta < 1.0))
        {
            return Err(NoiseScheduleError::Beta { timestep, value });
        }
        if config.rescale_betas_zero_snr {
            betas = rescale_zero_terminal_snr(&betas);
        }
        let mut alphas_cumprod: Vec<f64> = betas
            .iter()
            .scan(1.0, |product, beta| {
                *product *= 1.0 - beta;
                Some(*product)
            })
            .collect();
        // Also where rounding made the product vanish without the rescaling.
        for alpha in &mut alphas_cumprod {
            *alpha = alpha.max(ZERO_SNR_ALPHA_CUMPROD);
        }
        if config.rescale_betas_zero_snr
            && let Some(last) = alphas_cumprod.last_mut()
        {
            *last = ZERO_SNR_ALPHA_CUMPROD;
        }
        let sigmas: Vec<f64> = alphas_cumprod.iter().map(|alpha| ((1.0 - alpha) / alpha).sqrt()).collect();
        let log_sigmas = sigmas.iter().map(|sigma| sigma.ln()).collect();
        let zero_snr = config.rescale_betas_zero_snr;
        Ok(Self { betas, alphas_cumprod, sigmas, log_sigmas, zero_snr })
    }

    /// Number of training timesteps.
    pub fn timesteps(&self) -> usize {
        self.sigmas.len()
    }

    /// Betas, after rescaling where there is one.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// `ᾱ` of each timestep, falling, all above 0.
    pub fn alphas_cumprod(&self) -> &[f64] {
        &self.alphas_cumprod
    }

    /// `√((1−ᾱ)/ᾱ)` of each timestep, rising.
    pub fn sigmas(&self) -> &[f64] {
        &self.sigmas
    }

    /// Whether the last timestep is pure noise.
    pub fn zero_snr(&self) -> bool {
        self.zero_snr
    }

    /// The lowest trained level.
    pub fn sigma_min(&self) -> f64 {
        self.sigmas.first().copied().unwrap_or_default()
    }

    /// The highest trained level.
    pub fn sigma_max(&self) -> f64 {
        self.sigmas.last().copied().unwrap_or_default()
    }

    /// The timestep of a level, interpolated in log sigma and held at the ends: k-diffusion's unquantized
    /// `sigma_to_t`, which diffusers' `_sigma_to_t` equals.
    pub fn sigma_to_t(&self, sigma: f64) -> f64 {
        let log_sigma = sigma.max(1e-10).ln();
        let above = self.log_sigmas.partition_point(|level| *level <= log_sigma);
        let low = above.saturating_sub(1).min(self.log_sigmas.len().saturating_sub(2));
        let (from, to) = (at(&self.log_sigmas, low), at(&self.log_sigmas, low + 1));
        let weight = if to > from { ((log_sigma - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        low as f64 + weight
    }

    /// The level of a timestep, interpolated in log sigma: k-diffusion's `t_to_sigma`.
    pub fn t_to_sigma(&self, timestep: f64) -> f64 {
        interpolate(&self.log_sigmas, timestep).exp()
    }

    /// The level of a timestep, interpolated in sigma: what diffusers' schedulers do (`np.interp`).
    pub fn t_to_sigma_linear(&self, timestep: f64) -> f64 {
        interpolate(&self.sigmas, timestep)
    }
}

fn at(values: &[f64], index: usize) -> f64 {
    values.get(index).or(values.last()).copied().unwrap_or_default()
}

/// The value at a fractional index, held at both ends.
fn interpolate(values: &[f64], index: f64) -> f64 {
    let index = index.clamp(0.0, values.len().saturating_sub(1) as f64);
    let low = index.floor();
    let weight = index - low;
    let (from, to) = (at(values, low as usize), at(values, low as usize + 1));
    if weight == 0.0 { from } else { from + weight * (to - from) }
}

pub(crate) fn linspace(from: f64, to: f64, count: usize) -> Vec<f64> {
    let last = count.saturating_sub(1);
    let step = if last == 0 { 0.0 } else { (to - from) / last as f64 };
    (0..count).map(|i| if i == last && last > 0 { to } else { from + step * i as f64 }).collect()
}

fn betas(config: &NoiseScheduleConfig, count: usize) -> Vec<f64> {
    let (start, end) = (config.beta_start, config.beta_end);
    match &config.beta_schedule {
        BetaSchedule::Linear => linspace(start, end, count),
        BetaSchedule::ScaledLinear => {
            linspace(start.sqrt(), end.sqrt(), count).into_iter().map(|root| root * root).collect()
        }
        BetaSchedule::SquaredcosCapV2 => {
            let alpha_bar = |time: f64| ((time + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
            (0..count)
                .map(|i| {
                    let (from, to) = (i as f64 / count as f64, (i + 1) as f64 / count as f64);
                    (1.0 - alpha_bar(to) / alpha_bar(from)).min(0.999)
                })
                .collect()
        }
        BetaSchedule::Sigmoid => linspace(-6.0, 6.0, count)
            .into_iter()
            .map(|x| (end - start) / (1.0 + (-x).exp()) + start)
            .collect(),
        BetaSchedule::Trained(betas) => betas.clone(),
    }
}

/// Shifts and scales `√ᾱ` so that the first stays and the last becomes 0.
fn rescale_zero_terminal_snr(betas: &[f64]) -> Vec<f64> {
    let roots: Vec<f64> = betas
        .iter()
        .scan(1.0, |product, beta| {
            *product *= 1.0 - beta;
            Some(f64::sqrt(*product))
        })
        .collect();
    let (first, last) = (at(&roots, 0), at(&roots, roots.len()));
    let mut before = 1.0;
    roots
        .iter()
        .map(|root| {
            let cumprod = ((root - last) * first / (first - last)).powi(2);
            let alpha = cumprod / before;
            before = cumprod;
            1.0 - alpha
        })
        .collect()
}
