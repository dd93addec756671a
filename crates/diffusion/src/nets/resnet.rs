//! The residual block of the UNet and the autoencoder.

use tch::Tensor;

use super::layers::{Activation, Conv2d, GroupNorm, Linear};
use super::layout::TchResult;
use crate::error::Result;
use crate::weights::Loader;

/// Shape of one residual block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResnetShape {
    pub(crate) inputs: i64,
    pub(crate) outputs: i64,
    /// Width of the time embedding; `None` in the autoencoder.
    pub(crate) time_dim: Option<i64>,
    /// The time embedding scales and shifts after the second norm, instead of being added before it.
    pub(crate) scale_shift: bool,
    pub(crate) groups: i64,
    pub(crate) eps: f64,
    pub(crate) activation: Activation,
    /// The sum is divided by this.
    pub(crate) output_scale: f64,
}

/// `ResnetBlock2D`: norm, activation, convolution, twice, around which the input is added.
#[derive(Debug)]
pub(crate) struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Conv2d>,
    shape: ResnetShape,
}

impl Resnet {
    pub(crate) fn load(from: &Loader<'_>, shape: ResnetShape) -> Result<Self> {
        let ResnetShape { inputs, outputs, groups, eps, .. } = shape;
        let time_outputs = if shape.scale_shift { 2 * outputs } else { outputs };
        Ok(Self {
            norm1: GroupNorm::load(&from.sub("norm1"), inputs, groups, eps)?,
            conv1: Conv2d::load(&from.sub("conv1"), inputs, outputs, 3)?,
            time: shape
                .time_dim
                .map(|dim| Linear::load(&from.sub("time_emb_proj"), dim, time_outputs))
                .transpose()?,
            norm2: GroupNorm::load(&from.sub("norm2"), outputs, groups, eps)?,
            conv2: Conv2d::load(&from.sub("conv2"), outputs, outputs, 3)?,
            shortcut: (inputs != outputs)
                .then(|| Conv2d::load(&from.sub("conv_shortcut"), inputs, outputs, 1))
                .transpose()?,
            shape,
        })
    }

    /// `x` is `[batch, inputs, height, width]`, `time` the time embedding after its activation, `[batch, time_dim]`.
    pub(crate) fn forward(&self, x: &Tensor, time: Option<&Tensor>) -> TchResult {
        let act = self.shape.activation;
        let mut h = self.conv1.forward(&act.apply(self.norm1.forward(x)?)?)?;
        let time = match (&self.time, time) {
            (Some(linear), Some(time)) => Some(linear.forward(time)?.f_unsqueeze(-1)?.f_unsqueeze(-1)?),
            _ => None,
        };
        let mut h = match time {
            Some(time) if self.shape.scale_shift => {
                let (scale, shift) = (
                    time.f_narrow(1, 0, self.shape.outputs)?,
                    time.f_narrow(1, self.shape.outputs, self.shape.outputs)?,
                );
                let mut h = self.norm2.forward(&h)?;
                h.f_mul_(&scale.f_add_scalar(1.0)?)?.f_add_(&shift)?
            }
            Some(time) => self.norm2.forward(&h.f_add_(&time)?)?,
            None => self.norm2.forward(&h)?,
        };
        h = act.apply(h)?;
        let mut h = self.conv2.forward(&h)?;
        h = match &self.shortcut {
            Some(shortcut) => h.f_add_(&shortcut.forward(x)?)?,
            None => h.f_add_(x)?,
        };
        if self.shape.output_scale != 1.0 {
            h = h.f_div_scalar_(self.shape.output_scale)?;
        }
        Ok(h)
    }
}
