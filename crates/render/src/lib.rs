//! Rendering as seen from the programs people use: messages to and from a renderer process, and its supervisor.
//!
//! What belongs here: the wire format ([`frame`], [`messages`]), the port that callers program against
//! ([`Renderer`], [`Job`], [`JobEvent`]), its local implementation ([`LocalRenderer`], a supervised child process)
//! and a scriptable [`fake`] for tests. What does not: tensors, libtorch, model files, the queue.

mod device;
mod ending;
mod error;
pub mod fake;
pub mod frame;
mod limit;
mod local;
pub mod locate;
pub mod messages;
mod pixels;
mod port;
mod process;

pub use device::{DeviceChoice, ParseDeviceError};
pub use ending::{Ending, MemoryWatch};
pub use error::RenderError;
pub use limit::PixelLimit;
pub use local::LocalRenderer;
pub use messages::{
    DeviceInfo, Failure, FailureCode, Hello, JobId, Outcome, Rate, SelfTestReport, Stage, Timings,
};
pub use pixels::{Channels, PixelShape, Pixels, PixelsError};
pub use port::{Job, JobEvent, Renderer, ToRender};
pub use process::{ProcessOptions, Timeouts};
