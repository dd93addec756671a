//! The port: what callers need from a renderer, wherever it runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tarim_recipe::{Recipe, Seed};

use crate::device::DeviceChoice;
use crate::error::RenderError;
use crate::messages::{
    Failure, Hello, JobId, Outcome, PictureRequest, RenderRequest, Request, SelfTestReport, Stage, Timings,
};
use crate::pixels::Pixels;

/// What to render: pictures of one model in one precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// A number that no other job of this renderer has.
    pub id: JobId,
    /// The pictures, at least one; events name them by their place here.
    pub pictures: Vec<ToRender>,
    /// The model's folder or file.
    pub model: PathBuf,
    /// Where to render.
    pub device: DeviceChoice,
    /// How many pictures may share each call of the network at most; where sharing would change them, none do.
    pub together: u32,
    /// A preview with every so many steps; 0 for none.
    pub preview_every: u32,
}

/// One picture to render.
#[derive(Clone, Debug, PartialEq)]
pub struct ToRender {
    /// A prepared recipe: rendering chooses nothing any more.
    pub recipe: Recipe,
    /// The picture that `recipe.init` names. One that several share is sent once.
    pub init: Option<Arc<Pixels>>,
    /// The mask that `recipe.init` names, of the initial picture's size.
    pub mask: Option<Arc<Pixels>>,
}

impl ToRender {
    /// `count` pictures of one recipe, picture `i` being [`Recipe::nth`]\(i).
    pub fn series(recipe: &Recipe, count: u32, init: Option<Pixels>, mask: Option<Pixels>) -> Vec<Self> {
        let (init, mask) = (init.map(Arc::new), mask.map(Arc::new));
        let picture =
            |index: u32| Self { recipe: recipe.nth(index.into()), init: init.clone(), mask: mask.clone() };
        (0..count.max(1)).map(picture).collect()
    }
}

impl Job {
    /// The message, with the images that go along in its payload; one that several pictures start from goes once.
    pub(crate) fn into_request(self) -> (Request, Vec<Arc<Pixels>>) {
        let mut images: Vec<Arc<Pixels>> = Vec::new();
        let mut place = |image: Option<Arc<Pixels>>| {
            let image = image?;
            let known = images.iter().position(|known| Arc::ptr_eq(known, &image));
            Some(known.unwrap_or_else(|| {
                images.push(image);
                images.len() - 1
            }) as u32)
        };
        let mut pictures = Vec::with_capacity(self.pictures.len());
        for ToRender { recipe, init, mask } in self.pictures {
            pictures.push(PictureRequest { recipe, init: place(init), mask: place(mask) });
        }
        let request = RenderRequest {
            job: self.id,
            pictures,
            images: images.iter().map(|image| image.shape()).collect(),
            model: self.model,
            device: self.device,
            together: self.together.max(1),
            preview_every: self.preview_every,
        };
        (Request::Render(Box::new(request)), images)
    }
}

/// What happens to a job. The last event is `Done` or `Failed`, exactly once, whatever becomes of the renderer.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEvent {
    /// It goes into another stage.
    Stage {
        /// What it does now.
        stage: Stage,
        /// Which pictures do, from 0; all of them where none is named.
        pictures: Vec<u32>,
    },
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
    /// A picture cannot be rendered; the others go on.
    PictureFailed {
        /// Which picture, from 0.
        picture: u32,
        /// Why.
        failure: Failure,
    },
    /// Memory ran out with more pictures at once; it goes on with this many.
    Fewer(u32),
    /// Something worth knowing that stops nothing.
    Warning(String),
    /// It ended without an error of its own. Pictures that neither came nor failed were cancelled.
    Done(Outcome),
    /// It ended with an error, which is that of all pictures that have neither come nor failed.
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

    /// Asks for a picture of a job not to be finished; the others are. One that is under way may come all the same. The
    /// last one stops the job.
    fn cancel_picture(&self, job: JobId, picture: u32);

    /// Measures a device. Waits for the result.
    fn self_test(&self, device: DeviceChoice) -> Result<SelfTestReport, RenderError>;

    /// Ends it at once, with whatever it is doing. Jobs that were asked to stop end as cancelled, others fail.
    fn kill(&self);
}
