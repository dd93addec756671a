//! A canvas extended: new area beside a picture, filled so that a model finds something to go on from.

use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage, imageops};
use tarim_recipe::Size;

use super::{Input, keep, read};
use crate::error::{ErrorKind, Result, StudioError};

/// Pixels to add at each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// At the left.
    pub left: u32,
    /// At the top.
    pub top: u32,
    /// At the right.
    pub right: u32,
    /// At the bottom.
    pub bottom: u32,
}

/// A canvas extended, and the mask of what is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outpainted {
    /// The picture on its larger canvas.
    pub init: Input,
    /// White where it is to be drawn.
    pub mask: Input,
    /// What was added: as asked, and what brings both sides to multiples of 8.
    pub margins: Margins,
}

/// Extends an input. `overlap` pixels of the old picture beside the new area are drawn anew too.
///
/// The new area continues the edge's colours, the softer and the grainier the farther out: plain stripes would be
/// taken for something to be drawn.
pub fn outpaint(library_root: &Path, sha256: &str, margins: Margins, overlap: u32) -> Result<Outpainted> {
    let picture = read(library_root, sha256)?;
    let margins = whole_steps(picture.width, picture.height, margins)?;
    let old = RgbImage::from_raw(picture.width, picture.height, picture.rgb)
        .ok_or_else(|| StudioError::new(ErrorKind::Internal, "a picture lacks pixels"))?;
    let canvas = extend(&old, margins);
    let mask = mask(&old, margins, overlap);
    let png = |bytes: &[u8], width, height, colour| {
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
            .write_image(bytes, width, height, colour)
            .map_err(|error| StudioError::caused(ErrorKind::Internal, &error))?;
        Ok::<_, StudioError>(png)
    };
    let init = png(canvas.as_raw(), canvas.width(), canvas.height(), ExtendedColorType::Rgb8)?;
    let mask = png(mask.as_raw(), mask.width(), mask.height(), ExtendedColorType::L8)?;
    Ok(Outpainted { init: keep(library_root, &init)?, mask: keep(library_root, &mask)?, margins })
}

/// Margins with which both sides of the canvas are multiples of 8, as rendering needs them. What is missing is added
/// where the canvas grows anyway, else at the right and at the bottom.
fn whole_steps(width: u32, height: u32, margins: Margins) -> Result<Margins> {
    let Margins { left, top, right, bottom } = margins;
    if [left, top, right, bottom].iter().all(|&margin| margin == 0) {
        let error = StudioError::new(ErrorKind::BadInput, "no side of the canvas is extended");
        return Err(error.hint("add pixels to at least one side"));
    }
    let grown = |side: u32, before: u32, after: u32| -> Option<(u32, u32, u32)> {
        let all = side.checked_add(before)?.checked_add(after)?;
        let missing = all.checked_next_multiple_of(Size::STEP)? - all;
        let (before, after) =
            if before > 0 && after == 0 { (before + missing, after) } else { (before, after + missing) };
        Some((before, after, all + missing))
    };
    let sides = grown(width, left, right).zip(grown(height, top, bottom));
    let fits = |(width, height): (u32, u32)| Size::new(width, height).map(|_| ());
    match sides {
        Some(((left, right, all_width), (top, bottom, all_height))) => {
            fits((all_width, all_height)).map_err(|error| {
                StudioError::new(ErrorKind::BadInput, format!("the canvas cannot be extended: {error}"))
                    .hint("extend it less, or make the picture smaller first")
            })?;
            Ok(Margins { left, top, right, bottom })
        }
        None => {
            Err(StudioError::new(ErrorKind::BadInput, "the canvas would be far too large")
                .hint("extend it less"))
        }
    }
}

fn extend(old: &RgbImage, margins: Margins) -> RgbImage {
    let Margins { left, top, right, bottom } = margins;
    let (width, height) = (old.width() + left + right, old.height() + top + bottom);
    let nearest = |at: u32, before: u32, side: u32| at.saturating_sub(before).min(side - 1);
    let stripes = RgbImage::from_fn(width, height, |x, y| {
        *old.get_pixel(nearest(x, left, old.width()), nearest(y, top, old.height()))
    });
    // Two softer versions of it. Blurred beyond the edge, they also carry the picture's inside outwards.
    let farthest = left.max(top).max(right).max(bottom) as f32;
    let near = (farthest / 16.0).clamp(2.0, 12.0);
    let far = (farthest / 4.0).clamp(6.0, 64.0);
    let soft = imageops::fast_blur(&stripes, near);
    let softest = imageops::fast_blur(&stripes, far);
    let outside = |at: u32, before: u32, side: u32| {
        before.saturating_sub(at).max((at + 1).saturating_sub(before + side)) as f32
    };
    let mut canvas = stripes;
    for (x, y, pixel) in canvas.enumerate_pixels_mut() {
        let distance = outside(x, left, old.width()).hypot(outside(y, top, old.height()));
        if distance == 0.0 {
            continue;
        }
        let to_soft = (distance / (2.0 * near)).min(1.0);
        let to_softest = (distance / (2.0 * far)).min(1.0);
        let grain = 4.0 + 20.0 * to_softest;
        for channel in 0..3 {
            let (sharp, soft, softest) =
                (pixel[channel], soft.get_pixel(x, y)[channel], softest.get_pixel(x, y)[channel]);
            let mixed = mix(mix(f32::from(sharp), f32::from(soft), to_soft), f32::from(softest), to_softest);
            pixel[channel] = (mixed + grain * noise(x, y, channel)).round().clamp(0.0, 255.0) as u8;
        }
    }
    canvas
}

fn mix(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}

/// Noise from -1 to 1, the same each time: the same request makes the same file. A triangle rather than a rectangle,
/// which looks more like film.
fn noise(x: u32, y: u32, channel: usize) -> f32 {
    // splitmix64's finalizer.
    let mut bits =
        (u64::from(y) << 34 | u64::from(x) << 2 | channel as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    let unit = |bits: u64| (bits & 0xffff) as f32 / 65535.0;
    unit(bits) - unit(bits >> 32)
}

fn mask(old: &RgbImage, margins: Margins, overlap: u32) -> GrayImage {
    let Margins { left, top, right, bottom } = margins;
    // Only beside sides that grow, and never so wide that nothing of the old picture stays.
    let kept = |before: u32, side: u32, after: u32| {
        let most = (side.saturating_sub(1)) / 2;
        let inset = |margin: u32| if margin > 0 { overlap.min(most) } else { 0 };
        (before + inset(before), before + side - inset(after))
    };
    let (from_x, until_x) = kept(left, old.width(), right);
    let (from_y, until_y) = kept(top, old.height(), bottom);
    GrayImage::from_fn(old.width() + left + right, old.height() + top + bottom, |x, y| {
        let kept = (from_x..until_x).contains(&x) && (from_y..until_y).contains(&y);
        image::Luma([if kept { 0 } else { 255 }])
    })
}
