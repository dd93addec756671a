//! UniPC (Zhao et al. 2023, arXiv:2302.04867), `bh2`, predicting x0, order 2: diffusers' default.

use super::lambda;
use crate::{
    Denoiser, Latents, NoiseSampler,
    sample::{Arithmetic, Run},
};

/// A step that was predicted and waits for its correction.
struct Predicted<L> {
    /// The latents it started from, corrected.
    x: L,
    from: f64,
    order: usize,
}

pub(crate) fn unipc<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    mut x: L,
) -> Result<L, D::Error> {
    let steps = run.grid.steps();
    let mut predicted: Option<Predicted<L>> = None;
    // Denoised latents and their levels, the latest first, two at most.
    let mut history: Vec<(L, f64)> = Vec::new();
    for step in 0..steps {
        let (sigma, next) = (run.grid.sigma(step), run.grid.sigma(step + 1));
        let denoised = run.denoise(&x, step)?;
        if let Some(last) = predicted {
            x = correct(&last, &history, &denoised, sigma).unwrap_or(x);
        }
        history.insert(0, (denoised, sigma));
        history.truncate(2);
        let order = 2.min(steps - step).min(step + 1);
        let moved = predict(&x, &history, order, next);
        predicted = Some(Predicted { x, from: sigma, order });
        x = run.end(moved, step)?;
    }
    Ok(x)
}

/// First-order move and the slope towards the sample before the latest, over its share `r` of the step (below 0).
fn basis<L: Latents>(x: &L, history: &[(L, f64)], order: usize, from: f64, to: f64) -> (L, Option<(L, f64)>) {
    let Some((latest, _)) = history.first() else { return (x.clone(), None) };
    let moved = x.towards(latest, from, to);
    let h = lambda(to) - lambda(from);
    let slope = match history.get(1) {
        Some((older, older_sigma)) if order == 2 && h > 0.0 => {
            let r = (lambda(*older_sigma) - lambda(from)) / h;
            (r < 0.0).then(|| (older.mix(1.0 / r, -1.0 / r, latest), r))
        }
        _ => None,
    };
    (moved, slope)
}

/// `1 - e^-h`: minus the paper's B(h) and h φ₁.
fn share(from: f64, to: f64) -> f64 {
    1.0 - to / from
}

fn predict<L: Latents>(x: &L, history: &[(L, f64)], order: usize, to: f64) -> L {
    let from = history.first().map_or(0.0, |(_, sigma)| *sigma);
    if to <= 0.0 || from <= 0.0 {
        return history.first().map_or_else(|| x.clone(), |(latest, _)| x.towards(latest, from, to));
    }
    match basis(x, history, order, from, to) {
        (moved, Some((slope, _))) => moved.mix(1.0, 0.5 * share(from, to), &slope),
        (moved, None) => moved,
    }
}

/// The last step again, now that its end has been evaluated too. `None` where there is nothing to correct.
fn correct<L: Latents>(last: &Predicted<L>, history: &[(L, f64)], denoised: &L, to: f64) -> Option<L> {
    let (latest, _) = history.first()?;
    let h = lambda(to) - lambda(last.from);
    if !(h > 0.0 && h.is_finite()) {
        return None;
    }
    let share = share(last.from, to);
    let (moved, slope) = basis(&last.x, history, last.order, last.from, to);
    Some(match slope {
        None => L::linear(&[(1.0, &moved), (0.5 * share, denoised), (-0.5 * share, latest)]),
        Some((slope, r)) => {
            // Solve Σ ρ r^(k-1) = k! h φ_(k+1) / B(h) for k = 1, 2, with signs for predicting x0.
            let phi_2 = share / h - 1.0;
            let phi_3 = -phi_2 / h - 0.5;
            let (first, second) = (phi_2 / -share, 2.0 * phi_3 / -share);
            let older = (first - second) / (1.0 - r);
            let (older, newest) = (share * older, share * (first - older));
            L::linear(&[(1.0, &moved), (older, &slope), (newest, denoised), (-newest, latest)])
        }
    })
}
