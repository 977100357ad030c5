//! How far a copy is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The rolling checksum of a history: BLAKE3 over the one before and what the generation says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Checksum(pub [u8; 32]);

impl Checksum {
    /// A sum that goes on from this one: feed it what the generation says, then [`Rolling::end`].
    #[must_use]
    pub fn roll(self) -> Rolling {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        Rolling(hasher)
    }
}

/// A [`Checksum`] in the making.
#[derive(Clone, Debug)]
pub struct Rolling(blake3::Hasher);

impl Rolling {
    /// Takes in what the generation says next.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The checksum after all that was fed.
    #[must_use]
    pub fn end(&self) -> Checksum {
        Checksum(*self.0.finalize().as_bytes())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Eight bytes tell two histories apart for a person; the machines compare all.
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Checksum {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let hex: String = blake3::Hash::from_bytes(self.0).to_hex().as_str().to_owned();
        out.serialize_str(&hex)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(input)?;
        let hash = blake3::Hash::from_hex(&hex).map_err(serde::de::Error::custom)?;
        Ok(Self(*hash.as_bytes()))
    }
}

/// How far a copy is: the number of its last committed generation, and the checksum of its history up to there.
///
/// `seq` 0 means that nothing is committed yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// Generations committed so far.
    pub seq: u64,
    /// The checksum of all of them.
    pub checksum: Checksum,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.seq, self.checksum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_told_by_its_order_and_its_seams() {
        let sum = |parts: &[&[u8]]| {
            let mut rolling = Checksum::default().roll();
            for part in parts {
                rolling.feed(part);
            }
            rolling.end()
        };
        assert_ne!(sum(&[b"a", b"b"]), sum(&[b"b", b"a"]));
        assert_ne!(sum(&[b"ab"]), sum(&[b"a", b"b"]));
        assert_ne!(sum(&[b"a"]).roll().end(), Checksum::default().roll().end());
    }

    #[test]
    fn survives_json() {
        let position = Position { seq: 9041, checksum: Checksum([0xab; 32]) };
        let text = serde_json::to_string(&position).unwrap();
        assert_eq!(serde_json::from_str::<Position>(&text).unwrap(), position);
        assert_eq!(position.to_string(), "9041-abababababababab");
    }
}
