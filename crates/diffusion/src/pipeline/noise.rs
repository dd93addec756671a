//! The noise of a few pictures, each from its own generator.

use tarim_recipe::{Recipe, Sampler};
use tarim_sampling::{BrownianNoise, NoiseSampler, PictureNoise, slerp};

use super::latents::{LatentBatch, Shape};

/// Generators in the order of the pictures.
pub(super) struct Noise {
    shape: Shape,
    /// Whether the sampler's draws of a step overlap.
    overlaps: bool,
    generators: Vec<Generator>,
}

enum Generator {
    Independent(PictureNoise),
    Brownian(BrownianNoise),
}

impl Noise {
    pub(super) fn new(shape: Shape, sampler: Sampler) -> Self {
        Self { shape, overlaps: sampler == Sampler::DpmPpSde, generators: Vec::new() }
    }

    /// Adds a picture and draws its initial noise.
    ///
    /// A variation mixes in the second seed's noise; later noise comes from the first seed's generator alone, as in
    /// A1111's `ImageRNG` (`modules/rng.py`).
    pub(super) fn add(&mut self, recipe: &Recipe) -> Vec<f32> {
        let size = self.shape.elements();
        let mut generator = PictureNoise::new(recipe.noise_source, recipe.seed.0);
        let mut noise = generator.randn(size);
        if let Some(variation) = recipe.variation.filter(|variation| variation.strength != 0.0) {
            let second = PictureNoise::new(recipe.noise_source, variation.seed.0).randn(size);
            let shape = [self.shape.channels, self.shape.height, self.shape.width];
            if let Some(mixed) = slerp(variation.strength, &noise, &second, shape) {
                noise = mixed;
            }
        }
        self.generators.push(if self.overlaps {
            Generator::Brownian(BrownianNoise::new(generator, size))
        } else {
            Generator::Independent(generator)
        });
        noise
    }
}

impl NoiseSampler<LatentBatch> for Noise {
    fn noise(&mut self, sigma: f64, sigma_next: f64) -> LatentBatch {
        let size = self.shape.elements();
        let draw = |generator: &mut Generator| match generator {
            Generator::Independent(noise) => noise.randn(size),
            Generator::Brownian(noise) => noise.noise(sigma, sigma_next),
        };
        LatentBatch::new(self.shape, self.generators.iter_mut().map(draw))
    }
}
