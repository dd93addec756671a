//! Lossless pixels as they travel beside a message: rows from the top, no padding, 8 bits a channel.

use serde::{Deserialize, Serialize};

/// What each pixel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// One byte of light.
    Grey,
    /// Red, green, blue (sRGB).
    Rgb,
    /// Red, green, blue and straight alpha.
    Rgba,
}

impl Channels {
    /// Bytes a pixel.
    pub fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// Size and kind of a block of pixels; the bytes follow in the frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelShape {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What each pixel holds.
    pub channels: Channels,
}

impl PixelShape {
    /// Bytes that a block of this shape takes; `None` when no address space could hold it.
    pub fn bytes(self) -> Option<usize> {
        (self.width as usize).checked_mul(self.height as usize)?.checked_mul(self.channels.count())
    }
}

/// A picture in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    shape: PixelShape,
    bytes: Vec<u8>,
}

/// Bytes that do not fit what was said about them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PixelsError {
    /// They do not fit the shape they came with.
    #[error("{width}x{height} pixels with {channels} bytes each do not fit {found} bytes")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes a pixel.
        channels: usize,
        /// Bytes that came.
        found: usize,
    },
    /// A picture starts from one that was not sent.
    #[error("a picture starts from one that was not sent along")]
    Missing,
}

impl Pixels {
    /// Pixels from their bytes, whose number must be width × height × channels.
    pub fn new(shape: PixelShape, bytes: Vec<u8>) -> Result<Self, PixelsError> {
        if shape.bytes() == Some(bytes.len()) {
            return Ok(Self { shape, bytes });
        }
        Err(PixelsError::Size {
            width: shape.width,
            height: shape.height,
            channels: shape.channels.count(),
            found: bytes.len(),
        })
    }

    /// Size and kind.
    pub fn shape(&self) -> PixelShape {
        self.shape
    }
    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.shape.width
    }
    /// Rows.
    pub fn height(&self) -> u32 {
        self.shape.height
    }
    /// Rows from the top, without padding.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// The bytes alone.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
