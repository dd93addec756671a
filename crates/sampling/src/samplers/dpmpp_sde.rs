//! The SDE variants of DPM-Solver++ (Lu et al. 2022, arXiv:2211.01095; k-diffusion's `sample_dpmpp_sde`,
//! `sample_dpmpp_2m_sde`, `sample_dpmpp_3m_sde`).

use super::{ancestral, lambda};
use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

pub(crate) fn dpmpp_sde<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let (eta, r, s_noise) = (run.eta(1.0), run.options.r, run.options.s_noise);
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        x = if next > 0.0 && sigma > 0.0 {
            let middle = (-(lambda(sigma) + r * (lambda(next) - lambda(sigma)))).exp();
            let (down, up) = ancestral(sigma, middle, eta);
            let noise = run.noise(sigma, middle);
            let guess = x.towards(&denoised, sigma, down).mix(1.0, s_noise * up, &noise);
            let denoised_there = run.denoise_between(&guess, middle, step)?;

            let (down, up) = ancestral(sigma, next, eta);
            let share = 1.0 / (2.0 * r);
            let target = denoised.mix(1.0 - share, share, &denoised_there);
            let noise = run.noise(sigma, next);
            x.towards(&target, sigma, down).mix(1.0, s_noise * up, &noise)
        } else {
            x.towards(&denoised, sigma, next)
        };
        x = run.end(x, step)?;
    }
    Ok(x)
}

/// The noise that an SDE step of `h` in log sigma leaves at its end.
fn spread(next: f64, h: f64, eta: f64) -> f64 {
    next * (-(-2.0 * eta * h).exp_m1()).max(0.0).sqrt()
}

/// DPM++ 2M SDE's second-order term: `solver_type` in k-diffusion and diffusers.
#[derive(Clone, Copy)]
pub(crate) enum SecondOrder {
    Midpoint,
    Heun,
}

pub(crate) fn dpmpp_2m_sde<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
    term: SecondOrder,
) -> Result<L, D::Error> {
    let eta = run.eta(1.0);
    let mut before: Option<(L, f64)> = None;
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let h = lambda(next) - lambda(sigma);
        x = if next > 0.0 {
            let h_eta = h * (1.0 + eta);
            let share = -(-h_eta).exp_m1();
            let mut moved = x.mix((-h_eta).exp(), share, &denoised);
            if let Some((old, h_last)) = &before
                && h > 0.0
                && *h_last > 0.0
            {
                let second = match term {
                    SecondOrder::Midpoint => 0.5 * share,
                    SecondOrder::Heun => 1.0 - share / h_eta,
                } * h
                    / h_last;
                moved = L::linear(&[(1.0, &moved), (second, &denoised), (-second, old)]);
            }
            if eta > 0.0 {
                moved = run.renoise(&moved, sigma, next, spread(next, h, eta));
            }
            moved
        } else {
            denoised.clone()
        };
        before = Some((denoised, h));
        x = run.end(x, step)?;
    }
    Ok(x)
}

/// Where levels are diffusers', so are the coefficients of `solver_order=3`: they differ from k-diffusion's in the
/// second step (a midpoint step) and by a whole second difference in the third-order term, and short runs end lower.
pub(crate) fn dpmpp_3m_sde<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let eta = run.eta(1.0);
    let diffusers = run.grid.as_diffusers;
    let steps = run.grid.steps();
    // Denoised latents and lengths of the last two steps, the latest first.
    let mut before: Vec<(L, f64)> = Vec::new();
    for step in 0..steps {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let h = lambda(next) - lambda(sigma);
        x = if next > 0.0 {
            let h_eta = h * (1.0 + eta);
            let share = -(-h_eta).exp_m1();
            let mut moved = x.mix((-h_eta).exp(), share, &denoised);
            if h > 0.0 {
                let lower = diffusers && run.grid.planned < 15 && step + 2 == steps;
                let known = before.get(..if lower { 1 } else { 2 }).unwrap_or(&before);
                let phi_2 = 1.0 - share / h_eta;
                match known {
                    [(one, h_1), (two, h_2), ..] => {
                        let (r0, r1) = (h_1 / h, h_2 / h);
                        let latest = denoised.mix(1.0 / r0, -1.0 / r0, one);
                        let older = one.mix(1.0 / r1, -1.0 / r1, two);
                        let d1 = latest.mix(1.0 + r0 / (r0 + r1), -r0 / (r0 + r1), &older);
                        let d2 = latest.mix(1.0 / (r0 + r1), -1.0 / (r0 + r1), &older);
                        let phi_3 = phi_2 / h_eta - 0.5 + if diffusers { 1.0 } else { 0.0 };
                        moved = L::linear(&[(1.0, &moved), (phi_2, &d1), (-phi_3, &d2)]);
                    }
                    [(one, h_1)] => {
                        let second = if diffusers { 0.5 * share } else { phi_2 } * h / h_1;
                        moved = L::linear(&[(1.0, &moved), (second, &denoised), (-second, one)]);
                    }
                    [] => {}
                }
            }
            if eta > 0.0 {
                moved = run.renoise(&moved, sigma, next, spread(next, h, eta));
            }
            moved
        } else {
            denoised.clone()
        };
        // A step of no length has no slope to offer.
        if h > 0.0 {
            before.insert(0, (denoised, h));
            before.truncate(2);
        }
        x = run.end(x, step)?;
    }
    Ok(x)
}
