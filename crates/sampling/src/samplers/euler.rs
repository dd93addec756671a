//! Euler and Heun (Karras et al. 2022, arXiv:2206.00364, algorithm 2) and Euler ancestral (k-diffusion).

use super::ancestral;
use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

/// Adds churn before a step: the latents, the level they are at now and whether that is off the grid.
pub(super) fn churn<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    x: L,
    step: usize,
) -> (L, f64, bool) {
    let (sigma, options) = (run.grid.sigma(step), run.options);
    let gamma = if (options.s_tmin..=options.s_tmax).contains(&sigma) {
        (options.s_churn / run.grid.steps() as f64).min(std::f64::consts::SQRT_2 - 1.0)
    } else {
        0.0
    };
    if gamma <= 0.0 {
        return (x, sigma, false);
    }
    let raised = sigma * (1.0 + gamma);
    let noise = run.noise(raised, sigma);
    let amount = options.s_noise * (raised * raised - sigma * sigma).sqrt();
    (x.mix(1.0, amount, &noise), raised, true)
}

/// `x0` where [`churn`] left the latents.
pub(super) fn denoise_churned<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    x: &L,
    sigma: f64,
    churned: bool,
    step: usize,
) -> Result<L, D::Error> {
    if churned { run.denoise_between(x, sigma, step) } else { run.denoise(x, step) }
}

pub(crate) fn euler<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    for step in 0..run.grid.steps() {
        let (churned, sigma, off_grid) = churn(run, x, step);
        let denoised = denoise_churned(run, &churned, sigma, off_grid, step)?;
        x = churned.towards(&denoised, sigma, run.grid.sigma(step + 1));
        x = run.end(x, step)?;
    }
    Ok(x)
}

pub(crate) fn euler_ancestral<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let (down, up) = ancestral(sigma, next, run.eta(1.0));
        x = x.towards(&denoised, sigma, down);
        if next > 0.0 {
            x = run.renoise(&x, sigma, next, up);
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}

pub(crate) fn heun<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    for step in 0..run.grid.steps() {
        let (churned, sigma, off_grid) = churn(run, x, step);
        let next = run.grid.sigma(step + 1);
        let denoised = denoise_churned(run, &churned, sigma, off_grid, step)?;
        x = if next > 0.0 {
            let slope = churned.derivative(&denoised, sigma);
            let guess = churned.mix(1.0, next - sigma, &slope);
            let timestep =
                run.grid.timesteps.get(step + 1).copied().unwrap_or_else(|| run.schedule.sigma_to_t(next));
            let denoised = run.denoise_at(&guess, next, timestep, step)?;
            let slope_there = guess.derivative(&denoised, next);
            let half = (next - sigma) / 2.0;
            L::linear(&[(1.0, &churned), (half, &slope), (half, &slope_there)])
        } else {
            churned.towards(&denoised, sigma, next)
        };
        x = run.end(x, step)?;
    }
    Ok(x)
}
