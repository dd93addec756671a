//! One evaluation of the model for a few pictures at once: guidance, conditionings, scaling, and what happens between
//! steps.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use tarim_sampling::{Denoiser, Latents, Prediction, StepEnd, StepInfo};
use tch::Tensor;

use super::api::{StepObserver, StepReport};
use super::error::PipelineError;
use super::guidance::{Guidance, Row, Text};
use super::latents::{LatentBatch, Shape, rows};
use super::raster::Raster;
use super::start::Blend;
use super::text::{Context, Prompts};
use super::vae::Vae;
use crate::error::DiffusionError;
use crate::nets::Unet;

/// Why a run ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The observer said so.
    Cancelled,
    /// It could not go on.
    Failed(PipelineError),
}

impl<E: Into<PipelineError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What one picture's evaluations need.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) prompts: Prompts,
    pub(super) guidance: Guidance,
    /// Channels beside the latents; may be empty.
    pub(super) channels: Vec<f32>,
    /// Whether rows that do not see the picture get zeros in their place (instruct-pix2pix).
    pub(super) can_hide_channels: bool,
    pub(super) blend: Option<Blend>,
    /// The noise that `blend` puts on the original.
    pub(super) noise: Vec<f32>,
}

/// How often the UNet was used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: u64,
    pub(super) rows: u64,
}

/// Some pictures on their way through the steps.
pub(super) struct Evaluator<'a> {
    pub(super) unet: &'a Unet,
    pub(super) vae: &'a mut Vae,
    pub(super) prediction: Prediction,
    pub(super) subjects: &'a [Subject],
    /// The pictures' places among the inputs.
    pub(super) pictures: Range<usize>,
    pub(super) observer: &'a mut dyn StepObserver,
    pub(super) counters: &'a mut Counters,
    /// The latest estimate of the finished latents, for previews.
    pub(super) estimate: Option<LatentBatch>,
}

/// A row of a UNet call.
struct Call<'s> {
    /// Picture and row of its guidance.
    place: (usize, usize),
    context: Arc<Context>,
    channels: Option<&'s [f32]>,
    hidden_channels: usize,
}

impl Evaluator<'_> {
    /// The UNet's guided outputs for latents already scaled for it, a picture each.
    fn predict(&mut self, scaled: &LatentBatch, step: StepInfo) -> Result<Vec<Vec<f32>>, Stop> {
        let mut outputs: Vec<Vec<Vec<f32>>> =
            self.subjects.iter().map(|subject| vec![Vec::new(); subject.guidance.rows().len()]).collect();
        for (tokens, calls) in calls(self.subjects, step.step as u32 + 1) {
            let sample = sample_tensor(scaled, &calls)?;
            let context = context_tensor(tokens, &calls)?;
            let predicted = self.unet.forward(&sample, &[step.timestep], &context)?;
            self.counters.calls += 1;
            self.counters.rows += calls.len() as u64;
            for (index, call) in calls.iter().enumerate() {
                let (picture, row) = call.place;
                if let Some(output) = outputs.get_mut(picture).and_then(|rows| rows.get_mut(row)) {
                    *output = rows(&predicted, index..index + 1)?;
                }
            }
        }
        let guided = self.subjects.iter().zip(outputs);
        Ok(guided.map(|(subject, outputs)| subject.guidance.combine(&outputs)).collect())
    }

    fn previews(&mut self, step: u32, steps: u32) -> Vec<Raster> {
        if !self.observer.wants_preview(step, steps) {
            return Vec::new();
        }
        let Some(estimate) = &self.estimate else { return Vec::new() };
        estimate.pictures().filter_map(|latents| self.vae.preview(latents, estimate.shape())).collect()
    }
}

/// All rows by the number of their tokens: rows of one length are one call, which is all of them unless the
/// negative prompt is of another length than the prompt.
fn calls(subjects: &[Subject], step: u32) -> BTreeMap<usize, Vec<Call<'_>>> {
    let mut calls: BTreeMap<usize, Vec<Call<'_>>> = BTreeMap::new();
    for (picture, subject) in subjects.iter().enumerate() {
        for (index, row) in subject.guidance.rows().iter().enumerate() {
            let Some(context) = subject.context(row, step) else { continue };
            let hidden = subject.can_hide_channels && !row.sees_picture;
            let call = Call {
                place: (picture, index),
                channels: (!hidden).then_some(subject.channels.as_slice()),
                hidden_channels: subject.channels.len(),
                context,
            };
            calls.entry(call.context.tokens).or_default().push(call);
        }
    }
    calls
}

impl Subject {
    fn context(&self, row: &Row, step: u32) -> Option<Arc<Context>> {
        match row.text {
            Text::Negative => self.prompts.negative.at(step).cloned(),
            Text::Positive(index) => {
                let context = self.prompts.positive.get(index)?.at(step)?;
                let longest =
                    self.prompts.positive.iter().filter_map(|part| part.at(step)).map(|it| it.tokens).max();
                match longest {
                    Some(tokens) if tokens > context.tokens => {
                        Some(Arc::new(Context { tokens, values: context.padded_values(tokens) }))
                    }
                    _ => Some(Arc::clone(context)),
                }
            }
        }
    }
}

fn sample_tensor(scaled: &LatentBatch, calls: &[Call<'_>]) -> Result<Tensor, DiffusionError> {
    let Shape { channels, height, width } = scaled.shape();
    let pictures: Vec<&[f32]> = scaled.pictures().collect();
    let mut values = Vec::new();
    let mut extra = 0;
    for call in calls {
        values.extend_from_slice(pictures.get(call.place.0).copied().unwrap_or_default());
        match call.channels {
            Some(channels) => values.extend_from_slice(channels),
            None => values.resize(values.len() + call.hidden_channels, 0.0),
        }
        extra = call.hidden_channels / scaled.shape().cells().max(1);
    }
    let size = [calls.len() as i64, (channels + extra) as i64, height as i64, width as i64];
    tensor(&values, &size)
}

fn context_tensor(tokens: usize, calls: &[Call<'_>]) -> Result<Tensor, DiffusionError> {
    let values: Vec<f32> = calls.iter().flat_map(|call| call.context.values.iter().copied()).collect();
    let width = values.len() / (calls.len() * tokens).max(1);
    tensor(&values, &[calls.len() as i64, tokens as i64, width as i64])
}

fn tensor(values: &[f32], size: &[i64]) -> Result<Tensor, DiffusionError> {
    Tensor::f_from_slice(values)
        .and_then(|tensor| tensor.f_reshape(size))
        .map_err(|error| DiffusionError::torch("preparing the UNet's input", &error))
}

/// Puts the original back outside the masks, with noise of a level; level 0 is for finished latents, because some
/// samplers end a little above it.
pub(super) fn restore(latents: &mut LatentBatch, subjects: &[Subject], sigma: f64) {
    for (latents, subject) in latents.pictures_mut().zip(subjects) {
        let Some(blend) = &subject.blend else { continue };
        let original = blend.original.iter().zip(&subject.noise);
        let cells = latents.iter_mut().zip(original).zip(blend.drawn.iter().cycle());
        for ((value, (original, noise)), _) in cells.filter(|(_, drawn)| !**drawn) {
            *value = (f64::from(*original) + sigma * f64::from(*noise)) as f32;
        }
    }
}

impl Denoiser<LatentBatch> for Evaluator<'_> {
    type Error = Stop;

    fn denoise(&mut self, x: &LatentBatch, sigma: f64, step: StepInfo) -> Result<LatentBatch, Stop> {
        let scalings = self.prediction.scalings(sigma);
        let scaled = LatentBatch::linear(&[(scalings.c_in, x)]);
        let predicted = LatentBatch::new(x.shape(), self.predict(&scaled, step)?);
        if !predicted.is_finite() {
            let (step, steps) = (step.step as u32 + 1, step.steps as u32);
            return Err(Stop::Failed(PipelineError::NotFinite { step, steps }));
        }
        let estimate = LatentBatch::linear(&[(scalings.c_skip, x), (scalings.c_out, &predicted)]);
        self.estimate = Some(estimate.clone());
        Ok(estimate)
    }

    /// A plain model draws everywhere; outside the mask the original comes back with noise of the level reached, the
    /// same noise in each step. diffusers' `StableDiffusionInpaintPipeline` does this with models of 4 channels.
    fn end_step(&mut self, mut x: LatentBatch, end: StepEnd) -> Result<LatentBatch, Stop> {
        restore(&mut x, self.subjects, end.sigma);
        let (step, steps) = (end.step as u32 + 1, end.steps as u32);
        let previews = self.previews(step, steps);
        let report = StepReport { pictures: self.pictures.clone(), step, steps, previews: &previews };
        match self.observer.step(&report) {
            ControlFlow::Continue(()) => Ok(x),
            ControlFlow::Break(()) => Err(Stop::Cancelled),
        }
    }
}
