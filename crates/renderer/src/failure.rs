//! Errors as messages: a code to branch on, words, and what to do.

use std::any::Any;
use std::error::Error;

use tarim_diffusion::DiffusionError;
use tarim_diffusion::pipeline::PipelineError;
use tarim_render::{Failure, FailureCode};

const LESS_MEMORY: &str = "use a smaller size or `--precision bf16`, or close other programs";
const REPORT: &str = "this is a fault in Tarim; please report it with the recipe";

/// A failed job.
pub(crate) fn of_pipeline(error: &PipelineError) -> Failure {
    match error {
        PipelineError::Network(error) => of_diffusion(error),
        PipelineError::Model(_) | PipelineError::Tokenizer(_) => failure(FailureCode::Model, error, None),
        PipelineError::Recipe(_)
        | PipelineError::Grid(_)
        | PipelineError::Input { .. }
        | PipelineError::NotFinite { .. } => failure(FailureCode::BadInput, error, None),
        PipelineError::Fault { .. } => failure(FailureCode::Internal, error, Some(REPORT)),
        _ => failure(FailureCode::Other, error, None),
    }
}

/// A failure of the networks or of libtorch.
pub(crate) fn of_diffusion(error: &DiffusionError) -> Failure {
    match error {
        error if error.is_out_of_memory() => failure(FailureCode::OutOfMemory, error, Some(LESS_MEMORY)),
        DiffusionError::Device(_) => {
            failure(FailureCode::Device, error, Some("`tarim doctor` lists the devices that can be used"))
        }
        DiffusionError::Checkpoint(_)
        | DiffusionError::MissingTensor { .. }
        | DiffusionError::Shape { .. }
        | DiffusionError::BadTensor { .. }
        | DiffusionError::Unsupported { .. } => failure(
            FailureCode::Model,
            error,
            Some("`tarim inspect` lists what is in the model and what is not"),
        ),
        DiffusionError::Input { .. } | DiffusionError::NotFinite { .. } => {
            failure(FailureCode::BadInput, error, Some("render with `--precision fp32`"))
        }
        _ => failure(FailureCode::Internal, error, Some(REPORT)),
    }
}

/// A panic that got as far as the job's boundary.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Failure {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
    Failure {
        code: FailureCode::Internal,
        message: format!("the renderer failed unexpectedly: {words}"),
        hint: Some(REPORT.to_owned()),
    }
}

fn failure(code: FailureCode, error: &dyn Error, hint: Option<&str>) -> Failure {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors spell their cause out already.
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    Failure { code, message, hint: hint.map(str::to_owned) }
}
