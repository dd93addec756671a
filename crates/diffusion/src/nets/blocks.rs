//! The UNet's levels: residual blocks and transformers in turn, and a change of size at the end.

use tch::Tensor;

use super::attention::{SpatialTransformer, TransformerShape};
use super::layers::{Conv2d, UpsampleConv};
use super::layout::TchResult;
use super::resnet::{Resnet, ResnetShape};
use crate::error::Result;
use crate::weights::Loader;

/// What a block's layers see besides the picture.
#[derive(Clone, Copy)]
pub(crate) struct Conditions<'a> {
    /// Time embedding after its activation, `[batch, time_dim]`.
    pub(crate) time: &'a Tensor,
    /// Encoded prompt, `[batch, tokens, context_dim]`.
    pub(crate) context: &'a Tensor,
}

/// A 3×3 convolution of stride 2.
#[derive(Debug)]
pub(crate) struct Downsample {
    conv: Conv2d,
    /// The autoencoder pads below and to the right only.
    pad_end: bool,
}

impl Downsample {
    /// `from` is the downsampler itself; `padding` 1 pads all round, 0 only below and to the right.
    pub(crate) fn load(from: &Loader<'_>, channels: i64, padding: i64) -> Result<Self> {
        let conv = Conv2d::load_strided(&from.sub("conv"), channels, channels, 3, 2, padding)?;
        Ok(Self { conv, pad_end: padding == 0 })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        if self.pad_end {
            self.conv.forward(&x.f_constant_pad_nd([0, 1, 0, 1])?)
        } else {
            self.conv.forward(x)
        }
    }
}

/// A residual block and, in levels with attention, the transformer after it.
#[derive(Debug)]
struct Layer {
    resnet: Resnet,
    transformer: Option<SpatialTransformer>,
}

impl Layer {
    fn load(
        from: &Loader<'_>,
        index: usize,
        shape: ResnetShape,
        transformer: Option<&TransformerShape>,
    ) -> Result<Self> {
        Ok(Self {
            resnet: Resnet::load(&from.sub("resnets").sub(index), shape)?,
            transformer: transformer
                .map(|shape| SpatialTransformer::load(&from.sub("attentions").sub(index), shape))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor, conditions: Conditions<'_>) -> TchResult {
        let h = self.resnet.forward(x, Some(conditions.time))?;
        match &self.transformer {
            Some(transformer) => transformer.forward(h, conditions.context),
            None => Ok(h),
        }
    }
}

/// `DownBlock2D` or, with a transformer, `CrossAttnDownBlock2D`.
#[derive(Debug)]
pub(crate) struct DownBlock {
    layers: Vec<Layer>,
    downsample: Option<Downsample>,
}

impl DownBlock {
    /// `shape.inputs` is the width that comes in from the level before; `padding` is `None` where nothing shrinks.
    pub(crate) fn load(
        from: &Loader<'_>,
        layers: i64,
        shape: ResnetShape,
        transformer: Option<&TransformerShape>,
        padding: Option<i64>,
    ) -> Result<Self> {
        let layers = (0..layers.max(0) as usize)
            .map(|index| {
                let inputs = if index == 0 { shape.inputs } else { shape.outputs };
                Layer::load(from, index, ResnetShape { inputs, ..shape }, transformer)
            })
            .collect::<Result<_>>()?;
        let downsample = padding
            .map(|padding| Downsample::load(&from.sub("downsamplers").sub(0), shape.outputs, padding))
            .transpose()?;
        Ok(Self { layers, downsample })
    }

    /// Pushes what the way up will want onto `skips`.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        conditions: Conditions<'_>,
        skips: &mut Vec<Tensor>,
    ) -> TchResult {
        let mut h = x.shallow_clone();
        for layer in &self.layers {
            h = layer.forward(&h, conditions)?;
            skips.push(h.shallow_clone());
        }
        if let Some(downsample) = &self.downsample {
            h = downsample.forward(&h)?;
            skips.push(h.shallow_clone());
        }
        Ok(h)
    }
}

/// `UNetMidBlock2DCrossAttn`: a residual block, a transformer, a residual block; without a transformer only the first.
#[derive(Debug)]
pub(crate) struct MidBlock {
    first: Resnet,
    rest: Option<(SpatialTransformer, Resnet)>,
}

impl MidBlock {
    pub(crate) fn load(
        from: &Loader<'_>,
        shape: ResnetShape,
        transformer: Option<&TransformerShape>,
    ) -> Result<Self> {
        let resnets = from.sub("resnets");
        let rest = match transformer {
            Some(transformer) => Some((
                SpatialTransformer::load(&from.sub("attentions").sub(0), transformer)?,
                Resnet::load(&resnets.sub(1), shape)?,
            )),
            None => None,
        };
        Ok(Self { first: Resnet::load(&resnets.sub(0), shape)?, rest })
    }

    pub(crate) fn forward(&self, x: &Tensor, conditions: Conditions<'_>) -> TchResult {
        let h = self.first.forward(x, Some(conditions.time))?;
        match &self.rest {
            Some((transformer, resnet)) => {
                resnet.forward(&transformer.forward(h, conditions.context)?, Some(conditions.time))
            }
            None => Ok(h),
        }
    }
}

/// `UpBlock2D` or, with a transformer, `CrossAttnUpBlock2D`.
#[derive(Debug)]
pub(crate) struct UpBlock {
    layers: Vec<Layer>,
    upsample: Option<UpsampleConv>,
}

impl UpBlock {
    /// `skips[i]` is the width of the skip connection that layer `i` takes; `shape.inputs` the width from below.
    pub(crate) fn load(
        from: &Loader<'_>,
        skips: &[i64],
        shape: ResnetShape,
        transformer: Option<&TransformerShape>,
        upsample: bool,
    ) -> Result<Self> {
        let layers = skips
            .iter()
            .enumerate()
            .map(|(index, skip)| {
                let inputs = skip + if index == 0 { shape.inputs } else { shape.outputs };
                Layer::load(from, index, ResnetShape { inputs, ..shape }, transformer)
            })
            .collect::<Result<_>>()?;
        let upsample = upsample
            .then(|| UpsampleConv::load(&from.sub("upsamplers").sub(0).sub("conv"), shape.outputs))
            .transpose()?;
        Ok(Self { layers, upsample })
    }

    /// Takes its skip connections off the end of `skips`. Grows to the size of the next one where that is not double.
    pub(crate) fn forward(
        &self,
        x: Tensor,
        conditions: Conditions<'_>,
        skips: &mut Vec<Tensor>,
    ) -> TchResult {
        let mut h = x;
        for layer in &self.layers {
            let skip = skips.pop().ok_or_else(|| tch::TchError::Shape("more layers up than down".into()))?;
            h = layer.forward(&Tensor::f_cat(&[h, skip], 1)?, conditions)?;
        }
        let Some(upsample) = &self.upsample else { return Ok(h) };
        match skips.last() {
            Some(next) => {
                let (_, _, height, width) = next.size4()?;
                upsample.forward_to(&h, (height, width))
            }
            None => upsample.forward(&h),
        }
    }
}
