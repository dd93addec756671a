//! A cheap look at latents: each becomes one pixel by a linear map that is fitted to the model's own decoder.
//!
//! Colour is nearly a linear function of latents in all autoencoders of this kind, so nothing has to be known about
//! one beforehand. Fitting costs one decoding of a picture of about 120 pixels, when the first preview is wanted.

use tarim_sampling::TorchCpu;

use super::error::Result;
use super::latents::Shape;
use super::raster::Raster;
use super::vae::Planes;

/// Cells along each side of a patch of equal latents; only the middle cell's colour is used.
const PATCH: usize = 3;
/// Patches for each unknown.
const SAMPLES: usize = 4;
/// Keeps the equations solvable where a channel has no effect.
const RIDGE: f64 = 1e-6;

/// The linear map.
#[derive(Debug, PartialEq)]
pub(super) struct Colours {
    /// For red, green and blue: factors of the channels, then a constant. Empty where the fit failed.
    factors: Vec<Vec<f64>>,
}

impl Colours {
    /// Fits the map to a decoder of latents in the UNet's scale. Where the decoder fails there are no previews.
    pub(super) fn fit(channels: usize, decode: impl FnOnce(&[f32], Shape) -> Result<Planes>) -> Self {
        let side = ((SAMPLES * (channels + 1)) as f64).sqrt().ceil() as usize;
        let patches: Vec<f32> = TorchCpu::new(0).randn(channels * side * side);
        let shape = Shape { channels, height: side * PATCH, width: side * PATCH };
        let latents: Vec<f32> = (0..shape.elements())
            .filter_map(|index| {
                let (channel, cell) = (index / shape.cells(), index % shape.cells());
                let (y, x) = (cell / shape.width / PATCH, cell % shape.width / PATCH);
                patches.get((channel * side + y) * side + x).copied()
            })
            .collect();
        let Ok(picture) = decode(&latents, shape) else { return Self { factors: Vec::new() } };
        let samples: Vec<(Vec<f64>, [f64; 3])> = (0..side * side)
            .map(|patch| {
                let channel = |c: usize| patches.get(c * side * side + patch).copied().map_or(0.0, f64::from);
                let inputs = (0..channels).map(channel).chain([1.0]).collect();
                (inputs, middle(&picture, patch / side, patch % side, side))
            })
            .collect();
        let solved: Option<Vec<Vec<f64>>> = (0..3)
            .map(|colour| {
                least_squares(samples.iter().map(|(inputs, colours)| {
                    (inputs.as_slice(), colours.get(colour).copied().unwrap_or_default())
                }))
            })
            .collect();
        Self { factors: solved.unwrap_or_default() }
    }

    /// One pixel for each latent; `None` where the fit failed.
    pub(super) fn paint(&self, latents: &[f32], shape: Shape) -> Option<Raster> {
        let planes: Vec<&[f32]> = latents.chunks_exact(shape.cells()).collect();
        let mut bytes = Vec::with_capacity(3 * shape.cells());
        if self.factors.is_empty() {
            return None;
        }
        for cell in 0..shape.cells() {
            for factors in &self.factors {
                let (constant, factors) = factors.split_last()?;
                let value = |plane: &&[f32]| plane.get(cell).copied().map_or(0.0, f64::from);
                let sum: f64 = planes.iter().zip(factors).map(|(plane, factor)| factor * value(plane)).sum();
                bytes.push((((sum + constant) / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round() as u8);
            }
        }
        Raster::new(shape.width as u32, shape.height as u32, 3, bytes).ok()
    }
}

/// Mean colour of a patch's middle cell.
fn middle(picture: &Planes, y: usize, x: usize, side: usize) -> [f64; 3] {
    let cell = picture.height / (side * PATCH);
    let (top, left) = ((y * PATCH + PATCH / 2) * cell, (x * PATCH + PATCH / 2) * cell);
    let mut means = [0.0; 3];
    for (mean, plane) in means.iter_mut().zip(picture.values.chunks_exact(picture.width * picture.height)) {
        let rows = plane.chunks_exact(picture.width).skip(top).take(cell);
        let sum: f64 =
            rows.flat_map(|row| row.iter().skip(left).take(cell)).map(|value| f64::from(*value)).sum();
        *mean = sum / (cell * cell).max(1) as f64;
    }
    means
}

/// Factors with the least squared error, from the normal equations by elimination; `None` where they have no solution.
fn least_squares<'a>(samples: impl Iterator<Item = (&'a [f64], f64)>) -> Option<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for (inputs, output) in samples {
        let size = inputs.len();
        if rows.is_empty() {
            rows =
                (0..size).map(|i| (0..=size).map(|j| if i == j { RIDGE } else { 0.0 }).collect()).collect();
        }
        for (row, a) in rows.iter_mut().zip(inputs) {
            let terms = inputs.iter().chain([&output]);
            row.iter_mut().zip(terms).for_each(|(sum, b)| *sum += a * b);
        }
    }
    for pivot in 0..rows.len() {
        // The matrix is symmetric and positive, so its diagonal serves as pivots.
        let divisor = *rows.get(pivot)?.get(pivot)?;
        let normal: Vec<f64> = rows.get(pivot)?.iter().map(|value| value / divisor).collect();
        for (index, row) in rows.iter_mut().enumerate() {
            if index == pivot {
                row.clone_from(&normal);
            } else {
                let factor = *row.get(pivot)?;
                row.iter_mut().zip(&normal).for_each(|(value, normal)| *value -= factor * normal);
            }
        }
    }
    let solution: Vec<f64> = rows.iter().filter_map(|row| row.last().copied()).collect();
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_decoder_is_found_again() {
        let decoder = |latents: &[f32], shape: Shape| {
            let (width, height) = (2 * shape.width, 2 * shape.height);
            let values = (0..3 * width * height)
                .map(|index| {
                    let (colour, pixel) = (index / (width * height), index % (width * height));
                    let cell = pixel / width / 2 * shape.width + pixel % width / 2;
                    let latent = |channel: usize| latents[channel * shape.cells() + cell];
                    [0.3 * latent(0), -0.2 * latent(1) + 0.5, 0.1 * (latent(0) + latent(2)) - 0.1][colour]
                })
                .collect();
            Ok(Planes { width, height, values })
        };
        let colours = Colours::fit(3, decoder);
        let shape = Shape { channels: 3, height: 1, width: 2 };
        let found = colours.paint(&[1.0, 0.1, 1.0, 0.0, 1.0, 0.0], shape).unwrap();
        // (0.3, 0.3, 0.1) and (0.03, 0.5, -0.09), from -1..1 to 0..255
        assert_eq!(found.bytes(), [166, 166, 140, 131, 191, 116]);
        let failed = Colours::fit(3, |_, _| Err(crate::pipeline::PipelineError::input("x", "")));
        assert_eq!(failed.paint(&[0.0; 6], shape), None);
    }
}
