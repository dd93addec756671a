//! `AutoencoderKL`'s configuration.

use serde::{Deserialize, Serialize};

use super::{ACTIVATIONS, MAX_LAYERS, MAX_LEVELS, MAX_WIDTH, require, require_size};
use crate::error::OptionProblem;

/// `vae/config.json`, with the defaults of diffusers' `AutoencoderKL.__init__` for what is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The names are diffusers' own.
pub struct VaeConfig {
    /// `AutoencoderKL`; `None` in files that do not say.
    #[serde(rename = "_class_name")]
    pub class_name: Option<String>,
    pub in_channels: u32,
    pub out_channels: u32,
    pub down_block_types: Vec<String>,
    pub up_block_types: Vec<String>,
    pub block_out_channels: Vec<u32>,
    pub layers_per_block: u32,
    pub act_fn: String,
    pub latent_channels: u32,
    pub norm_num_groups: u32,
    pub sample_size: super::OneOrMany<u32>,
    /// Latents of the UNet are `(encoded − shift_factor) · scaling_factor`.
    pub scaling_factor: f64,
    /// See [`Self::scaling_factor`]; `None` is 0.
    pub shift_factor: Option<f64>,
    pub latents_mean: Option<Vec<f64>>,
    pub latents_std: Option<Vec<f64>>,
    /// Overflows in float16: compute in float32 there. diffusers' default is true, also for models that do not need it.
    pub force_upcast: bool,
    pub use_quant_conv: bool,
    pub use_post_quant_conv: bool,
    pub mid_block_add_attention: bool,
}

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            class_name: None,
            in_channels: 3,
            out_channels: 3,
            down_block_types: vec!["DownEncoderBlock2D".into()],
            up_block_types: vec!["UpDecoderBlock2D".into()],
            block_out_channels: vec![64],
            layers_per_block: 1,
            act_fn: "silu".into(),
            latent_channels: 4,
            norm_num_groups: 32,
            sample_size: super::OneOrMany::One(32),
            scaling_factor: 0.18215,
            shift_factor: None,
            latents_mean: None,
            latents_std: None,
            force_upcast: true,
            use_quant_conv: true,
            use_post_quant_conv: true,
            mid_block_add_attention: true,
        }
    }
}

impl VaeConfig {
    /// Pixels per latent along each side: 8 for Stable Diffusion.
    pub fn factor(&self) -> u32 {
        1 << self.block_out_channels.len().saturating_sub(1).min(16)
    }

    /// Refuses what would need other arithmetic than Tarim's network does, and sizes that cannot be.
    ///
    /// # Errors
    /// The first option at fault, with its value and what is supported.
    pub fn check(&self) -> Result<(), OptionProblem> {
        let only = |what: &str| format!("only {what} is supported");
        let class = self.class_name.as_deref().unwrap_or("AutoencoderKL");
        require(class == "AutoencoderKL", "_class_name", &self.class_name, only("AutoencoderKL"))?;
        let widths = &self.block_out_channels;
        let levels = widths.len();
        require(
            (1..=MAX_LEVELS).contains(&levels),
            "block_out_channels",
            widths,
            format!("1 to {MAX_LEVELS} levels"),
        )?;
        let sides = [
            ("down_block_types", &self.down_block_types, "DownEncoderBlock2D"),
            ("up_block_types", &self.up_block_types, "UpDecoderBlock2D"),
        ];
        for (option, types, kind) in sides {
            require(
                types.len() == levels,
                option,
                types,
                format!("the network has {levels} levels (block_out_channels)"),
            )?;
            require(types.iter().all(|found| found == kind), option, types, only(kind))?;
        }
        require_size("layers_per_block", self.layers_per_block, MAX_LAYERS)?;
        require_size("in_channels", self.in_channels, MAX_WIDTH)?;
        require_size("out_channels", self.out_channels, MAX_WIDTH)?;
        require_size("latent_channels", self.latent_channels, MAX_WIDTH)?;
        require_size("norm_num_groups", self.norm_num_groups, MAX_WIDTH)?;
        for &width in widths {
            require_size("block_out_channels", width, MAX_WIDTH)?;
            let reason = format!("{width} channels cannot be split into that many groups");
            require(width % self.norm_num_groups == 0, "norm_num_groups", &self.norm_num_groups, reason)?;
        }
        require(
            ACTIVATIONS.contains(&self.act_fn.as_str()),
            "act_fn",
            &self.act_fn,
            only(&ACTIVATIONS.join(", ")),
        )?;
        let scale = self.scaling_factor;
        require(scale.is_finite() && scale > 0.0, "scaling_factor", &scale, "it must be above 0")?;
        require(self.latents_mean.is_none(), "latents_mean", &self.latents_mean, only("null"))?;
        require(self.latents_std.is_none(), "latents_std", &self.latents_std, only("null"))
    }
}
