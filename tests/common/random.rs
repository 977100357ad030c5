//! A seeded stream of numbers: what failed once can be had again.

use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator (splitmix64): good enough to choose, the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream that begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number below `end` as an index.
    pub fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Bytes that no block shares with another by chance.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.next().to_le_bytes()).take(len.div_ceil(8));
        words.flatten().take(len).collect()
    }
}

/// The seed of this run: from `ESPEJO_SEED`, or another one each time. It is printed.
pub fn seed() -> u64 {
    let given = std::env::var("ESPEJO_SEED").ok().map(|text| text.parse().expect("ESPEJO_SEED is a number"));
    let seed = given.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Random::new(u64::from(now.subsec_nanos()) ^ now.as_secs()).next() % 1_000_000
    });
    println!("to have this run again: ESPEJO_SEED={seed}");
    eprintln!("to have this run again: ESPEJO_SEED={seed}");
    seed
}
