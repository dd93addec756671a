//! Adams-Bashforth in sigma (LMS, k-diffusion's `sample_lms`) and in log sigma (DEIS).

use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

/// `∫ from..to` of the Lagrange polynomial that is 1 at `nodes[one]` and 0 at the others.
fn integral(nodes: &[f64], one: usize, from: f64, to: f64) -> f64 {
    /// Three-point Gauss-Legendre: exact up to the fifth power, and there are at most three here.
    const POINTS: [(f64, f64); 3] =
        [(-0.774_596_669_241_483_4, 5.0), (0.0, 8.0), (0.774_596_669_241_483_4, 5.0)];
    let (middle, half) = (f64::midpoint(from, to), (to - from) / 2.0);
    let at = |s: f64| {
        let node = nodes.get(one).copied().unwrap_or_default();
        let others = nodes.iter().enumerate().filter(|(i, _)| *i != one);
        others.map(|(_, other)| (s - other) / (node - other)).product::<f64>()
    };
    POINTS.iter().map(|(place, weight)| weight / 9.0 * at(middle + half * place)).sum::<f64>() * half
}

pub(crate) fn lms<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    // Slopes and their levels, the latest first.
    let (mut slopes, mut nodes): (Vec<L>, Vec<f64>) = (Vec::new(), Vec::new());
    for step in 0..run.grid.steps() {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        // Two slopes at one level would divide by zero.
        if nodes.first() == Some(&sigma) {
            slopes.remove(0);
            nodes.remove(0);
        }
        slopes.insert(0, x.derivative(&denoised, sigma));
        nodes.insert(0, sigma);
        slopes.truncate(run.options.lms_order);
        nodes.truncate(run.options.lms_order);
        let mut terms = vec![(1.0, &x)];
        for (i, slope) in slopes.iter().enumerate() {
            terms.push((integral(&nodes, i, sigma, next), slope));
        }
        x = L::linear(&terms);
        x = run.end(x, step)?;
    }
    Ok(x)
}

/// tAB-DEIS of order 2 in log sigma (Zhang and Chen 2022, arXiv:2204.13902), as diffusers' default.
pub(crate) fn deis<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let mut before: Option<(L, f64)> = None;
    let steps = run.grid.steps();
    for step in 0..steps {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        let noise = x.derivative(&denoised, sigma);
        let first_order = next <= 0.0 || (step + 1 == steps && run.grid.planned < 15);
        x = match &before {
            Some((old, old_sigma)) if !first_order && *old_sigma > sigma => {
                // ∫ ln(s/c) / ln(b/c) ds
                let part = |s: f64, b: f64, c: f64| s * ((s / c).ln() - 1.0) / (b / c).ln();
                let latest = part(next, sigma, *old_sigma) - part(sigma, sigma, *old_sigma);
                let older = part(next, *old_sigma, sigma) - part(sigma, *old_sigma, sigma);
                L::linear(&[(1.0, &x), (latest, &noise), (older, old)])
            }
            _ => x.mix(1.0, next - sigma, &noise),
        };
        before = Some((noise, sigma));
        x = run.end(x, step)?;
    }
    Ok(x)
}
