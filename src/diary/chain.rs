//! The chain of the rows: each is hashed together with the hash of the row before. What is taken out when old events go is
//! named in a row of its own, which the chain holds as well.

use serde::{Deserialize, Serialize};

/// The hash of a row.
pub type Hash = [u8; 32];

/// What a row is hashed of, as it stands in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Raw {
    pub(super) number: i64,
    pub(super) at_ms: i64,
    pub(super) by: Vec<u8>,
    pub(super) kind: Vec<u8>,
    pub(super) job: Option<Vec<u8>>,
    pub(super) body: Vec<u8>,
    /// The hash of the row before.
    pub(super) before: Vec<u8>,
    /// The hash of this one.
    pub(super) sum: Vec<u8>,
}

impl Raw {
    /// The hash that belongs to it.
    pub(super) fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new_derive_key("espejo diary row 1");
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(&self.before);
        add(&self.number.to_le_bytes());
        add(&self.at_ms.to_le_bytes());
        add(&self.by);
        add(&self.kind);
        add(if self.job.is_some() { b"job" } else { b"" });
        add(self.job.as_deref().unwrap_or_default());
        add(&self.body);
        *hasher.finalize().as_bytes()
    }
}

/// Rows that were taken out on purpose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// The hash of the last of them, with which the next row goes on.
    pub sum: String,
}

/// What a row says that names the rows that were taken out: all that lack then, not only those of that day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pruned {
    /// How many were taken out that day.
    pub rows: u64,
    /// All that lack.
    pub gaps: Vec<Gap>,
}

/// Whether all rows belong together.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Chain {
    /// Rows that were looked at.
    pub rows: u64,
    /// The first row that is not as it was written, or before which others lack that nobody has taken out in order.
    pub broken_at: Option<u64>,
}

/// Looks at one row after the other.
#[derive(Debug, Default)]
pub(super) struct Walk {
    chain: Chain,
    last: Option<(i64, Vec<u8>)>,
    /// What lacks, and the row before which it does.
    gaps: Vec<(Gap, u64)>,
    /// What the newest row says that says so.
    known: Vec<Gap>,
}

impl Walk {
    pub(super) fn step(&mut self, raw: &Raw) {
        self.chain.rows += 1;
        let (number, before) = self.last.take().unwrap_or((0, vec![0; 32]));
        if raw.number != number + 1 {
            let row = raw.number.cast_unsigned();
            let gap = Gap { first: number.cast_unsigned() + 1, last: row.saturating_sub(1), sum: hex(&raw.before) };
            self.gaps.push((gap, row));
        } else if raw.before != before {
            self.breaks(raw.number);
        }
        if raw.sum != raw.hash() {
            self.breaks(raw.number);
        }
        if raw.kind == b"pruned" {
            let said: Option<Pruned> = serde_json::from_slice(&raw.body).ok();
            self.known = said.map(|said| said.gaps).unwrap_or_default();
        }
        self.last = Some((raw.number, raw.sum.clone()));
    }

    fn breaks(&mut self, at: i64) {
        let at = at.cast_unsigned();
        self.chain.broken_at = Some(self.chain.broken_at.map_or(at, |before| before.min(at)));
    }

    /// What lacks now.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        self.gaps.iter().map(|(gap, _)| gap.clone()).collect()
    }

    pub(super) fn end(mut self) -> Chain {
        for (gap, row) in std::mem::take(&mut self.gaps) {
            if !self.known.contains(&gap) {
                self.breaks(row.cast_signed());
            }
        }
        self.chain
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
