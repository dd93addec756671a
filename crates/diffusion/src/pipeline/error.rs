//! Why pictures could not be rendered.

use tarim_checkpoint::CheckpointError;
use tarim_recipe::FieldError;
use tarim_sampling::GridError;
use tarim_tokenizer::TokenizerError;

use crate::error::DiffusionError;

/// What the pipeline's functions return.
pub type Result<T, E = PipelineError> = std::result::Result<T, E>;

/// Why pictures could not be rendered: what was wrong, and what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A network or libtorch failed; see [`DiffusionError::is_out_of_memory`].
    #[error(transparent)]
    Network(DiffusionError),
    /// The model's files could not be read.
    #[error(transparent)]
    Model(#[from] CheckpointError),
    /// A prompt could not be made into tokens.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The recipe holds a value that no recipe can have.
    #[error(transparent)]
    Recipe(#[from] FieldError),
    /// The recipe's steps cannot be laid out with its sampler and schedule.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The recipe or its pictures cannot be rendered, or not by this model.
    #[error("{field} {problem}")]
    Input {
        /// The recipe's field, as in its JSON.
        field: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// The latents stopped being numbers.
    #[error(
        "the picture broke down at step {step} of {steps}: the UNet's output is not numbers; render with precision \
         fp32, or fp16 models in bf16"
    )]
    NotFinite {
        /// The step, from 1.
        step: u32,
        /// Of how many.
        steps: u32,
    },
    /// A fault of this program. The pipeline can still be used.
    #[error("a fault in the renderer: {message}; please report it")]
    Fault {
        /// What the panic said.
        message: String,
    },
}

impl PipelineError {
    pub(super) fn input(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Input { field, problem: problem.into() }
    }

    /// Whether memory ran out.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Network(error) if error.is_out_of_memory())
    }
}

impl From<DiffusionError> for PipelineError {
    fn from(error: DiffusionError) -> Self {
        match error {
            DiffusionError::Checkpoint(error) => Self::Model(error),
            other => Self::Network(other),
        }
    }
}
