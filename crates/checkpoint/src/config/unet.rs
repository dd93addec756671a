//! `UNet2DConditionModel`'s configuration.

use serde::{Deserialize, Serialize};

use super::{
    ACTIVATIONS, MAX_LAYERS, MAX_LEVELS, MAX_WIDTH, OneOrMany, require, require_length, require_size,
};
use crate::error::OptionProblem;

/// `unet/config.json`, with the defaults of diffusers' `UNet2DConditionModel.__init__` for what is missing. Fields have
/// diffusers' names; see its documentation for those not explained here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The names are diffusers' own.
pub struct UnetConfig {
    /// `UNet2DConditionModel`; `None` in files that do not say.
    #[serde(rename = "_class_name")]
    pub class_name: Option<String>,
    /// Width and height of the latents in training; no limit.
    pub sample_size: Option<OneOrMany<u32>>,
    /// 4; 9 for inpainting (latents, mask, masked picture), 8 for instruct-pix2pix (latents, picture).
    pub in_channels: u32,
    pub out_channels: u32,
    /// The input is mapped from 0..1 to −1..1 first.
    pub center_input_sample: bool,
    pub flip_sin_to_cos: bool,
    pub freq_shift: f64,
    pub down_block_types: Vec<String>,
    /// `None` for a network without a middle.
    pub mid_block_type: Option<String>,
    /// From the deepest level to the shallowest, as diffusers lists them.
    pub up_block_types: Vec<String>,
    pub only_cross_attention: OneOrMany<bool>,
    pub block_out_channels: Vec<u32>,
    pub layers_per_block: OneOrMany<u32>,
    pub downsample_padding: u32,
    pub mid_block_scale_factor: f64,
    pub act_fn: String,
    pub norm_num_groups: Option<u32>,
    pub norm_eps: f64,
    pub cross_attention_dim: OneOrMany<u32>,
    pub transformer_layers_per_block: OneOrMany<u32>,
    pub reverse_transformer_layers_per_block: Option<serde_json::Value>,
    pub encoder_hid_dim: Option<u32>,
    pub encoder_hid_dim_type: Option<String>,
    /// The **number** of heads, in spite of its name, which diffusers keeps for the sake of old files.
    pub attention_head_dim: OneOrMany<u32>,
    pub num_attention_heads: Option<OneOrMany<u32>>,
    pub dual_cross_attention: bool,
    pub use_linear_projection: bool,
    pub class_embed_type: Option<String>,
    pub addition_embed_type: Option<String>,
    pub num_class_embeds: Option<u32>,
    pub upcast_attention: bool,
    pub resnet_time_scale_shift: String,
    pub resnet_skip_time_act: bool,
    pub resnet_out_scale_factor: f64,
    pub time_embedding_type: String,
    pub time_embedding_dim: Option<u32>,
    pub time_embedding_act_fn: Option<String>,
    pub timestep_post_act: Option<String>,
    pub time_cond_proj_dim: Option<u32>,
    pub conv_in_kernel: u32,
    pub conv_out_kernel: u32,
    pub attention_type: String,
    pub class_embeddings_concat: bool,
    pub cross_attention_norm: Option<String>,
    pub addition_embed_type_num_heads: u32,
}

impl Default for UnetConfig {
    fn default() -> Self {
        let (cross_down, cross_up) = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D");
        let names = |names: [&str; 4]| names.map(str::to_owned).to_vec();
        Self {
            class_name: None,
            sample_size: None,
            in_channels: 4,
            out_channels: 4,
            center_input_sample: false,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            down_block_types: names([cross_down, cross_down, cross_down, "DownBlock2D"]),
            mid_block_type: Some("UNetMidBlock2DCrossAttn".into()),
            up_block_types: names(["UpBlock2D", cross_up, cross_up, cross_up]),
            only_cross_attention: OneOrMany::One(false),
            block_out_channels: vec![320, 640, 1280, 1280],
            layers_per_block: OneOrMany::One(2),
            downsample_padding: 1,
            mid_block_scale_factor: 1.0,
            act_fn: "silu".into(),
            norm_num_groups: Some(32),
            norm_eps: 1e-5,
            cross_attention_dim: OneOrMany::One(1280),
            transformer_layers_per_block: OneOrMany::One(1),
            reverse_transformer_layers_per_block: None,
            encoder_hid_dim: None,
            encoder_hid_dim_type: None,
            attention_head_dim: OneOrMany::One(8),
            num_attention_heads: None,
            dual_cross_attention: false,
            use_linear_projection: false,
            class_embed_type: None,
            addition_embed_type: None,
            num_class_embeds: None,
            upcast_attention: false,
            resnet_time_scale_shift: "default".into(),
            resnet_skip_time_act: false,
            resnet_out_scale_factor: 1.0,
            time_embedding_type: "positional".into(),
            time_embedding_dim: None,
            time_embedding_act_fn: None,
            timestep_post_act: None,
            time_cond_proj_dim: None,
            conv_in_kernel: 3,
            conv_out_kernel: 3,
            attention_type: "default".into(),
            class_embeddings_concat: false,
            cross_attention_norm: None,
            addition_embed_type_num_heads: 64,
        }
    }
}

impl UnetConfig {
    /// Whether a level, the shallowest being 0, has transformers on the way down, and on the way up.
    pub fn attends(&self, level: usize) -> (bool, bool) {
        let is = |types: &[String], index: Option<usize>, kind: &str| {
            index.and_then(|index| types.get(index)).is_some_and(|found| found == kind)
        };
        let up = self.up_block_types.len().checked_sub(level + 1);
        (
            is(&self.down_block_types, Some(level), "CrossAttnDownBlock2D"),
            is(&self.up_block_types, up, "CrossAttnUpBlock2D"),
        )
    }

    /// Width of the time embedding.
    pub fn time_dim(&self) -> u32 {
        self.time_embedding_dim
            .unwrap_or_else(|| self.block_out_channels.first().copied().unwrap_or(0).saturating_mul(4))
    }

    /// Width of the encoded prompt that goes in: `encoder_hid_dim` where there is a projection.
    pub fn context_dim(&self) -> u32 {
        self.encoder_hid_dim.unwrap_or_else(|| self.cross_attention_dim.values().last().copied().unwrap_or(0))
    }

    /// Refuses what would need other arithmetic than Tarim's network does, and sizes that cannot be.
    ///
    /// # Errors
    /// The first option at fault, with its value and what is supported.
    pub fn check(&self) -> Result<(), OptionProblem> {
        let class = self.class_name.as_deref().unwrap_or("UNet2DConditionModel");
        require(
            class == "UNet2DConditionModel",
            "_class_name",
            &self.class_name,
            "only UNet2DConditionModel is supported",
        )?;
        self.check_sizes()?;
        self.check_arithmetic()
    }

    fn check_sizes(&self) -> Result<(), OptionProblem> {
        let levels = self.block_out_channels.len();
        let widths = &self.block_out_channels;
        require(
            (1..=MAX_LEVELS).contains(&levels),
            "block_out_channels",
            widths,
            format!("1 to {MAX_LEVELS} levels"),
        )?;
        for (option, types) in
            [("down_block_types", &self.down_block_types), ("up_block_types", &self.up_block_types)]
        {
            require(
                types.len() == levels,
                option,
                types,
                format!("the network has {levels} levels (block_out_channels)"),
            )?;
        }
        require_length("layers_per_block", &self.layers_per_block, levels)?;
        require_length("cross_attention_dim", &self.cross_attention_dim, levels)?;
        require_length("attention_head_dim", &self.attention_head_dim, levels)?;
        require_length("transformer_layers_per_block", &self.transformer_layers_per_block, levels)?;
        require_length("only_cross_attention", &self.only_cross_attention, levels)?;
        let sizes = |option, value: &OneOrMany<u32>, most| {
            value.values().iter().try_for_each(|&value| require_size(option, value, most))
        };
        sizes("layers_per_block", &self.layers_per_block, MAX_LAYERS)?;
        sizes("transformer_layers_per_block", &self.transformer_layers_per_block, MAX_LAYERS)?;
        sizes("cross_attention_dim", &self.cross_attention_dim, MAX_WIDTH)?;
        sizes("attention_head_dim", &self.attention_head_dim, MAX_WIDTH)?;
        require_size("in_channels", self.in_channels, MAX_WIDTH)?;
        require_size("out_channels", self.out_channels, MAX_WIDTH)?;
        require_size("time_embedding_dim", self.time_dim(), 4 * MAX_WIDTH)?;
        let groups = self.norm_num_groups.unwrap_or(0);
        require(
            groups > 0,
            "norm_num_groups",
            &self.norm_num_groups,
            "networks without group norm are not supported",
        )?;
        for (level, &width) in widths.iter().enumerate() {
            require_size("block_out_channels", width, MAX_WIDTH)?;
            let reason = format!("{width} channels cannot be split into that many groups");
            require(width % groups == 0, "norm_num_groups", &groups, reason)?;
            let heads = self.attention_head_dim.get(level).copied().unwrap_or(1);
            let reason =
                format!("{width} channels cannot be split into that many heads (diffusers' name misleads)");
            let (down, up) = self.attends(level);
            let middle =
                level + 1 == levels && self.mid_block_type.as_deref() == Some("UNetMidBlock2DCrossAttn");
            require(
                !(down || up || middle) || width % heads == 0,
                "attention_head_dim",
                &self.attention_head_dim,
                reason,
            )?;
        }
        Ok(())
    }

    fn check_arithmetic(&self) -> Result<(), OptionProblem> {
        let only = |what: &str| format!("only {what} is supported");
        let known =
            |types: &[String], kinds: [&str; 2]| types.iter().all(|found| kinds.contains(&found.as_str()));
        let down = known(&self.down_block_types, ["CrossAttnDownBlock2D", "DownBlock2D"]);
        require(
            down,
            "down_block_types",
            &self.down_block_types,
            only("CrossAttnDownBlock2D and DownBlock2D"),
        )?;
        let up = known(&self.up_block_types, ["CrossAttnUpBlock2D", "UpBlock2D"]);
        require(up, "up_block_types", &self.up_block_types, only("CrossAttnUpBlock2D and UpBlock2D"))?;
        let middle = matches!(
            self.mid_block_type.as_deref(),
            None | Some("UNetMidBlock2DCrossAttn" | "UNetMidBlock2D")
        );
        require(
            middle,
            "mid_block_type",
            &self.mid_block_type,
            only("UNetMidBlock2DCrossAttn, UNetMidBlock2D or null"),
        )?;
        let dims = self.cross_attention_dim.values();
        let one_width = dims.iter().all(|dim| Some(dim) == dims.first());
        require(
            one_width,
            "cross_attention_dim",
            &self.cross_attention_dim,
            only("one width for all levels"),
        )?;
        let nested = self.reverse_transformer_layers_per_block.as_ref();
        require(nested.is_none(), "reverse_transformer_layers_per_block", &nested, only("null"))?;
        require(
            self.num_attention_heads.is_none(),
            "num_attention_heads",
            &self.num_attention_heads,
            only("null"),
        )?;
        require(!self.dual_cross_attention, "dual_cross_attention", &true, only("false"))?;
        require(self.class_embed_type.is_none(), "class_embed_type", &self.class_embed_type, only("null"))?;
        require(self.num_class_embeds.is_none(), "num_class_embeds", &self.num_class_embeds, only("null"))?;
        require(!self.class_embeddings_concat, "class_embeddings_concat", &true, only("false"))?;
        let added = matches!(self.addition_embed_type.as_deref(), None | Some("text"));
        require(added, "addition_embed_type", &self.addition_embed_type, only("null or \"text\""))?;
        if self.addition_embed_type.is_some() {
            let (heads, dim) = (self.addition_embed_type_num_heads, self.context_dim());
            let reason = format!("a context of {dim} cannot be split into that many heads");
            require(heads > 0 && dim % heads == 0, "addition_embed_type_num_heads", &heads, reason)?;
        }
        let kind = &self.encoder_hid_dim_type;
        require(
            matches!(kind.as_deref(), None | Some("text_proj")),
            "encoder_hid_dim_type",
            kind,
            only("null or \"text_proj\""),
        )?;
        let complete = kind.is_none() || self.encoder_hid_dim.is_some();
        require(complete, "encoder_hid_dim", &self.encoder_hid_dim, "encoder_hid_dim_type needs it")?;
        let shift = &self.resnet_time_scale_shift;
        let plain = matches!(shift.as_str(), "default" | "scale_shift");
        require(plain, "resnet_time_scale_shift", shift, only("\"default\" or \"scale_shift\""))?;
        require(!self.resnet_skip_time_act, "resnet_skip_time_act", &true, only("false"))?;
        let scale = self.resnet_out_scale_factor;
        require(scale == 1.0, "resnet_out_scale_factor", &scale, only("1"))?;
        let time = &self.time_embedding_type;
        require(time == "positional", "time_embedding_type", time, only("\"positional\""))?;
        require(
            self.time_cond_proj_dim.is_none(),
            "time_cond_proj_dim",
            &self.time_cond_proj_dim,
            only("null"),
        )?;
        require(
            self.attention_type == "default",
            "attention_type",
            &self.attention_type,
            only("\"default\""),
        )?;
        require(
            self.cross_attention_norm.is_none(),
            "cross_attention_norm",
            &self.cross_attention_norm,
            only("null"),
        )?;
        require(
            self.downsample_padding <= 1,
            "downsample_padding",
            &self.downsample_padding,
            only("0 or 1"),
        )?;
        for (option, kernel) in
            [("conv_in_kernel", self.conv_in_kernel), ("conv_out_kernel", self.conv_out_kernel)]
        {
            require(kernel % 2 == 1 && kernel < 64, option, &kernel, "it must be odd")?;
        }
        let activation = |name: Option<&str>| name.is_none_or(|name| ACTIVATIONS.contains(&name));
        let one_of = only(&ACTIVATIONS.join(", "));
        require(activation(Some(&self.act_fn)), "act_fn", &self.act_fn, &*one_of)?;
        let acts = [
            ("time_embedding_act_fn", &self.time_embedding_act_fn),
            ("timestep_post_act", &self.timestep_post_act),
        ];
        acts.into_iter()
            .try_for_each(|(option, act)| require(activation(act.as_deref()), option, act, &*one_of))
    }
}
