//! The layers that all networks are made of: weights, and the one libtorch call that applies them.

use tch::Tensor;

use super::layout::{self, TchResult};
use crate::error::{Doing, Result};
use crate::weights::Loader;

/// `y = x Wᵀ + b` over the last dimension.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Weight `[outputs, inputs]` and bias `[outputs]`.
    pub(crate) fn load(from: &Loader<'_>, inputs: i64, outputs: i64) -> Result<Self> {
        Ok(Self {
            weight: from.tensor("weight", &[outputs, inputs])?,
            bias: Some(from.tensor("bias", &[outputs])?),
        })
    }

    pub(crate) fn load_without_bias(from: &Loader<'_>, inputs: i64, outputs: i64) -> Result<Self> {
        Ok(Self { weight: from.tensor("weight", &[outputs, inputs])?, bias: None })
    }

    /// A 1×1 convolution `[outputs, inputs, 1, 1]` is a linear layer over each pixel.
    pub(crate) fn load_1x1(from: &Loader<'_>, inputs: i64, outputs: i64) -> Result<Self> {
        Ok(Self {
            weight: from.reshaped("weight", &[outputs, inputs, 1, 1], &[outputs, inputs])?,
            bias: Some(from.tensor("bias", &[outputs])?),
        })
    }

    /// Layers that read the same input as one: their outputs stand side by side in the last dimension.
    pub(crate) fn load_side_by_side(
        froms: &[Loader<'_>],
        inputs: i64,
        outputs: i64,
        bias: bool,
    ) -> Result<Self> {
        let rows = outputs * froms.len() as i64;
        let weight = Loader::concatenated(froms, "weight", &[outputs, inputs], &[rows, inputs])?;
        let bias = if bias { Some(Loader::concatenated(froms, "bias", &[outputs], &[rows])?) } else { None };
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        x.f_linear(&self.weight, self.bias.as_ref())
    }

    /// Two layers, of the first `outputs` rows and of the rest, in the same memory.
    pub(crate) fn split_rows(self, outputs: i64) -> Result<(Self, Self)> {
        let split = |t: &Tensor| -> TchResult<(Tensor, Tensor)> {
            let rows = t.size().first().copied().unwrap_or_default();
            Ok((t.f_narrow(0, 0, outputs)?, t.f_narrow(0, outputs, rows - outputs)?))
        };
        let halves = || -> TchResult<(Self, Self)> {
            let (w1, w2) = split(&self.weight)?;
            let (b1, b2) = self.bias.as_ref().map(split).transpose()?.unzip();
            Ok((Self { weight: w1, bias: b1 }, Self { weight: w2, bias: b2 }))
        };
        halves().doing("splitting a layer")
    }
}

/// A two-dimensional convolution.
#[derive(Debug)]
pub(crate) struct Conv2d {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    /// A convolution of stride 1 that keeps the picture's size; `kernel` is odd.
    pub(crate) fn load(from: &Loader<'_>, inputs: i64, outputs: i64, kernel: i64) -> Result<Self> {
        Self::load_strided(from, inputs, outputs, kernel, 1, (kernel - 1) / 2)
    }

    pub(crate) fn load_strided(
        from: &Loader<'_>,
        inputs: i64,
        outputs: i64,
        kernel: i64,
        stride: i64,
        padding: i64,
    ) -> Result<Self> {
        Ok(Self {
            weight: from.conv_weight("weight", &[outputs, inputs, kernel, kernel])?,
            bias: from.tensor("bias", &[outputs])?,
            stride,
            padding,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        let (s, p) = (self.stride, self.padding);
        x.f_conv2d(&self.weight, Some(&self.bias), [s, s], [p, p], [1, 1], 1)
    }
}

/// Normalisation over groups of channels, with a scale and a shift per channel.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    groups: i64,
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl GroupNorm {
    pub(crate) fn load(from: &Loader<'_>, channels: i64, groups: i64, eps: f64) -> Result<Self> {
        if groups < 1 || channels % groups != 0 {
            return Err(
                from.unsupported(&format!("{channels} channels cannot be split into {groups} groups"))
            );
        }
        let (weight, bias) = (from.tensor("weight", &[channels])?, from.tensor("bias", &[channels])?);
        Ok(Self { groups, weight, bias, eps })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        x.f_group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.eps, true)
    }
}

/// Normalisation over the last dimension.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn load(from: &Loader<'_>, channels: i64, eps: f64) -> Result<Self> {
        Ok(Self { weight: from.tensor("weight", &[channels])?, bias: from.tensor("bias", &[channels])?, eps })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        x.f_layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), self.eps, true)
    }
}

/// The non-linearities that configurations name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Silu,
    Gelu,
    GeluTanh,
    QuickGelu,
    Mish,
    Relu,
}

impl Activation {
    /// By the name that transformers and diffusers use.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "silu" | "swish" => Some(Self::Silu),
            "gelu" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "quick_gelu" => Some(Self::QuickGelu),
            "mish" => Some(Self::Mish),
            "relu" => Some(Self::Relu),
            _ => None,
        }
    }

    /// Applies itself, in the same memory where libtorch can.
    pub(crate) fn apply(self, mut x: Tensor) -> TchResult {
        match self {
            Self::Silu => x.f_silu_(),
            Self::Gelu => x.f_gelu_("none"),
            Self::GeluTanh => x.f_gelu_("tanh"),
            // x σ(1.702 x), of the original CLIP.
            Self::QuickGelu => x.f_mul_scalar(1.702)?.f_sigmoid_()?.f_mul_(&x),
            Self::Mish => x.f_mish_(),
            Self::Relu => x.f_relu_(),
        }
    }
}

/// Nearest-neighbour enlargement to twice the size followed by a 3×3 convolution, without computing pixels twice.
///
/// Of the nine taps that fall on an enlarged pixel's neighbourhood, those that meet the same original pixel are summed
/// beforehand: each of the four output phases is then a 2×2 convolution of the small picture (4/9 of the arithmetic).
/// The four share one convolution call with four times the channels, over windows that reach one pixel outside.
#[derive(Debug)]
pub(crate) struct UpsampleConv {
    /// `[4 · outputs, inputs, 2, 2]`, phases (row, column) in the order 00, 01, 10, 11.
    phases: Tensor,
    bias: Tensor,
    outputs: i64,
}

impl UpsampleConv {
    pub(crate) fn load(from: &Loader<'_>, channels: i64) -> Result<Self> {
        let weight = from.in_float("weight", &[channels, channels, 3, 3])?;
        let phases = Self::phases(&weight)
            .and_then(|p| layout::for_device(&p, from.device()))
            .and_then(|p| p.f_to_kind(from.kind()))
            .doing("preparing an enlarging convolution")?;
        // The bias is added by the convolution to each phase.
        let bias = from.tensor("bias", &[channels])?;
        let bias = bias.f_repeat([4]).doing("preparing an enlarging convolution")?;
        Ok(Self { phases, bias, outputs: channels })
    }

    fn phases(weight: &Tensor) -> TchResult {
        // Rows (or columns) a, b, c of the kernel become [a, b + c] for even and [a + b, c] for odd output pixels.
        let fold = |w: &Tensor, dim: i64| -> TchResult<[Tensor; 2]> {
            let (a, b, c) = (w.f_narrow(dim, 0, 1)?, w.f_narrow(dim, 1, 1)?, w.f_narrow(dim, 2, 1)?);
            Ok([
                Tensor::f_cat(&[a.shallow_clone(), b.f_add(&c)?], dim)?,
                Tensor::f_cat(&[a.f_add(&b)?, c], dim)?,
            ])
        };
        let mut phases = Vec::with_capacity(4);
        for rows in fold(weight, 2)? {
            phases.extend(fold(&rows, 3)?);
        }
        Tensor::f_cat(&phases, 0)
    }

    /// To twice the size.
    pub(crate) fn forward(&self, x: &Tensor) -> TchResult {
        let (b, _, h, w) = x.size4()?;
        let y = x.f_conv2d(&self.phases, Some(&self.bias), [1, 1], [1, 1], [1, 1], 1)?;
        let out = if x.is_contiguous() {
            Tensor::f_empty([b, self.outputs, 2 * h, 2 * w], (x.kind(), x.device()))?
        } else {
            Tensor::f_empty([b, 2 * h, 2 * w, self.outputs], (x.kind(), x.device()))?
                .f_permute([0, 3, 1, 2])?
        };
        for (index, (row, column)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
            let phase = y.f_narrow(1, index as i64 * self.outputs, self.outputs)?;
            let phase = phase.f_narrow(2, row, h)?.f_narrow(3, column, w)?;
            out.f_slice(2, row, None, 2)?.f_slice(3, column, None, 2)?.f_copy_(&phase)?;
        }
        Ok(out)
    }

    /// To a size that is not twice the input's (diffusers' `upsample_size`): enlarges, then convolves.
    pub(crate) fn forward_to(&self, x: &Tensor, size: (i64, i64)) -> TchResult {
        let (_, _, h, w) = x.size4()?;
        if size == (2 * h, 2 * w) {
            return self.forward(x);
        }
        let enlarged = x.f_upsample_nearest2d([size.0, size.1], None, None)?;
        let weight = layout::for_device(&self.unfolded()?, x.device())?.f_to_kind(x.kind())?;
        let bias = self.bias.f_narrow(0, 0, self.outputs)?;
        enlarged.f_conv2d(&weight, Some(&bias), [1, 1], [1, 1], [1, 1], 1)
    }

    /// The 3×3 kernel again: its rows are the first of the even phase, the second less the last, and the last of the
    /// odd phase.
    fn unfolded(&self) -> TchResult {
        let unfold = |even: &Tensor, odd: &Tensor, dim: i64| -> TchResult {
            let (a, bc, c) = (even.f_narrow(dim, 0, 1)?, even.f_narrow(dim, 1, 1)?, odd.f_narrow(dim, 1, 1)?);
            Tensor::f_cat(&[a, bc.f_sub(&c)?, c], dim)
        };
        let float = self.phases.f_to_kind(tch::Kind::Float)?;
        let phase = |index: i64| float.f_narrow(0, index * self.outputs, self.outputs);
        let even = unfold(&phase(0)?, &phase(1)?, 3)?;
        let odd = unfold(&phase(2)?, &phase(3)?, 3)?;
        unfold(&even, &odd, 2)
    }
}
