//! Following pictures: progress and pixels out, cancel in, and where the time goes.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use tarim_diffusion::pipeline::{Picture, Raster, Stage as PipelineStage, StepObserver, StepReport};
use tarim_render::messages::Event;
use tarim_render::{Channels, JobId, PixelShape, Stage, Timings};

use crate::cancel::Cancels;
use crate::output::Output;

/// Follows some pictures of a job that are rendered by one call of the pipeline.
pub(crate) struct Follower<'a> {
    pub(crate) output: &'a Output,
    pub(crate) cancels: &'a Cancels,
    pub(crate) job: JobId,
    /// Their places among the job's pictures.
    pub(crate) pictures: &'a [u32],
    pub(crate) preview_every: u32,
    /// Seconds that reading the model took; counts for the first picture.
    pub(crate) load: f64,
    /// Places of those that are finished and sent.
    pub(crate) sent: Vec<u32>,
    /// What the pictures that share calls have spent since they began together.
    shared: Timings,
    /// How many those are.
    sharing: usize,
    stage: Option<(Stage, Instant)>,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(
        output: &'a Output,
        cancels: &'a Cancels,
        job: JobId,
        pictures: &'a [u32],
        preview_every: u32,
    ) -> Self {
        Self {
            output,
            cancels,
            job,
            pictures,
            preview_every,
            load: 0.0,
            sent: Vec::new(),
            shared: Timings::default(),
            sharing: 1,
            stage: None,
        }
    }

    fn place(&self, index: usize) -> u32 {
        self.pictures.get(index).copied().unwrap_or_default()
    }

    fn places(&self, pictures: Range<usize>) -> Vec<u32> {
        pictures.map(|index| self.place(index)).collect()
    }

    fn account(&mut self) {
        let Some((stage, since)) = self.stage.take() else { return };
        let spent = since.elapsed().as_secs_f64();
        match stage {
            Stage::Encoding => self.shared.encode += spent,
            Stage::Sampling => self.shared.sample += spent,
            Stage::Decoding => self.shared.decode += spent,
            _ => {}
        }
    }

    /// Goes on while one of these is wanted.
    fn go_on(&self, pictures: Range<usize>) -> ControlFlow<()> {
        let wanted = |index| !self.cancels.has_picture(self.job, self.place(index));
        if pictures.into_iter().any(wanted) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl StepObserver for Follower<'_> {
    fn step(&mut self, report: &StepReport<'_>) -> ControlFlow<()> {
        for (nth, index) in report.pictures.clone().enumerate() {
            let preview = report.previews.get(nth);
            let event = Event::Progress {
                job: self.job,
                picture: self.place(index),
                step: report.step,
                steps: report.steps,
                preview: preview.map(shape_of),
            };
            self.output.send(&event, preview.map(Raster::bytes).unwrap_or_default());
        }
        self.go_on(report.pictures.clone())
    }

    fn wants_preview(&mut self, step: u32, _: u32) -> bool {
        self.preview_every > 0 && step.is_multiple_of(self.preview_every)
    }

    fn stage(&mut self, pictures: Range<usize>, stage: PipelineStage) -> ControlFlow<()> {
        self.account();
        let stage = match stage {
            PipelineStage::Encoding => {
                (self.shared, self.sharing) = (Timings::default(), pictures.len().max(1));
                Stage::Encoding
            }
            PipelineStage::Sampling => Stage::Sampling,
            PipelineStage::Decoding => {
                self.shared.decode = 0.0;
                Stage::Decoding
            }
        };
        self.stage = Some((stage, Instant::now()));
        let event = Event::Stage { job: self.job, stage, pictures: self.places(pictures.clone()) };
        self.output.send(&event, &[]);
        // Decoding is left to whether the group goes on: one cancelled picture must not end the others.
        if stage == Stage::Decoding { ControlFlow::Continue(()) } else { self.go_on(pictures) }
    }

    fn wants_picture(&mut self, index: usize) -> bool {
        !self.cancels.has_picture(self.job, self.place(index))
    }

    fn picture(&mut self, index: usize, picture: &Picture) {
        self.account();
        let place = self.place(index);
        let sharing = self.sharing as f64;
        let timings = Timings {
            load: std::mem::take(&mut self.load),
            encode: self.shared.encode / sharing,
            sample: self.shared.sample / sharing,
            decode: self.shared.decode,
        };
        self.sent.push(place);
        let shape = PixelShape { width: picture.width, height: picture.height, channels: Channels::Rgb };
        let event = Event::Picture { job: self.job, picture: place, seed: picture.seed, shape, timings };
        self.output.send(&event, &picture.rgb);
    }
}

fn shape_of(raster: &Raster) -> PixelShape {
    let channels = if raster.channels() == 1 { Channels::Grey } else { Channels::Rgb };
    PixelShape { width: raster.width(), height: raster.height(), channels }
}
