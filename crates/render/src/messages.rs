//! What a renderer is asked and what it answers.
//!
//! **Versions.** The renderer speaks first, with [`Event::Hello`]. Both sides must name the same [`PROTOCOL`]; it
//! grows when a message changes its meaning. New kinds of messages and new fields may arrive without that: unknown
//! kinds read as `Unknown` and are ignored, unknown fields are skipped, missing ones take their defaults.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tarim_recipe::{Precision, Recipe, Seed};

use crate::device::DeviceChoice;
use crate::frame::{Frame, FrameError};
use crate::pixels::{PixelShape, Pixels, PixelsError};

/// The version of these messages.
pub const PROTOCOL: u32 = 2;

/// What a renderer says on stderr, before the details, when it leaves because its libtorch is of another version.
pub const LIBTORCH_MISMATCH: &str = "another libtorch than this renderer was built for: ";

/// A job's number, chosen by who submits it, unique among the jobs that one renderer process sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(pub u64);

/// To the renderer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Render pictures. Payload: the bytes of [`RenderRequest::images`], one after another.
    Render(Box<RenderRequest>),
    /// Stop a job, or some of its pictures, at the next step. Pictures already finished stay.
    Cancel {
        /// Which one.
        job: JobId,
        /// Which of its pictures, from 0; all of them where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pictures: Vec<u32>,
    },
    /// Answer with a [`Event::Pong`] of the same token.
    Ping {
        /// Anything.
        token: u64,
    },
    /// Measure a device.
    SelfTest {
        /// Which one.
        device: DeviceChoice,
    },
    /// Finish at once; the same as the end of the pipe.
    Shutdown,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One job: pictures of one model in one precision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderRequest {
    /// The job's number.
    pub job: JobId,
    /// What to render, at least one.
    pub pictures: Vec<PictureRequest>,
    /// The pictures that those start from, and masks, in the order of the payload. Several may name the same one.
    #[serde(default)]
    pub images: Vec<PixelShape>,
    /// The model's folder or file.
    pub model: PathBuf,
    /// Where to render.
    pub device: DeviceChoice,
    /// How many pictures may share each call of the network at most; where sharing would change them, none do.
    #[serde(default = "one")]
    pub together: u32,
    /// Send a preview with every so many steps; 0 sends none.
    pub preview_every: u32,
}

/// One picture of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PictureRequest {
    /// What to render; already prepared, so nothing is left to choose.
    pub recipe: Recipe,
    /// The initial picture, at its own size: which of [`RenderRequest::images`].
    #[serde(default)]
    pub init: Option<u32>,
    /// The mask, of the same size as the initial picture.
    #[serde(default)]
    pub mask: Option<u32>,
}

fn one() -> u32 {
    1
}

impl RenderRequest {
    /// Cuts the payload into the images. It must hold exactly those, and every picture's must be there.
    pub fn cut(&self, payload: Vec<u8>) -> Result<Vec<Pixels>, PixelsError> {
        let missing = |picture: &PictureRequest| {
            [picture.init, picture.mask]
                .into_iter()
                .flatten()
                .any(|image| image as usize >= self.images.len())
        };
        if self.pictures.iter().any(missing) {
            return Err(PixelsError::Missing);
        }
        let mut rest = payload;
        let mut images = Vec::with_capacity(self.images.len());
        for (index, shape) in self.images.iter().enumerate() {
            let last = index + 1 == self.images.len();
            // The last one takes all that is left, so that anything too much is noticed.
            let length = if last { rest.len() } else { shape.bytes().unwrap_or(usize::MAX).min(rest.len()) };
            let behind = rest.split_off(length);
            images.push(Pixels::new(*shape, std::mem::replace(&mut rest, behind))?);
        }
        Ok(images)
    }
}

/// From the renderer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The first message.
    Hello(Hello),
    /// A job goes into another stage.
    Stage {
        /// Whose.
        job: JobId,
        /// What it does now.
        stage: Stage,
        /// Which pictures do, from 0; all of them where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pictures: Vec<u32>,
    },
    /// A step is done. Payload: the preview's bytes, where there is one.
    Progress {
        /// Whose.
        job: JobId,
        /// Which picture, from 0.
        picture: u32,
        /// Steps done, from 1.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Size of the preview.
        #[serde(default)]
        preview: Option<PixelShape>,
    },
    /// A picture is finished. Payload: its bytes.
    Picture {
        /// Whose.
        job: JobId,
        /// Which picture, from 0.
        picture: u32,
        /// Its seed.
        seed: Seed,
        /// Its size.
        shape: PixelShape,
        /// Where the time went.
        #[serde(default)]
        timings: Timings,
    },
    /// A picture cannot be rendered; the others go on.
    PictureFailed {
        /// Whose.
        job: JobId,
        /// Which picture, from 0.
        picture: u32,
        /// Why.
        failure: Failure,
    },
    /// Memory ran out with more pictures at once; it goes on with fewer.
    Fewer {
        /// Whose.
        job: JobId,
        /// How many share a call from now on.
        together: u32,
    },
    /// Something worth knowing that stops nothing.
    Warning {
        /// Whose, where it belongs to one.
        job: Option<JobId>,
        /// One sentence.
        message: String,
    },
    /// The job has ended without an error.
    Done {
        /// Whose.
        job: JobId,
        /// How.
        outcome: Outcome,
    },
    /// The job has ended with an error.
    Failed {
        /// Whose.
        job: JobId,
        /// Why.
        failure: Failure,
    },
    /// Alive.
    Pong {
        /// The ping's.
        token: u64,
    },
    /// What a self-test found.
    SelfTestResult {
        /// The device asked for.
        device: DeviceChoice,
        /// Figures, or why there are none.
        result: Result<SelfTestReport, Failure>,
    },
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Who the renderer is and what it can use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] of the renderer.
    pub protocol: u32,
    /// The renderer's own version.
    pub renderer_version: String,
    /// The version of libtorch that it runs on.
    pub libtorch: String,
    /// What it can render on, the best first; never empty.
    pub devices: Vec<DeviceInfo>,
    /// What is worth knowing about the devices, such as why CUDA is not used.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Hello {
    /// The device that a choice means here: the best one for `Auto`, `None` when it is not there.
    pub fn device(&self, choice: DeviceChoice) -> Option<&DeviceInfo> {
        match choice {
            DeviceChoice::Auto => self.devices.first(),
            named => self.devices.iter().find(|device| device.id == named),
        }
    }
}

/// One device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Its name on the command line; never `Auto`.
    pub id: DeviceChoice,
    /// Its maker's name for it.
    pub name: String,
    /// Memory in bytes, where it is known.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Memory that is free for use, in bytes, where it is known.
    #[serde(default)]
    pub memory_free: Option<u64>,
    /// What `--precision auto` means on it.
    pub preferred_precision: Precision,
    /// Something to know about it.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Reading the model.
    LoadingModel,
    /// Encoding prompts and the initial picture.
    Encoding,
    /// Stepping.
    Sampling,
    /// Turning latents into pixels.
    Decoding,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

/// How a job ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All pictures are there.
    Finished,
    /// It was cancelled; pictures finished before stay.
    Cancelled,
}

/// Seconds spent on one picture; 0 where a part did not happen or was shared with an earlier picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Reading the model.
    pub load: f64,
    /// Text and initial picture.
    pub encode: f64,
    /// All steps.
    pub sample: f64,
    /// Latents to pixels.
    pub decode: f64,
}

/// Why a job failed, for programs (`code`) and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub code: FailureCode,
    /// What was wrong, causes after colons.
    pub message: String,
    /// What to do next.
    #[serde(default)]
    pub hint: Option<String>,
}

/// Kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureCode {
    /// The recipe or a picture cannot be rendered as asked.
    BadInput,
    /// The model is not there, damaged, or of a kind that is not supported.
    Model,
    /// The device asked for is not there.
    Device,
    /// Memory ran out.
    OutOfMemory,
    /// The renderer process ended by itself.
    Crashed,
    /// The renderer process was ended by us: it hung, or another job had to be stopped.
    Stopped,
    /// A fault in the renderer.
    Internal,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

/// What a self-test measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SelfTestReport {
    /// Speed in each precision that the device does well.
    pub rates: Vec<Rate>,
    /// Threads that libtorch uses on the CPU.
    pub threads: u32,
    /// Memory free for use, in bytes, where it is known.
    pub memory_free: Option<u64>,
}

/// A device's speed, in 10⁹ operations a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// The arithmetic.
    pub precision: Precision,
    /// Matrix products.
    pub matmul_gflops: f64,
    /// 3x3 convolutions.
    pub conv_gflops: f64,
}

/// Reads a request from its frame; the payload stays with the caller.
pub fn request(frame: &Frame) -> Result<Request, FrameError> {
    Ok(serde_json::from_slice(&frame.header)?)
}

/// Reads an event from its frame; the payload stays with the caller.
pub fn event(frame: &Frame) -> Result<Event, FrameError> {
    Ok(serde_json::from_slice(&frame.header)?)
}

/// The protocol version that a first message names, whatever else is in it; `None` when it is no greeting.
pub fn greeting_version(frame: &Frame) -> Option<u32> {
    #[derive(Deserialize)]
    struct Greeting {
        kind: String,
        protocol: u32,
    }
    let greeting: Greeting = serde_json::from_slice(&frame.header).ok()?;
    (greeting.kind == "hello").then_some(greeting.protocol)
}

#[cfg(test)]
mod tests;
