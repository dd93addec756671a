//! Embeddings of the timestep and of what else is added to it.

use tch::{Device, Kind, Tensor};

use super::attention::{attend, split_heads};
use super::layers::{Activation, LayerNorm, Linear};
use super::layout::TchResult;
use crate::error::Result;
use crate::weights::Loader;

/// Sinusoids of the timesteps, `[timesteps, width]`, computed in float32 as diffusers does
/// (`get_timestep_embedding`, after section 3.5 of "Attention Is All You Need"; max period 10000).
pub(crate) fn sinusoids(timesteps: &[f64], width: i64, flip: bool, shift: f64, device: Device) -> TchResult {
    let half = width / 2;
    let exponent = Tensor::f_arange(half, (Kind::Float, device))?
        .f_mul_scalar(-(10000f64.ln()))?
        .f_div_scalar(half as f64 - shift)?;
    let times =
        Tensor::f_from_slice(timesteps)?.f_to_device(device)?.f_to_kind(Kind::Float)?.f_unsqueeze(1)?;
    let angles = times.f_mul(&exponent.f_exp()?.f_unsqueeze(0)?)?;
    let (sin, cos) = (angles.f_sin()?, angles.f_cos()?);
    let both = if flip { [cos, sin] } else { [sin, cos] };
    let embedding = Tensor::f_cat(&both, -1)?;
    if width % 2 == 1 { embedding.f_constant_pad_nd([0, 1]) } else { Ok(embedding) }
}

/// `TimestepEmbedding`: two linear layers with an activation between.
#[derive(Debug)]
pub(crate) struct TimestepEmbedding {
    linear1: Linear,
    activation: Activation,
    linear2: Linear,
    post: Option<Activation>,
}

impl TimestepEmbedding {
    pub(crate) fn load(
        from: &Loader<'_>,
        inputs: i64,
        outputs: i64,
        activation: Activation,
        post: Option<Activation>,
    ) -> Result<Self> {
        Ok(Self {
            linear1: Linear::load(&from.sub("linear_1"), inputs, outputs)?,
            activation,
            linear2: Linear::load(&from.sub("linear_2"), outputs, outputs)?,
            post,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        let out = self.linear2.forward(&self.activation.apply(self.linear1.forward(x)?)?)?;
        match self.post {
            Some(post) => post.apply(out),
            None => Ok(out),
        }
    }
}

/// `TextTimeEmbedding`: the whole context, pooled by attention of its mean, as an addition to the time embedding.
#[derive(Debug)]
pub(crate) struct TextTimeEmbedding {
    norm1: LayerNorm,
    positional: Tensor,
    queries: Linear,
    keys_values: Linear,
    heads: i64,
    proj: Linear,
    norm2: LayerNorm,
}

impl TextTimeEmbedding {
    pub(crate) fn load(from: &Loader<'_>, context_dim: i64, time_dim: i64, heads: i64) -> Result<Self> {
        if heads < 1 || context_dim % heads != 0 {
            return Err(
                from.unsupported(&format!("a context of {context_dim} cannot be split into {heads} heads"))
            );
        }
        let pool = from.sub("pool");
        let keys_values = [pool.sub("k_proj"), pool.sub("v_proj")];
        Ok(Self {
            norm1: LayerNorm::load(&from.sub("norm1"), context_dim, 1e-5)?,
            positional: pool.tensor("positional_embedding", &[1, context_dim])?,
            queries: Linear::load(&pool.sub("q_proj"), context_dim, context_dim)?,
            keys_values: Linear::load_side_by_side(&keys_values, context_dim, context_dim, true)?,
            heads,
            proj: Linear::load(&from.sub("proj"), context_dim, time_dim)?,
            norm2: LayerNorm::load(&from.sub("norm2"), time_dim, 1e-5)?,
        })
    }

    /// `context` is `[batch, tokens, context_dim]`; the result `[batch, time_dim]`.
    pub(crate) fn forward(&self, context: &Tensor) -> TchResult {
        let x = self.norm1.forward(context)?;
        let class = x.f_mean_dim(&[1i64][..], true, None::<Kind>)?.f_add(&self.positional)?;
        let all = Tensor::f_cat(&[class.shallow_clone(), x], 1)?;
        let q = split_heads(&self.queries.forward(&class)?, 1, self.heads)?;
        let kv = split_heads(&self.keys_values.forward(&all)?, 2, self.heads)?;
        let ([q], [k, v]) = (q.as_slice(), kv.as_slice()) else {
            return Err(tch::TchError::Shape("attention parts".into()));
        };
        let pooled = attend(q, k, v, true)?.f_squeeze_dim(1)?;
        self.norm2.forward(&self.proj.forward(&pooled)?)
    }
}
