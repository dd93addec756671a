//! The UNet of the original repositories (`openaimodel.UNetModel`): numbered blocks in a row, whose levels show in where
//! the downsamplers are.

use super::side::SideFile;
use super::source::{Named, Source, exchange, norm_groups};
use crate::config::{OneOrMany, UnetConfig};
use crate::kind::Family;

/// What a submodule of a block is, told from its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Module {
    Resnet,
    Transformer,
    Downsample,
    Upsample,
    Convolution,
}

#[derive(Debug, Default)]
struct Level {
    width: u32,
    layers: u32,
    attends: bool,
    attends_up: bool,
    depth: u32,
}

/// Names and configuration of the tensors below `model.diffusion_model.`.
///
/// # Errors
/// What is unusual about the structure.
pub(crate) fn read(
    source: &Source<'_>,
    family: Family,
    side: &SideFile,
) -> Result<(UnetConfig, Named), String> {
    let mut named = Named::new();
    let mut levels = down(source, &mut named)?;
    let middle = middle(source, &mut named)?;
    up(source, &mut levels, &mut named);
    let fixed = [
        ("input_blocks.0.0.", "conv_in."),
        ("time_embed.0.", "time_embedding.linear_1."),
        ("time_embed.2.", "time_embedding.linear_2."),
        ("out.0.", "conv_norm_out."),
        ("out.2.", "conv_out."),
    ];
    for (name, stored) in source.iter() {
        if let Some(name) = exchange(name, &fixed) {
            named.insert(name, stored.clone());
        }
    }
    Ok((config(source, &named, &levels, middle, family, side)?, named))
}

fn module(source: &Source<'_>, at: &str) -> Option<Module> {
    let has = |name: &str| source.has(&format!("{at}.{name}"));
    if has("in_layers.0.weight") {
        Some(Module::Resnet)
    } else if has("proj_in.weight") {
        Some(Module::Transformer)
    } else if has("op.weight") {
        Some(Module::Downsample)
    } else if has("conv.weight") {
        Some(Module::Upsample)
    } else {
        has("weight").then_some(Module::Convolution)
    }
}

/// Copies the tensors of one submodule under diffusers' names.
fn take(source: &Source<'_>, from: &str, module: Module, to: &str, named: &mut Named) {
    let renames: &[(&str, &str)] = match module {
        Module::Resnet => &[
            ("in_layers.0.", "norm1."),
            ("in_layers.2.", "conv1."),
            ("emb_layers.1.", "time_emb_proj."),
            ("out_layers.0.", "norm2."),
            ("out_layers.3.", "conv2."),
            ("skip_connection.", "conv_shortcut."),
        ],
        Module::Downsample => &[("op.", "conv.")],
        Module::Transformer | Module::Upsample | Module::Convolution => &[("", "")],
    };
    for (name, stored) in source.below(&format!("{from}.")).iter() {
        if let Some(name) = exchange(name, renames) {
            named.insert(format!("{to}.{name}"), stored.clone());
        }
    }
}

fn down(source: &Source<'_>, named: &mut Named) -> Result<Vec<Level>, String> {
    let mut levels = vec![Level::default()];
    for index in 1..source.count_without_gap("input_blocks.")? {
        let last = levels.len() - 1;
        let Some(level) = levels.last_mut() else { break };
        for child in 0..source.count(&format!("input_blocks.{index}.")) {
            let from = format!("input_blocks.{index}.{child}");
            let unusual =
                |what: &str| Err(format!("`{from}` is {what}, which Stable Diffusion's UNet has not there"));
            let to = format!("down_blocks.{last}");
            match module(source, &from) {
                Some(module @ Module::Resnet) => {
                    level.width = source.dim(&format!("{from}.out_layers.3.weight"), 0).unwrap_or(0);
                    take(source, &from, module, &format!("{to}.resnets.{}", level.layers), named);
                    level.layers += 1;
                }
                Some(module @ Module::Transformer) => {
                    let Some(layer) = level.layers.checked_sub(1) else { return unusual("a transformer") };
                    level.attends = true;
                    level.depth = source.count(&format!("{from}.transformer_blocks."));
                    take(source, &from, module, &format!("{to}.attentions.{layer}"), named);
                }
                Some(module @ Module::Downsample) => {
                    take(source, &from, module, &format!("{to}.downsamplers.0"), named);
                }
                Some(Module::Upsample) => return unusual("an upsampler"),
                Some(Module::Convolution) => return unusual("a convolution"),
                None => return unusual("of an unknown kind"),
            }
        }
        if source.has(&format!("input_blocks.{index}.0.op.weight")) {
            levels.push(Level::default());
        }
    }
    if levels.iter().any(|level| level.layers == 0) {
        return Err("a level of the UNet has no residual blocks; tensors are missing".into());
    }
    Ok(levels)
}

/// diffusers' kind of the middle block, with the depth of its transformer.
fn middle(source: &Source<'_>, named: &mut Named) -> Result<Option<(&'static str, u32)>, String> {
    let count = source.count_without_gap("middle_block.")?;
    let children: Vec<Option<Module>> =
        (0..count).map(|n| module(source, &format!("middle_block.{n}"))).collect();
    let (places, kind): (&[&str], _) = match children.as_slice() {
        [] => (&[], None),
        [Some(Module::Resnet)] => (&["resnets.0"], Some("UNetMidBlock2D")),
        [Some(Module::Resnet), Some(Module::Transformer), Some(Module::Resnet)] => {
            (&["resnets.0", "attentions.0", "resnets.1"], Some("UNetMidBlock2DCrossAttn"))
        }
        other => {
            return Err(format!("its middle block consists of {other:?}, which is unusual or incomplete"));
        }
    };
    for (n, (place, module)) in places.iter().zip(children.iter().flatten()).enumerate() {
        take(source, &format!("middle_block.{n}"), *module, &format!("mid_block.{place}"), named);
    }
    Ok(kind.map(|kind| (kind, source.count("middle_block.1.transformer_blocks."))))
}

fn up(source: &Source<'_>, levels: &mut [Level], named: &mut Named) {
    let mut index = 0;
    for (block, level) in levels.iter_mut().rev().enumerate() {
        let to = format!("up_blocks.{block}");
        for layer in 0..=level.layers {
            for child in 0..source.count(&format!("output_blocks.{index}.")) {
                let from = format!("output_blocks.{index}.{child}");
                // Anything else there is left out, and then missed when the weights are checked.
                let place = match module(source, &from) {
                    Some(Module::Resnet) => format!("{to}.resnets.{layer}"),
                    Some(Module::Transformer) => format!("{to}.attentions.{layer}"),
                    Some(Module::Upsample) if layer == level.layers => format!("{to}.upsamplers.0"),
                    _ => continue,
                };
                let Some(module) = module(source, &from) else { continue };
                level.attends_up |= module == Module::Transformer;
                take(source, &from, module, &place, named);
            }
            index += 1;
        }
    }
}

fn config(
    source: &Source<'_>,
    named: &Named,
    levels: &[Level],
    middle: Option<(&'static str, u32)>,
    family: Family,
    side: &SideFile,
) -> Result<UnetConfig, String> {
    let dim = |name: &str, dimension| {
        source
            .dim(name, dimension)
            .ok_or_else(|| format!("tensor `{name}` is missing or has too few dimensions"))
    };
    let widths: Vec<u32> = levels.iter().map(|level| level.width).collect();
    let first = widths.first().copied().unwrap_or(0);
    let time = dim("time_embed.0.weight", 0)?;
    let context = named.iter().find(|(name, _)| name.ends_with(".attn2.to_k.weight"));
    let projection = named.iter().find(|(name, _)| name.ends_with(".proj_in.weight"));
    let kinds =
        |attends: bool, kind: &str| if attends { format!("CrossAttn{kind}") } else { kind.to_owned() };
    // The middle has the depth of the deepest level; where that level does not attend, only the middle tells.
    let last = levels.len() - 1;
    let depths = levels.iter().enumerate().map(|(index, level)| match middle {
        Some((_, depth)) if index == last && !level.attends => depth.max(1),
        _ => level.depth.max(1),
    });
    Ok(UnetConfig {
        class_name: Some("UNet2DConditionModel".into()),
        sample_size: Some(OneOrMany::One(64)),
        in_channels: dim("input_blocks.0.0.weight", 1)?,
        out_channels: dim("out.2.weight", 0)?,
        down_block_types: levels.iter().map(|level| kinds(level.attends, "DownBlock2D")).collect(),
        up_block_types: levels.iter().rev().map(|level| kinds(level.attends_up, "UpBlock2D")).collect(),
        mid_block_type: middle.map(|(kind, _)| kind.to_owned()),
        layers_per_block: one_or_many(levels.iter().map(|level| level.layers).collect()),
        transformer_layers_per_block: one_or_many(depths.collect()),
        attention_head_dim: one_or_many(heads(&widths, family, side)?),
        cross_attention_dim: OneOrMany::One(
            context.and_then(|(_, stored)| stored.shape.get(1)).map_or(768, |&width| width as u32),
        ),
        use_linear_projection: projection.is_some_and(|(_, stored)| stored.shape.len() == 2),
        time_embedding_dim: (time != first.saturating_mul(4)).then_some(time),
        norm_num_groups: Some(norm_groups(&widths)),
        block_out_channels: widths,
        ..UnetConfig::default()
    })
}

fn one_or_many(values: Vec<u32>) -> OneOrMany<u32> {
    match values.as_slice() {
        [first, rest @ ..] if rest.iter().all(|value| value == first) => OneOrMany::One(*first),
        _ => OneOrMany::Many(values),
    }
}

/// Number of heads by level, which shapes do not tell: 8 in Stable Diffusion 1, 64 channels each in 2, unless a side
/// file says otherwise.
fn heads(widths: &[u32], family: Family, side: &SideFile) -> Result<Vec<u32>, String> {
    let head_channels = match (side.num_heads, side.num_head_channels, family) {
        (_, Some(channels), _) => channels,
        (Some(heads), None, _) => return Ok(vec![heads; widths.len()]),
        (None, None, Family::Sd1) => return Ok(vec![8; widths.len()]),
        (None, None, Family::Sd2) => 64,
    };
    let whole =
        |&width: &u32| (head_channels > 0 && width % head_channels == 0).then(|| width / head_channels);
    widths.iter().map(whole).collect::<Option<_>>().ok_or_else(|| {
        format!(
            "{widths:?} channels cannot be split into heads of {head_channels}; a side file of the same name ending in \
             .yaml can say `num_head_channels: N`"
        )
    })
}
