//! A folder, and everything that is done inside it.
//!
//! Every name is looked up from the folder down, one name at a time and never through a symbolic link, so that nothing is
//! read or written outside, however long the path is and whatever a stranger has put in its way.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{self, AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::stamp::{Shape, Stamp};
use crate::replica::{Meta, RelPath};

/// Where `path` below `folder` is for a library that opens files by their names; what it says of links is up to that.
#[must_use]
pub fn on_disk(folder: &Path, path: &RelPath) -> PathBuf {
    folder.join(OsStr::from_bytes(path.as_bytes()))
}

/// An open folder. Paths are relative to it.
#[derive(Debug)]
pub struct Root {
    fd: Arc<OwnedFd>,
    path: PathBuf,
    /// The folder that was looked up last: files come sorted, so the next one is mostly there too.
    last: Mutex<Option<Folder>>,
    /// Whether owners can be given away.
    owner: bool,
    /// The disk on which a write that follows a look shows in the stamp at once, if this is one.
    fine: Option<u64>,
}

/// A folder that was looked up, by its path.
type Folder = (Box<[u8]>, Arc<OwnedFd>);

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);

impl Root {
    /// Opens the folder at `path`; a symbolic link there is followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let fd = fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())?;
        let fine = if crate::os::stamps_finely(&fd) { Some(Stamp::from(fs::fstat(&fd)?).inode.0) } else { None };
        Ok(Self {
            fd: Arc::new(fd),
            path: path.to_owned(),
            last: Mutex::new(None),
            owner: rustix::process::geteuid().is_root(),
            fine,
        })
    }

    /// Whether a write to what `stamp` was said of shows in its next stamp, however soon it comes after this one.
    #[must_use]
    pub fn stamps_finely(&self, stamp: &Stamp) -> bool {
        // On a disk without fractions of a second, there are none.
        self.fine == Some(stamp.inode.0) && stamp.ctime.nanos != 0
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open folder itself.
    #[must_use]
    pub fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Opens a folder inside.
    pub fn dir(&self, path: &RelPath) -> io::Result<Arc<OwnedFd>> {
        self.lookup(path.as_bytes())
    }

    /// What `stat` says of `path`; `None` when nothing is there.
    pub fn stat(&self, path: &RelPath) -> io::Result<Option<Stamp>> {
        let stat = match path.split() {
            None => fs::fstat(&self.fd),
            Some((parent, name)) => match self.lookup(parent) {
                Ok(parent) => fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW),
                Err(error) => return absent(error),
            },
        };
        match stat {
            Ok(stat) => Ok(Some(stat.into())),
            Err(error) => absent(error.into()),
        }
    }

    /// Opens a file for reading. What is not a file is not waited for.
    pub fn open_file(&self, path: &RelPath) -> io::Result<File> {
        self.open_with(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())
    }

    /// Opens a file for writing in place, giving the owner the right to where that lacks.
    pub fn open_to_write(&self, path: &RelPath) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY;
        match self.open_with(path, flags, Mode::empty()) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.chmod(path, Mode::RUSR | Mode::WUSR)?;
                self.open_with(path, flags, Mode::empty())
            }
            opened => opened,
        }
    }

    /// Opens a file of our own for reading, also one whose mode says that nobody may.
    pub fn open_own(&self, path: &RelPath) -> io::Result<File> {
        match self.open_file(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let mode = self.stat(path)?.map_or(0, |stamp| stamp.meta.mode);
                self.chmod(path, Mode::from_bits_truncate(mode) | Mode::RUSR)?;
                let file = self.open_file(path);
                self.chmod(path, Mode::from_bits_truncate(mode))?;
                file
            }
            opened => opened,
        }
    }

    /// Whether owners can be given away: else files belong to who runs this process.
    #[must_use]
    pub fn gives_owners(&self) -> bool {
        self.owner
    }

    /// Makes a new file; fails where something stands already.
    pub fn create(&self, path: &RelPath) -> io::Result<File> {
        let make = || self.open_with(path, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, Mode::RUSR | Mode::WUSR);
        self.in_folder_of(path, make)
    }

    /// Makes a folder.
    pub fn mkdir(&self, path: &RelPath) -> io::Result<()> {
        self.in_folder_of(path, || {
            let (parent, name) = self.place(path)?;
            Ok(fs::mkdirat(parent, name, Mode::RWXU)?)
        })
    }

    /// Makes a symbolic link.
    pub fn symlink(&self, target: &[u8], path: &RelPath) -> io::Result<()> {
        self.in_folder_of(path, || {
            let (parent, name) = self.place(path)?;
            Ok(fs::symlinkat(target, parent, name)?)
        })
    }

    /// Makes another name for a file.
    pub fn link(&self, to: &RelPath, path: &RelPath) -> io::Result<()> {
        self.in_folder_of(path, || {
            let (old_parent, old) = self.place(to)?;
            let (parent, name) = self.place(path)?;
            Ok(fs::linkat(old_parent, old, parent, name, AtFlags::empty())?)
        })
    }

    /// Where a symbolic link points.
    pub fn read_link(&self, path: &RelPath) -> io::Result<Vec<u8>> {
        let (parent, name) = self.place(path)?;
        Ok(fs::readlinkat(parent, name, Vec::new())?.into_bytes())
    }

    /// Removes a name that is no folder.
    pub fn unlink(&self, path: &RelPath) -> io::Result<()> {
        self.in_folder_of(path, || {
            let (parent, name) = self.place(path)?;
            Ok(fs::unlinkat(parent, name, AtFlags::empty())?)
        })
    }

    /// Removes an empty folder.
    pub fn rmdir(&self, path: &RelPath) -> io::Result<()> {
        self.forget();
        self.in_folder_of(path, || {
            let (parent, name) = self.place(path)?;
            Ok(fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
        })
    }

    /// Moves whatever stands at `from` to `to` in another folder on the same disk, over what stands there.
    pub fn rename(&self, from: &RelPath, other: &Self, to: &RelPath) -> io::Result<()> {
        self.in_folder_of(from, || {
            other.in_folder_of(to, || {
                let (old_parent, old) = self.place(from)?;
                let (parent, name) = other.place(to)?;
                Ok(fs::renameat(old_parent, old, parent, name)?)
            })
        })?;
        self.forget();
        other.forget();
        Ok(())
    }

    /// Gives `path` its owner, mode and time, as far as this process may.
    pub fn set_meta(&self, path: &RelPath, meta: &Meta, shape: Shape) -> io::Result<()> {
        let (parent, name) = match path.split() {
            Some((parent, name)) => (self.lookup(parent)?, name),
            None => (Arc::clone(&self.fd), &b"."[..]),
        };
        if self.owner {
            let (uid, gid) = (fs::Uid::from_raw(meta.uid), fs::Gid::from_raw(meta.gid));
            fs::chownat(&parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        if shape != Shape::Symlink {
            fs::chmodat(&parent, name, Mode::from_bits_truncate(meta.mode), AtFlags::empty())?;
        }
        // A year that this disk cannot hold is kept as near as it can.
        let time = Timespec { tv_sec: meta.mtime.seconds, tv_nsec: meta.mtime.nanos.into() };
        let access = Timespec { tv_sec: 0, tv_nsec: fs::UTIME_OMIT };
        let times = Timestamps { last_access: access, last_modification: time };
        Ok(fs::utimensat(&parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Makes the names in a folder durable.
    pub fn sync_dir(&self, path: &RelPath) -> io::Result<()> {
        Ok(fs::fsync(self.dir(path)?)?)
    }

    /// Makes everything on this folder's disk durable.
    pub fn sync_all(&self) -> io::Result<()> {
        Ok(fs::syncfs(&self.fd)?)
    }

    /// Bytes that this process may still write on the folder's disk.
    pub fn free(&self) -> io::Result<u64> {
        Ok(crate::os::room_at(&self.fd)?.free)
    }

    /// Bytes in all on its disk, and those that are free.
    pub fn room(&self) -> io::Result<crate::os::Room> {
        crate::os::room_at(&self.fd)
    }

    /// The device that the folder is on.
    pub fn device(&self) -> io::Result<u64> {
        Ok(Stamp::from(fs::fstat(&self.fd)?).inode.0)
    }

    /// Forgets what was looked up last, since a folder may have gone or moved.
    pub fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn open_with(&self, path: &RelPath, flags: OFlags, mode: Mode) -> io::Result<File> {
        let (parent, name) = self.place(path)?;
        let fd = fs::openat(parent, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode)?;
        Ok(File::from(fd))
    }

    /// Does something to a name; where the folder it is in forbids that to its owner, with the right to.
    fn in_folder_of<T>(&self, path: &RelPath, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !self.owner => {
                self.chmod(&path.parent(), Mode::RWXU)?;
                self.forget();
                act()
            }
            done => done,
        }
    }

    fn chmod(&self, path: &RelPath, mode: Mode) -> io::Result<()> {
        match path.split() {
            None => Ok(fs::fchmod(&self.fd, mode)?),
            Some((parent, name)) => Ok(fs::chmodat(self.lookup(parent)?, name, mode, AtFlags::empty())?),
        }
    }

    fn place<'p>(&self, path: &'p RelPath) -> io::Result<(Arc<OwnedFd>, &'p [u8])> {
        let (parent, name) = path.split().ok_or(Errno::BUSY)?;
        Ok((self.lookup(parent)?, name))
    }

    fn lookup(&self, folder: &[u8]) -> io::Result<Arc<OwnedFd>> {
        if folder.is_empty() {
            return Ok(Arc::clone(&self.fd));
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, fd)) = last.as_ref().filter(|(path, _)| **path == *folder) {
            return Ok(Arc::clone(fd));
        }
        let mut fd: Option<OwnedFd> = None;
        for name in folder.split(|&byte| byte == b'/') {
            let below = fd.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd);
            fd = Some(fs::openat(below, name, FOLDER, Mode::empty())?);
        }
        let fd = Arc::new(fd.ok_or(Errno::NOENT)?);
        *last = Some((folder.into(), Arc::clone(&fd)));
        Ok(fd)
    }
}

/// Whether an error says only that nothing is there.
pub(crate) fn says_absent(error: &io::Error) -> bool {
    // A name below what is no folder any more, or is a link now, is as absent as one that is not there.
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}

fn absent<T>(error: io::Error) -> io::Result<Option<T>> {
    if says_absent(&error) { Ok(None) } else { Err(error) }
}
