//! What can go wrong between a checkpoint and a tensor.

use tarim_checkpoint::CheckpointError;
use tch::TchError;

/// Result with [`DiffusionError`].
pub type Result<T, E = DiffusionError> = std::result::Result<T, E>;

/// An error of the networks or of libtorch. Each variant asks for something different of the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffusionError {
    /// The model's files could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A tensor that the model's own configuration calls for is not in its weights.
    #[error(
        "the weights have no tensor `{name}`, which this model's configuration needs; the file is incomplete or of another kind"
    )]
    MissingTensor {
        /// Its name, as diffusers has it.
        name: String,
    },
    /// A tensor has another shape than the configuration calls for.
    #[error("tensor `{name}` has shape {found:?}, but the configuration calls for {expected:?}")]
    Shape {
        /// Its name, as diffusers has it.
        name: String,
        /// Shape that follows from the configuration.
        expected: Vec<i64>,
        /// Shape in the file.
        found: Vec<i64>,
    },
    /// A tensor cannot be used as a weight.
    #[error("tensor `{name}` {problem}")]
    BadTensor {
        /// Its name, as diffusers has it.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The configuration asks for something that these networks do not do, or contradicts itself.
    #[error("cannot build the {part}: {problem}")]
    Unsupported {
        /// "UNet", "VAE" or "text encoder".
        part: &'static str,
        /// What it asks for.
        problem: String,
    },
    /// An input does not fit the network.
    #[error("wrong input for the {part}: {problem}")]
    Input {
        /// "UNet", "VAE" or "text encoder".
        part: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// A result holds NaN or infinity. At half precision the remedy is to load the network in float32 and try again.
    #[error("{what} came out with values that are not numbers")]
    NotFinite {
        /// What was computed.
        what: &'static str,
    },
    /// The device asked for cannot be used.
    #[error("{0}")]
    Device(String),
    /// Memory ran out, on the CPU or on the device.
    #[error("out of memory {doing}; try a smaller picture, a smaller batch or a lower precision ({message})")]
    OutOfMemory {
        /// What was being done.
        doing: String,
        /// libtorch's first line about it.
        message: String,
    },
    /// Anything else that libtorch refused.
    #[error("libtorch failed {doing}: {message}")]
    Torch {
        /// What was being done.
        doing: String,
        /// libtorch's first line about it.
        message: String,
    },
}

impl DiffusionError {
    /// Wraps an error of libtorch with what was being done ("loading the UNet"), recognising exhausted memory.
    pub fn torch(doing: impl Into<String>, error: &TchError) -> Self {
        let doing = doing.into();
        // libtorch's messages carry a C++ backtrace after the first line.
        let text = error.to_string();
        let message =
            text.lines().next().unwrap_or_default().trim_start_matches("Internal torch error: ").to_owned();
        if is_out_of_memory(&text) {
            Self::OutOfMemory { doing, message }
        } else {
            Self::Torch { doing, message }
        }
    }

    /// Whether memory ran out, wherever that was noticed.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory { .. })
    }
}

/// The phrases are those of c10's CPU allocator, its CUDA caching allocator, oneDNN and MPS.
fn is_out_of_memory(message: &str) -> bool {
    [
        "out of memory",
        "can't allocate memory",
        "not enough memory",
        "std::bad_alloc",
        "Cannot allocate memory",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
}

/// Says what was being done when libtorch failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, TchError> {
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|error| DiffusionError::torch(what, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_errors_are_recognised_and_backtraces_dropped() {
        let check = |message: &str, out_of_memory: bool, shown: &str| {
            let error = DiffusionError::torch("decoding", &TchError::Torch(message.to_owned()));
            assert_eq!(error.is_out_of_memory(), out_of_memory, "{message}");
            assert!(error.to_string().contains(shown), "{error}");
            assert!(!error.to_string().contains("frame #0"), "{error}");
        };
        check(
            "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.\nframe #0: c10",
            true,
            "decoding",
        );
        check("CUDA out of memory. Tried to allocate 20.00 GiB\nframe #0: c10", true, "20.00 GiB");
        check(
            "mat1 and mat2 shapes cannot be multiplied\nframe #0: c10",
            false,
            "shapes cannot be multiplied",
        );
    }
}
