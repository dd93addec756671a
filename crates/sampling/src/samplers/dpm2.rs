//! DPM-Solver-2 (Lu et al. 2022, arXiv:2206.00927) in Karras et al.'s terms, as k-diffusion's `sample_dpm_2`.

use super::{
    ancestral,
    euler::{churn, denoise_churned},
};
use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

/// One step down the ODE by way of the geometric middle of the two levels.
fn midpoint<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    x: &L,
    denoised: &L,
    from: f64,
    to: f64,
    step: usize,
) -> Result<L, D::Error> {
    if to <= 0.0 || from <= 0.0 {
        return Ok(x.towards(denoised, from, to));
    }
    let middle = (from * to).sqrt();
    let guess = x.towards(denoised, from, middle);
    let denoised = run.denoise_between(&guess, middle, step)?;
    let slope = guess.derivative(&denoised, middle);
    Ok(x.mix(1.0, to - from, &slope))
}

pub(crate) fn dpm2<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    for step in 0..run.grid.steps() {
        let (churned, sigma, off_grid) = churn(run, x, step);
        let denoised = denoise_churned(run, &churned, sigma, off_grid, step)?;
        x = midpoint(run, &churned, &denoised, sigma, run.grid.sigma(step + 1), step)?;
        x = run.end(x, step)?;
    }
    Ok(x)
}

pub(crate) fn dpm2_ancestral<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let (down, up) = ancestral(sigma, next, run.eta(1.0));
        x = midpoint(run, &x, &denoised, sigma, down, step)?;
        if next > 0.0 {
            x = run.renoise(&x, sigma, next, up);
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}
