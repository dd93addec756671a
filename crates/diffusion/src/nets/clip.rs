//! `CLIPTextModel`: token ids to the hidden states that condition the UNet.

use tarim_checkpoint::{ClipTextConfig, Weights};
use tch::{Device, Kind, Tensor};

use super::attention::split_heads;
use super::layers::{Activation, LayerNorm, Linear};
use super::layout::TchResult;
use crate::error::{DiffusionError, Doing, Result};
use crate::weights::Loader;

const PART: &str = "text encoder";

/// What a text encoder gives.
#[derive(Debug)]
pub struct TextEncoding {
    /// Hidden states after the final norm, `[batch, tokens, hidden_size]`, in the encoder's type.
    pub hidden: Tensor,
    /// The last layer's state at the end-of-text token, `[batch, hidden_size]`; `clip_skip` does not change it.
    pub pooled: Tensor,
}

/// CLIP's text transformer: CLIP-L, the converted OpenCLIP-H, or any other size.
#[derive(Debug)]
pub struct ClipTextModel {
    tokens: Tensor,
    positions: Tensor,
    layers: Vec<EncoderLayer>,
    final_norm: LayerNorm,
    vocabulary: i64,
    eos: i64,
    device: Device,
}

impl ClipTextModel {
    /// Loads all layers.
    ///
    /// # Errors
    /// When the configuration names an unknown activation, or a tensor is missing, misshapen or damaged.
    pub fn load(config: &ClipTextConfig, weights: &Weights, device: Device, kind: Kind) -> Result<Self> {
        let unsupported = |problem: String| DiffusionError::Unsupported { part: PART, problem };
        let activation = Activation::from_name(&config.hidden_act)
            .ok_or_else(|| unsupported(format!("unknown activation `{}`", config.hidden_act)))?;
        let shape = LayerShape {
            width: config.hidden_size as i64,
            inner: config.intermediate_size as i64,
            heads: config.num_attention_heads as i64,
            eps: config.layer_norm_eps,
            activation,
        };
        if shape.heads < 1 || shape.width % shape.heads != 0 {
            return Err(unsupported(format!(
                "{} channels cannot be split into {} heads",
                shape.width, shape.heads
            )));
        }
        let _no_grad = tch::no_grad_guard();
        let root = Loader::new(PART, weights, device, kind);
        let embeddings = root.sub("embeddings");
        let table =
            |name: &str, rows: usize| embeddings.sub(name).tensor("weight", &[rows as i64, shape.width]);
        let layers = root.sub("encoder").sub("layers");
        Ok(Self {
            tokens: table("token_embedding", config.vocab_size as usize)?,
            positions: table("position_embedding", config.max_position_embeddings as usize)?,
            layers: (0..config.num_hidden_layers)
                .map(|index| EncoderLayer::load(&layers.sub(index), &shape))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&root.sub("final_layer_norm"), shape.width, shape.eps)?,
            vocabulary: config.vocab_size as i64,
            eos: config.eos_token_id as i64,
            device,
        })
    }

    /// Number of layers: the largest `clip_skip`.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Encodes token ids.
    ///
    /// `ids` is Int64 `[batch, tokens]`, on any device; `tokens` is at most the model's positions (77). `clip_skip`
    /// counts as A1111 does: 1 takes the last layer, n the n-th from the end, each followed by the final norm.
    ///
    /// # Errors
    /// [`DiffusionError::Input`] for another shape, ids outside the vocabulary or a `clip_skip` outside 1 to
    /// [`Self::layers`]; [`DiffusionError::NotFinite`] when the result holds NaN; else what libtorch reports.
    pub fn forward(&self, ids: &Tensor, clip_skip: usize) -> Result<TextEncoding> {
        const DOING: &str = "encoding a prompt";
        let input = |problem: String| DiffusionError::Input { part: PART, problem };
        let _no_grad = tch::no_grad_guard();
        let positions = self.positions.size().first().copied().unwrap_or_default();
        match ids.size().as_slice() {
            [batch, tokens]
                if *batch > 0 && (1..=positions).contains(tokens) && ids.kind() == Kind::Int64 => {}
            other => {
                return Err(input(format!(
                    "expected Int64 ids [batch, up to {positions}], got {:?} {other:?}",
                    ids.kind()
                )));
            }
        }
        let extreme =
            |t: std::result::Result<Tensor, tch::TchError>| t.and_then(|t| t.f_int64_value(&[])).doing(DOING);
        let (least, most) = (extreme(ids.f_min())?, extreme(ids.f_max())?);
        if least < 0 || most >= self.vocabulary {
            return Err(input(format!(
                "ids from {least} to {most}, but the vocabulary has {}",
                self.vocabulary
            )));
        }
        let Some(kept) = self
            .layers
            .len()
            .checked_sub(clip_skip.wrapping_sub(1))
            .filter(|kept| clip_skip > 0 && *kept > 0)
        else {
            return Err(input(format!("clip_skip {clip_skip}, but there are {} layers", self.layers.len())));
        };
        let encoding = self.run(ids, kept).doing(DOING)?;
        let sum = encoding.hidden.f_sum(Kind::Double).and_then(|t| t.f_double_value(&[])).doing(DOING)?;
        if sum.is_finite() {
            Ok(encoding)
        } else {
            Err(DiffusionError::NotFinite { what: "the encoded prompt" })
        }
    }

    fn run(&self, ids: &Tensor, kept: usize) -> TchResult<TextEncoding> {
        let ids = ids.f_to_device(self.device)?;
        let (_, tokens) = ids.size2()?;
        let mut x = Tensor::f_embedding(&self.tokens, &ids, -1, false, false)?;
        x = x.f_add_(&self.positions.f_narrow(0, 0, tokens)?)?;
        let mut wanted = x.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x)?;
            if index + 1 == kept {
                wanted = x.shallow_clone();
            }
        }
        let last = self.final_norm.forward(&x)?;
        let hidden = if kept == self.layers.len() {
            last.shallow_clone()
        } else {
            self.final_norm.forward(&wanted)?
        };
        // transformers: the first end token, and the greatest id where the configuration has the old, wrong 2.
        let ends = if self.eos == 2 { ids.f_argmax(-1, false)? } else { first_of(&ids, self.eos)? };
        let width = last.size3()?.2;
        let index = ends.f_view([-1, 1, 1])?.f_expand([-1, 1, width], false)?;
        let pooled = last.f_gather(1, &index, false)?.f_squeeze_dim(1)?;
        Ok(TextEncoding { hidden, pooled })
    }
}

/// Index of the first `id` in each row, 0 where there is none.
fn first_of(ids: &Tensor, id: i64) -> TchResult {
    ids.f_eq(id)?.f_to_kind(Kind::Int)?.f_argmax(-1, false)
}

#[derive(Clone, Copy)]
struct LayerShape {
    width: i64,
    inner: i64,
    heads: i64,
    eps: f64,
    activation: Activation,
}

/// Causal self-attention and a feed-forward layer, each after a norm and added to its input.
#[derive(Debug)]
struct EncoderLayer {
    norm1: LayerNorm,
    all: Linear,
    out: Linear,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    heads: i64,
    activation: Activation,
}

impl EncoderLayer {
    fn load(from: &Loader<'_>, shape: &LayerShape) -> Result<Self> {
        let LayerShape { width, inner, heads, eps, activation } = *shape;
        let attention = from.sub("self_attn");
        let all = [attention.sub("q_proj"), attention.sub("k_proj"), attention.sub("v_proj")];
        let mlp = from.sub("mlp");
        Ok(Self {
            norm1: LayerNorm::load(&from.sub("layer_norm1"), width, eps)?,
            all: Linear::load_side_by_side(&all, width, width, true)?,
            out: Linear::load(&attention.sub("out_proj"), width, width)?,
            norm2: LayerNorm::load(&from.sub("layer_norm2"), width, eps)?,
            fc1: Linear::load(&mlp.sub("fc1"), width, inner)?,
            fc2: Linear::load(&mlp.sub("fc2"), inner, width)?,
            heads,
            activation,
        })
    }

    fn forward(&self, x: &Tensor) -> TchResult {
        let (b, tokens, width) = x.size3()?;
        let parts = split_heads(&self.all.forward(&self.norm1.forward(x)?)?, 3, self.heads)?;
        let [q, k, v] = parts.as_slice() else {
            return Err(tch::TchError::Shape("attention parts".into()));
        };
        // Each token sees itself and those before it.
        let mixed = Tensor::f_scaled_dot_product_attention(q, k, v, None::<&Tensor>, 0.0, true, None, false)?;
        let mut x = x.f_add(&self.out.forward(&mixed.f_transpose(1, 2)?.f_reshape([b, tokens, width])?)?)?;
        let inner = self.activation.apply(self.fc1.forward(&self.norm2.forward(&x)?)?)?;
        x.f_add_(&self.fc2.forward(&inner)?)
    }
}
