//! DDIM (Song et al. 2020, arXiv:2010.02502) and DDPM (Ho et al. 2020, arXiv:2006.11239).

use super::ancestral;
use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

/// Equation 12 of the DDIM paper. In variance-exploding space its σ is the ancestral step's noise.
pub(crate) fn ddim<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    x: L,
) -> Result<L, D::Error> {
    let eta = run.eta(0.0);
    ancestral_run(run, x, eta)
}

/// The forward process's posterior (`variance_type="fixed_small"`): DDIM with η = 1.
pub(crate) fn ddpm<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    x: L,
) -> Result<L, D::Error> {
    let eta = run.eta(1.0);
    ancestral_run(run, x, eta)
}

fn ancestral_run<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
    eta: f64,
) -> Result<L, D::Error> {
    let steps = run.grid.steps();
    for step in 0..steps {
        let (sigma, target) = (run.grid.sigma(step), run.grid.target(step));
        let denoised = run.denoise(&x, step)?;
        let (down, up) = ancestral(sigma, target, eta);
        x = x.towards(&denoised, sigma, down);
        if eta > 0.0 && target > 0.0 {
            let noise = run.noise(sigma, target);
            x = x.mix(1.0, run.options.s_noise * up, &noise);
        }
        // Rounded timesteps: the result counts, variance preserving, as a sample of the next level.
        let next = run.grid.sigma(step + 1);
        if step + 1 < steps && next != target {
            x = x.times(next.hypot(1.0) / target.hypot(1.0));
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}
