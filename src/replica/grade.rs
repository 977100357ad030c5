//! How sure a generation is, and how the files in it are captured.

use serde::{Deserialize, Serialize};

/// How sure a generation is. The worse one counts when two are joined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// A state that the program itself could have left.
    #[default]
    Exact,
    /// Two looks agreed: nothing moved while it was read.
    Steady,
    /// Not one instant: something kept moving.
    Unsteady,
    /// A file could not be read.
    Incomplete,
}

/// How a file is captured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Grows at the end by whole records: the prefix up to the last whole one.
    Queue,
    /// Everything else: two looks that agree.
    Files,
    /// A database of `SQLite`: the state of one commit.
    Sqlite,
    /// A database that is mirrored by its own means: what it dumped last.
    Dump,
}

impl Kind {
    /// The kind by which somebody knows it who does not know this one.
    #[must_use]
    pub fn known_before(self) -> Self {
        if matches!(self, Self::Sqlite | Self::Dump) { Self::Files } else { self }
    }
}

impl Kind {
    /// The kind that a file's name suggests: `*.QUE`, `*.LOG` and `*.JNL` in any letter case are queues of lines, until
    /// they prove otherwise.
    #[must_use]
    pub fn by_name(name: &[u8]) -> Self {
        let queue = name.len() > 4
            && [b".que", b".log", b".jnl"].iter().any(|end| name[name.len() - 4..].eq_ignore_ascii_case(*end));
        if queue { Self::Queue } else { Self::Files }
    }
}

/// The commit point of a queue of lines: the length of `bytes` up to the end of the last whole line; 0 when there is none.
#[must_use]
pub fn last_line_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_name() {
        for queue in ["ORDER.QUE", "pos.log", "a/Day.Jnl"] {
            assert_eq!(Kind::by_name(queue.as_bytes()), Kind::Queue, "{queue}");
        }
        for file in ["POS-R", "POS-Q.Seq", ".log", "catalog", "a.log.1"] {
            assert_eq!(Kind::by_name(file.as_bytes()), Kind::Files, "{file}");
        }
    }

    #[test]
    fn a_torn_line_is_not_whole() {
        assert_eq!(last_line_end(b"one\ntwo\nthr"), 8);
        assert_eq!(last_line_end(b"thr"), 0);
        assert_eq!(last_line_end(b""), 0);
    }

    #[test]
    fn the_worse_grade_counts() {
        assert_eq!(Grade::Exact.max(Grade::Incomplete).max(Grade::Steady), Grade::Incomplete);
    }
}
