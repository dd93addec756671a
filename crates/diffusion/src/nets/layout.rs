//! Memory layout of pictures: channels last on the CPU, channels first elsewhere.
//!
//! oneDNN convolves channels-last tensors without reordering them, and a channels-last picture is, without a copy, a
//! sequence of tokens for attention. Shapes are `[batch, channels, height, width]` either way; only strides differ.

use tch::{Device, TchError, Tensor};

/// Tensor results of libtorch, before a public boundary says what was being done.
pub(crate) type TchResult<T = Tensor> = Result<T, TchError>;

/// `x` (four dimensions) in the layout that convolutions like on its device.
pub(crate) fn for_device(x: &Tensor, device: Device) -> TchResult {
    if device == Device::Cpu { channels_last(x) } else { x.f_contiguous() }
}

/// `x` with the channel of one pixel side by side in memory.
pub(crate) fn channels_last(x: &Tensor) -> TchResult {
    x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])
}

/// `[batch, channels, height, width]` as `[batch, height · width, channels]`; no copy when `x` is channels last.
pub(crate) fn to_tokens(x: &Tensor) -> TchResult {
    let (b, c, h, w) = x.size4()?;
    x.f_permute([0, 2, 3, 1])?.f_reshape([b, h * w, c])
}

/// `[batch, height · width, channels]` as a channels-last `[batch, channels, height, width]`, without a copy.
pub(crate) fn from_tokens(x: &Tensor, height: i64, width: i64) -> TchResult {
    let (b, _, c) = x.size3()?;
    x.f_reshape([b, height, width, c])?.f_permute([0, 3, 1, 2])
}
