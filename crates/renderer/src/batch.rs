//! The pictures of one job: together where that is asked for and possible, singly where it is not.

use tarim_diffusion::pipeline::{Pipeline, PipelineError, Raster, RenderInputs};
use tarim_recipe::Precision;
use tarim_render::messages::{Event, PictureRequest, RenderRequest};
use tarim_render::{Failure, FailureCode, Outcome, PixelLimit};

use crate::cancel::Cancels;
use crate::failure;
use crate::follow::Follower;
use crate::output::Output;

/// A job under way.
pub(crate) struct Batch<'a> {
    pub(crate) output: &'a Output,
    pub(crate) cancels: &'a Cancels,
    pub(crate) request: &'a RenderRequest,
    pub(crate) images: &'a [Raster],
    pub(crate) limits: &'a mut PixelLimit,
    /// Seconds that reading the model took.
    pub(crate) load: f64,
    /// What was said already: the same of each picture is said once.
    pub(crate) warned: Vec<String>,
    /// Whether any picture was finished.
    pub(crate) sent: bool,
}

impl Batch<'_> {
    pub(crate) fn render(mut self, pipeline: &mut Pipeline) -> Result<Outcome, Failure> {
        let job = self.request.job;
        let mut open: Vec<u32> = (0..self.request.pictures.len() as u32).collect();
        let mut together = self.together(pipeline);
        // After a failure among several, each by itself: so it is the failure of one alone.
        let mut singly = false;
        let mut failed = false;
        loop {
            open.retain(|picture| !self.cancels.has_picture(job, *picture));
            if self.cancels.has(job) || (open.is_empty() && !self.sent && !failed) {
                return Ok(Outcome::Cancelled);
            }
            let Some(first) = open.first().copied() else { return Ok(Outcome::Finished) };
            let part: Vec<u32> = if singly { vec![first] } else { open.clone() };
            pipeline.share_calls(together as usize);
            let (result, sent) = self.attempt(pipeline, &part);
            open.retain(|picture| !sent.contains(picture));
            let Err(error) = result else { continue };
            let several = part.len() > 1;
            if several && together > 1 && error.is_out_of_memory() {
                let size = self.picture(first).recipe.size;
                together = self.limits.ran_out(together.min(part.len() as u32), size);
                self.output.send(&Event::Fewer { job, together }, &[]);
            } else if several {
                singly = true;
            } else {
                let failure = failure::of_pipeline(&error);
                let of_all = matches!(failure.code, FailureCode::OutOfMemory | FailureCode::Internal);
                if of_all || (open.len() == 1 && !self.sent) {
                    return Err(failure);
                }
                open.retain(|picture| *picture != first);
                self.output.send(&Event::PictureFailed { job, picture: first, failure }, &[]);
                failed = true;
            }
        }
    }

    /// How many pictures may share a call.
    fn together(&self, pipeline: &Pipeline) -> u32 {
        // libtorch's kernels for the CPU round differently for other numbers of rows (see `LoadOptions`), and in float32
        // a picture is promised to be the same bytes whatever is rendered beside it.
        let exact = pipeline.on_cpu() && pipeline.precision() == Precision::Fp32;
        let wanted = if exact { 1 } else { self.request.together.max(1) };
        self.limits.allow(wanted, self.picture(0).recipe.size)
    }

    /// Renders pictures, and says which of them were sent.
    fn attempt(&mut self, pipeline: &mut Pipeline, part: &[u32]) -> (Result<(), PipelineError>, Vec<u32>) {
        let request = self.request;
        let images = self.images;
        let image = |place: Option<u32>| place.and_then(|place| images.get(place as usize));
        let inputs: Vec<RenderInputs<'_>> = part
            .iter()
            .filter_map(|place| request.pictures.get(*place as usize))
            .map(|PictureRequest { recipe, init, mask }| RenderInputs {
                recipe,
                init: image(*init),
                mask: image(*mask),
            })
            .collect();
        let mut follower = Follower::new(self.output, self.cancels, request.job, part, request.preview_every);
        follower.load = self.load;
        let result = pipeline.render_batch(&inputs, &mut follower);
        let sent = follower.sent;
        if !sent.is_empty() {
            (self.load, self.sent) = (0.0, true);
        }
        let result = result.map(|rendering| {
            for message in rendering.warnings {
                if !self.warned.contains(&message) {
                    let event = Event::Warning { job: Some(request.job), message: message.clone() };
                    self.output.send(&event, &[]);
                    self.warned.push(message);
                }
            }
        });
        (result, sent)
    }

    /// Every place that is asked for here is one of the request's.
    fn picture(&self, place: u32) -> &PictureRequest {
        &self.request.pictures[place as usize]
    }
}
