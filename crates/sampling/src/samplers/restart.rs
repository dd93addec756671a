//! Restart sampling (Xu et al. 2023, arXiv:2306.14878) over Heun steps, with A1111's choice of what to restart.

use crate::{
    Denoiser, Latents, NoiseSampler,
    grid::karras,
    sample::{Arithmetic, Run},
};

/// Level below which a restart begins, and level it goes back to.
const RESTART_FROM: f64 = 0.1;
const RESTART_TO: f64 = 2.0;

/// The steps, each from a level to a level; where one starts above the end of the one before, noise is added.
fn plan(sigmas: &[f64]) -> Vec<(f64, f64)> {
    let steps = sigmas.len().saturating_sub(1);
    let pairs = |sigmas: &[f64]| -> Vec<(f64, f64)> {
        sigmas.iter().copied().zip(sigmas.iter().skip(1).copied()).collect()
    };
    let (Some(&first), Some(&lowest)) = (sigmas.first(), sigmas.get(steps.saturating_sub(1))) else {
        return Vec::new();
    };
    if steps < 20 || lowest <= 0.0 {
        return pairs(sigmas);
    }
    let (length, times) = if steps >= 36 { (steps / 4, 2) } else { (9, 1) };
    let mut levels = karras(steps - length * times, lowest, first, 7.0);
    levels.push(0.0);
    let nearest = |level: f64| {
        let distances = levels.iter().map(|sigma| (sigma - level).abs());
        distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(place, _)| place)
    };
    let (bottom, top) = (nearest(RESTART_FROM), nearest(RESTART_TO));
    let level = |place: usize| levels.get(place).copied().unwrap_or_default();
    let mut plan = Vec::new();
    for (place, pair) in pairs(&levels).into_iter().enumerate() {
        plan.push(pair);
        if place + 1 == bottom && top < bottom && level(bottom) > 0.0 {
            let again = pairs(&karras(length + 1, level(bottom), level(top), 7.0));
            for _ in 0..times {
                plan.extend(&again);
            }
        }
    }
    plan
}

pub(crate) fn restart<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let plan = plan(&run.grid.sigmas);
    let mut before = f64::INFINITY;
    for (step, &(from, to)) in plan.iter().enumerate() {
        if before < from {
            let noise = run.noise(from, before);
            let amount = run.options.s_noise * (from * from - before * before).sqrt();
            x = x.mix(1.0, amount, &noise);
        }
        let denoised = run.denoise_between(&x, from, step)?;
        x = if to > 0.0 {
            let slope = x.derivative(&denoised, from);
            let guess = x.mix(1.0, to - from, &slope);
            let denoised = run.denoise_between(&guess, to, step)?;
            let slope_there = guess.derivative(&denoised, to);
            let half = (to - from) / 2.0;
            L::linear(&[(1.0, &x), (half, &slope), (half, &slope_there)])
        } else {
            x.towards(&denoised, from, to)
        };
        before = to;
        x = run.end_at(x, step, plan.len(), to)?;
    }
    Ok(x)
}
