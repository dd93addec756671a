//! Seeded noise that equals torch's, value for value.
//!
//! Each picture has its own generator ([`PictureNoise`]), so the size of a batch changes nothing. Draws follow each
//! other as torch's do: the first is the initial noise, later ones feed ancestral and SDE samplers.

mod brownian;
mod philox;
mod slerp;
mod torch_cpu;

use tarim_recipe::NoiseSource;

pub use brownian::BrownianNoise;
pub use philox::PhiloxCuda;
pub use slerp::slerp;
pub use torch_cpu::{Mt19937, TorchCpu};

/// One picture's generator.
#[derive(Clone, Debug)]
pub struct PictureNoise(Generator);

#[derive(Clone, Debug)]
enum Generator {
    Cpu(Box<TorchCpu>),
    Nv(PhiloxCuda),
}

impl PictureNoise {
    /// As `torch.Generator(device).manual_seed(seed)`. The CPU's generator uses the seed's low 32 bits only, as torch
    /// does.
    pub fn new(source: NoiseSource, seed: u64) -> Self {
        Self(match source {
            NoiseSource::Cpu => Generator::Cpu(Box::new(TorchCpu::new(seed))),
            NoiseSource::Nv => Generator::Nv(PhiloxCuda::new(seed)),
        })
    }

    /// As `torch.randn(count, generator=…)` in float32, or any shape of as many elements.
    ///
    /// One call is one tensor: torch lays numbers out by the size of the tensor, so two draws of 8 are not one of 16.
    pub fn randn(&mut self, count: usize) -> Vec<f32> {
        match &mut self.0 {
            Generator::Cpu(generator) => generator.randn(count),
            Generator::Nv(generator) => generator.randn(count),
        }
    }
}
