//! `CLIPTextModel`'s tensors, without transformers' former prefix `text_model.`.

use super::{Builder, ExpectedTensor};
use crate::config::ClipTextConfig;

impl ClipTextConfig {
    /// All tensors of the network.
    pub fn expected_tensors(&self) -> Vec<ExpectedTensor> {
        let mut tensors = Vec::new();
        let mut root = Builder::new(&mut tensors);
        let (width, inner) = (self.hidden_size, self.intermediate_size);
        root.tensor("embeddings.token_embedding.weight", &[self.vocab_size, width]);
        root.tensor("embeddings.position_embedding.weight", &[self.max_position_embeddings, width]);
        for index in 0..self.num_hidden_layers {
            let mut layer = root.at(format_args!("encoder.layers.{index}"));
            for name in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                layer.at("self_attn").linear(name, width, width);
            }
            layer.norm("layer_norm1", width);
            layer.linear("mlp.fc1", width, inner);
            layer.linear("mlp.fc2", inner, width);
            layer.norm("layer_norm2", width);
        }
        root.norm("final_layer_norm", width);
        tensors
    }
}
