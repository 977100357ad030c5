//! What stands under a name.

use serde::{Deserialize, Serialize};

use super::{Blocks, RelPath};

/// An instant of the file system: seconds and nanoseconds since 1970, the way `stat` gives them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Time {
    /// Whole seconds since 1970; negative before.
    pub seconds: i64,
    /// Nanoseconds after that second, below 1,000,000,000.
    pub nanos: u32,
}

/// What a copy keeps of a file beside its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Meta {
    /// Permission bits with set-user, set-group and sticky, as in `chmod`.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Time of the last change of the content.
    pub mtime: Time,
}

/// A thing with a name: its kind, its content, and what is kept beside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Mode, owner and time.
    pub meta: Meta,
    /// What it is.
    pub body: Body,
}

/// What an entry is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// A file with content.
    File {
        /// Its length in bytes.
        size: u64,
        /// The sums of its blocks.
        blocks: Blocks,
    },
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink {
        /// Where it points, as it stands in the link.
        target: Box<[u8]>,
    },
    /// Another name of the file that stands at `to`, the first of its names in order.
    Link {
        /// The first name.
        to: RelPath,
    },
}

impl Body {
    /// Its content's length in bytes; 0 for what has none of its own.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Dir | Self::Symlink { .. } | Self::Link { .. } => 0,
        }
    }

    /// Whether it is a file with content of its own.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}
