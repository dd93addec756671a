//! The autoencoder of the original repositories (`AutoencoderKL` of latent-diffusion).

use super::source::{Named, Source, exchange, norm_groups};
use crate::config::VaeConfig;

/// Names and configuration of the tensors below `first_stage_model.`.
///
/// # Errors
/// What is unusual about the structure.
pub(crate) fn read(source: &Source<'_>) -> Result<(VaeConfig, Named), String> {
    let levels = source.count_without_gap("encoder.down.")?;
    let layers = source.count_without_gap("encoder.down.0.block.")?;
    if let Some((name, _)) = source.iter().find(|(name, _)| name.contains(".attn.")) {
        return Err(format!("`{name}` is attention within a level, which Stable Diffusion's VAE has not"));
    }
    let named =
        source.iter().filter_map(|(name, stored)| Some((rename(name, levels)?, stored.clone()))).collect();
    let dim = |name: &str, dimension| {
        source
            .dim(name, dimension)
            .ok_or_else(|| format!("tensor `{name}` is missing or has too few dimensions"))
    };
    let widths = (0..levels)
        .map(|level| dim(&format!("encoder.down.{level}.block.0.conv1.weight"), 0))
        .collect::<Result<Vec<u32>, _>>()?;
    let config = VaeConfig {
        class_name: Some("AutoencoderKL".into()),
        in_channels: dim("encoder.conv_in.weight", 1)?,
        out_channels: dim("decoder.conv_out.weight", 0)?,
        down_block_types: vec!["DownEncoderBlock2D".into(); widths.len()],
        up_block_types: vec!["UpDecoderBlock2D".into(); widths.len()],
        layers_per_block: layers,
        latent_channels: dim("decoder.conv_in.weight", 1)?,
        norm_num_groups: norm_groups(&widths),
        block_out_channels: widths,
        use_quant_conv: source.has("quant_conv.weight"),
        use_post_quant_conv: source.has("post_quant_conv.weight"),
        mid_block_add_attention: source.has("decoder.mid.attn_1.q.weight"),
        // Of Stable Diffusion's VAEs only SDXL's overflows.
        force_upcast: false,
        ..VaeConfig::default()
    };
    Ok((config, named))
}

/// diffusers' name; `None` for what diffusers has not (losses, EMA).
fn rename(name: &str, levels: u32) -> Option<String> {
    if name.starts_with("quant_conv.") || name.starts_with("post_quant_conv.") {
        return Some(name.to_owned());
    }
    let (side, rest) = name.split_once('.').filter(|(side, _)| matches!(*side, "encoder" | "decoder"))?;
    let middle = [
        ("conv_in.", "conv_in."),
        ("conv_out.", "conv_out."),
        ("norm_out.", "conv_norm_out."),
        ("mid.block_1.", "mid_block.resnets.0."),
        ("mid.block_2.", "mid_block.resnets.1."),
        ("mid.attn_1.norm.", "mid_block.attentions.0.group_norm."),
        ("mid.attn_1.q.", "mid_block.attentions.0.to_q."),
        ("mid.attn_1.k.", "mid_block.attentions.0.to_k."),
        ("mid.attn_1.v.", "mid_block.attentions.0.to_v."),
        ("mid.attn_1.proj_out.", "mid_block.attentions.0.to_out.0."),
    ];
    let new = match exchange(rest, &middle) {
        Some(new) => new,
        None => level_name(rest, levels)?,
    };
    let new = new.replace("nin_shortcut.", "conv_shortcut.");
    Some(format!("{side}.{new}"))
}

/// `down.1.block.0.conv1.weight`, `up.3.upsample.conv.bias`.
fn level_name(rest: &str, levels: u32) -> Option<String> {
    let (direction, rest) = rest.split_once('.')?;
    let (level, rest) = rest.split_once('.')?;
    let level: u32 = level.parse().ok()?;
    let block = match direction {
        "down" => format!("down_blocks.{level}"),
        // The original counts from the picture, diffusers from the latents.
        "up" => format!("up_blocks.{}", levels.checked_sub(level + 1)?),
        _ => return None,
    };
    let inner = exchange(
        rest,
        &[("block.", "resnets."), ("downsample.", "downsamplers.0."), ("upsample.", "upsamplers.0.")],
    )?;
    Some(format!("{block}.{inner}"))
}
