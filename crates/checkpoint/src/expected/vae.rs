//! `AutoencoderKL`'s tensors.

use super::{Builder, ExpectedTensor};
use crate::config::VaeConfig;

impl VaeConfig {
    /// All tensors of encoder and decoder.
    pub fn expected_tensors(&self) -> Vec<ExpectedTensor> {
        let mut tensors = Vec::new();
        let mut root = Builder::new(&mut tensors);
        let (Some(&first), Some(&last)) = (self.block_out_channels.first(), self.block_out_channels.last())
        else {
            return tensors;
        };
        let (levels, latents) = (self.block_out_channels.len(), self.latent_channels);
        let mut encoder = root.at("encoder");
        encoder.conv("conv_in", self.in_channels, first, 3);
        let mut inputs = first;
        for (level, &width) in self.block_out_channels.iter().enumerate() {
            let mut block = encoder.at(format_args!("down_blocks.{level}"));
            for layer in 0..self.layers_per_block {
                block.at(format_args!("resnets.{layer}")).resnet(inputs, width, None);
                inputs = width;
            }
            if level + 1 < levels {
                block.conv("downsamplers.0.conv", width, width, 3);
            }
        }
        self.middle(&mut encoder.at("mid_block"), last);
        encoder.norm("conv_norm_out", last);
        encoder.conv("conv_out", last, 2 * latents, 3);

        let mut decoder = root.at("decoder");
        decoder.conv("conv_in", latents, last, 3);
        self.middle(&mut decoder.at("mid_block"), last);
        let mut inputs = last;
        for (level, &width) in self.block_out_channels.iter().rev().enumerate() {
            let mut block = decoder.at(format_args!("up_blocks.{level}"));
            for layer in 0..=self.layers_per_block {
                block.at(format_args!("resnets.{layer}")).resnet(inputs, width, None);
                inputs = width;
            }
            if level + 1 < levels {
                block.conv("upsamplers.0.conv", width, width, 3);
            }
        }
        decoder.norm("conv_norm_out", first);
        decoder.conv("conv_out", first, self.out_channels, 3);

        if self.use_quant_conv {
            root.conv("quant_conv", 2 * latents, 2 * latents, 1);
        }
        if self.use_post_quant_conv {
            root.conv("post_quant_conv", latents, latents, 1);
        }
        tensors
    }

    fn middle(&self, block: &mut Builder<'_>, width: u32) {
        block.at("resnets.0").resnet(width, width, None);
        if self.mid_block_add_attention {
            let mut attention = block.at("attentions.0");
            attention.norm("group_norm", width);
            for name in ["to_q", "to_k", "to_v", "to_out.0"] {
                attention.linear(name, width, width);
            }
        }
        block.at("resnets.1").resnet(width, width, None);
    }
}
