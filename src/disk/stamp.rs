//! What `stat` says of a file: enough to see that it may have changed.

use rustix::fs::{FileType, Stat};

use crate::replica::naming::Inode;
use crate::replica::{Meta, Time};

/// What `stat` says of a file. Two equal stamps do not prove equal content: clocks tick, and maps are written unseen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Device and inode number; 0 and 0 when it was never seen on this disk.
    pub inode: Inode,
    /// Length in bytes.
    pub size: u64,
    /// Bytes that it takes on the disk, about.
    pub stored: u64,
    /// Names that it has.
    pub links: u32,
    /// What it is.
    pub shape: Shape,
    /// Mode, owner, time of the last change of the content.
    pub meta: Meta,
    /// Time of the last change of anything.
    pub ctime: Time,
}

/// What a name leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device: reported, not copied.
    Special,
}

impl Stamp {
    /// Whether nothing shows that the content or the meta have changed between the two.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.inode == other.inode
            && self.size == other.size
            && self.shape == other.shape
            && self.meta == other.meta
            && self.ctime == other.ctime
    }

    /// How many of its blocks there are to one that is stored: a comparison strides over holes by so much.
    #[must_use]
    pub fn thinness(&self) -> u64 {
        (self.size / self.stored.max(1)).max(1)
    }

    /// Whether it has holes: then only what is stored needs to be read.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        self.stored < self.size
    }
}

// The widths of these fields differ from processor to processor; every value fits.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, clippy::unnecessary_cast, clippy::cast_possible_wrap)]
impl From<Stat> for Stamp {
    fn from(stat: Stat) -> Self {
        let time = |seconds: i64, nanos: u32| Time { seconds, nanos };
        Self {
            inode: (stat.st_dev as u64, stat.st_ino as u64),
            size: stat.st_size.max(0) as u64,
            stored: stat.st_blocks.max(0) as u64 * 512,
            links: stat.st_nlink as u32,
            shape: match FileType::from_raw_mode(stat.st_mode as u32) {
                FileType::RegularFile => Shape::File,
                FileType::Directory => Shape::Dir,
                FileType::Symlink => Shape::Symlink,
                _ => Shape::Special,
            },
            meta: Meta {
                mode: stat.st_mode as u32 & 0o7777,
                uid: stat.st_uid as u32,
                gid: stat.st_gid as u32,
                mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            },
            ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        }
    }
}
