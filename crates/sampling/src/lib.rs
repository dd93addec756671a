//! Sampling: the arithmetic between a prediction and a picture, in plain float64.
//!
//! What belongs here: the noise schedule a model was trained with ([`NoiseSchedule`]), the levels a run visits
//! ([`Grid`]), the samplers ([`sample`]) and seeded noise ([`PictureNoise`]). What does not: tensors (samplers see
//! [`Latents`], linear combinations only), networks (they see a [`Denoiser`]), guidance, files, threads, clocks.
//!
//! **Everything runs in "variance exploding" space**, as k-diffusion does: latents are `x = x0 + sigma * noise`.
//! Samplers that papers and diffusers write in "variance preserving" form (`x_vp = x * sqrt(alphas_cumprod)`,
//! `sigma = sqrt((1 - alphas_cumprod) / alphas_cumprod)`) are the same solvers here, because that change of variable
//! is linear. So one denoiser serves all:
//!
//! ```text
//! let grid = Grid::new(sampler, schedule, steps, &noise_schedule, &GridOptions::default())?;
//! let x = noise * grid.initial_scale;                       // txt2img
//! let grid = grid.with_strength(0.6)?;                      // img2img: x = encoded + noise * grid.sigmas[0]
//! let latents = sample(&grid, &noise_schedule, x, &mut denoiser, &mut noise_sampler, &options)?;
//! ```

mod error;
mod grid;
mod latents;
mod noise;
mod noise_schedule;
mod sample;
mod samplers;

pub use error::{GridError, NoiseScheduleError, SampleError};
pub use grid::{Convention, FinalSigma, Grid, GridOptions};
pub use latents::{Denoiser, Latents, NoiseSampler, StepEnd, StepInfo};
pub use noise::{BrownianNoise, Mt19937, PhiloxCuda, PictureNoise, TorchCpu, slerp};
pub use noise_schedule::{BetaSchedule, NoiseSchedule, NoiseScheduleConfig, Prediction, Scalings};
pub use sample::{Options, sample};
