//! Opening a model.

use std::path::Path;

use tarim_checkpoint::{
    BetaSchedule as FileBetas, Checkpoint, Kind, PredictionType, SchedulerConfig, TokenizerSource,
};
use tarim_recipe::Precision;
use tarim_sampling::{BetaSchedule, NoiseSchedule, NoiseScheduleConfig, Prediction};
use tarim_tokenizer::{SpecialTokens, Tokenizer};
use tch::Device;

use super::api::LoadOptions;
use super::error::{PipelineError, Result};
use super::text::TextEncoder;
use super::vae::Vae;
use crate::device::{self, Selected};
use crate::nets::{ClipTextModel, Unet};

/// A model on a device, ready to render.
///
/// It belongs to one thread at a time and can be sent to another.
pub struct Pipeline {
    pub(super) kind: Kind,
    pub(super) scheduler: SchedulerConfig,
    pub(super) noise_schedule: NoiseSchedule,
    pub(super) text: TextEncoder,
    pub(super) unet: Unet,
    pub(super) vae: Vae,
    pub(super) device: Device,
    pub(super) precision: Precision,
    pub(super) pictures_per_call: usize,
    notes: Vec<String>,
}

impl Pipeline {
    /// Loads a diffusers folder or a single `.safetensors` file.
    ///
    /// # Errors
    /// When the model is not there, not whole or of a kind that is not supported, when the device cannot be used, or
    /// when memory runs out.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self> {
        let checkpoint = Checkpoint::open(path)?;
        checkpoint.check()?;
        let selected = device::select(options.device, options.precision)?;
        let precision = selected.precision();
        let Selected { device, kind, notes } = selected;
        let tokenizer = match checkpoint.tokenizer() {
            TokenizerSource::Folder(folder) => Tokenizer::open(folder)?,
            TokenizerSource::Clip { pads_with_zero: false } => Tokenizer::clip(&SpecialTokens::default())?,
            TokenizerSource::Clip { pads_with_zero: true } => {
                Tokenizer::clip(&SpecialTokens::padded_with_zero())?
            }
        };
        let part = checkpoint.text_encoder();
        let clip = ClipTextModel::load(&part.config, &part.weights, device, kind)?;
        let text = TextEncoder::new(tokenizer, clip, part.config.hidden_size as usize);
        let part = checkpoint.unet();
        let unet = Unet::load(&part.config, &part.weights, device, kind)?;
        let vae = Vae::load(checkpoint.vae(), device, kind)?;
        let scheduler = checkpoint.scheduler().clone();
        Ok(Self {
            kind: checkpoint.kind(),
            noise_schedule: noise_schedule(&scheduler)?,
            scheduler,
            text,
            unet,
            vae,
            device,
            precision,
            pictures_per_call: options.pictures_per_call.unwrap_or(1).max(1),
            notes,
        })
    }

    /// What the model is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where its networks live.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether its networks live in ordinary memory.
    pub fn on_cpu(&self) -> bool {
        self.device == Device::Cpu
    }

    /// The arithmetic of its networks, which is also what recipes must ask for.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// How many pictures share a UNet call from now on; see [`LoadOptions::pictures_per_call`].
    pub fn share_calls(&mut self, pictures: usize) {
        self.pictures_per_call = pictures.max(1);
    }

    /// Lines for the user, such as why the CPU was taken.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn prediction(&self) -> Prediction {
        match self.kind.prediction {
            PredictionType::Epsilon => Prediction::Epsilon,
            PredictionType::VPrediction => Prediction::VPrediction,
            PredictionType::Sample => Prediction::Sample,
        }
    }
}

fn noise_schedule(config: &SchedulerConfig) -> Result<NoiseSchedule> {
    let beta_schedule = match (&config.trained_betas, config.beta_schedule) {
        (Some(betas), _) => BetaSchedule::Trained(betas.clone()),
        (None, FileBetas::Linear) => BetaSchedule::Linear,
        (None, FileBetas::ScaledLinear) => BetaSchedule::ScaledLinear,
        (None, FileBetas::SquaredcosCapV2) => BetaSchedule::SquaredcosCapV2,
        (None, FileBetas::Sigmoid) => BetaSchedule::Sigmoid,
    };
    NoiseSchedule::new(&NoiseScheduleConfig {
        num_train_timesteps: config.num_train_timesteps as usize,
        beta_start: config.beta_start,
        beta_end: config.beta_end,
        beta_schedule,
        rescale_betas_zero_snr: config.rescale_betas_zero_snr,
    })
    .map_err(|error| PipelineError::input("model", format!("has an impossible noise schedule: {error}")))
}
