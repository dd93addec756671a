//! The lots. Their law is fixed: a template, its wildcards, a seed and an index give the same text for ever, on every
//! machine. Nothing here may change without a new name.
//!
//! The generator is xoshiro256++ (<https://prng.di.unimi.it/xoshiro256plusplus.c>). Its state for prompt `i` of seed
//! `s` is the first four outputs of SplitMix64 started at `s`, with every 64-bit digit of `i`, lowest first, mixed in by
//! `x = splitmix(x ^ digit)` before. Numbers below `n` are the high half of the 128-bit product with `n`, drawn again
//! where that would favour some (Lemire 2019). Weights are whole numbers of 2^-32 of the greatest weight.

use num_bigint::BigUint;

/// A stream of lots.
#[derive(Clone, Debug)]
pub(super) struct Rng([u64; 4]);

/// One step of SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>): the state after it, and its output.
fn splitmix(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state, z ^ (z >> 31))
}

impl Rng {
    /// The lots of one prompt.
    pub(super) fn new(seed: u64, index: &BigUint) -> Self {
        let mut state = splitmix(seed).1;
        if index.bits() == 0 {
            state = splitmix(state).1;
        }
        for digit in index.iter_u64_digits() {
            state = splitmix(state ^ digit).1;
        }
        let mut words = [0; 4];
        for word in &mut words {
            (state, *word) = splitmix(state);
        }
        Self(words)
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `n`, each as likely as the others; 0 if `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let unfair = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next()) * u128::from(n);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number below `n`, each as likely as the others; 0 if `n` is 0.
    pub(super) fn below_big(&mut self, n: &BigUint) -> BigUint {
        if n.bits() == 0 {
            return BigUint::ZERO;
        }
        let bits = n.bits();
        loop {
            let mut digits = Vec::new();
            for _ in 0..bits.div_ceil(32) {
                digits.push((self.next() >> 32) as u32);
            }
            let excess = (digits.len() as u64 * 32 - bits) as u32;
            if let Some(last) = digits.last_mut() {
                *last >>= excess;
            }
            let number = BigUint::new(digits);
            if number < *n {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The law. A failure here means that templates no longer give what they gave.
    #[test]
    fn vectors() {
        // From the reference implementation: state 1, 2, 3, 4.
        let mut rng = Rng([1, 2, 3, 4]);
        let first: Vec<u64> = (0..4).map(|_| rng.next()).collect();
        assert_eq!(first, [41943041, 58720359, 3588806011781223, 3591011842654386]);
        // From the reference implementation: seed 1234567.
        let mut state = 1234567;
        let mut outputs = [0; 3];
        for output in &mut outputs {
            (state, *output) = splitmix(state);
        }
        assert_eq!(outputs, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn numbers_are_below() {
        let mut rng = Rng::new(7, &BigUint::ZERO);
        for n in [1, 2, 3, 1000, u64::MAX] {
            assert!((0..100).all(|_| rng.below(n) < n));
            assert!((0..100).all(|_| rng.below_big(&BigUint::from(n)) < BigUint::from(n)));
        }
        assert_eq!(rng.below(0), 0);
    }
}
