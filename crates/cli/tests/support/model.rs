//! The smallest model of Stable Diffusion's architecture, with weights of zero.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "helpers of tests are tests; not every test uses all of them"
)]

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, json};
use tarim_checkpoint::{ClipTextConfig, ExpectedTensor, OneOrMany, UnetConfig, VaeConfig};

/// A whole model in diffusers' layout, of 128x128 pixels.
pub(crate) fn write(folder: &Path) {
    write_without(folder, "");
}

/// The same, without a tensor of the UNet.
pub(crate) fn write_without(folder: &Path, left_out: &str) {
    let text = ClipTextConfig {
        hidden_size: 32,
        intermediate_size: 32,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        vocab_size: 49408,
        ..ClipTextConfig::default()
    };
    let unet = UnetConfig {
        sample_size: Some(OneOrMany::One(128)),
        down_block_types: vec!["CrossAttnDownBlock2D".to_owned()],
        up_block_types: vec!["CrossAttnUpBlock2D".to_owned()],
        block_out_channels: vec![32],
        layers_per_block: OneOrMany::One(1),
        cross_attention_dim: OneOrMany::One(32),
        attention_head_dim: OneOrMany::One(2),
        ..UnetConfig::default()
    };
    let vae = VaeConfig { block_out_channels: vec![32], ..VaeConfig::default() };
    part(&folder.join("text_encoder"), &text, &text.expected_tensors(), "");
    part(&folder.join("unet"), &unet, &unet.expected_tensors(), left_out);
    part(&folder.join("vae"), &vae, &vae.expected_tensors(), "");
    fs::write(folder.join("model_index.json"), r#"{"_class_name":"StableDiffusionPipeline"}"#).unwrap();
    let recommended = r#"{"defaults":{"size":{"width":128,"height":64},"steps":4,"sampler":"Euler"}}"#;
    fs::write(folder.join("tarim.json"), recommended).unwrap();
}

fn part(folder: &Path, config: &impl Serialize, tensors: &[ExpectedTensor], left_out: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.json"), serde_json::to_vec(config).unwrap()).unwrap();
    let (mut header, mut end) = (Map::new(), 0);
    for tensor in tensors.iter().filter(|tensor| tensor.name != left_out) {
        let begin = end;
        end += tensor.shape.iter().product::<usize>() * 2;
        let described = json!({"dtype": "F16", "shape": tensor.shape, "data_offsets": [begin, end]});
        header.insert(tensor.name.clone(), described);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.resize(bytes.len() + end, 0);
    fs::write(folder.join("model.safetensors"), bytes).unwrap();
}
