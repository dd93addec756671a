//! What a UNet's configuration comes down to: the shape of each level.

use tarim_checkpoint::{OneOrMany, UnetConfig};

use super::attention::TransformerShape;
use super::layers::Activation;
use super::resnet::ResnetShape;
use super::unet::PART;
use crate::error::{DiffusionError, Result};

/// The configuration, checked, with diffusers' defaults and quirks resolved.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) in_channels: i64,
    pub(super) out_channels: i64,
    pub(super) center_input: bool,
    pub(super) flip_sin_to_cos: bool,
    pub(super) freq_shift: f64,
    pub(super) time_dim: i64,
    pub(super) activation: Activation,
    pub(super) time_activation: Option<Activation>,
    pub(super) time_post_activation: Option<Activation>,
    pub(super) added: AddedEmbedding,
    /// Width of the context that comes in, before a projection.
    pub(super) context_input_dim: i64,
    pub(super) context_dim: i64,
    pub(super) projects_context: bool,
    pub(super) groups: i64,
    pub(super) eps: f64,
    pub(super) conv_in_kernel: i64,
    pub(super) conv_out_kernel: i64,
    pub(super) middle: Option<Middle>,
    scale_shift: bool,
    levels: Vec<Level>,
    downsample_padding: i64,
}

/// What is added to the time embedding.
#[derive(Clone, Copy, Debug)]
pub(super) enum AddedEmbedding {
    None,
    Text { heads: i64 },
}

/// The middle block; without a transformer it is a single residual block.
#[derive(Debug)]
pub(super) struct Middle {
    pub(super) output_scale: f64,
    pub(super) transformer: Option<TransformerShape>,
}

#[derive(Debug)]
struct Level {
    width: i64,
    layers: i64,
    down_attends: bool,
    /// Whether the way up at this width attends.
    up_attends: bool,
    transformer: TransformerShape,
}

/// One level on the way down.
pub(super) struct DownLevel {
    pub(super) layers: i64,
    pub(super) resnet: ResnetShape,
    pub(super) transformer: Option<TransformerShape>,
    pub(super) padding: Option<i64>,
}

/// One level on the way up.
pub(super) struct UpLevel {
    pub(super) skips: Vec<i64>,
    pub(super) resnet: ResnetShape,
    pub(super) transformer: Option<TransformerShape>,
    pub(super) upsample: bool,
}

impl Plan {
    pub(super) fn new(config: &UnetConfig) -> Result<Self> {
        refuse_what_is_not_done(config)?;
        let levels = levels(config)?;
        let widest_context = levels.last().map_or(0, |level| level.transformer.context_dim);
        let first_width = levels.first().map_or(0, |level| level.width);
        let groups = groups(config)?;
        let projects_context = config.encoder_hid_dim.is_some();
        let context_input_dim = config.encoder_hid_dim.map_or(widest_context, |dim| dim as i64);
        let one_width = levels.iter().all(|level| level.transformer.context_dim == widest_context);
        if !one_width {
            return Err(unsupported("levels with different cross_attention_dim"));
        }
        let attends = |kind: &str| match kind {
            "UNetMidBlock2DCrossAttn" => Ok(true),
            "UNetMidBlock2D" => Ok(false),
            other => Err(unsupported(format!("mid_block_type `{other}`"))),
        };
        let middle = match &config.mid_block_type {
            Some(kind) => Some(Middle {
                output_scale: config.mid_block_scale_factor,
                // only_cross_attention does not reach the middle block.
                transformer: attends(kind)?
                    .then(|| {
                        levels
                            .last()
                            .map(|l| TransformerShape { only_cross_attention: false, ..l.transformer })
                    })
                    .flatten(),
            }),
            None => None,
        };
        let named = |name: &Option<String>| name.as_deref().map(activation).transpose();
        Ok(Self {
            in_channels: config.in_channels as i64,
            out_channels: config.out_channels as i64,
            center_input: config.center_input_sample,
            flip_sin_to_cos: config.flip_sin_to_cos,
            freq_shift: config.freq_shift,
            time_dim: config.time_embedding_dim.map_or(4 * first_width, |dim| dim as i64),
            activation: activation(&config.act_fn)?,
            time_activation: named(&config.time_embedding_act_fn)?,
            time_post_activation: named(&config.timestep_post_act)?,
            added: match config.addition_embed_type.as_deref() {
                None => AddedEmbedding::None,
                Some("text") => AddedEmbedding::Text { heads: config.addition_embed_type_num_heads as i64 },
                Some(other) => return Err(unsupported(format!("addition_embed_type `{other}`"))),
            },
            context_input_dim,
            context_dim: widest_context,
            projects_context,
            groups,
            eps: config.norm_eps,
            conv_in_kernel: odd("conv_in_kernel", config.conv_in_kernel as i64)?,
            conv_out_kernel: odd("conv_out_kernel", config.conv_out_kernel as i64)?,
            middle,
            scale_shift: match config.resnet_time_scale_shift.as_str() {
                "default" => false,
                "scale_shift" => true,
                other => return Err(unsupported(format!("resnet_time_scale_shift `{other}`"))),
            },
            levels,
            downsample_padding: match config.downsample_padding {
                padding @ (0 | 1) => padding as i64,
                other => return Err(unsupported(format!("downsample_padding {other}"))),
            },
        })
    }

    pub(super) fn first_width(&self) -> i64 {
        self.levels.first().map_or(0, |level| level.width)
    }

    pub(super) fn last_width(&self) -> i64 {
        self.levels.last().map_or(0, |level| level.width)
    }

    pub(super) fn resnet(&self, inputs: i64, outputs: i64, output_scale: f64) -> ResnetShape {
        ResnetShape {
            inputs,
            outputs,
            time_dim: Some(self.time_dim),
            scale_shift: self.scale_shift,
            groups: self.groups,
            eps: self.eps,
            activation: self.activation,
            output_scale,
        }
    }

    /// From the shallowest level to the deepest.
    pub(super) fn down_levels(&self) -> Vec<DownLevel> {
        let mut inputs = self.first_width();
        let last = self.levels.len() - 1;
        let each = |(index, level): (usize, &Level)| {
            let resnet = self.resnet(inputs, level.width, 1.0);
            inputs = level.width;
            DownLevel {
                layers: level.layers,
                resnet,
                transformer: level.down_attends.then_some(level.transformer),
                padding: (index < last).then_some(self.downsample_padding),
            }
        };
        self.levels.iter().enumerate().map(each).collect()
    }

    /// From the deepest level to the shallowest. Each takes one skip connection more than it has layers on the way
    /// down: the last comes from the level above (its downsampler, or the network's first convolution).
    pub(super) fn up_levels(&self) -> Vec<UpLevel> {
        let mut inputs = self.last_width();
        let each = |(index, level): (usize, &Level)| {
            let above =
                index.checked_sub(1).and_then(|i| self.levels.get(i)).map_or(level.width, |l| l.width);
            let mut skips = vec![level.width; level.layers.max(0) as usize];
            skips.push(above);
            let resnet = self.resnet(inputs, level.width, 1.0);
            inputs = level.width;
            UpLevel {
                skips,
                resnet,
                transformer: level.up_attends.then_some(level.transformer),
                upsample: index > 0,
            }
        };
        self.levels.iter().enumerate().rev().map(each).collect()
    }
}

fn unsupported(problem: impl Into<String>) -> DiffusionError {
    DiffusionError::Unsupported { part: PART, problem: problem.into() }
}

fn activation(name: &str) -> Result<Activation> {
    Activation::from_name(name).ok_or_else(|| unsupported(format!("unknown activation `{name}`")))
}

fn odd(name: &str, kernel: i64) -> Result<i64> {
    if kernel > 0 && kernel % 2 == 1 { Ok(kernel) } else { Err(unsupported(format!("{name} {kernel}"))) }
}

fn groups(config: &UnetConfig) -> Result<i64> {
    config.norm_num_groups.map(|groups| groups as i64).ok_or_else(|| unsupported("no norm_num_groups"))
}

fn refuse_what_is_not_done(config: &UnetConfig) -> Result<()> {
    let refuse = |present: bool, what: &str| if present { Err(unsupported(what)) } else { Ok(()) };
    refuse(config.num_attention_heads.is_some(), "num_attention_heads (diffusers refuses it as well)")?;
    refuse(config.dual_cross_attention, "dual_cross_attention")?;
    refuse(config.class_embed_type.is_some() || config.num_class_embeds.is_some(), "class embeddings")?;
    refuse(config.time_embedding_type != "positional", "a time_embedding_type other than positional")?;
    refuse(config.time_cond_proj_dim.is_some(), "time_cond_proj_dim (guidance as an input)")?;
    let kind = config.encoder_hid_dim_type.as_deref();
    refuse(kind.is_some_and(|kind| kind != "text_proj"), "an encoder_hid_dim_type other than text_proj")?;
    refuse(kind.is_some() && config.encoder_hid_dim.is_none(), "encoder_hid_dim_type without encoder_hid_dim")
}

/// The value of each level, from one for all or a list.
fn per_level<T: Clone>(name: &str, value: &OneOrMany<T>, levels: usize) -> Result<Vec<T>> {
    match value {
        OneOrMany::One(value) => Ok(vec![value.clone(); levels]),
        OneOrMany::Many(values) if values.len() == levels => Ok(values.clone()),
        OneOrMany::Many(values) => {
            Err(unsupported(format!("{name} has {} entries for {levels} levels", values.len())))
        }
    }
}

fn levels(config: &UnetConfig) -> Result<Vec<Level>> {
    let count = config.block_out_channels.len();
    if count == 0 || config.down_block_types.len() != count || config.up_block_types.len() != count {
        return Err(unsupported(format!(
            "{count} block_out_channels, {} down_block_types and {} up_block_types; they must be as many",
            config.down_block_types.len(),
            config.up_block_types.len()
        )));
    }
    let attends = |kind: &str, with: &str, without: &str| match kind {
        kind if kind == with => Ok(true),
        kind if kind == without => Ok(false),
        other => Err(unsupported(format!("block type `{other}`"))),
    };
    let layers = per_level("layers_per_block", &config.layers_per_block, count)?;
    // A naming mistake that diffusers keeps: `attention_head_dim` is the number of heads.
    let heads = per_level("attention_head_dim", &config.attention_head_dim, count)?;
    let context_dims = per_level("cross_attention_dim", &config.cross_attention_dim, count)?;
    let depths = per_level("transformer_layers_per_block", &config.transformer_layers_per_block, count)?;
    let only_cross = per_level("only_cross_attention", &config.only_cross_attention, count)?;
    let norm_groups = groups(config)?;
    let each =
        config.block_out_channels.iter().zip(layers).zip(heads).zip(context_dims).zip(depths).zip(only_cross);
    let types = config.down_block_types.iter().zip(config.up_block_types.iter().rev());
    each.zip(types)
        .map(|((((((&width, layers), heads), context_dim), depth), only_cross_attention), (down, up))| {
            Ok(Level {
                width: width as i64,
                layers: layers as i64,
                down_attends: attends(down, "CrossAttnDownBlock2D", "DownBlock2D")?,
                up_attends: attends(up, "CrossAttnUpBlock2D", "UpBlock2D")?,
                transformer: TransformerShape {
                    channels: width as i64,
                    heads: heads as i64,
                    layers: depth as i64,
                    context_dim: context_dim as i64,
                    norm_groups,
                    linear_projection: config.use_linear_projection,
                    only_cross_attention,
                    upcast_attention: config.upcast_attention,
                },
            })
        })
        .collect()
}
