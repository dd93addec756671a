//! Single `.safetensors` files with the names of the original repositories, as A1111 and ComfyUI use them.
//!
//! Nothing in such a file says how the networks are built: it follows from names and shapes, and what does not follow
//! from those (heads, activation, noise schedule) from the family.

mod side;
mod source;
mod text;
mod unet;
mod vae;

use std::path::Path;
use std::sync::Arc;

use crate::checkpoint::{Checkpoint, Layout, Part, TEXT_ENCODER, TokenizerSource, UNET, VAE, in_file};
use crate::config::{OneOrMany, PredictionType, SchedulerConfig};
use crate::error::{CheckpointError, Result};
use crate::finite;
use crate::kind::{Family, Kind};
use crate::recognise;
use crate::weights::{OpenFile, Weights};
use side::SideFile;
use source::{Named, Source};

pub(crate) fn open(path: &Path) -> Result<Checkpoint> {
    refuse_by_name(path)?;
    let file = OpenFile::open(path)?;
    let names: Vec<&str> = file.tensors.iter().map(|(name, _)| name.as_str()).collect();
    if let Some((what, advice)) = recognise::other_kind(&names) {
        return Err(CheckpointError::Unsupported {
            path: path.to_owned(),
            what: what.into(),
            advice: advice.into(),
        });
    }
    let (side, side_path) = SideFile::beside(path)?;
    let whole = Source::new(&file.tensors);
    let unfit = |part| move |problem| CheckpointError::Unfit { path: path.to_owned(), part, problem };
    let missing = |part, prefix: &str| CheckpointError::MissingPart {
        path: path.to_owned(),
        part,
        problem: format!("it has no tensors `{prefix}…`; this is a model without it, use the full version"),
    };
    let Some((family, text_config, text_names)) =
        text::read(&whole.below("cond_stage_model.")).map_err(unfit(TEXT_ENCODER))?
    else {
        return Err(missing(TEXT_ENCODER, "cond_stage_model."));
    };
    let first_stage = whole.below("first_stage_model.");
    if first_stage.is_empty() {
        return Err(missing(VAE, "first_stage_model."));
    }
    let diffusion = whole.below("model.diffusion_model.");
    let (mut unet_config, unet_names) = unet::read(&diffusion, family, &side).map_err(unfit(UNET))?;
    let (mut vae_config, vae_names) = vae::read(&first_stage).map_err(unfit(VAE))?;
    if let Some(factor) = side.scale_factor {
        vae_config.scaling_factor = factor;
    }
    let prediction = prediction(&file, &diffusion, family, unet_config.in_channels, &side);
    if family == Family::Sd2 && prediction == PredictionType::VPrediction {
        // As the published 768-pixel models: their attention scores overflow float16.
        unet_config.upcast_attention = true;
        unet_config.sample_size = Some(OneOrMany::One(96));
    }
    let mut scheduler = SchedulerConfig::stable_diffusion(prediction);
    scheduler.rescale_betas_zero_snr = whole.has("ztsnr");
    scheduler.beta_start = side.linear_start.unwrap_or(scheduler.beta_start);
    scheduler.beta_end = side.linear_end.unwrap_or(scheduler.beta_end);
    in_file(path, text_config.check())?;
    in_file(path, unet_config.check())?;
    in_file(path, vae_config.check())?;
    in_file(path, scheduler.check())?;
    let kind = in_file(path, Kind::of(&unet_config, &vae_config, &text_config, &scheduler))?;
    let map = Arc::clone(&file.map);
    let weights = |named: Named| Weights::renamed(Arc::clone(&map), named);
    Ok(Checkpoint {
        path: path.to_owned(),
        layout: Layout::SingleFile,
        kind,
        unet: Part { config: unet_config, weights: weights(unet_names) },
        vae: Part { config: vae_config, weights: weights(vae_names) },
        text_encoder: Part { config: text_config, weights: weights(text_names) },
        scheduler,
        tokenizer: TokenizerSource::Clip { pads_with_zero: family == Family::Sd2 },
        files: std::iter::once(path.to_owned()).chain(side_path).collect(),
    })
}

/// Pickles are refused by their names too: what they begin with differs between versions.
fn refuse_by_name(path: &Path) -> Result<()> {
    let extension =
        path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "ckpt" | "pt" | "pth" | "bin" | "pkl" => {
            Err(CheckpointError::Pickle { path: path.to_owned(), what: format!("a .{extension} file") })
        }
        _ => Ok(()),
    }
}

/// What the UNet predicts, from the side file, the file's own description, marker tensors, or (in Stable Diffusion 2) the
/// spread of a bias that training for velocities leaves larger, a test of ComfyUI's (`supported_models.py`, `SD20`).
fn prediction(
    file: &OpenFile,
    diffusion: &Source<'_>,
    family: Family,
    in_channels: u32,
    side: &SideFile,
) -> PredictionType {
    const TELLING: &str = "output_blocks.11.1.transformer_blocks.0.norm1.bias";
    const SPREAD: f64 = 0.09;
    let described = match file.metadata.get("modelspec.prediction_type").map(String::as_str) {
        Some("v" | "v_prediction") => Some(PredictionType::VPrediction),
        Some("epsilon") => Some(PredictionType::Epsilon),
        _ => None,
    };
    if let Some(prediction) = side.prediction.or(described) {
        return prediction;
    }
    let marked = file.tensors.iter().any(|(name, _)| name == "v_pred");
    let spread = || {
        let stored = diffusion.get(TELLING)?;
        let bytes = file.map.bytes().get(stored.range.clone())?;
        let values: Vec<f64> =
            bytes.chunks_exact(stored.dtype.size()).map(|bytes| finite::value(stored.dtype, bytes)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        Some(variance.sqrt())
    };
    let tells = family == Family::Sd2 && in_channels == 4;
    if marked || (tells && spread().is_some_and(|spread| spread > SPREAD)) {
        PredictionType::VPrediction
    } else {
        PredictionType::Epsilon
    }
}
