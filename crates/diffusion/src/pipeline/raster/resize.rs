//! Fitting a picture to a size.

use image::{ImageBuffer, Luma, Rgb, imageops};
use tarim_recipe::ResizeMode;

use super::Raster;
use super::crop::Region;

/// A picture of `width`x`height`, by A1111's resize modes (`modules/images.py: resize_image`).
pub(crate) fn fit(picture: &Raster, (width, height): (u32, u32), mode: ResizeMode) -> Raster {
    let wider = u64::from(picture.width) * u64::from(height) > u64::from(picture.height) * u64::from(width);
    let by_height = || (scaled(picture.width, height, picture.height), height);
    let by_width = || (width, scaled(picture.height, width, picture.width));
    match mode {
        ResizeMode::Stretch => stretch(picture, (width, height)),
        ResizeMode::Crop => {
            let (w, h) = if wider { by_height() } else { by_width() };
            let large = stretch(picture, (w.max(width), h.max(height)));
            let (left, top) = ((large.width - width) / 2, (large.height - height) / 2);
            Region { left, top, right: left + width, bottom: top + height }.cut(&large)
        }
        ResizeMode::Fill => {
            let (w, h) = if wider { by_width() } else { by_height() };
            let small = stretch(picture, (w.min(width), h.min(height)));
            surrounded(&small, width, height)
        }
    }
}

fn scaled(side: u32, to: u32, from: u32) -> u32 {
    ((u64::from(side) * u64::from(to) / u64::from(from.max(1))) as u32).max(1)
}

/// The picture in the middle, its edge pixels repeated outwards.
fn surrounded(picture: &Raster, width: u32, height: u32) -> Raster {
    let (left, top) = ((width - picture.width) / 2, (height - picture.height) / 2);
    let channels = picture.channels as usize;
    let rows: Vec<&[u8]> = picture.rows().collect();
    let clamped = |at: u32, before: u32, length: u32| at.saturating_sub(before).min(length - 1) as usize;
    let mut bytes = Vec::with_capacity(width as usize * height as usize * channels);
    for y in 0..height {
        let row = rows.get(clamped(y, top, picture.height)).copied().unwrap_or_default();
        for x in 0..width {
            let at = clamped(x, left, picture.width) * channels;
            bytes.extend_from_slice(row.get(at..at + channels).unwrap_or_default());
        }
    }
    Raster { width, height, channels: picture.channels, bytes }
}

/// Lanczos resampling, whatever happens to the shape.
pub(crate) fn stretch(picture: &Raster, (width, height): (u32, u32)) -> Raster {
    if picture.size() == (width, height) {
        return picture.clone();
    }
    let filter = imageops::FilterType::Lanczos3;
    let bytes = picture.bytes.clone();
    let resized = if picture.channels == 1 {
        ImageBuffer::<Luma<u8>, _>::from_raw(picture.width, picture.height, bytes)
            .map(|buffer| imageops::resize(&buffer, width, height, filter).into_raw())
    } else {
        ImageBuffer::<Rgb<u8>, _>::from_raw(picture.width, picture.height, bytes)
            .map(|buffer| imageops::resize(&buffer, width, height, filter).into_raw())
    };
    let bytes = resized.unwrap_or_default();
    Raster { width, height, channels: picture.channels, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mode: ResizeMode, expected: &[[u8; 4]; 4]) {
        // Left half dark, right half light, twice as wide as high.
        let picture = Raster::new(4, 2, 1, [10, 10, 200, 200].repeat(2)).unwrap();
        let found = fit(&picture, (4, 4), mode);
        let rows: Vec<&[u8]> = found.rows().collect();
        assert_eq!(rows, expected, "{mode:?}");
    }

    #[test]
    fn modes() {
        check(ResizeMode::Stretch, &[[10, 10, 200, 200]; 4]);
        check(ResizeMode::Fill, &[[10, 10, 200, 200]; 4]);
        let tall = Raster::new(2, 4, 1, vec![0, 0, 10, 10, 20, 20, 30, 30]).unwrap();
        let filled = fit(&tall, (6, 4), ResizeMode::Fill);
        assert_eq!(filled.rows().nth(2).unwrap(), [20; 6]);
        let cropped = fit(&tall, (2, 2), ResizeMode::Crop);
        assert_eq!(cropped.bytes(), [10, 10, 20, 20]);
    }
}
