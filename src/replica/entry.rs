//! What stands under a name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Blocks, Proof, RelPath};

/// An instant of the file system: seconds and nanoseconds since 1970, the way `stat` gives them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Time {
    /// Whole seconds since 1970; negative before.
    pub seconds: i64,
    /// Nanoseconds after that second, below 1,000,000,000.
    pub nanos: u32,
}

impl Time {
    /// The same as people read it; none where no calendar reaches.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::new(self.seconds, i32::try_from(self.nanos).ok()?).ok()
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self { seconds: time.as_second(), nanos: time.subsec_nanosecond().unsigned_abs() }
    }
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

/// One proof for many entries, given in the order of their names: equal exactly when all of them are.
#[derive(Clone, Debug, Default)]
pub struct Digest(blake3::Hasher);

impl Digest {
    /// Takes in an entry.
    pub fn add(&mut self, path: &RelPath, meta: &Meta, body: &Body) {
        let mut field = |bytes: &[u8]| {
            self.0.update(&(bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        };
        field(path.as_bytes());
        // Another name of a file has what the file has.
        if !matches!(body, Body::Link { .. }) {
            let mode = if matches!(body, Body::Symlink { .. }) { 0 } else { meta.mode };
            field(&mode.to_le_bytes());
            field(&meta.uid.to_le_bytes());
            field(&meta.gid.to_le_bytes());
            field(&meta.mtime.seconds.to_le_bytes());
            field(&meta.mtime.nanos.to_le_bytes());
        }
        match body {
            Body::File { size, blocks } => field(&blocks.root(*size)),
            Body::Dir => field(b"d"),
            Body::Symlink { target } => {
                field(b"s");
                field(target);
            }
            Body::Link { to } => {
                field(b"l");
                field(to.as_bytes());
            }
        }
    }

    /// The proof.
    #[must_use]
    pub fn end(&self) -> Proof {
        *self.0.finalize().as_bytes()
    }
}
