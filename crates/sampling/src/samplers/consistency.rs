//! Samplers of distilled models: latent consistency (Luo et al. 2023, arXiv:2310.04378) and trajectory consistency
//! distillation (Zheng et al. 2024, arXiv:2402.19159), as diffusers' schedulers.

use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

pub(crate) fn lcm<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    const SIGMA_DATA: f64 = 0.5;
    const TIMESTEP_SCALING: f64 = 10.0;
    let steps = run.grid.steps();
    for step in 0..steps {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let time = run.grid.timestep(step) * TIMESTEP_SCALING;
        let length = time.hypot(SIGMA_DATA);
        let (skip, out) = ((SIGMA_DATA / length).powi(2), time / length);
        x = denoised.mix(out, skip / sigma.hypot(1.0), &x);
        if step + 1 < steps && next > 0.0 {
            x = run.renoise(&x, sigma, next, next);
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}

pub(crate) fn tcd<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let gamma = run.eta(0.3);
    let steps = run.grid.steps();
    for step in 0..steps {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        if step + 1 < steps {
            // Down below the next level, and back up to it with noise.
            let below = ((1.0 - gamma) * run.grid.timestep(step + 1)).floor();
            let low = run.schedule.t_to_sigma_linear(below).min(next);
            x = x.towards(&denoised, sigma, low);
            if gamma > 0.0 {
                let up = (next * next - low * low).max(0.0).sqrt();
                x = run.renoise(&x, sigma, next, up);
            }
        } else {
            x = x.towards(&denoised, sigma, next);
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}
