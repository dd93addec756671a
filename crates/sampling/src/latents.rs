//! What samplers need of latents, of the model and of noise.

/// A vector space: all that a sampler does with latents.
pub trait Latents: Clone {
    /// `Σ cᵢ xᵢ`. Samplers never pass an empty slice, and all terms have one shape.
    #[must_use]
    fn linear(terms: &[(f64, &Self)]) -> Self;
}

impl Latents for Vec<f64> {
    fn linear(terms: &[(f64, &Self)]) -> Self {
        let size = terms.first().map_or(0, |(_, x)| x.len());
        let mut sum = vec![0.0; size];
        for (factor, x) in terms {
            for (sum, x) in sum.iter_mut().zip(x.iter()) {
                *sum += factor * x;
            }
        }
        sum
    }
}

/// Which evaluation of the model this is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInfo {
    /// Step of the grid, from 0. Several evaluations can belong to one step (Heun, DPM2, DPM++ SDE).
    pub step: usize,
    /// Steps in this run.
    pub steps: usize,
    /// Evaluations of the model before this one.
    pub evaluation: usize,
    /// The timestep that goes into the network: 0 to 999 for a model of 1000, a whole number where the grid's
    /// convention rounds, else interpolated (k-diffusion without quantization).
    pub timestep: f64,
}

/// The end of a step, for progress, previews and blending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepEnd {
    /// The step that ended, from 0.
    pub step: usize,
    /// Steps in this run.
    pub steps: usize,
    /// The level that the latents are at now; 0 or near it after the last step.
    pub sigma: f64,
}

/// The model with everything around it (guidance, conditionings, scaling of its input).
pub trait Denoiser<L> {
    /// What can go wrong, cancelling included: an error ends the run and comes back unchanged.
    type Error;

    /// The model's estimate of the clean latents `x0`, from `x = x0 + sigma * noise`.
    fn denoise(&mut self, x: &L, sigma: f64, step: StepInfo) -> Result<L, Self::Error>;

    /// Called once after each step with the new latents, which it may change (inpainting with a plain model blends
    /// the noised original here, as diffusers does) or refuse (cancel).
    fn end_step(&mut self, x: L, step: StepEnd) -> Result<L, Self::Error> {
        let _ = step;
        Ok(x)
    }
}

/// Where ancestral and SDE samplers get noise from.
pub trait NoiseSampler<L> {
    /// Unit-variance noise for the step from `sigma` down to `sigma_next`.
    ///
    /// DPM++ SDE asks for `(sigma, middle)` and then for `(sigma, sigma_next)` and expects increments of one Brownian
    /// motion: [`crate::BrownianNoise`]. All others expect independent draws, Restart above all, which comes back to
    /// the same interval.
    fn noise(&mut self, sigma: f64, sigma_next: f64) -> L;
}

impl<L, F: FnMut(f64, f64) -> L> NoiseSampler<L> for F {
    fn noise(&mut self, sigma: f64, sigma_next: f64) -> L {
        self(sigma, sigma_next)
    }
}
