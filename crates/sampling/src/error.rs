//! What can be wrong with a noise schedule, a grid or a run.

use tarim_recipe::Schedule;

/// A noise schedule that no model can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoiseScheduleError {
    /// Fewer than 2 or more than 100,000 training timesteps.
    #[error("{0} training timesteps: a noise schedule has 2 to 100000")]
    Timesteps(usize),
    /// A beta outside 0..1, or not a number.
    #[error("beta {value} at timestep {timestep}: betas lie between 0 and 1")]
    Beta {
        /// Where.
        timestep: usize,
        /// What stands there.
        value: f64,
    },
}

/// A grid that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GridError {
    /// No steps, or more than there can be.
    #[error("{steps} steps: this sampler and schedule can do 1 to {most}")]
    Steps {
        /// What was asked for.
        steps: usize,
        /// The most for this combination.
        most: usize,
    },
    /// img2img strength outside 0..=1, or not a number.
    #[error("strength {0}: it lies between 0 and 1")]
    Strength(f64),
    /// A number among the options is out of range.
    #[error("{name} is {value}: {range}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// What it was.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// The levels came out unusable (not finite or not falling), because of unusual options.
    #[error("the {schedule:?} schedule gives unusable noise levels: sigma {sigma} at step {step}")]
    Levels {
        /// The schedule.
        schedule: Schedule,
        /// The first step that is wrong.
        step: usize,
        /// Its sigma.
        sigma: f64,
    },
}

/// Why a run ended early.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SampleError<E> {
    /// The denoiser refused: an error of the model, or cancel.
    #[error("{0}")]
    Denoiser(E),
    /// An option is out of range for this sampler.
    #[error(transparent)]
    Grid(#[from] GridError),
}
