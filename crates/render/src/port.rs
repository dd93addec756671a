//! The port: what callers need from a renderer, wherever it runs.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use tarim_recipe::{Recipe, Seed};

use crate::device::DeviceChoice;
use crate::error::RenderError;
use crate::messages::{Failure, Hello, JobId, Outcome, SelfTestReport, Stage, Timings};
use crate::pixels::Pixels;

/// What to render: `count` pictures of one recipe, picture `i` being [`Recipe::nth`]\(i).
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// A number that no other job of this renderer has.
    pub id: JobId,
    /// A prepared recipe: rendering chooses nothing any more.
    pub recipe: Recipe,
    /// How many pictures, at least 1.
    pub count: u32,
    /// The model's folder or file.
    pub model: PathBuf,
    /// Where to render.
    pub device: DeviceChoice,
    /// The picture that `recipe.init` names.
    pub init: Option<Pixels>,
    /// The mask that `recipe.init` names, of the initial picture's size.
    pub mask: Option<Pixels>,
    /// A preview with every so many steps; 0 for none.
    pub preview_every: u32,
}

/// What happens to a job. The last event is `Done` or `Failed`, exactly once, whatever becomes of the renderer.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEvent {
    /// It goes into another stage.
    Stage(Stage),
    /// A step is done.
    Progress {
        /// Which picture, from 0.
        picture: u32,
        /// Steps done, from 1.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// A rough, small picture of the state.
        preview: Option<Pixels>,
    },
    /// A picture is finished.
    Picture {
        /// Which picture, from 0.
        picture: u32,
        /// Its seed.
        seed: Seed,
        /// Its pixels.
        pixels: Pixels,
        /// Where the time went.
        timings: Timings,
    },
    /// Something worth knowing that stops nothing.
    Warning(String),
    /// It ended without an error.
    Done(Outcome),
    /// It ended with an error.
    Failed(Failure),
}

/// A renderer. Implementations: [`LocalRenderer`](crate::LocalRenderer), [`fake::FakeRenderer`](crate::fake::FakeRenderer).
pub trait Renderer: Send + Sync {
    /// Makes it ready, unless it is, and says what it is. Waits for it.
    fn start(&self) -> Result<Hello, RenderError>;

    /// Hands a job over, starting the renderer where needed, and returns the job's events.
    ///
    /// Jobs run one after another in the order of submission.
    fn submit(&self, job: Job) -> Result<Receiver<JobEvent>, RenderError>;

    /// Asks a job to stop. It then ends within a grace period; one that has ended already is left alone.
    fn cancel(&self, job: JobId);

    /// Measures a device. Waits for the result.
    fn self_test(&self, device: DeviceChoice) -> Result<SelfTestReport, RenderError>;

    /// Ends it at once, with whatever it is doing. Jobs that were asked to stop end as cancelled, others fail.
    fn kill(&self);
}
