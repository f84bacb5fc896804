//! Pseudo-random numbers: the same for the same seed, everywhere.
//!
//! `H2LENS_TEST_SEED` gives all tests of damage and traffic other numbers; CI takes new ones each time and prints them.

use std::sync::LazyLock;

/// The environment's seed; 0 where there is none.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    let text = std::env::var("H2LENS_TEST_SEED").unwrap_or_default();
    if text.is_empty() { 0 } else { text.parse().expect("H2LENS_TEST_SEED is a number") }
});

/// `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers of a test's own, which differ with the environment's seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(SEED.wrapping_mul(0xd134_2543_de82_ef95)))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `end`, `end` excluded.
    pub(crate) const fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// `from` to `to`, both included.
    pub(crate) const fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// True so many times in a thousand.
    pub(crate) const fn chance(&mut self, permille: usize) -> bool {
        self.below(1000) < permille
    }

    pub(crate) const fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
