//! Errors as the command line tells them: message, causes, what to do, and an exit code.

use std::error::Error;

use tarim_render::{Failure as RendererFailure, FailureCode, RenderError};

/// How the program ends. Listed in `tarim --help`; scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Anything that has no number of its own.
    Failure,
    /// The command line cannot be understood.
    Usage,
    /// A value, file or model cannot be used as asked.
    BadInput,
    /// The renderer is missing, crashed, or ran out of memory.
    Renderer,
    /// A picture cannot be written.
    Output,
    /// The render farm cannot be reached or is full.
    Farm,
    /// Stopped by Ctrl-C.
    Cancelled,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::BadInput => 3,
            Self::Renderer => 4,
            Self::Output => 5,
            Self::Farm => 6,
            Self::Cancelled => 130,
        }
    }

    /// The name in JSON lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::BadInput => "bad_input",
            Self::Renderer => "renderer",
            Self::Output => "output",
            Self::Farm => "farm",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// The causes of the message, the nearest first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), causes: Vec::new(), hint: None }
    }

    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, message)
    }

    /// A failure from an error and the errors that caused it.
    pub(crate) fn from_error(exit: Exit, error: &dyn Error) -> Self {
        let message = error.to_string();
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some errors spell their cause out already.
            if !message.contains(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        Self { exit, message, causes, hint: None }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says first what was being done.
    #[must_use]
    pub(crate) fn context(mut self, message: impl Into<String>) -> Self {
        self.causes.insert(0, std::mem::replace(&mut self.message, message.into()));
        self
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        let exit = match &error {
            RenderError::Refused(failure) => exit_of(failure.code),
            RenderError::Unspeakable(_) => Exit::BadInput,
            _ => Exit::Renderer,
        };
        Self { hint: error.hint(), ..Self::from_error(exit, &error) }
    }
}

impl From<RendererFailure> for Failure {
    fn from(failure: RendererFailure) -> Self {
        Self { exit: exit_of(failure.code), message: failure.message, causes: Vec::new(), hint: failure.hint }
    }
}

fn exit_of(code: FailureCode) -> Exit {
    match code {
        FailureCode::BadInput | FailureCode::Model | FailureCode::Device => Exit::BadInput,
        _ => Exit::Renderer,
    }
}
