//! Text encoders in single files: transformers' CLIP under a prefix, or OpenCLIP with its own names.

use super::source::{Named, Source, exchange};
use crate::config::ClipTextConfig;
use crate::header::Stored;
use crate::kind::Family;

/// OpenCLIP-H's width, of which Stable Diffusion 2 uses this many layers of 24: its authors take the state before the
/// last layer.
const OPENCLIP_H: (u32, u32) = (1024, 23);
/// Channels of one head, in every CLIP that diffusion models use.
const HEAD: u32 = 64;

/// Family, names and configuration of the tensors below `cond_stage_model.`; `None` when there is no text encoder.
///
/// # Errors
/// When a layer is missing.
pub(crate) fn read(source: &Source<'_>) -> Result<Option<(Family, ClipTextConfig, Named)>, String> {
    let openclip = source.below("model.");
    if openclip.has("token_embedding.weight") {
        return read_openclip(&openclip).map(Some);
    }
    let transformer = source.below("transformer.");
    // Files of 2022, and those saved with transformers 5, have no `text_model.`.
    let nested = transformer.below("text_model.");
    let clip = if nested.is_empty() { transformer } else { nested };
    if !clip.has("embeddings.token_embedding.weight") {
        return Ok(None);
    }
    let named: Named = clip
        .iter()
        .filter(|(name, _)| !name.ends_with("position_ids"))
        .map(|(name, stored)| (name.to_owned(), stored.clone()))
        .collect();
    let layers = clip.count_without_gap("encoder.layers.")?;
    Ok(Some((Family::Sd1, config(&named, layers, "quick_gelu"), named)))
}

fn read_openclip(source: &Source<'_>) -> Result<(Family, ClipTextConfig, Named), String> {
    let all = source.count_without_gap("transformer.resblocks.")?;
    let width = source.dim("token_embedding.weight", 1).unwrap_or(0);
    // Files converted back from diffusers lack the last layer.
    let layers = if width == OPENCLIP_H.0 { all.min(OPENCLIP_H.1) } else { all.saturating_sub(1) };
    let mut named = Named::new();
    for (name, stored) in source.iter() {
        let fixed = [
            ("token_embedding.", "embeddings.token_embedding."),
            ("positional_embedding", "embeddings.position_embedding.weight"),
            ("ln_final.", "final_layer_norm."),
        ];
        if let Some(name) = exchange(name, &fixed) {
            named.insert(name, stored.clone());
        } else if let Some((layer, rest)) = layer_name(name).filter(|(layer, _)| *layer < layers) {
            insert_layer_tensor(&format!("encoder.layers.{layer}"), rest, stored, &mut named);
        }
    }
    Ok((Family::Sd2, config(&named, layers, "gelu"), named))
}

/// Splits `transformer.resblocks.7.mlp.c_fc.weight`.
fn layer_name(name: &str) -> Option<(u32, &str)> {
    let (layer, rest) = name.strip_prefix("transformer.resblocks.")?.split_once('.')?;
    Some((layer.parse().ok()?, rest))
}

fn insert_layer_tensor(layer: &str, rest: &str, stored: &Stored, named: &mut Named) {
    let fixed = [
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
        ("attn.out_proj.", "self_attn.out_proj."),
    ];
    if let Some(name) = exchange(rest, &fixed) {
        named.insert(format!("{layer}.{name}"), stored.clone());
        return;
    }
    // One matrix for queries, keys and values, one after another.
    for (old, kind) in [("attn.in_proj_weight", "weight"), ("attn.in_proj_bias", "bias")] {
        if rest == old {
            for (index, projection) in ["q_proj", "k_proj", "v_proj"].iter().enumerate() {
                if let Some(part) = third(stored, index) {
                    named.insert(format!("{layer}.self_attn.{projection}.{kind}"), part);
                }
            }
        }
    }
}

/// The `index`-th third of the rows.
fn third(stored: &Stored, index: usize) -> Option<Stored> {
    let (rows, rest) = stored.shape.split_first()?;
    if rows % 3 != 0 {
        return None;
    }
    let bytes = stored.range.len() / 3;
    let start = stored.range.start + index * bytes;
    let shape = std::iter::once(rows / 3).chain(rest.iter().copied()).collect();
    Some(Stored { dtype: stored.dtype, shape, range: start..start + bytes })
}

fn config(named: &Named, layers: u32, activation: &str) -> ClipTextConfig {
    let dim = |name: &str, dimension: usize| {
        named.get(name).and_then(|stored| stored.shape.get(dimension)).map_or(0, |&n| n as u32)
    };
    let width = dim("embeddings.token_embedding.weight", 1);
    let vocabulary = dim("embeddings.token_embedding.weight", 0);
    ClipTextConfig {
        model_type: Some("clip_text_model".into()),
        architectures: None,
        vocab_size: vocabulary,
        hidden_size: width,
        intermediate_size: dim("encoder.layers.0.mlp.fc1.weight", 0),
        num_hidden_layers: layers,
        num_attention_heads: (width / HEAD).max(1),
        max_position_embeddings: dim("embeddings.position_embedding.weight", 0),
        hidden_act: activation.to_owned(),
        layer_norm_eps: 1e-5,
        eos_token_id: vocabulary.saturating_sub(1),
    }
}
