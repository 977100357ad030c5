//! A copy of a mirror for a drill. While it is made the mirror goes on: what changed since is copied again in a second pass, in which
//! nothing changes, and which is short for that.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{At, DiskError};
use super::root::Root;
use super::stamp::{Shape, Stamp};
use super::walk::{Found, walk};
use crate::replica::RelPath;

/// Room that is left beside it, at the least: the mirror goes on.
const ROOM: u64 = 64 << 20;

/// The same as a part of the disk.
const PART: u64 = 50;

/// Bytes between two looks whether the copy is still wanted.
const PIECE: u64 = 8 << 20;

/// So often is tried to remove a folder in which somebody still makes a last file.
const TRIES: u32 = 100;

/// A copy that is being made.
#[derive(Debug)]
pub struct Duplicate {
    from: PathBuf,
    to: PathBuf,
    /// The folder that it goes to: it is wanted as long as that has its name.
    place: (u64, u64),
    /// What stood there when it was copied.
    seen: BTreeMap<RelPath, Stamp>,
}

/// Where the copy of the mirror at `dest` goes: on the same disk, where blocks can be shared.
#[must_use]
pub fn place(dest: &Path) -> PathBuf {
    super::apply::journal_folder(dest).join("drill")
}

/// Removes the copy of the mirror at `dest`, and stops whoever makes it.
pub fn remove(dest: &Path) -> io::Result<()> {
    let (place, gone) = (place(dest), super::apply::journal_folder(dest).join("drill.gone"));
    remove_all(&gone)?;
    match fs::rename(&place, &gone) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        done => done?,
    }
    remove_all(&gone)
}

fn remove_all(folder: &Path) -> io::Result<()> {
    for _ in 0..TRIES {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            done => return done,
        }
    }
    fs::remove_dir_all(folder)
}

/// Whether there is room for copies of these mirrors, of so many bytes, all at once.
pub fn has_room(mirrors: &[(PathBuf, u64)]) -> Result<(), DiskError> {
    let mut disks: BTreeMap<u64, (&Path, u64)> = BTreeMap::new();
    for (dest, bytes) in mirrors {
        let device = fs::metadata(dest).at("looking at", dest)?.dev();
        disks.entry(device).or_insert((dest, 0)).1 += bytes;
    }
    disks.into_values().try_for_each(|(dest, bytes)| room_for(&super::apply::journal_folder(dest), bytes))
}

fn room_for(folder: &Path, bytes: u64) -> Result<(), DiskError> {
    let room = Root::open(folder).and_then(|root| root.room()).at("looking at", folder)?;
    let needed = bytes.saturating_add(ROOM.max(room.all / PART));
    if room.free < needed && !can_share(folder) {
        return Err(DiskError::NoRoom { path: folder.to_owned(), free: room.free, needed });
    }
    Ok(())
}

impl Duplicate {
    /// A copy of the mirror at `dest`. There must be room for `bytes`, where the file system cannot share blocks.
    pub fn begin(dest: &Path, bytes: u64) -> Result<Self, DiskError> {
        remove(dest).at("removing", &place(dest))?;
        let to = place(dest);
        fs::create_dir(&to).at("making", &to)?;
        if let Err(error) = room_for(&to, bytes) {
            let _ = remove(dest);
            return Err(error);
        }
        let place = inode(&to).at("looking at", &to)?;
        Ok(Self { from: dest.to_owned(), to, place, seen: BTreeMap::new() })
    }

    /// Copies what is not copied yet, or has changed since. It ends soon where [`remove`] has taken the copy away.
    pub fn pass(&mut self) -> Result<(), DiskError> {
        let from = Root::open(&self.from).at("opening", &self.from)?;
        let to = Root::open(&self.to).at("opening", &self.to)?;
        let mut found = BTreeMap::new();
        walk(&from, &RelPath::root(), &|_| true, &mut |what| {
            if let Found::Entry(path, stamp) = what {
                found.insert(path, stamp);
            }
        })
        .at("listing", &self.from)?;
        let is_same = |path: &RelPath, stamp: &Stamp| found.get(path).is_some_and(|now| now.is_same(stamp));
        let gone: Vec<RelPath> =
            self.seen.iter().filter(|(path, stamp)| !is_same(path, stamp)).map(|(path, _)| path.clone()).collect();
        // What is in a folder goes before the folder.
        for path in gone.iter().rev() {
            let Some(stamp) = self.seen.remove(path) else { continue };
            if stamp.shape != Shape::Dir {
                to.unlink(path).within("removing", &self.to, path)?;
            } else if found.get(path).is_none_or(|now| now.shape != Shape::Dir) {
                to.rmdir(path).within("removing", &self.to, path)?;
            }
        }
        for (path, stamp) in &found {
            if !self.seen.contains_key(path) {
                let wanted = || self.is_wanted();
                match one((&from, &to), path, stamp, &wanted) {
                    // It went meanwhile: the next pass sees that.
                    Err(error)
                        if error.kind() == io::ErrorKind::NotFound
                            && self.is_wanted().is_ok()
                            && from.stat(path).is_ok_and(|now| now.is_none()) =>
                    {
                        continue;
                    }
                    done => done.within("copying", &self.from, path)?,
                }
                self.seen.insert(path.clone(), *stamp);
            }
        }
        // Whatever is put into a folder changes its time.
        for (path, stamp) in found.iter().rev().filter(|(_, stamp)| stamp.shape == Shape::Dir) {
            if !path.is_root() {
                to.set_meta(path, &stamp.meta, stamp.shape).within("copying", &self.to, path)?;
            }
        }
        Ok(())
    }

    /// An error where the copy was taken away.
    fn is_wanted(&self) -> io::Result<()> {
        let is_there = inode(&self.to).is_ok_and(|now| now == self.place);
        if is_there { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn inode(folder: &Path) -> io::Result<(u64, u64)> {
    let meta = fs::metadata(folder)?;
    Ok((meta.dev(), meta.ino()))
}

fn one(
    (from, to): (&Root, &Root),
    path: &RelPath,
    stamp: &Stamp,
    wanted: &dyn Fn() -> io::Result<()>,
) -> io::Result<()> {
    wanted()?;
    match stamp.shape {
        Shape::Dir if path.is_root() || to.stat(path)?.is_some() => return Ok(()),
        Shape::Dir => return to.mkdir(path),
        Shape::Symlink => to.symlink(&from.read_link(path)?, path)?,
        Shape::Special => return Ok(()),
        Shape::File => {
            let (mut source, mut copy) = (from.open_file(path)?, to.create(path)?);
            if rustix::fs::ioctl_ficlone(&copy, &source).is_err() {
                while io::copy(&mut source.by_ref().take(PIECE), &mut copy)? == PIECE {
                    wanted()?;
                }
            }
        }
    }
    to.set_meta(path, &stamp.meta, stamp.shape)
}

/// Whether the file system lets two files share their blocks.
fn can_share(folder: &Path) -> bool {
    let (one, other) = (folder.join("one"), folder.join("other"));
    let tried = fs::write(&one, [1; 4096]).and_then(|()| {
        let (source, copy) = (fs::File::open(&one)?, fs::File::create(&other)?);
        rustix::fs::ioctl_ficlone(&copy, &source).map_err(io::Error::from)
    });
    let _ = (fs::remove_file(&one), fs::remove_file(&other));
    tried.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_between_the_passes_is_copied_again() {
        let place = tempfile::tempdir().unwrap();
        let dest = place.path().join("mirror");
        fs::create_dir_all(dest.join("a/b")).unwrap();
        fs::create_dir_all(super::super::apply::journal_folder(&dest)).unwrap();
        fs::write(dest.join("a/orders"), "1\n").unwrap();
        fs::write(dest.join("a/b/going"), "x").unwrap();
        std::os::unix::fs::symlink("orders", dest.join("a/link")).unwrap();
        let mut copy = Duplicate::begin(&dest, 100).unwrap();
        copy.pass().unwrap();
        fs::write(dest.join("a/orders"), "1\n2\n").unwrap();
        fs::remove_dir_all(dest.join("a/b")).unwrap();
        fs::write(dest.join("a/b"), "a file now").unwrap();
        copy.pass().unwrap();
        let at = |name: &str| super::place(&dest).join(name);
        assert_eq!(fs::read_to_string(at("a/orders")).unwrap(), "1\n2\n");
        assert_eq!(fs::read_to_string(at("a/b")).unwrap(), "a file now");
        assert_eq!(fs::read_link(at("a/link")).unwrap(), Path::new("orders"));
        let when = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(when(at("a/orders")), when(dest.join("a/orders")));
        remove(&dest).unwrap();
        assert!(!super::place(&dest).exists() && copy.pass().is_err(), "whoever makes it is stopped");
    }

    #[test]
    fn who_makes_a_copy_that_is_taken_away_ends_before_the_next_file_and_nothing_is_left() {
        let place = tempfile::tempdir().unwrap();
        let dest = place.path().join("mirror");
        fs::create_dir_all(&dest).unwrap();
        let journal = super::super::apply::journal_folder(&dest);
        fs::create_dir_all(&journal).unwrap();
        (0..2000).for_each(|number| fs::write(dest.join(number.to_string()), "1").unwrap());
        // On a busy computer it may be whole before it is taken away.
        let is_stopped = (0..10).any(|_| {
            // What an earlier one has left is in nobody's way.
            fs::create_dir_all(journal.join("drill.gone/left")).unwrap();
            let mut copy = Duplicate::begin(&dest, 100).unwrap();
            let stopped = std::thread::scope(|scope| {
                let copying = scope.spawn(move || copy.pass());
                while fs::read_dir(super::place(&dest)).is_ok_and(|some| some.count() < 10) {}
                remove(&dest).unwrap();
                copying.join().unwrap().is_err()
            });
            assert_eq!(fs::read_dir(&journal).unwrap().count(), 0);
            stopped
        });
        assert!(is_stopped, "it goes on to nowhere");
    }

    #[test]
    fn copies_on_one_disk_need_room_for_all_of_them() {
        let place = tempfile::tempdir().unwrap();
        let mirrors = ["a", "b"].map(|name| place.path().join(name));
        for mirror in &mirrors {
            fs::create_dir_all(mirror).unwrap();
            fs::create_dir_all(super::super::apply::journal_folder(mirror)).unwrap();
        }
        let room = crate::os::room_at(fs::File::open(place.path()).unwrap()).unwrap();
        let each = room.free / 10 * 6;
        let of = |bytes| mirrors.clone().map(|mirror| (mirror, bytes));
        let both = has_room(&of(each));
        assert!(matches!(both, Err(DiskError::NoRoom { .. })) || can_share(place.path()), "{both:?}");
        has_room(&of(1000)).unwrap();
    }

    #[test]
    fn without_room_nothing_is_begun() {
        let place = tempfile::tempdir().unwrap();
        let dest = place.path().join("mirror");
        fs::create_dir_all(super::super::apply::journal_folder(&dest)).unwrap();
        let refused = Duplicate::begin(&dest, u64::MAX / 2);
        assert!(matches!(refused, Err(DiskError::NoRoom { .. })) || can_share(place.path()), "{refused:?}");
        assert!(refused.is_ok() || !super::place(&dest).exists());
    }
}
