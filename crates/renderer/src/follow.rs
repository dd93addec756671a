//! Following a picture: progress out, cancel in, and where the time goes.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use tarim_diffusion::pipeline::{Raster, Stage as PipelineStage, StepObserver, StepReport};
use tarim_render::messages::Event;
use tarim_render::{Channels, JobId, PixelShape, Stage, Timings};

use crate::cancel::Cancels;
use crate::output::Output;

/// Follows one picture of a job.
pub(crate) struct Follower<'a> {
    output: &'a Output,
    cancels: &'a Cancels,
    job: JobId,
    picture: u32,
    preview_every: u32,
    timings: Timings,
    stage: Option<(Stage, Instant)>,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(
        output: &'a Output,
        cancels: &'a Cancels,
        job: JobId,
        picture: u32,
        preview_every: u32,
    ) -> Self {
        Self { output, cancels, job, picture, preview_every, timings: Timings::default(), stage: None }
    }

    /// Where the time went, up to now.
    pub(crate) fn timings(mut self) -> Timings {
        self.account();
        self.timings
    }

    fn account(&mut self) {
        let Some((stage, since)) = self.stage.take() else { return };
        let spent = since.elapsed().as_secs_f64();
        match stage {
            Stage::Encoding => self.timings.encode += spent,
            Stage::Sampling => self.timings.sample += spent,
            Stage::Decoding => self.timings.decode += spent,
            _ => {}
        }
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.cancels.has(self.job) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl StepObserver for Follower<'_> {
    fn step(&mut self, report: &StepReport<'_>) -> ControlFlow<()> {
        let preview = report.previews.first();
        let event = Event::Progress {
            job: self.job,
            picture: self.picture,
            step: report.step,
            steps: report.steps,
            preview: preview.map(shape_of),
        };
        self.output.send(&event, preview.map(Raster::bytes).unwrap_or_default());
        self.go_on()
    }

    fn wants_preview(&mut self, step: u32, _: u32) -> bool {
        self.preview_every > 0 && step.is_multiple_of(self.preview_every)
    }

    fn stage(&mut self, _: Range<usize>, stage: PipelineStage) -> ControlFlow<()> {
        self.account();
        let stage = match stage {
            PipelineStage::Encoding => Stage::Encoding,
            PipelineStage::Sampling => Stage::Sampling,
            PipelineStage::Decoding => Stage::Decoding,
        };
        self.stage = Some((stage, Instant::now()));
        self.output.send(&Event::Stage { job: self.job, stage }, &[]);
        self.go_on()
    }
}

fn shape_of(raster: &Raster) -> PixelShape {
    let channels = if raster.channels() == 1 { Channels::Grey } else { Channels::Rgb };
    PixelShape { width: raster.width(), height: raster.height(), channels }
}
