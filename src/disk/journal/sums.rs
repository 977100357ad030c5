//! The sums of blocks as the index stores them: 64 to a row, each row with a map of which are there.

use crate::replica::Sum;

/// Blocks in a row.
pub const ROW: u64 = 64;

const WIDTH: usize = 48;

/// The sums of 64 neighbouring blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SumRow {
    sums: Vec<Option<Sum>>,
}

impl Default for SumRow {
    fn default() -> Self {
        Self { sums: vec![None; 64] }
    }
}

impl SumRow {
    /// Reads a row; `None` when its bytes are none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (map, rest) = bytes.split_first_chunk::<8>()?;
        let map = u64::from_le_bytes(*map);
        let (stored, tail) = rest.as_chunks::<WIDTH>();
        if !tail.is_empty() || stored.len() != map.count_ones() as usize {
            return None;
        }
        let mut stored = stored.iter();
        let sums = (0..ROW)
            .map(|slot| {
                let bytes = if map >> slot & 1 == 1 { stored.next() } else { None }?;
                let (find, proof) = bytes.split_first_chunk::<16>()?;
                Some(Sum { find: *find, proof: proof.try_into().ok()? })
            })
            .collect();
        Some(Self { sums })
    }

    /// The row as bytes; `None` when no sum is in it.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let map =
            (0u64..).zip(&self.sums).filter(|(_, sum)| sum.is_some()).fold(0u64, |map, (slot, _)| map | 1 << slot);
        if map == 0 {
            return None;
        }
        let mut bytes = map.to_le_bytes().to_vec();
        for sum in self.sums.iter().flatten() {
            bytes.extend_from_slice(&sum.find);
            bytes.extend_from_slice(&sum.proof);
        }
        Some(bytes)
    }

    /// Sets the sum of the block in `slot`, counted from the row's first.
    pub fn set(&mut self, slot: u64, sum: Option<Sum>) {
        if let Some(place) = usize::try_from(slot).ok().and_then(|slot| self.sums.get_mut(slot)) {
            *place = sum;
        }
    }

    /// The sums that are there, with their slots.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Sum)> + '_ {
        (0u64..).zip(&self.sums).filter_map(|(slot, sum)| Some((slot, (*sum)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back() {
        let mut row = SumRow::default();
        assert_eq!(row.encode(), None);
        for slot in [0, 5, 63] {
            row.set(slot, Sum::of(&[u8::try_from(slot).unwrap() + 1; 10]));
        }
        let bytes = row.encode().unwrap();
        assert_eq!(bytes.len(), 8 + 3 * 48);
        assert_eq!(SumRow::decode(&bytes), Some(row));
        assert_eq!(SumRow::decode(&bytes[..50]), None);
    }
}
