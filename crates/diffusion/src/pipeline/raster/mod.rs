//! Pixels in memory and what inpainting does with them. Nothing here knows tensors.

mod blur;
mod crop;
mod fill;
mod resize;

pub(super) use blur::gaussian;
pub(super) use crop::Region;
pub(super) use fill::fill_masked;
pub(super) use resize::{fit, stretch};

use super::error::{PipelineError, Result};

/// Pixels: rows from the top, no padding, one byte a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    width: u32,
    height: u32,
    channels: u32,
    bytes: Vec<u8>,
}

impl Raster {
    /// Takes pixels of 1 (grey) or 3 (red, green, blue) channels.
    ///
    /// # Errors
    /// [`PipelineError::Input`] when the bytes do not fit the size, or a side is 0.
    pub fn new(width: u32, height: u32, channels: u32, bytes: Vec<u8>) -> Result<Self> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || !matches!(channels, 1 | 3) || bytes.len() as u64 != pixels * u64::from(channels) {
            let problem =
                format!("of {width}x{height} pixels and {channels} channels comes as {} bytes", bytes.len());
            return Err(PipelineError::input("picture", problem));
        }
        Ok(Self { width, height, channels, bytes })
    }

    /// A raster of one value.
    pub(super) fn filled(width: u32, height: u32, channels: u32, value: u8) -> Self {
        let bytes = vec![value; width as usize * height as usize * channels as usize];
        Self { width, height, channels, bytes }
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes a pixel: 1 or 3.
    pub fn channels(&self) -> u32 {
        self.channels
    }

    /// The pixels.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The pixels.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Rows of bytes.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.bytes.chunks_exact((self.width * self.channels) as usize)
    }

    /// Each byte replaced.
    pub(super) fn map(mut self, change: impl Fn(u8) -> u8) -> Self {
        self.bytes.iter_mut().for_each(|byte| *byte = change(*byte));
        self
    }

    /// All bytes replaced, in order, as far as `bytes` goes.
    pub(super) fn set_pixels(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.bytes.iter_mut().zip(bytes).for_each(|(byte, new)| *byte = new);
    }

    /// `over` where `mask` (grey, of this size) is white, this where it is black, a mixture between.
    /// Pixels with a mask of 0 keep their bytes.
    pub(super) fn paste(&mut self, over: &Self, mask: &Self) {
        let channels = self.channels as usize;
        let pixels = self.bytes.chunks_exact_mut(channels).zip(over.bytes.chunks_exact(channels));
        for ((under, over), &weight) in pixels.zip(&mask.bytes) {
            let weight = u32::from(weight);
            for (under, &over) in under.iter_mut().zip(over) {
                let sum = u32::from(over) * weight + u32::from(*under) * (255 - weight);
                *under = ((sum + 127) / 255) as u8;
            }
        }
    }
}
