//! `CLIPTextModel`'s configuration.

use serde::{Deserialize, Deserializer, Serialize};

use super::{MAX_LAYERS, MAX_WIDTH, require, require_size};
use crate::error::OptionProblem;

/// `text_encoder/config.json`, with the defaults of transformers' `CLIPTextConfig` for what is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The names are transformers' own.
pub struct ClipTextConfig {
    /// `clip_text_model`; `None` in files that do not say.
    pub model_type: Option<String>,
    /// `["CLIPTextModel"]`, or with a projection that diffusion does not use.
    pub architectures: Option<Vec<String>>,
    pub vocab_size: u32,
    pub hidden_size: u32,
    pub intermediate_size: u32,
    pub num_hidden_layers: u32,
    pub num_attention_heads: u32,
    pub max_position_embeddings: u32,
    /// `quick_gelu` for CLIP-L, `gelu` for OpenCLIP.
    pub hidden_act: String,
    pub layer_norm_eps: f64,
    /// Old files have 2, which transformers takes to mean the greatest id of a prompt.
    #[serde(deserialize_with = "first_id")]
    pub eos_token_id: u32,
}

impl Default for ClipTextConfig {
    fn default() -> Self {
        Self {
            model_type: None,
            architectures: None,
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: "quick_gelu".into(),
            layer_norm_eps: 1e-5,
            eos_token_id: 49407,
        }
    }
}

impl ClipTextConfig {
    /// Refuses what would need other arithmetic than Tarim's network does, and sizes that cannot be.
    ///
    /// # Errors
    /// The first option at fault, with its value and what is supported.
    pub fn check(&self) -> Result<(), OptionProblem> {
        let only = |what: &str| format!("only {what} is supported");
        let model = self.model_type.as_deref().unwrap_or("clip_text_model");
        require(model == "clip_text_model", "model_type", &self.model_type, only("clip_text_model"))?;
        let known = |name: &String| name.starts_with("CLIPTextModel");
        let architecture = self.architectures.as_ref().is_none_or(|names| names.iter().all(known));
        require(architecture, "architectures", &self.architectures, only("CLIPTextModel"))?;
        require_size("vocab_size", self.vocab_size, 1 << 24)?;
        require_size("hidden_size", self.hidden_size, MAX_WIDTH)?;
        require_size("intermediate_size", self.intermediate_size, 4 * MAX_WIDTH)?;
        require_size("num_hidden_layers", self.num_hidden_layers, MAX_LAYERS)?;
        require_size("max_position_embeddings", self.max_position_embeddings, MAX_WIDTH)?;
        let heads = self.num_attention_heads;
        let reason = format!("{} channels cannot be split into that many heads", self.hidden_size);
        require(heads > 0 && self.hidden_size.is_multiple_of(heads), "num_attention_heads", &heads, reason)?;
        let activations = ["quick_gelu", "gelu", "gelu_new", "silu", "relu"];
        let act = &self.hidden_act;
        require(activations.contains(&act.as_str()), "hidden_act", act, only(&activations.join(", ")))
    }
}

/// One id, or the first of a list.
fn first_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let ids = Option::<super::OneOrMany<u32>>::deserialize(deserializer)?;
    Ok(ids
        .and_then(|ids| ids.values().first().copied())
        .unwrap_or_else(|| ClipTextConfig::default().eos_token_id))
}
