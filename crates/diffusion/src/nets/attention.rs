//! Attention, and the transformers that the UNet puts between its convolutions.

use tch::{Device, Kind, Tensor};

use super::layers::{GroupNorm, LayerNorm, Linear};
use super::layout::{self, TchResult};
use crate::error::Result;
use crate::weights::Loader;

/// Most scores that are held at once where attention is computed in parts: 8 MB in bfloat16 stay in a CPU's cache.
const MAX_SCORES: i64 = 4 << 20;
/// Fewest keys for which the parts pay; cross attention to one chunk of text has 77.
const MIN_KEYS: i64 = 192;
/// Rows of the feed-forward layer that the CPU computes at once, so that its wide inner result stays small.
const FEED_FORWARD_ROWS: i64 = 4096;

/// `softmax(q kᵀ / √width) v` for each head.
///
/// `q` is `[batch, heads, queries, width]`, `k` and `v` are `[batch, heads, keys, width]`, the result is
/// `[batch, queries, heads · width]`. `exact` keeps scores in float32 even where that is slower.
pub(crate) fn attend(q: &Tensor, k: &Tensor, v: &Tensor, exact: bool) -> TchResult {
    let (b, heads, queries, width) = q.size4()?;
    let keys = k.size4()?.2;
    let in_parts = !exact && q.device() == Device::Cpu && q.kind() == Kind::BFloat16 && keys >= MIN_KEYS;
    let out = if in_parts {
        attend_in_parts(q, k, v)?
    } else {
        Tensor::f_scaled_dot_product_attention(q, k, v, None::<&Tensor>, 0.0, false, None, false)?
    };
    out.f_transpose(1, 2)?.f_reshape([b, queries, heads * width])
}

/// libtorch's fused attention on CPUs reaches a third of the matrix rate in bfloat16; matrix products with all keys for
/// a block of queries reach more, and one buffer for the scores is used again and again.
fn attend_in_parts(q: &Tensor, k: &Tensor, v: &Tensor) -> TchResult {
    let (b, heads, queries, width) = q.size4()?;
    let keys = k.size4()?.2;
    let flat = |x: &Tensor, length: i64| x.f_contiguous()?.f_view([b * heads, length, width]);
    let scale = 1.0 / (width as f64).sqrt();
    let (q, k, v) =
        (flat(&q.f_mul_scalar(scale)?, queries)?, flat(k, keys)?.f_transpose(1, 2)?, flat(v, keys)?);
    let out = Tensor::f_empty([b * heads, queries, width], (q.kind(), q.device()))?;
    if b * heads * queries * keys <= MAX_SCORES {
        let scores = q.f_bmm(&k)?;
        let scores = Tensor::f_internal_softmax_out(&scores, &scores, -1, false)?;
        let _written = scores.f_bmm_out(&out, &v)?;
    } else {
        let rows = (MAX_SCORES / keys).clamp(1, queries);
        let buffer = Tensor::f_empty([rows, keys], (q.kind(), q.device()))?;
        for head in 0..b * heads {
            let (q, k, v, out) = (q.f_get(head)?, k.f_get(head)?, v.f_get(head)?, out.f_get(head)?);
            let mut start = 0;
            while start < queries {
                let count = rows.min(queries - start);
                let scores = q.f_narrow(0, start, count)?.f_mm_out(&buffer.f_narrow(0, 0, count)?, &k)?;
                let scores = Tensor::f_internal_softmax_out(&scores, &scores, -1, false)?;
                let _written = scores.f_mm_out(&out.f_narrow(0, start, count)?, &v)?;
                start += count;
            }
        }
    }
    out.f_view([b, heads, queries, width])
}

/// Splits `[batch, tokens, parts · heads · width]` into `parts` tensors `[batch, heads, tokens, width]`.
pub(crate) fn split_heads(x: &Tensor, parts: i64, heads: i64) -> TchResult<Vec<Tensor>> {
    let (b, tokens, channels) = x.size3()?;
    x.f_view([b, tokens, parts, heads, channels / parts / heads])?.f_permute([2, 0, 3, 1, 4])?.f_unbind(0)
}

/// Shape of one transformer of the UNet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransformerShape {
    pub(crate) channels: i64,
    pub(crate) heads: i64,
    pub(crate) layers: i64,
    pub(crate) context_dim: i64,
    pub(crate) norm_groups: i64,
    pub(crate) linear_projection: bool,
    pub(crate) only_cross_attention: bool,
    pub(crate) upcast_attention: bool,
}

/// Attention of a transformer block, to itself or to the context.
#[derive(Debug)]
struct Attention {
    queries: Projections,
    out: Linear,
    heads: i64,
    exact: bool,
}

#[derive(Debug)]
enum Projections {
    /// Queries, keys and values of the same tokens.
    Own(Linear),
    /// Queries of the tokens, keys and values of the context.
    Context { queries: Linear, keys_values: Linear },
}

impl Attention {
    fn load(from: &Loader<'_>, shape: &TransformerShape, to_context: bool) -> Result<Self> {
        let TransformerShape { channels, heads, context_dim, .. } = *shape;
        let part = |name: &str| from.sub(name);
        let queries = if to_context {
            Projections::Context {
                queries: Linear::load_without_bias(&part("to_q"), channels, channels)?,
                keys_values: Linear::load_side_by_side(
                    &[part("to_k"), part("to_v")],
                    context_dim,
                    channels,
                    false,
                )?,
            }
        } else {
            let all = [part("to_q"), part("to_k"), part("to_v")];
            Projections::Own(Linear::load_side_by_side(&all, channels, channels, false)?)
        };
        let out = Linear::load(&part("to_out").sub("0"), channels, channels)?;
        Ok(Self { queries, out, heads, exact: shape.upcast_attention })
    }

    fn forward(&self, x: &Tensor, context: &Tensor) -> TchResult {
        let mixed = match &self.queries {
            Projections::Own(all) => {
                let parts = split_heads(&all.forward(x)?, 3, self.heads)?;
                let [q, k, v] = parts.as_slice() else { return Err(unexpected_parts()) };
                attend(q, k, v, self.exact)?
            }
            Projections::Context { queries, keys_values } => {
                let q = split_heads(&queries.forward(x)?, 1, self.heads)?;
                let kv = split_heads(&keys_values.forward(context)?, 2, self.heads)?;
                let ([q], [k, v]) = (q.as_slice(), kv.as_slice()) else { return Err(unexpected_parts()) };
                attend(q, k, v, self.exact)?
            }
        };
        self.out.forward(&mixed)
    }
}

fn unexpected_parts() -> tch::TchError {
    tch::TchError::Shape("unbind gave another number of parts than the shape has".into())
}

/// Two linear layers around a gated GELU (`value · gelu(gate)`).
#[derive(Debug)]
struct FeedForward {
    value: Linear,
    gate: Linear,
    out: Linear,
}

impl FeedForward {
    fn load(from: &Loader<'_>, channels: i64) -> Result<Self> {
        let inner = 4 * channels;
        let (value, gate) =
            Linear::load(&from.sub("net").sub("0").sub("proj"), channels, 2 * inner)?.split_rows(inner)?;
        Ok(Self { value, gate, out: Linear::load(&from.sub("net").sub("2"), inner, channels)? })
    }

    fn forward(&self, x: &Tensor) -> TchResult {
        let mut gated = self.gate.forward(x)?;
        let mut gated = gated.f_gelu_("none")?;
        let gated = gated.f_mul_(&self.value.forward(x)?)?;
        self.out.forward(&gated)
    }
}

/// Self-attention, cross-attention and feed-forward, each added to its input.
#[derive(Debug)]
struct TransformerBlock {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    feed_forward: FeedForward,
}

impl TransformerBlock {
    fn load(from: &Loader<'_>, shape: &TransformerShape) -> Result<Self> {
        let norm = |name: &str| LayerNorm::load(&from.sub(name), shape.channels, 1e-5);
        Ok(Self {
            norm1: norm("norm1")?,
            attn1: Attention::load(&from.sub("attn1"), shape, shape.only_cross_attention)?,
            norm2: norm("norm2")?,
            attn2: Attention::load(&from.sub("attn2"), shape, true)?,
            norm3: norm("norm3")?,
            feed_forward: FeedForward::load(&from.sub("ff"), shape.channels)?,
        })
    }

    /// Adds to `x`, `[batch, tokens, channels]`, in place.
    fn add_to(&self, x: &mut Tensor, context: &Tensor) -> TchResult<()> {
        *x = x.f_add_(&self.attn1.forward(&self.norm1.forward(x)?, context)?)?;
        *x = x.f_add_(&self.attn2.forward(&self.norm2.forward(x)?, context)?)?;
        let (b, tokens, channels) = x.size3()?;
        let rows = x.f_view([b * tokens, channels])?;
        let step = if x.device() == Device::Cpu { FEED_FORWARD_ROWS } else { b * tokens };
        let mut start = 0;
        while start < b * tokens {
            let mut part = rows.f_narrow(0, start, step.min(b * tokens - start))?;
            let _written = part.f_add_(&self.feed_forward.forward(&self.norm3.forward(&part)?)?)?;
            start += step;
        }
        Ok(())
    }
}

/// `Transformer2DModel`: normalise, project, run the blocks over the pixels as tokens, project back, add to the input.
#[derive(Debug)]
pub(crate) struct SpatialTransformer {
    norm: GroupNorm,
    proj_in: Linear,
    blocks: Vec<TransformerBlock>,
    proj_out: Linear,
}

impl SpatialTransformer {
    pub(crate) fn load(from: &Loader<'_>, shape: &TransformerShape) -> Result<Self> {
        let channels = shape.channels;
        if shape.heads < 1 || channels % shape.heads != 0 {
            return Err(
                from.unsupported(&format!("{channels} channels cannot be split into {} heads", shape.heads))
            );
        }
        // A 1×1 convolution and a linear layer are the same thing over tokens.
        let project = |name: &str| {
            let part = from.sub(name);
            if shape.linear_projection {
                Linear::load(&part, channels, channels)
            } else {
                Linear::load_1x1(&part, channels, channels)
            }
        };
        let blocks = from.sub("transformer_blocks");
        Ok(Self {
            norm: GroupNorm::load(&from.sub("norm"), channels, shape.norm_groups, 1e-6)?,
            proj_in: project("proj_in")?,
            blocks: (0..shape.layers)
                .map(|i| TransformerBlock::load(&blocks.sub(i), shape))
                .collect::<Result<_>>()?,
            proj_out: project("proj_out")?,
        })
    }

    /// Adds to `x`, `[batch, channels, height, width]`, in place, and hands it back.
    pub(crate) fn forward(&self, mut x: Tensor, context: &Tensor) -> TchResult {
        let (_, _, height, width) = x.size4()?;
        let mut tokens = self.proj_in.forward(&layout::to_tokens(&self.norm.forward(&x)?)?)?;
        for block in &self.blocks {
            block.add_to(&mut tokens, context)?;
        }
        let out = layout::from_tokens(&self.proj_out.forward(&tokens)?, height, width)?;
        x.f_add_(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_in_parts_equals_fused_attention() {
        let check = |b: i64, heads: i64, queries: i64, keys: i64, width: i64| {
            tch::manual_seed(1);
            let random = |length: i64| {
                Tensor::randn([b, length, heads, width], (Kind::BFloat16, Device::Cpu)).transpose(1, 2)
            };
            let (q, k, v) = (random(queries), random(keys), random(keys));
            let exact = attend(&q, &k, &v, true).unwrap().to_kind(Kind::Float);
            let in_parts = attend(&q, &k, &v, false).unwrap().to_kind(Kind::Float);
            assert_eq!(in_parts.size(), [b, queries, heads * width]);
            let worst = (&exact - &in_parts).abs().max().double_value(&[]);
            let scale = exact.abs().max().double_value(&[]);
            assert!(worst < 0.02 * scale, "{queries} queries, {keys} keys: {worst} against {scale}");
        };
        // All heads at once, head by head, and head by head with a rest of few queries.
        check(2, 3, 200, 250, 8);
        check(1, 3, 1200, 1300, 40);
        check(1, 2, 2050, 2048, 16);
    }
}
