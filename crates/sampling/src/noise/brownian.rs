//! Noise for DPM++ SDE alone, whose two draws of a step overlap.

use super::PictureNoise;

/// One picture's Brownian motion over sigma: `noise(a, b)` is `(W(b) - W(a)) / √|b - a|`.
///
/// Points are drawn where they are first asked for: beyond those known by an independent increment, between two by
/// the Brownian bridge. So overlapping intervals agree, intervals that do not overlap are independent, and each
/// result has unit variance: the law of k-diffusion's `BrownianTreeNoiseSampler`, but not its numbers, because
/// torchsde's tree draws them from seeds split with numpy's `SeedSequence` at dyadic points. A run asks in one fixed
/// order, so the same seed and grid give the same noise; where torchsde gives one path for all step counts, here
/// another grid draws another path.
#[derive(Clone, Debug)]
pub struct BrownianNoise {
    noise: PictureNoise,
    size: usize,
    /// Known points of the path by falling sigma.
    points: Vec<(f64, Vec<f64>)>,
}

impl BrownianNoise {
    /// A path of `size` values, drawing from `noise` (the picture's own, after its initial noise).
    pub fn new(noise: PictureNoise, size: usize) -> Self {
        Self { noise, size, points: Vec::new() }
    }

    /// Unit-variance noise of the step from `sigma` to `sigma_next`.
    pub fn noise(&mut self, sigma: f64, sigma_next: f64) -> Vec<f32> {
        let length = (sigma - sigma_next).abs();
        if length.is_nan() || length <= 0.0 {
            return self.noise.randn(self.size);
        }
        // Nothing asks again for what lies above.
        let above = self.points.partition_point(|(at, _)| *at > sigma.max(sigma_next));
        if above > 1 {
            self.points.drain(..above - 1);
        }
        let (from, to) = (self.at(sigma), self.at(sigma_next));
        let scale = length.sqrt().recip();
        from.iter().zip(&to).map(|(from, to)| ((to - from) * scale) as f32).collect()
    }

    /// The path at a level.
    fn at(&mut self, sigma: f64) -> Vec<f64> {
        let place = self.points.partition_point(|(at, _)| *at > sigma);
        let before = place.checked_sub(1).and_then(|place| self.points.get(place));
        let after = self.points.get(place);
        let (mean, variance) = match (before, after) {
            (_, Some((at, value))) if *at == sigma => return value.clone(),
            (None, None) => (vec![0.0; self.size], 0.0),
            (Some((at, value)), None) | (None, Some((at, value))) => (value.clone(), (at - sigma).abs()),
            (Some((high, above)), Some((low, below))) => {
                let share = (high - sigma) / (high - low);
                let mean = above.iter().zip(below).map(|(a, b)| a + share * (b - a)).collect();
                (mean, (high - sigma) * (1.0 - share))
            }
        };
        let mut value = mean;
        if variance > 0.0 {
            let spread = variance.sqrt();
            for (value, noise) in value.iter_mut().zip(self.noise.randn(self.size)) {
                *value += spread * f64::from(noise);
            }
        }
        self.points.insert(place, (sigma, value.clone()));
        value
    }
}
