//! Clones of one instant, where two files can share their blocks (btrfs, XFS): they are made faster than anything is read, and hold still
//! while they are. So it does not matter how large the files are, only that their program pauses for a moment.
//!
//! They have no names, and lie beside the spool: it is on the dataset's own file system, or there are none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::time::Duration;

use rustix::io::Errno;

use super::calm::Calm;
use super::look::{Missed, Still};
use super::settle::{Certainty, FIRST_GAP, Names, Settle, Settled};
use crate::disk::root::says_absent;
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::RelPath;

/// Looks that are tried before: mostly a program pauses long enough for them.
const LOOKS: u32 = 2;
/// Pauses that are tried in one round of looks.
const TRIES: u32 = 8;
/// Files that are cloned at the most: each is open until it is read.
const FILES: usize = 256;

/// What is cloned just now.
#[derive(Debug, Default)]
pub(super) struct Cloning {
    /// The file system has none.
    unable: bool,
    clones: BTreeMap<RelPath, File>,
}

impl Cloning {
    /// The clone of the file `path`, where there is one.
    pub(super) fn get(&self, path: &RelPath) -> io::Result<Option<File>> {
        self.clones.get(path).map(File::try_clone).transpose()
    }

    /// Whether there is one.
    pub(super) fn has(&self, path: &RelPath) -> bool {
        self.clones.contains_key(path)
    }
}

impl Settle<'_> {
    /// Looks at clones of all that changed, if they can be made while nothing moves. Returns whether that was so; what moved meanwhile
    /// comes to `moving`.
    pub(super) fn is_cloned(
        &mut self,
        names: &mut Names,
        done: &mut Settled,
        moving: &mut BTreeSet<RelPath>,
        round: u32,
    ) -> Result<bool, Missed> {
        if round < LOOKS || self.cloning.unable {
            return Ok(false);
        }
        let is_cloned = self.clone_in_a_pause(names, done, moving, round);
        // Whatever came of it: the next look is at the files themselves.
        self.cloning.clones.clear();
        self.holder.unlock();
        is_cloned
    }

    fn clone_in_a_pause(
        &mut self,
        names: &mut Names,
        done: &mut Settled,
        moving: &mut BTreeSet<RelPath>,
        round: u32,
    ) -> Result<bool, Missed> {
        for _ in 0..TRIES {
            let mut calm = Calm::begin();
            self.lock(names);
            let (mut since, doing) = self.paused(FIRST_GAP, names, &done.unreadable, &mut calm)?;
            if since.is_empty() && calm.is_a_pause(doing) {
                if !self.clone_all(names) {
                    return Ok(false);
                }
                since = self.since(Duration::ZERO, names, &done.unreadable)?;
                if since.is_empty() && self.stands(names)? {
                    self.holder.unlock();
                    let links = names.iter().filter(|(_, stamp)| is(stamp.as_ref(), Shape::Symlink));
                    let links: Names = links.map(|(path, stamp)| (path.clone(), *stamp)).collect();
                    // A link cannot be cloned, nor what is in memory of a program that maps a file: those must stand still to the end.
                    let holds = links.is_empty() && self.are_unmapped(names);
                    if holds {
                        self.quieting.end();
                    }
                    moving.extend(names.keys().cloned());
                    return self.look_at_clones(names, done, round, (!holds).then_some(&links));
                }
            }
            self.holder.unlock();
            moving.extend(self.merge(&since, names, done)?);
        }
        Ok(false)
    }

    /// Looks at what is cloned; `links` must stand still meanwhile, if that was not looked at before.
    fn look_at_clones(
        &mut self,
        names: &mut Names,
        done: &mut Settled,
        round: u32,
        links: Option<&Names>,
    ) -> Result<bool, Missed> {
        done.items.clear();
        let todo = names.keys().cloned().collect();
        let missed = self.look(names, todo, done, (round, Still::NeedNot))?;
        let stands = links.map_or(Ok(true), |links| Ok(self.are_unmapped(names) && self.stands(links)?));
        let holds = missed.is_empty() && stands.map_err(Missed::Unreadable)?;
        done.certainty = if holds { Certainty::TwoLooks } else { done.certainty };
        Ok(holds)
    }

    /// Clones the files among `names`. Returns whether that can be: what stands against it is no fault of the files, and they are looked at
    /// as without clones.
    fn clone_all(&mut self, names: &Names) -> bool {
        let files = names.iter().filter(|(_, stamp)| is(stamp.as_ref(), Shape::File));
        let files: Vec<_> = files.map(|(path, _)| path).collect();
        self.cloning.clones.clear();
        // A database is captured as one commit left it, with its log and journal, also where those have gone.
        let has_database = names.keys().any(|path| !matches!(self.database_of(path), Ok(None)));
        if files.len() > FILES || has_database || !self.are_unmapped(names) {
            return false;
        }
        for path in files {
            let source = match self.search.root.open_file(path) {
                Ok(source) => source,
                // It is gone, and that is heard.
                Err(error) if says_absent(&error) => continue,
                Err(_) => return false,
            };
            let Ok(clone) = tempfile::tempfile_in(self.spool.folder()) else { return false };
            if let Err(error) = rustix::fs::ioctl_ficlone(&clone, &source) {
                self.cloning.unable = matches!(error, Errno::OPNOTSUPP | Errno::XDEV | Errno::NOTTY);
                return false;
            }
            self.cloning.clones.insert(path.clone(), clone);
        }
        true
    }

    /// Whether all is as `names` has it.
    fn stands(&self, names: &Names) -> io::Result<bool> {
        self.search.root.forget();
        for (path, stamp) in names {
            let now = self.search.root.stat(path)?.filter(|stamp| stamp.shape != Shape::Special);
            let is_same = match (now, stamp) {
                (Some(now), Some(stamp)) => now.is_same(stamp),
                (now, stamp) => now.is_none() && stamp.is_none(),
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether nobody can write any of them unseen.
    fn are_unmapped(&self, names: &Names) -> bool {
        (self.mapped)().is_some_and(|mapped| names.keys().all(|path| !mapped.contains(path)))
    }
}

fn is(stamp: Option<&Stamp>, shape: Shape) -> bool {
    stamp.is_some_and(|stamp| stamp.shape == shape)
}
