//! Blurs.

use super::Raster;

/// Gaussian blur of standard deviation `sigma` pixels; 0 changes nothing.
///
/// A1111's mask blur is OpenCV's `GaussianBlur` with a kernel of `2 · int(2.5 · sigma + 0.5) + 1` pixels and mirrored
/// edges (`modules/processing.py`); so is this one, but for the rounding of OpenCV's fixed-point arithmetic.
pub(crate) fn gaussian(picture: Raster, sigma: u32) -> Raster {
    if sigma == 0 {
        return picture;
    }
    let reach = (2.5 * f64::from(sigma) + 0.5) as i64;
    let bell = |x: i64| (-((x * x) as f64) / (2.0 * f64::from(sigma * sigma))).exp();
    let total: f64 = (-reach..=reach).map(bell).sum();
    let kernel: Vec<f32> = (-reach..=reach).map(|x| (bell(x) / total) as f32).collect();
    let channels = picture.channels as usize;
    let mut plane: Vec<f32> = picture.bytes.iter().map(|&byte| f32::from(byte)).collect();
    let (width, height) = (picture.width as usize, picture.height as usize);
    plane = along(
        &plane,
        &Axis { length: width, stride: channels, lines: height, line: width * channels, width: channels },
        &kernel,
    );
    plane = along(
        &plane,
        &Axis { length: height, stride: width * channels, lines: 1, line: 0, width: width * channels },
        &kernel,
    );
    let bytes = plane.into_iter().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
    Raster { bytes, ..picture }
}

/// How a plane is walked: `lines` lines at a distance of `line`, each of `length` cells at a distance of `stride`, each
/// of `width` values.
struct Axis {
    length: usize,
    stride: usize,
    lines: usize,
    line: usize,
    width: usize,
}

fn along(plane: &[f32], axis: &Axis, kernel: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; plane.len()];
    let reach = kernel.len() / 2;
    for line in 0..axis.lines {
        for at in 0..axis.length {
            let start = line * axis.line + at * axis.stride;
            let Some(target) = out.get_mut(start..start + axis.width) else { continue };
            for (offset, &weight) in kernel.iter().enumerate() {
                let from = mirrored(at as i64 + offset as i64 - reach as i64, axis.length as i64);
                let start = line * axis.line + from * axis.stride;
                let source = plane.get(start..start + axis.width).unwrap_or_default();
                target.iter_mut().zip(source).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
    out
}

/// `gfedcb|abcdefgh|gfedcba`, OpenCV's `BORDER_REFLECT_101`.
fn mirrored(at: i64, length: i64) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length - 1);
    let folded = at.rem_euclid(period);
    folded.min(period - folded) as usize
}

/// Three box blurs one after another, close to a Gaussian of standard deviation `sigma` and as fast for a large one.
/// `planes` are interleaved values; edges are repeated.
pub(super) fn smooth(planes: &mut Vec<f32>, width: usize, height: usize, channels: usize, sigma: f64) {
    // Variance of a box of n cells is (n² - 1) / 12, and three add up.
    let cells = (4.0 * sigma * sigma + 1.0).sqrt();
    let reach = (((cells - 1.0) / 2.0).round() as usize).max(1);
    for _ in 0..3 {
        *planes = boxed(planes, width, channels, height, width * channels, reach, channels);
        *planes = boxed(planes, height, width * channels, width, channels, reach, channels);
    }
}

/// Running means over `2 · reach + 1` cells along lines.
fn boxed(
    plane: &[f32],
    length: usize,
    stride: usize,
    lines: usize,
    line: usize,
    reach: usize,
    channels: usize,
) -> Vec<f32> {
    let mut out = vec![0.0; plane.len()];
    let share = 1.0 / (2 * reach + 1) as f64;
    for start in (0..lines).flat_map(|index| (0..channels).map(move |channel| index * line + channel)) {
        let value = |at: i64| {
            let at = at.clamp(0, length as i64 - 1) as usize;
            plane.get(start + at * stride).copied().map_or(0.0, f64::from)
        };
        let reach = reach as i64;
        let mut sum: f64 = (-reach..=reach).map(value).sum();
        for at in 0..length as i64 {
            if let Some(target) = out.get_mut(start + at as usize * stride) {
                *target = (sum * share) as f32;
            }
            sum += value(at + reach + 1) - value(at - reach);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blurred_edge_is_a_bell_and_far_pixels_stay() {
        let row: Vec<u8> = (0..64).map(|x| if x < 32 { 0 } else { 255 }).collect();
        let picture = Raster::new(64, 3, 1, row.repeat(3)).unwrap();
        let blurred = gaussian(picture.clone(), 4);
        let row: Vec<u8> = blurred.rows().next().unwrap().to_vec();
        assert_eq!(&row[..21], &[0; 21]);
        assert_eq!(&row[43..], &[255; 21]);
        // cv2.GaussianBlur gives 115 and 140 left and right of the edge.
        assert_eq!(&row[31..33], &[115, 140]);
        assert_eq!(gaussian(picture.clone(), 0), picture);
    }

    #[test]
    fn smoothing_keeps_the_mean_and_spreads() {
        let mut plane = vec![0.0; 63 * 63];
        plane[31 * 63 + 31] = 1000.0;
        smooth(&mut plane, 63, 63, 1, 4.0);
        let total: f32 = plane.iter().sum();
        assert!((total - 1000.0).abs() < 0.1, "{total}");
        let across = |(index, weight): (usize, &f32)| (index as f32 % 63.0 - 31.0).powi(2) * weight / total;
        let variance: f32 = plane.iter().enumerate().map(across).sum();
        // Boxes have whole numbers of cells: 9 here, of variance 20/3 each.
        assert!((variance - 20.0).abs() < 0.1, "{variance}");
    }
}
