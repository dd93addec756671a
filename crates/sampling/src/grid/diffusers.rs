//! Schedules as diffusers' scheduler classes compute them in `set_timesteps`.

use tarim_recipe::{Sampler, Schedule};

use super::{FinalSigma, GridOptions, Levels, a1111, beta};
use crate::{NoiseSchedule, noise_schedule::linspace};

/// How a class spaces timesteps.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    /// Euler and its kin: fractional timesteps, both ends included.
    Fractional,
    /// DPM-Solver++, UniPC, DEIS: whole timesteps, of `steps + 1` spaced ones the last left out.
    Multistep,
    /// DDIM, DDPM, PNDM: whole timesteps.
    Whole,
    /// LCM, TCD: from the distillation's own timesteps.
    Distilled,
}

fn family(sampler: Sampler) -> Family {
    match sampler {
        Sampler::Ddim | Sampler::Ddpm | Sampler::Pndm => Family::Whole,
        Sampler::Lcm | Sampler::Tcd => Family::Distilled,
        Sampler::DpmPp2M
        | Sampler::DpmPp2MSde
        | Sampler::DpmPp2MSdeHeun
        | Sampler::DpmPp3MSde
        | Sampler::UniPc
        | Sampler::Deis => Family::Multistep,
        _ => Family::Fractional,
    }
}

pub(super) fn levels(
    sampler: Sampler,
    schedule: Schedule,
    steps: usize,
    noise: &NoiseSchedule,
    options: &GridOptions,
) -> Levels {
    let family = family(sampler);
    let curved = matches!(schedule, Schedule::Karras | Schedule::Exponential | Schedule::Beta);
    let spacing = if curved { options.spacing } else { schedule };
    let mut timesteps = match (family, spacing) {
        (Family::Distilled, _) => distilled(steps, noise, options),
        (_, Schedule::Leading) => leading(family, steps, noise, options.steps_offset),
        (_, Schedule::Trailing) => trailing(steps, noise),
        _ => evenly(family, steps, noise),
    };
    let mut sigmas: Vec<f64> = timesteps.iter().map(|&t| noise.t_to_sigma_linear(t)).collect();
    if curved {
        let (min, max) = if family == Family::Fractional {
            (sigmas.last().copied().unwrap_or_default(), sigmas.first().copied().unwrap_or_default())
        } else {
            (noise.sigma_min(), noise.sigma_max())
        };
        sigmas = match schedule {
            Schedule::Karras => a1111::karras(steps, min, max, options.karras_rho),
            Schedule::Exponential => a1111::exponential(steps, min, max),
            _ => beta::levels(steps, min, max),
        };
        let rounds =
            family != Family::Fractional || matches!(sampler, Sampler::Dpm2 | Sampler::Dpm2Ancestral);
        timesteps = sigmas
            .iter()
            .map(|&sigma| match (noise.sigma_to_t(sigma), schedule) {
                (t, Schedule::Karras) if rounds => t.round_ties_even(),
                // Not on purpose there: int64 cuts what the Karras branch alone rounds.
                (t, _) if family != Family::Fractional => t.trunc(),
                (t, _) => t,
            })
            .collect();
    }
    sigmas.push(final_sigma(sampler, curved, sigmas.last().copied(), noise, options.final_sigma));
    Levels { sigmas, timesteps }
}

fn final_sigma(
    sampler: Sampler,
    curved: bool,
    lowest: Option<f64>,
    noise: &NoiseSchedule,
    asked: Option<FinalSigma>,
) -> f64 {
    let usual = match sampler {
        Sampler::Ddim | Sampler::Pndm | Sampler::Deis => FinalSigma::SigmaMin,
        _ => FinalSigma::Zero,
    };
    match (sampler, asked.unwrap_or(usual)) {
        // Ends at timestep 0 whatever is asked for.
        (Sampler::Tcd, _) => noise.sigma_min(),
        (_, FinalSigma::Zero) => 0.0,
        // DEIS repeats the lowest of its levels.
        (Sampler::Deis, FinalSigma::SigmaMin) if curved => lowest.unwrap_or_default(),
        // Leading spacing without an offset visits the lowest level itself.
        (_, FinalSigma::SigmaMin) => noise.sigma_min().min(lowest.unwrap_or_default()),
    }
}

fn evenly(family: Family, steps: usize, noise: &NoiseSchedule) -> Vec<f64> {
    let last = (noise.timesteps() - 1) as f64;
    match family {
        // float32 there.
        Family::Fractional => {
            linspace(0.0, last, steps).into_iter().rev().map(|t| f64::from(t as f32)).collect()
        }
        Family::Multistep => {
            linspace(0.0, last, steps + 1).into_iter().skip(1).rev().map(f64::round_ties_even).collect()
        }
        _ => linspace(0.0, last, steps).into_iter().rev().map(f64::round_ties_even).collect(),
    }
}

fn leading(family: Family, steps: usize, noise: &NoiseSchedule, offset: u32) -> Vec<f64> {
    let last = noise.timesteps() - 1;
    let skipped = usize::from(family == Family::Multistep);
    // As many steps as timesteps leave no room for the offset, nor for the one that multistep classes skip.
    let stride = (noise.timesteps() / (steps + skipped)).max(1);
    let highest = (steps + skipped - 1) * stride;
    let offset = (offset as usize).min(last.saturating_sub(highest));
    (skipped..steps + skipped).rev().map(|i| (i * stride + offset).min(last) as f64).collect()
}

fn trailing(steps: usize, noise: &NoiseSchedule) -> Vec<f64> {
    let count = noise.timesteps() as f64;
    let stride = count / steps as f64;
    (0..steps).map(|i| ((count - i as f64 * stride).round_ties_even() - 1.0).max(0.0)).collect()
}

fn distilled(steps: usize, noise: &NoiseSchedule, options: &GridOptions) -> Vec<f64> {
    let original = options.original_inference_steps as usize;
    let stride = noise.timesteps() / original;
    (0..steps)
        .map(|i| {
            let place = (i as f64 * (original as f64 / steps as f64)).floor() as usize;
            (original.saturating_sub(place) * stride).saturating_sub(1) as f64
        })
        .collect()
}
