//! `UNet2DConditionModel`'s tensors.

use super::{Builder, ExpectedTensor};
use crate::config::UnetConfig;

impl UnetConfig {
    /// All tensors of the network. For configurations that pass [`Self::check`].
    pub fn expected_tensors(&self) -> Vec<ExpectedTensor> {
        let mut tensors = Vec::new();
        let mut root = Builder::new(&mut tensors);
        let widths = &self.block_out_channels;
        let (Some(&first), Some(&last)) = (widths.first(), widths.last()) else {
            return tensors;
        };
        let time = self.time_dim();
        root.conv("conv_in", self.in_channels, first, self.conv_in_kernel);
        root.linear("time_embedding.linear_1", first, time);
        root.linear("time_embedding.linear_2", time, time);
        if let Some(width) = self.encoder_hid_dim {
            root.linear("encoder_hid_proj", width, self.cross_width());
        }
        if self.addition_embed_type.is_some() {
            self.text_embedding(&mut root.at("add_embedding"));
        }
        self.down(&mut root);
        if let Some(kind) = &self.mid_block_type {
            let mut block = root.at("mid_block");
            block.at("resnets.0").resnet(last, last, Some(self.time_projection(last)));
            if kind == "UNetMidBlock2DCrossAttn" {
                self.transformer(&mut block.at("attentions.0"), widths.len() - 1, false);
                block.at("resnets.1").resnet(last, last, Some(self.time_projection(last)));
            }
        }
        self.up(&mut root);
        root.norm("conv_norm_out", first);
        root.conv("conv_out", first, self.out_channels, self.conv_out_kernel);
        tensors
    }

    fn down(&self, root: &mut Builder<'_>) {
        let widths = &self.block_out_channels;
        let mut inputs = widths.first().copied().unwrap_or(0);
        for (level, &width) in widths.iter().enumerate() {
            let mut block = root.at(format_args!("down_blocks.{level}"));
            for layer in 0..self.layers(level) {
                block.at(format_args!("resnets.{layer}")).resnet(
                    inputs,
                    width,
                    Some(self.time_projection(width)),
                );
                inputs = width;
                if self.attends(level).0 {
                    let only_cross = self.only_cross_attention.get(level).copied().unwrap_or(false);
                    self.transformer(&mut block.at(format_args!("attentions.{layer}")), level, only_cross);
                }
            }
            if level + 1 < widths.len() {
                block.conv("downsamplers.0.conv", width, width, 3);
            }
        }
    }

    fn up(&self, root: &mut Builder<'_>) {
        let widths = &self.block_out_channels;
        let mut inputs = widths.last().copied().unwrap_or(0);
        for (index, (level, &width)) in widths.iter().enumerate().rev().enumerate() {
            let mut block = root.at(format_args!("up_blocks.{index}"));
            let above = level.checked_sub(1).and_then(|above| widths.get(above)).copied().unwrap_or(width);
            let layers = self.layers(level);
            for layer in 0..=layers {
                let skip = if layer == layers { above } else { width };
                block.at(format_args!("resnets.{layer}")).resnet(
                    inputs + skip,
                    width,
                    Some(self.time_projection(width)),
                );
                inputs = width;
                if self.attends(level).1 {
                    let only_cross = self.only_cross_attention.get(level).copied().unwrap_or(false);
                    self.transformer(&mut block.at(format_args!("attentions.{layer}")), level, only_cross);
                }
            }
            if level > 0 {
                block.conv("upsamplers.0.conv", width, width, 3);
            }
        }
    }

    /// `Transformer2DModel` of a level.
    fn transformer(&self, at: &mut Builder<'_>, level: usize, only_cross: bool) {
        let width = self.block_out_channels.get(level).copied().unwrap_or(0);
        let depth = self.transformer_layers_per_block.get(level).copied().unwrap_or(1);
        let context = self.cross_width();
        at.norm("norm", width);
        let project = |at: &mut Builder<'_>, name: &str| {
            if self.use_linear_projection {
                at.linear(name, width, width);
            } else {
                at.conv(name, width, width, 1);
            }
        };
        project(at, "proj_in");
        for index in 0..depth {
            let mut block = at.at(format_args!("transformer_blocks.{index}"));
            for (norm, attention, keys) in
                [("norm1", "attn1", if only_cross { context } else { width }), ("norm2", "attn2", context)]
            {
                block.norm(norm, width);
                let mut attention = block.at(attention);
                attention.tensor("to_q.weight", &[width, width]);
                attention.tensor("to_k.weight", &[width, keys]);
                attention.tensor("to_v.weight", &[width, keys]);
                attention.linear("to_out.0", width, width);
            }
            block.norm("norm3", width);
            block.linear("ff.net.0.proj", width, 8 * width);
            block.linear("ff.net.2", 4 * width, width);
        }
        project(at, "proj_out");
    }

    /// `TextTimeEmbedding`.
    fn text_embedding(&self, at: &mut Builder<'_>) {
        let (width, time) = (self.context_dim(), self.time_dim());
        at.norm("norm1", width);
        let mut pool = at.at("pool");
        pool.tensor("positional_embedding", &[1, width]);
        for name in ["k_proj", "q_proj", "v_proj"] {
            pool.linear(name, width, width);
        }
        at.linear("proj", width, time);
        at.norm("norm2", time);
    }

    /// Width of the context inside the network.
    fn cross_width(&self) -> u32 {
        self.cross_attention_dim.values().last().copied().unwrap_or(0)
    }

    fn layers(&self, level: usize) -> u32 {
        self.layers_per_block.get(level).copied().unwrap_or(0)
    }

    /// Inputs and outputs of a residual block's time projection.
    fn time_projection(&self, width: u32) -> (u32, u32) {
        let projected = if self.resnet_time_scale_shift == "scale_shift" { 2 * width } else { width };
        (self.time_dim(), projected)
    }
}
