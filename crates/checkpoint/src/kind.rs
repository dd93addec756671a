//! What sort of model it is.

use std::fmt;

use serde::Serialize;

use crate::config::{ClipTextConfig, PredictionType, SchedulerConfig, UnetConfig, VaeConfig};
use crate::error::OptionProblem;

/// Family, task and prediction of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Kind {
    /// Which text encoder, and the conventions that come with it.
    pub family: Family,
    /// What goes into the UNet besides the prompt.
    pub task: Task,
    /// What comes out of it.
    pub prediction: PredictionType,
}

/// Which architecture, of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Stable Diffusion 1: OpenAI's CLIP (`quick_gelu`).
    Sd1,
    /// Stable Diffusion 2: OpenCLIP (`gelu`).
    Sd2,
}

/// What the UNet takes, told by the number of its input channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Latents (4 channels).
    TextToImage,
    /// Latents, mask, latents of the masked picture (9 channels).
    Inpainting,
    /// Latents, latents of the picture to be changed (8 channels).
    InstructPix2Pix,
}

impl Kind {
    /// Tells the kind from the configurations.
    pub(crate) fn of(
        unet: &UnetConfig,
        vae: &VaeConfig,
        text: &ClipTextConfig,
        scheduler: &SchedulerConfig,
    ) -> Result<Self, OptionProblem> {
        let family = if text.hidden_act == "quick_gelu" { Family::Sd1 } else { Family::Sd2 };
        Ok(Self { family, task: Task::of(unet, vae)?, prediction: scheduler.prediction_type })
    }
}

impl Task {
    fn of(unet: &UnetConfig, vae: &VaeConfig) -> Result<Self, OptionProblem> {
        let latents = vae.latent_channels;
        let problem =
            |option, value: u32, reason: String| OptionProblem { option, value: value.to_string(), reason };
        if unet.out_channels != latents {
            let reason = format!("the UNet must give as many channels as the latents have, {latents}");
            return Err(problem("out_channels", unet.out_channels, reason));
        }
        let known = match unet.in_channels {
            n if n == latents => return Ok(Self::TextToImage),
            n if n == 2 * latents => return Ok(Self::InstructPix2Pix),
            n if n == 2 * latents + 1 => return Ok(Self::Inpainting),
            n if n == latents + 1 => "this is a depth-to-image model, not supported yet",
            n if n == latents + 3 => "this is an upscaling model, not supported yet",
            _ => "no known task has that many input channels",
        };
        Err(problem("in_channels", unet.in_channels, known.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.family {
            Family::Sd1 => "Stable Diffusion 1",
            Family::Sd2 => "Stable Diffusion 2",
        })?;
        f.write_str(match self.task {
            Task::TextToImage => "",
            Task::Inpainting => ", inpainting",
            Task::InstructPix2Pix => ", instruct-pix2pix",
        })?;
        f.write_str(match self.prediction {
            PredictionType::Epsilon => "",
            PredictionType::VPrediction => ", v-prediction",
            PredictionType::Sample => ", sample prediction",
        })
    }
}
