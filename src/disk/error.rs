//! What can go wrong with a disk.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::replica::{RelPath, Time, part::BadPart};

/// What went wrong with a disk. Each message is a line that the operator may read; [`DiskError::hope`] knows what helps.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system refused something.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// What was being done: "reading".
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is not enough room for what must be written.
    #[error("{}: {needed} bytes are needed and {free} are free", path.display())]
    NoRoom {
        /// The folder that needs room.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The small database beside the mirror.
    #[error("{}: {source}", path.display())]
    Index {
        /// The database.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// A stored file says what it cannot say.
    #[error("{}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A generation that breaks the rules.
    #[error("generation {seq} breaks the rules: {what}")]
    Protocol {
        /// Its number.
        seq: u64,
        /// Which one.
        what: String,
    },
    /// No state is kept that is so old.
    #[error("no state of then is kept")]
    TooLongAgo {
        /// When the oldest one was taken, where there is one.
        oldest: Option<Time>,
    },
    /// Something else than we has changed a file since then: the steps back would mix the two.
    #[error(
        "{path}: it was changed on this machine by somebody else (it was opened here?), or by its disk: what stood in it before cannot be had"
    )]
    Disturbed {
        /// Its name.
        path: RelPath,
    },
    /// A part that is none.
    #[error(transparent)]
    Part(#[from] BadPart),
}

/// With so many bytes free a disk is as good as full.
const LITTLE: u64 = 1 << 20;

/// What helps against a [`DiskError`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hope {
    /// Trying again, once there is room.
    Room,
    /// Trying again.
    Again,
    /// Only a person.
    Person,
}

impl DiskError {
    /// Whether the disk has lost what stood there: neither rights nor another try bring it back.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        let lost = [Errno::IO, Errno::BADMSG, Errno::UCLEAN].map(|errno| Some(errno.raw_os_error()));
        matches!(self, Self::Io { source, .. } if lost.contains(&source.raw_os_error()))
    }

    /// What helps.
    #[must_use]
    pub fn hope(&self) -> Hope {
        match self {
            Self::NoRoom { .. } => Hope::Room,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Hope::Room,
                _ => Hope::Again,
            },
            Self::Index { path, source } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => Hope::Room,
                // Of a file beside the database that finds no room nothing else is said.
                Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::CannotOpen) if is_full(path) => {
                    Hope::Room
                }
                _ => Hope::Again,
            },
            Self::Corrupt { .. }
            | Self::Protocol { .. }
            | Self::Part(_)
            | Self::TooLongAgo { .. }
            | Self::Disturbed { .. } => Hope::Person,
        }
    }
}

/// Whether there is no room beside a file.
fn is_full(path: &Path) -> bool {
    let room = path.parent().and_then(crate::os::room);
    room.is_some_and(|room| room.free < LITTLE)
}

/// Adds to a bare error of the system what was being done, and to what.
pub(crate) trait At<T> {
    /// Names the file by its path.
    fn at(self, doing: &'static str, path: &Path) -> Result<T, DiskError>;

    /// Names the file by its folder and its name in there.
    fn within(self, doing: &'static str, root: &Path, path: &RelPath) -> Result<T, DiskError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(|error| DiskError::Io { doing, path: path.to_owned(), source: error.into() })
    }

    fn within(self, doing: &'static str, root: &Path, path: &RelPath) -> Result<T, DiskError> {
        self.map_err(|error| {
            let path = root.join(path.shown().as_ref());
            DiskError::Io { doing, path, source: error.into() }
        })
    }
}
