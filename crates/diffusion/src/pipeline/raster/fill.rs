//! A1111's mask fill "fill".

use super::Raster;
use super::blur::smooth;

/// Standard deviation of each blur and how often its result is laid over what is there, from the farthest colours to
/// the picture itself.
const LAYERS: [(f64, u32); 6] = [(256.0, 1), (64.0, 1), (16.0, 2), (4.0, 4), (2.0, 2), (0.0, 1)];

/// The picture with its masked part (white in `mask`, of the same size) filled with the colours around it.
///
/// A1111's `modules/masking.py: fill`: the unmasked part, transparent elsewhere, is blurred ever less, and the results
/// are laid over each other. Blurs are boxes here, so that colours differ by a shade.
pub(crate) fn fill_masked(picture: &Raster, mask: &Raster) -> Raster {
    let (width, height) = (picture.width as usize, picture.height as usize);
    // Red, green, blue multiplied by opacity, and opacity, 0 to 1.
    let kept: Vec<f32> = picture
        .bytes
        .chunks_exact(3)
        .zip(&mask.bytes)
        .flat_map(|(rgb, &mask)| {
            let opacity = 1.0 - f32::from(mask) / 255.0;
            let channel =
                |index: usize| rgb.get(index).map_or(0.0, |&value| f32::from(value) / 255.0 * opacity);
            [channel(0), channel(1), channel(2), opacity]
        })
        .collect();
    let mut out = vec![0.0_f32; kept.len()];
    for (sigma, repeats) in LAYERS {
        let mut layer = kept.clone();
        if sigma > 0.0 {
            smooth(&mut layer, width, height, 4, sigma);
        }
        for _ in 0..repeats {
            for (under, over) in out.chunks_exact_mut(4).zip(layer.chunks_exact(4)) {
                let transparent = 1.0 - over.get(3).copied().unwrap_or_default();
                under.iter_mut().zip(over).for_each(|(under, over)| *under = over + *under * transparent);
            }
        }
    }
    let bytes = out
        .chunks_exact(4)
        .flat_map(|pixel| {
            let opacity = pixel.get(3).copied().unwrap_or_default().max(1e-6);
            let channel = |index: usize| {
                pixel.get(index).map_or(0, |value| (value / opacity * 255.0).round().clamp(0.0, 255.0) as u8)
            };
            [channel(0), channel(1), channel(2)]
        })
        .collect();
    Raster { bytes, ..picture.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::raster::Region;

    #[test]
    fn the_hole_takes_the_colours_around_it_and_the_rest_stays() {
        let mut picture = Raster::filled(32, 32, 3, 100);
        let mut mask = Raster::filled(32, 32, 1, 0);
        let hole = Region { left: 8, top: 8, right: 24, bottom: 24 };
        hole.put(&mut picture, &Raster::filled(16, 16, 3, 255));
        hole.put(&mut mask, &Raster::filled(16, 16, 1, 255));
        let filled = fill_masked(&picture, &mask);
        assert!(filled.bytes().iter().all(|&value| value.abs_diff(100) <= 1));
    }
}
