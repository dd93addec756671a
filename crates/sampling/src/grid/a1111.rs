//! Schedules as A1111 1.10's `sd_schedulers.py` and k-diffusion's `sampling.py` compute them.

use tarim_recipe::{Sampler, Schedule};

use super::{GridOptions, Levels, beta};
use crate::{NoiseSchedule, noise_schedule::linspace};

/// Levels of `steps` steps and a last one of 0 (KL Optimal: the lowest level), with unrounded timesteps.
pub(super) fn levels(
    sampler: Sampler,
    schedule: Schedule,
    steps: usize,
    noise: &NoiseSchedule,
    options: &GridOptions,
) -> Levels {
    // A1111's `discard_next_to_last_sigma`: the midpoint towards the lowest level would come out wrong.
    let discard = matches!(sampler, Sampler::Dpm2 | Sampler::Dpm2Ancestral);
    let mut sigmas = sigmas(schedule, steps + usize::from(discard), noise, options);
    if discard && sigmas.len() > 2 {
        sigmas.remove(sigmas.len() - 2);
    }
    let steps = sigmas.len() - 1;
    let timesteps = sigmas.iter().take(steps).map(|&sigma| noise.sigma_to_t(sigma)).collect();
    Levels { sigmas, timesteps }
}

fn sigmas(schedule: Schedule, n: usize, noise: &NoiseSchedule, options: &GridOptions) -> Vec<f64> {
    let (min, max) = (noise.sigma_min(), noise.sigma_max());
    let last_timestep = (noise.timesteps() - 1) as f64;
    let at_timesteps =
        |timesteps: Vec<f64>| -> Vec<f64> { timesteps.into_iter().map(|t| noise.t_to_sigma(t)).collect() };
    let mut sigmas: Vec<f64> = match schedule {
        Schedule::Karras => karras(n, min, max, options.karras_rho),
        Schedule::Exponential => exponential(n, min, max),
        Schedule::Polyexponential => polyexponential(n, min, max, options.polyexponential_rho),
        Schedule::SgmUniform => {
            at_timesteps(linspace(last_timestep, 0.0, n + 1)).into_iter().take(n).collect()
        }
        Schedule::KlOptimal => {
            let (low, high) = (min.atan(), max.atan());
            let share = |i: usize| i as f64 / n as f64;
            return (0..=n).map(|i| (share(i) * low + (1.0 - share(i)) * high).tan()).collect();
        }
        Schedule::AlignYourSteps => align_your_steps(n, options.sdxl),
        Schedule::Simple => {
            let stride = noise.timesteps() as f64 / n as f64;
            noise_levels(noise, (0..n).map(|i| noise.timesteps() - 1 - (i as f64 * stride) as usize))
        }
        Schedule::Ddim => {
            let stride = (noise.timesteps() / n).max(1);
            let visited: Vec<usize> = (1..noise.timesteps()).step_by(stride).collect();
            noise_levels(noise, visited.into_iter().rev())
        }
        Schedule::Beta => beta::levels(n, min, max),
        // `Normal` is ComfyUI's name for the same; the spacings come from diffusers and never get here.
        Schedule::Automatic
        | Schedule::Uniform
        | Schedule::Normal
        | Schedule::Leading
        | Schedule::Trailing
        | Schedule::Linspace => at_timesteps(linspace(last_timestep, 0.0, n)),
    };
    sigmas.push(0.0);
    sigmas
}

fn noise_levels(noise: &NoiseSchedule, timesteps: impl Iterator<Item = usize>) -> Vec<f64> {
    timesteps.filter_map(|timestep| noise.sigmas().get(timestep).copied()).collect()
}

/// Karras et al. 2022 (arXiv:2206.00364), equation 5.
pub(crate) fn karras(n: usize, min: f64, max: f64, rho: f64) -> Vec<f64> {
    let (low, high) = (min.powf(1.0 / rho), max.powf(1.0 / rho));
    linspace(0.0, 1.0, n).into_iter().map(|ramp| (high + ramp * (low - high)).powf(rho)).collect()
}

/// Even in log sigma.
pub(super) fn exponential(n: usize, min: f64, max: f64) -> Vec<f64> {
    linspace(max.ln(), min.ln(), n).into_iter().map(f64::exp).collect()
}

fn polyexponential(n: usize, min: f64, max: f64, rho: f64) -> Vec<f64> {
    let (low, high) = (min.ln(), max.ln());
    linspace(1.0, 0.0, n).into_iter().map(|ramp| (ramp.powf(rho) * (high - low) + low).exp()).collect()
}

/// Sabour et al. 2024 (arXiv:2404.14507), from the authors' tables by log-linear interpolation.
fn align_your_steps(n: usize, sdxl: bool) -> Vec<f64> {
    const SD15: [f64; 11] = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029];
    const SDXL: [f64; 11] = [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029];
    let table = if sdxl { SDXL } else { SD15 };
    // A single step must start from the top; A1111's interpolation would start it from the bottom.
    linspace(0.0, 10.0, n)
        .into_iter()
        .map(|place| {
            let low = (place.floor() as usize).min(9);
            let (from, to) = (table[low].ln(), table[low + 1].ln());
            (from + (place - low as f64) * (to - from)).exp()
        })
        .collect()
}
