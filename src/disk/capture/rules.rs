//! What somebody said of the files of a dataset: what is not mirrored, and how the rest is captured.

use std::fmt;
use std::sync::Arc;

use crate::disk::hold::LockKind;
use crate::replica::{Kind, RelPath};

/// What somebody said of the files of a dataset, each by its path.
#[derive(Clone, Default)]
pub struct Rules {
    says: Option<Arc<Says>>,
    locks: Option<Arc<Locks>>,
}

type Says = dyn Fn(&[u8]) -> Rule + Send + Sync;
type Locks = dyn Fn(&[u8]) -> Option<LockKind> + Send + Sync;

/// What is said of one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rule {
    /// Nothing: it is captured as what it shows itself to be.
    #[default]
    Unsaid,
    /// It is not mirrored.
    LeftOut,
    /// It is captured like this.
    Said(As),
}

/// How a file is captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum As {
    /// It grows at the end, by whole records.
    Queue(Records),
    /// It is a database of `SQLite`.
    Sqlite,
    /// All of it, when nothing moves.
    Files,
}

/// Where the records of a queue end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Records {
    /// Each ends in a newline.
    Lines,
    /// All have this length in bytes, at least 1.
    Fixed(u64),
    /// Each begins with the length of the rest.
    Prefix(Number),
    /// How many there are stands in the file.
    Counted {
        /// Where that stands: four bytes, the low one first.
        at: u64,
        /// Where the first record begins.
        first: u64,
        /// The length of a record in bytes, at least 1.
        fixed: u64,
    },
}

/// A whole number as it stands in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number {
    /// Bytes that it takes: 2 or 4.
    pub bytes: usize,
    /// Whether its low byte comes first.
    pub low_first: bool,
}

impl Rules {
    /// What `says` returns is said of the file at that path.
    pub fn new(says: impl Fn(&[u8]) -> Rule + Send + Sync + 'static) -> Self {
        Self { says: Some(Arc::new(says)), locks: None }
    }

    /// The same, with files that are locked while they are captured: what `locks` returns for their path is honoured.
    #[must_use]
    pub fn locking(self, locks: impl Fn(&[u8]) -> Option<LockKind> + Send + Sync + 'static) -> Self {
        Self { locks: Some(Arc::new(locks)), ..self }
    }

    /// How the file at `path` is locked while it is captured, if it is.
    #[must_use]
    pub fn lock(&self, path: &RelPath) -> Option<LockKind> {
        self.locks.as_ref().and_then(|locks| locks(path.as_bytes()))
    }

    /// What is said of `path`.
    #[must_use]
    pub fn of(&self, path: &RelPath) -> Rule {
        match &self.says {
            Some(says) if !path.is_root() => says(path.as_bytes()),
            _ => Rule::Unsaid,
        }
    }

    /// Whether nobody said how `path` is captured.
    #[must_use]
    pub fn is_guess(&self, path: &RelPath) -> bool {
        self.of(path) == Rule::Unsaid
    }

    /// How `path` is captured if it is a queue, and whether somebody said that it is one: its name alone may be wrong.
    #[must_use]
    pub fn queue(&self, path: &RelPath) -> Option<(Records, Sure)> {
        match self.of(path) {
            Rule::Said(As::Queue(records)) => Some((records, Sure::Said)),
            Rule::Unsaid if Kind::by_name(path.as_bytes()) == Kind::Queue => Some((Records::Lines, Sure::Guessed)),
            Rule::Unsaid | Rule::LeftOut | Rule::Said(_) => None,
        }
    }
}

/// Whether it was said what a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sure {
    /// By a person.
    Said,
    /// Its name suggests it.
    Guessed,
}

impl Number {
    /// Reads it from the beginning of `bytes`; none where they are too few.
    #[must_use]
    pub fn read(self, bytes: &[u8]) -> Option<u64> {
        let digits = bytes.get(..self.bytes)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.low_first { digits.iter().rev().fold(0, add) } else { digits.iter().fold(0, add) })
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.says.is_some() { "Rules(some)" } else { "Rules(nothing)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_stand_in_files() {
        let number = |bytes, low_first| Number { bytes, low_first }.read(&[1, 2, 3, 4, 5]);
        assert_eq!((number(2, true), number(2, false)), (Some(0x0201), Some(0x0102)));
        assert_eq!((number(4, true), number(4, false)), (Some(0x0403_0201), Some(0x0102_0304)));
        assert_eq!(Number { bytes: 4, low_first: true }.read(&[1, 2, 3]), None);
    }
}
