//! Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), used as CUDA's `randn` does.

use std::f64::consts::TAU;

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// `torch.Generator("cuda")`, as far as `randn` in float32 goes: A1111's `RNG: NV` (its `rng_philox.py`).
///
/// Each element has a counter of its own, so the beginning of a bigger draw equals a smaller one. As A1111's, this
/// holds for tensors up to the GPU's number of threads times four; real CUDA wraps around beyond (some 800,000
/// elements; a latent picture of 2048x2048 has 262,144).
#[derive(Clone, Debug)]
pub struct PhiloxCuda {
    seed: u64,
    draws: u32,
}

impl PhiloxCuda {
    /// As `manual_seed`, with all 64 bits.
    pub fn new(seed: u64) -> Self {
        Self { seed, draws: 0 }
    }

    /// `torch.randn(count, device="cuda")` in float32; the next call continues the generator.
    pub fn randn(&mut self, count: usize) -> Vec<f32> {
        let draw = self.draws;
        self.draws = self.draws.wrapping_add(1);
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        (0..count as u64)
            .map(|element| {
                let words = philox([draw, 0, element as u32, (element >> 32) as u32], key);
                box_muller(words[0], words[1])
            })
            .collect()
    }
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let first = u64::from(counter[0]) * u64::from(MULTIPLIERS[0]);
        let second = u64::from(counter[2]) * u64::from(MULTIPLIERS[1]);
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// cuRAND's: the sine of the pair; the other number goes unused.
fn box_muller(length: u32, turn: u32) -> f32 {
    // cuRAND's float32 constant for 2^-32.
    let unit = f64::from(2.328_306_4e-10_f32);
    let length = f64::from(length).mul_add(unit, unit / 2.0);
    let angle = (f64::from(turn) + 0.5) * unit * TAU;
    ((-2.0 * length.ln()).sqrt() * angle.sin()) as f32
}
