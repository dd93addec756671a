//! Mixing two noises without losing variance.

/// A1111's variation: `slerp(strength, first, second)`, where 0 is the first noise and 1 the second.
///
/// As there, each column of each channel turns by itself (`dim=1` of a tensor `[channels, height, width]`), and noises
/// that are nearly the same are mixed linearly with the weights the other way round, as that code has it. Values are
/// laid out `[channels, height, width]`; `None` where the two or the shape differ in size.
pub fn slerp(strength: f64, first: &[f32], second: &[f32], shape: [usize; 3]) -> Option<Vec<f32>> {
    let [channels, height, width] = shape;
    let size = channels.checked_mul(height)?.checked_mul(width)?;
    if first.len() != size || second.len() != size {
        return None;
    }
    let column = |values: &[f32], channel: usize, x: usize| -> Vec<f64> {
        let start = channel * height * width + x;
        values.iter().skip(start).step_by(width.max(1)).take(height).map(|v| f64::from(*v)).collect()
    };
    let mut cosines = Vec::with_capacity(channels * width);
    for channel in 0..channels {
        for x in 0..width {
            let (a, b) = (column(first, channel, x), column(second, channel, x));
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            cosines.push(dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt());
        }
    }
    let mean = cosines.iter().sum::<f64>() / cosines.len().max(1) as f64;
    let alike = mean > 0.9995;
    let mixed = first.iter().zip(second).enumerate().map(|(i, (&a, &b))| {
        let (a, b) = (f64::from(a), f64::from(b));
        if alike {
            return (a * strength + b * (1.0 - strength)) as f32;
        }
        let place = i / (height * width) * width + i % width;
        let angle = cosines.get(place).copied().unwrap_or_default().clamp(-1.0, 1.0).acos();
        let sine = angle.sin();
        if sine < 1e-9 {
            return (a * (1.0 - strength) + b * strength) as f32;
        }
        (((1.0 - strength) * angle).sin() / sine * a + (strength * angle).sin() / sine * b) as f32
    });
    Some(mixed.collect())
}
