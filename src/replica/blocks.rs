//! The sums of a file's blocks.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// Bytes in a block: what is compared and shipped as a whole.
pub const BLOCK: usize = 16 * 1024;

/// The BLAKE3 sum of some bytes. It proves what they are.
pub type Proof = [u8; 32];

/// The two sums of one block, which may be a short one at the end of a file.
///
/// `find` is fast and finds what changed; `proof` is what two machines compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sum {
    /// XXH3-128, little endian.
    pub find: [u8; 16],
    /// BLAKE3.
    pub proof: Proof,
}

impl Sum {
    /// Both sums of `bytes`; `None` when every one of them is zero, as in a hole.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        (!is_zero(bytes)).then(|| Self { find: find(bytes), proof: prove(bytes) })
    }
}

/// The fast sum of `bytes`.
#[must_use]
pub fn find(bytes: &[u8]) -> [u8; 16] {
    XxHash3_128::oneshot(bytes).to_le_bytes()
}

/// The proof of `bytes`.
#[must_use]
pub fn prove(bytes: &[u8]) -> Proof {
    *blake3::hash(bytes).as_bytes()
}

/// Whether every one of `bytes` is zero.
#[must_use]
pub fn is_zero(bytes: &[u8]) -> bool {
    // The first few bytes settle almost every block that is not a hole.
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}

/// The number of blocks in a file of `size` bytes.
#[must_use]
pub fn count(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64)
}

/// The sums of a file's blocks by number; a block of zeros has none, so that a hole of a TiB costs nothing.
///
/// Kept as runs of neighbours: an ordinary file is one run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Blocks {
    runs: Vec<Run>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    first: u64,
    sums: Vec<Sum>,
}

impl Run {
    fn end(&self) -> u64 {
        self.first + self.sums.len() as u64
    }
}

impl Blocks {
    /// The sum of block `index`; `None` for zeros and beyond the end.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&Sum> {
        let run = &self.runs[self.run_before(index)?];
        run.sums.get(usize::try_from(index - run.first).ok()?)
    }

    /// Sets the sum of block `index`; `None` says that it is all zeros, or gone.
    pub fn set(&mut self, index: u64, sum: Option<Sum>) {
        match sum {
            Some(sum) => self.put(index, sum),
            None => self.clear(index),
        }
    }

    /// Forgets every block from `count` on.
    pub fn truncate(&mut self, count: u64) {
        self.runs.retain(|run| run.first < count);
        if let Some(last) = self.runs.last_mut() {
            let keep = usize::try_from(count - last.first).unwrap_or(usize::MAX);
            last.sums.truncate(keep);
        }
    }

    /// Every block that is not all zeros, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Sum)> {
        self.runs.iter().flat_map(|run| (run.first..).zip(&run.sums))
    }

    /// How many blocks are not all zeros.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.sums.len() as u64).sum()
    }

    /// Whether every block is all zeros.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Gives back memory that growing left unused.
    pub fn shrink(&mut self) {
        self.runs.shrink_to_fit();
        for run in &mut self.runs {
            run.sums.shrink_to_fit();
        }
    }

    /// One proof for a whole file of `size` bytes: equal exactly when the contents are.
    #[must_use]
    pub fn root(&self, size: u64) -> Proof {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&size.to_le_bytes());
        for (index, sum) in self.iter() {
            hasher.update(&index.to_le_bytes());
            hasher.update(&sum.proof);
        }
        *hasher.finalize().as_bytes()
    }

    fn run_before(&self, index: u64) -> Option<usize> {
        self.runs.partition_point(|run| run.first <= index).checked_sub(1)
    }

    fn put(&mut self, index: u64, sum: Sum) {
        let before = self.run_before(index);
        if let Some(at) = before {
            let run = &mut self.runs[at];
            if index < run.end() {
                if let Ok(slot) = usize::try_from(index - run.first) {
                    run.sums[slot] = sum;
                }
                return;
            }
            if index == run.end() {
                run.sums.push(sum);
                self.join_with_next(at);
                return;
            }
        }
        let at = before.map_or(0, |at| at + 1);
        self.runs.insert(at, Run { first: index, sums: vec![sum] });
        self.join_with_next(at);
    }

    fn join_with_next(&mut self, at: usize) {
        if self.runs.get(at + 1).is_some_and(|next| next.first == self.runs[at].end()) {
            let next = self.runs.remove(at + 1);
            self.runs[at].sums.extend(next.sums);
        }
    }

    fn clear(&mut self, index: u64) {
        let Some(at) = self.run_before(index) else { return };
        let run = &mut self.runs[at];
        if index >= run.end() {
            return;
        }
        let Ok(slot) = usize::try_from(index - run.first) else { return };
        let after = run.sums.split_off(slot + 1);
        run.sums.pop();
        if !after.is_empty() {
            self.runs.insert(at + 1, Run { first: index + 1, sums: after });
        }
        if self.runs[at].sums.is_empty() {
            self.runs.remove(at);
        }
    }
}

impl FromIterator<(u64, Sum)> for Blocks {
    fn from_iter<I: IntoIterator<Item = (u64, Sum)>>(sums: I) -> Self {
        let mut blocks = Self::default();
        for (index, sum) in sums {
            blocks.put(index, sum);
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn sum(number: u8) -> Sum {
        Sum { find: [number; 16], proof: [number; 32] }
    }

    proptest! {
        /// A plain map is the model; the runs say the same, and neighbours are always in one run.
        #[test]
        fn behaves_as_a_map(steps in prop::collection::vec((0u64..40, prop::option::of(1u8..5), 0u8..12), 0..200)) {
            let mut blocks = Blocks::default();
            let mut model = BTreeMap::new();
            for (index, value, kind) in steps {
                if kind == 0 {
                    blocks.truncate(index);
                    model.retain(|&at, _| at < index);
                } else {
                    blocks.set(index, value.map(sum));
                    match value {
                        Some(value) => { model.insert(index, sum(value)); }
                        None => { model.remove(&index); }
                    }
                }
                let shown: Vec<_> = blocks.iter().map(|(at, sum)| (at, *sum)).collect();
                prop_assert_eq!(&shown, &model.iter().map(|(&at, &sum)| (at, sum)).collect::<Vec<_>>());
                prop_assert!((0..41).all(|at| blocks.get(at) == model.get(&at)));
                prop_assert!(blocks.runs.windows(2).all(|two| two[0].end() < two[1].first));
                prop_assert_eq!(blocks.len(), model.len() as u64);
            }
        }
    }

    #[test]
    fn a_hole_has_no_sum_and_the_size_counts() {
        assert_eq!(Sum::of(&[0; BLOCK]), None);
        assert!(Sum::of(&[0, 0, 1]).is_some() && !is_zero(&[&[0; 16][..], &[1]].concat()));
        let empty = Blocks::default();
        assert_ne!(empty.root(1), empty.root(2));
        let one: Blocks = [(1 << 26, sum(1))].into_iter().collect();
        assert_ne!(one.root(1 << 40), empty.root(1 << 40));
        assert_eq!(one.len(), 1);
    }
}
