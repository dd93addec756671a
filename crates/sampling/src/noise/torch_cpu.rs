//! torch's CPU generator: the 32-bit Mersenne Twister, and `at::native`'s two ways from it to normal numbers.

use std::f64::consts::TAU;

const SIZE: usize = 624;
const SHIFT: usize = 397;

/// MT19937 (Matsumoto and Nishimura 1998).
#[derive(Clone, Debug)]
pub struct Mt19937 {
    state: [u32; SIZE],
    next: usize,
}

impl Mt19937 {
    /// Seeded as `init_genrand`.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; SIZE];
        let mut last = seed;
        for (i, word) in state.iter_mut().enumerate().skip(1) {
            last = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
            *word = last;
        }
        Self { state, next: SIZE }
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next >= SIZE {
            self.twist();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn twist(&mut self) {
        for i in 0..SIZE {
            let mixed = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % SIZE] & 0x7fff_ffff);
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % SIZE] ^ (mixed >> 1) ^ odd;
        }
        self.next = 0;
    }
}

/// `torch.Generator("cpu")`, as far as `randn` in float32 goes.
#[derive(Clone, Debug)]
pub struct TorchCpu {
    engine: Mt19937,
    /// The second number of a scalar Box-Muller pair, kept for the next draw as torch keeps it.
    spare: Option<f64>,
}

impl TorchCpu {
    /// As `manual_seed`; the engine takes the seed's low 32 bits.
    pub fn new(seed: u64) -> Self {
        Self { engine: Mt19937::new(seed as u32), spare: None }
    }

    /// `torch.randn(count)` in float32. Equal to torch's within rounding: its vector code takes logarithms and sines
    /// from polynomials of its own.
    pub fn randn(&mut self, count: usize) -> Vec<f32> {
        if count < 16 {
            return (0..count).map(|_| self.scalar() as f32).collect();
        }
        // `normal_fill`: uniform numbers first, then pairs that lie 8 apart in blocks of 16.
        let mut values: Vec<f32> = (0..count).map(|_| self.uniform()).collect();
        for block in values.chunks_exact_mut(16) {
            normal_block(block);
        }
        if !count.is_multiple_of(16) {
            // The last 16 are drawn anew, over some that are done.
            if let Some(block) = values.last_chunk_mut::<16>() {
                block.fill_with(|| self.uniform());
                normal_block(block);
            }
        }
        values
    }

    /// `at::uniform_real_distribution<float>`: 24 bits.
    fn uniform(&mut self) -> f32 {
        (self.engine.next_u32() & 0x00ff_ffff) as f32 / 16_777_216.0
    }

    /// `at::uniform_real_distribution<double>`: 53 bits of 64, the first word the higher.
    fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.engine.next_u32());
        let low = u64::from(self.engine.next_u32());
        ((high << 32 | low) & ((1 << 53) - 1)) as f64 / 9_007_199_254_740_992.0
    }

    /// `at::normal_distribution<double>`.
    fn scalar(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (turn, length) = (self.uniform_f64(), self.uniform_f64());
        let radius = (-2.0 * (-length).ln_1p()).sqrt();
        let (sin, cos) = (TAU * turn).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

/// Box-Muller on 16 uniform numbers in place.
fn normal_block(block: &mut [f32]) {
    let (lengths, turns) = block.split_at_mut(8);
    for (length, turn) in lengths.iter_mut().zip(turns) {
        let radius = (-2.0 * f64::from(1.0 - *length).ln()).sqrt();
        let (sin, cos) = (TAU * f64::from(*turn)).sin_cos();
        *length = (radius * cos) as f32;
        *turn = (radius * sin) as f32;
    }
}
