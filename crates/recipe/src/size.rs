//! The size of a picture, valid by construction.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Width and height in pixels: multiples of 8 from 64 to 8192, at most 64 megapixels in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Sides", into = "Sides")]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// The shortest side.
    pub const MIN_SIDE: u32 = 64;
    /// The longest side.
    pub const MAX_SIDE: u32 = 8192;
    /// Both sides are multiples of this, the factor between pixels and latents.
    pub const STEP: u32 = 8;
    /// The most pixels in all.
    pub const MAX_PIXELS: u64 = 64_000_000;

    /// A size, or why it cannot be one and which sizes nearby can.
    pub fn new(width: u32, height: u32) -> Result<Self, SizeError> {
        check_side("width", width)?;
        check_side("height", height)?;
        if u64::from(width) * u64::from(height) > Self::MAX_PIXELS {
            return Err(SizeError::Area { width, height, nearest: Self::nearest(width, height) });
        }
        Ok(Self { width, height })
    }

    /// The allowed size nearest to any pair of sides: each side rounded to a multiple of 8 and clamped, then
    /// both shrunk by the same factor if the area is still too large.
    pub fn nearest(width: u32, height: u32) -> Self {
        let (mut width, mut height) = (nearest_side(width), nearest_side(height));
        let pixels = f64::from(width) * f64::from(height);
        if pixels > Self::MAX_PIXELS as f64 {
            let factor = (Self::MAX_PIXELS as f64 / pixels).sqrt();
            let shrink =
                |side: u32| ((f64::from(side) * factor) as u32 / Self::STEP * Self::STEP).max(Self::MIN_SIDE);
            (width, height) = (shrink(width), shrink(height));
        }
        Self { width, height }
    }

    /// Width in pixels.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(self) -> u32 {
        self.height
    }

    /// Number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// `512x768`, as A1111 writes it.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

fn check_side(side: &'static str, value: u32) -> Result<(), SizeError> {
    if !(Size::MIN_SIDE..=Size::MAX_SIDE).contains(&value) {
        return Err(SizeError::Range { side, value, nearest: nearest_side(value) });
    }
    if !value.is_multiple_of(Size::STEP) {
        let below = value / Size::STEP * Size::STEP;
        return Err(SizeError::Multiple { side, value, below, above: below + Size::STEP });
    }
    Ok(())
}

fn nearest_side(value: u32) -> u32 {
    let clamped = value.clamp(Size::MIN_SIDE, Size::MAX_SIDE);
    (clamped + Size::STEP / 2) / Size::STEP * Size::STEP
}

/// Why two numbers are not a [`Size`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// A side is too short or too long.
    #[error("{side} is {value}; allowed are multiples of 8 from 64 to 8192, the nearest is {nearest}")]
    Range {
        /// `width` or `height`.
        side: &'static str,
        /// What was asked for.
        value: u32,
        /// The nearest allowed side.
        nearest: u32,
    },
    /// A side is not a multiple of 8.
    #[error("{side} is {value}, which is not a multiple of 8; the nearest allowed are {below} and {above}")]
    Multiple {
        /// `width` or `height`.
        side: &'static str,
        /// What was asked for.
        value: u32,
        /// The next smaller allowed side.
        below: u32,
        /// The next larger allowed side.
        above: u32,
    },
    /// Each side is allowed, but not the two together.
    #[error(
        "{width}x{height} is {:.1} megapixels; allowed are 64, the nearest size of this shape is {nearest}",
        f64::from(*.width) * f64::from(*.height) / 1e6
    )]
    Area {
        /// What was asked for.
        width: u32,
        /// What was asked for.
        height: u32,
        /// The largest allowed size of the same shape.
        nearest: Size,
    },
}

/// A size on the wire, before it is checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    width: u32,
    height: u32,
}

impl TryFrom<Sides> for Size {
    type Error = SizeError;

    fn try_from(sides: Sides) -> Result<Self, SizeError> {
        Self::new(sides.width, sides.height)
    }
}

impl From<Size> for Sides {
    fn from(size: Size) -> Self {
        Self { width: size.width, height: size.height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(width: u32, height: u32, expected: &str) {
        let found = match Size::new(width, height) {
            Ok(size) => size.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn sizes() {
        check(512, 768, "512x768");
        check(64, 8192, "64x8192");
        check(7808, 8192, "7808x8192");
        check(0, 512, "width is 0; allowed are multiples of 8 from 64 to 8192, the nearest is 64");
        check(512, 7, "height is 7; allowed are multiples of 8 from 64 to 8192, the nearest is 64");
        check(513, 512, "width is 513, which is not a multiple of 8; the nearest allowed are 512 and 520");
        check(
            512,
            1_000_000,
            "height is 1000000; allowed are multiples of 8 from 64 to 8192, the nearest is 8192",
        );
        check(
            8192,
            8192,
            "8192x8192 is 67.1 megapixels; allowed are 64, the nearest size of this shape is 8000x8000",
        );
    }

    #[test]
    fn wire() {
        let size: Size = serde_json::from_str(r#"{"width":64,"height":72}"#).unwrap();
        assert_eq!(serde_json::to_string(&size).unwrap(), r#"{"width":64,"height":72}"#);
        let error = serde_json::from_str::<Size>(r#"{"width":64,"height":73}"#).unwrap_err();
        assert!(error.to_string().starts_with("height is 73"), "{error}");
    }

    proptest! {
        #[test]
        fn nearest_is_allowed_and_keeps_allowed_sizes(width: u32, height: u32) {
            let nearest = Size::nearest(width, height);
            prop_assert_eq!(Size::new(nearest.width, nearest.height), Ok(nearest));
            if let Ok(size) = Size::new(width, height) {
                prop_assert_eq!(nearest, size);
            }
        }

        #[test]
        fn ordinary_sizes(width in 8u32..128, height in 8u32..128) {
            let size = Size::new(width * 8, height * 8).unwrap();
            prop_assert_eq!(Size::nearest(size.width(), size.height()), size);
        }
    }
}
