//! The beta schedule: Lee et al. 2024, "Beta Sampling is All You Need" (arXiv:2407.12173), with both parameters 0.6.

use crate::noise_schedule::linspace;

const SHAPE: f64 = 0.6;

/// Levels at even quantiles of the beta distribution.
pub(super) fn levels(n: usize, min: f64, max: f64) -> Vec<f64> {
    linspace(0.0, 1.0, n).into_iter().map(|ramp| min + quantile(1.0 - ramp) * (max - min)).collect()
}

/// The inverse of the distribution function, by bisection from the nearer end (the distribution is symmetric).
fn quantile(probability: f64) -> f64 {
    if probability > 0.5 {
        return 1.0 - quantile(1.0 - probability);
    }
    if probability <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 0.5);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if distribution(middle) < probability { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularized incomplete beta function at `x` in 0..=0.5: `x^a (1-x)^b / (a B(a,b)) Σ (a+b)ₙ/(a+1)ₙ xⁿ`
/// (DLMF 8.17.8).
fn distribution(x: f64) -> f64 {
    /// `B(0.6, 0.6) = Γ(0.6)² / Γ(1.2)`.
    const COMPLETE: f64 = 2.415_344_208_002_472;
    let (mut term, mut sum) = (1.0, 1.0);
    let mut n = 0.0;
    while term > sum * 1e-17 {
        term *= x * (2.0 * SHAPE + n) / (SHAPE + 1.0 + n);
        sum += term;
        n += 1.0;
    }
    (x * (1.0 - x)).powf(SHAPE) * sum / (SHAPE * COMPLETE)
}
