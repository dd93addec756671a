//! The sampler's state: latents of one or more pictures, in float32 on the CPU, whatever the networks compute in.
//!
//! Latents are small (64 KB for 512x512), so sending them to a GPU and back for each step costs nothing that can be
//! measured, and the solver's arithmetic is the same on every device.

use std::ops::Range;

use tarim_sampling::Latents;
use tch::{Device, Kind, Tensor};

use crate::error::{DiffusionError, Result};

/// Shape of one picture's latents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Shape {
    /// Elements of one channel.
    pub(super) fn cells(self) -> usize {
        self.height * self.width
    }

    /// Elements of one picture.
    pub(super) fn elements(self) -> usize {
        self.channels * self.cells()
    }
}

/// Latents of several pictures of one shape, one after another, channels first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LatentBatch {
    shape: Shape,
    values: Vec<f32>,
}

impl LatentBatch {
    /// Pictures given one by one; each must have `shape.elements()` values.
    pub(super) fn new(shape: Shape, pictures: impl IntoIterator<Item = Vec<f32>>) -> Self {
        let values = pictures.into_iter().flatten().collect();
        Self { shape, values }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Each picture's values.
    pub(super) fn pictures(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.shape.elements())
    }

    pub(super) fn pictures_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.shape.elements())
    }

    pub(super) fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

impl Latents for LatentBatch {
    /// Sums in float64 and rounds once. All terms have one shape; no terms at all give nothing.
    fn linear(terms: &[(f64, &Self)]) -> Self {
        let Some((_, first)) = terms.first() else {
            return Self { shape: Shape { channels: 0, height: 0, width: 0 }, values: Vec::new() };
        };
        let mut sums = vec![0.0_f64; first.values.len()];
        for (factor, term) in terms {
            sums.iter_mut().zip(&term.values).for_each(|(sum, value)| *sum += factor * f64::from(*value));
        }
        Self { shape: first.shape, values: sums.into_iter().map(|sum| sum as f32).collect() }
    }
}

/// A tensor `[1, channels, height, width]` of one picture's values.
pub(super) fn to_tensor(values: &[f32], shape: Shape) -> Result<Tensor> {
    let size = [1, shape.channels as i64, shape.height as i64, shape.width as i64];
    Tensor::f_from_slice(values)
        .and_then(|tensor| tensor.f_reshape(size))
        .map_err(|error| DiffusionError::torch("making a tensor of latents", &error))
}

/// All values of a tensor, in order, as float32.
pub(super) fn to_values(tensor: &Tensor) -> Result<Vec<f32>> {
    let read = || {
        let flat = tensor.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view([-1])?;
        Vec::<f32>::try_from(&flat)
    };
    read().map_err(|error| DiffusionError::torch("reading a tensor", &error))
}

/// Rows `range` of a tensor's first dimension, as values.
pub(super) fn rows(tensor: &Tensor, range: Range<usize>) -> Result<Vec<f32>> {
    let part = tensor
        .f_narrow(0, range.start as i64, range.len() as i64)
        .map_err(|error| DiffusionError::torch("taking a tensor apart", &error))?;
    to_values(&part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_rounded_once_and_tensors_keep_the_order() {
        let shape = Shape { channels: 1, height: 1, width: 2 };
        let batch = |values: [f32; 4]| LatentBatch::new(shape, [values[..2].to_vec(), values[2..].to_vec()]);
        let (a, b) = (batch([1e8, 1.0, 2.0, 3.0]), batch([1e8, 1.0, 1.0, -1.0]));
        let sum = LatentBatch::linear(&[(1.0, &a), (-1.0, &b), (1e-8, &a)]);
        assert_eq!(sum.pictures().collect::<Vec<_>>(), [[1.0, 1e-8], [1.0, 4.0]]);
        let shape = Shape { channels: 2, height: 1, width: 2 };
        let tensor = to_tensor(&[1.0, 2.0, 3.0, 4.0], shape).unwrap();
        assert_eq!(tensor.size(), [1, 2, 1, 2]);
        assert_eq!(to_values(&tensor).unwrap(), [1.0, 2.0, 3.0, 4.0]);
    }
}
