//! DPM-Solver++ 2S (ancestral) and 2M (Lu et al. 2022, arXiv:2211.01095), as k-diffusion and diffusers agree.

use super::{ancestral, lambda};
use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

pub(crate) fn dpmpp_2s_ancestral<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let (down, up) = ancestral(sigma, next, run.eta(1.0));
        x = if down > 0.0 {
            let middle = (sigma * down).sqrt();
            let guess = x.towards(&denoised, sigma, middle);
            let denoised = run.denoise_between(&guess, middle, step)?;
            x.towards(&denoised, sigma, down)
        } else {
            x.towards(&denoised, sigma, down)
        };
        if next > 0.0 {
            x = run.renoise(&x, sigma, next, up);
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}

pub(crate) fn dpmpp_2m<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let mut before: Option<(L, f64)> = None;
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let h = lambda(next) - lambda(sigma);
        let target = match &before {
            // The last step to 0 is first order: its h is infinite.
            Some((old, h_last)) if next > 0.0 && h > 0.0 && *h_last > 0.0 => {
                let weight = h / (2.0 * h_last);
                denoised.mix(1.0 + weight, -weight, old)
            }
            _ => denoised.clone(),
        };
        x = x.towards(&target, sigma, next);
        before = Some((denoised, h));
        x = run.end(x, step)?;
    }
    Ok(x)
}
