//! Compares the mirror with its index, and notes in the index what really stands there.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Mirror;
use crate::disk::capture::sqlite::MAGIC;
use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::Form;
use crate::disk::journal::sums::ROW;
use crate::disk::read::{now_holes, scan, stored, sums};
use crate::disk::stamp::{Shape, Stamp};
use crate::disk::walk::{Found, walk};
use crate::replica::entry::Digest;
use crate::replica::{BLOCK, Blocks, Body, Entry, Proof, RelPath, blocks};

/// Entries that are looked at together.
const NAMES: u32 = 500;

/// What of the mirror is believed to be as its index says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Belief {
    /// What has the size, mode and time that it should have.
    Stamps,
    /// Nothing: everything is read.
    Nothing,
}

/// How far a comparison of every byte is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// The last name that was compared to its end.
    after: Option<RelPath>,
    /// The next block of the name behind it.
    block: u64,
}

/// What a stretch of a comparison found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
    /// Files compared to their end.
    pub files: u64,
    /// Bytes compared.
    pub bytes: u64,
    /// Names that were not as they had been left: they are in the index as they are now.
    pub strange: Vec<RelPath>,
    /// Those of them whose bytes are others.
    pub rotten: Vec<RelPath>,
    /// Databases of `SQLite` whose beginning was compared.
    pub databases: Vec<RelPath>,
}

impl Mirror {
    /// Goes through the whole mirror and puts into the index what stands there. Returns the names that were not as it said.
    pub fn survey(&mut self, belief: Belief) -> Result<Vec<RelPath>, DiskError> {
        self.index.begin()?;
        let strange = self.go_through(belief).and_then(|strange| self.index.commit().map(|()| strange));
        if strange.is_err() {
            self.index.roll_back()?;
        }
        strange
    }

    fn go_through(&mut self, belief: Belief) -> Result<Vec<RelPath>, DiskError> {
        let mut strange = self.absent_names()?;
        let mut differ: BTreeMap<RelPath, Option<Stamp>> = BTreeMap::new();
        let mut failed = None;
        walk(&self.dest, &RelPath::root(), &|_| true, &mut |found| match found {
            Found::Entry(path, stamp) => match self.is_as_noted(&path, &stamp, belief) {
                Ok(true) => {}
                Ok(false) => {
                    differ.insert(path, Some(stamp));
                }
                Err(error) => failed = Some(error),
            },
            Found::Unreadable(path, _) | Found::Loop(path) => {
                differ.insert(path, None);
            }
        })
        .at("listing", self.dest.path())?;
        if let Some(error) = failed {
            return Err(error);
        }
        for path in differ.into_keys() {
            let before = self.bytes_of(&path)?;
            self.observe(&path, None)?;
            if before.is_some() && before != self.bytes_of(&path)? {
                self.disturb(&path)?;
            }
            strange.push(path);
        }
        Ok(strange)
    }

    /// Takes out of the index what does not stand in the mirror.
    fn absent_names(&self) -> Result<Vec<RelPath>, DiskError> {
        let mut absent = vec![];
        let mut after: Option<RelPath> = None;
        loop {
            let page = self.index.after(after.as_ref(), NAMES)?;
            let Some((_, last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (_, path, _) in &page {
                if self.dest.stat(path).within("looking at", self.dest.path(), path)?.is_none() {
                    absent.push(path.clone());
                }
            }
        }
        for path in &absent {
            if self.bytes_of(path)?.is_some() {
                self.disturb(path)?;
            }
            self.index.remove(path)?;
        }
        Ok(absent)
    }

    /// Somebody else has changed the bytes of a file, or the disk has.
    fn disturb(&self, path: &RelPath) -> Result<(), DiskError> {
        if self.state.form != Form::Committed || self.gathering.is_some() {
            return Ok(());
        }
        self.index.set_disturbed(path, self.state.position.seq, true)
    }

    fn is_as_noted(&self, path: &RelPath, stamp: &Stamp, belief: Belief) -> Result<bool, DiskError> {
        let Some((_, entry)) = self.index.get(path)? else { return Ok(false) };
        if belief == Belief::Nothing && stamp.shape == Shape::File {
            return Ok(false);
        }
        // Another name of a file has the meta of the file, which is looked at under the first one.
        if let Body::Link { to } = &entry.body {
            return self.is_same_file(stamp, to);
        }
        Ok(self.is_alike(path, stamp, &entry))
    }

    fn is_alike(&self, path: &RelPath, stamp: &Stamp, entry: &Entry) -> bool {
        let shape = match &entry.body {
            Body::File { size, .. } => stamp.shape == Shape::File && stamp.size == *size,
            Body::Dir => stamp.shape == Shape::Dir,
            Body::Symlink { target } => {
                stamp.shape == Shape::Symlink && self.dest.read_link(path).is_ok_and(|now| now == **target)
            }
            Body::Link { .. } => stamp.shape == Shape::File,
        };
        let (noted, now) = (&entry.meta, &stamp.meta);
        let owner = !self.dest.gives_owners() || (noted.uid, noted.gid) == (now.uid, now.gid);
        let mode = stamp.shape == Shape::Symlink || noted.mode == now.mode;
        shape && owner && mode && noted.mtime == now.mtime
    }

    /// Puts into the index what really stands at `path`, which is another name of the file `link` if that is given.
    pub(super) fn observe(&self, path: &RelPath, link: Option<&RelPath>) -> Result<(), DiskError> {
        let stamp = self.dest.stat(path).within("looking at", self.dest.path(), path)?;
        let noted = self.index.get(path)?;
        let (Some(stamp), noted_link) = (stamp, noted.as_ref().and_then(|(_, entry)| link_of(&entry.body))) else {
            return self.index.remove(path);
        };
        // Where owners cannot be given away, the ones that the server says are kept in mind.
        let mut meta = stamp.meta;
        if let (false, Some((_, entry))) = (self.dest.gives_owners(), &noted) {
            (meta.uid, meta.gid) = (entry.meta.uid, entry.meta.gid);
        }
        let body = match stamp.shape {
            Shape::Dir => Body::Dir,
            Shape::Symlink => {
                let target = self.dest.read_link(path).within("reading", self.dest.path(), path)?;
                Body::Symlink { target: target.into() }
            }
            // No file, folder or link belongs into a mirror: the next generation takes it away.
            Shape::Special => Body::Symlink { target: Box::default() },
            Shape::File => match link.or(noted_link) {
                Some(to) if stamp.links > 1 && self.is_same_file(&stamp, to)? => Body::Link { to: to.clone() },
                _ => {
                    let file = self.dest.open_own(path).within("reading", self.dest.path(), path)?;
                    let sums = sums(&file, stamp.size, stamp.is_sparse()).within("reading", self.dest.path(), path);
                    match sums {
                        Ok(blocks) => Body::File { size: stamp.size, blocks },
                        // What the disk cannot read is not there: it comes again, and the file is replaced without being read.
                        // Of what this machine alone may hold nothing is let go.
                        Err(error) if error.is_damage() && self.gathering.is_none() => {
                            tracing::error!(%error, "the disk has lost a file of the mirror");
                            self.index.set_rotten(path)?;
                            return self.index.remove(path);
                        }
                        Err(error) => return Err(error),
                    }
                }
            },
        };
        let id = self.index.put(path, &meta, &body)?;
        if let Body::File { blocks, .. } = body {
            self.index.truncate(id, 0)?;
            self.index.set_sums(id, blocks.iter().map(|(number, sum)| (number, Some(*sum))))?;
        }
        Ok(())
    }

    /// Whether what stands at `to` is the file of which `stamp` was taken. That it has several names proves nothing: some may
    /// be in the stash.
    fn is_same_file(&self, stamp: &Stamp, to: &RelPath) -> Result<bool, DiskError> {
        let other = self.dest.stat(to).within("looking at", self.dest.path(), to)?;
        Ok(other.is_some_and(|other| other.inode == stamp.inode))
    }

    /// Compares the next stretch of the mirror with its index, every byte. What differs is in the index as it is, then.
    pub fn check(&self, from: &Cursor, stretch: u64) -> Result<Checked, DiskError> {
        let mut checked = Checked::default();
        let mut cursor = from.clone();
        let mut room = stretch;
        self.dest.forget();
        for (id, path, entry) in self.index.after(from.after.as_ref(), NAMES)? {
            let stamp = self.dest.stat(&path).within("looking at", self.dest.path(), &path)?;
            let alike = match &stamp {
                Some(stamp) => self.is_as_noted(&path, stamp, Belief::Stamps)?,
                None => false,
            };
            let mut agrees = alike;
            if let (true, Body::File { size, .. }, Some(stamp)) = (alike, &entry.body, &stamp) {
                let count = blocks::count(*size);
                let thin = stamp.thinness();
                let end = count.min(cursor.block.saturating_add(room.saturating_mul(thin)));
                // It may have become shorter since.
                let from = cursor.block.min(end);
                let mut is_database = false;
                let bytes = match self.check_blocks((id, &path), stamp, from..end, &mut is_database) {
                    Err(error) if error.is_damage() => None,
                    bytes => bytes?,
                };
                checked.databases.extend(is_database.then(|| path.clone()));
                checked.bytes += bytes.unwrap_or(0);
                agrees = bytes.is_some();
                room = room.saturating_sub((end - from) / thin);
                if agrees && end < count {
                    cursor.block = end;
                    checked.next = Some(cursor);
                    return Ok(checked);
                }
                checked.files += 1;
            }
            if !agrees {
                self.index.begin()?;
                let before = self.bytes_of(&path)?;
                self.observe(&path, None)?;
                // A time or a mode that somebody changed is no damage.
                if before.is_some() && before != self.bytes_of(&path)? {
                    self.index.set_rotten(&path)?;
                    self.disturb(&path)?;
                    checked.rotten.push(path.clone());
                }
                self.index.commit()?;
                checked.strange.push(path.clone());
            }
            cursor = Cursor { after: Some(path), block: 0 };
            checked.next = Some(cursor.clone());
            if room == 0 {
                break;
            }
        }
        Ok(checked)
    }

    /// What the index says of the bytes of a file; none where it knows none under the name.
    fn bytes_of(&self, path: &RelPath) -> Result<Option<(u64, Blocks)>, DiskError> {
        let Some((id, Entry { body: Body::File { size, .. }, .. })) = self.index.get(path)? else { return Ok(None) };
        Ok(Some((size, self.index.sums(id)?)))
    }

    /// Compares blocks of a file with their sums. Returns the bytes read, or none where a block differs.
    fn check_blocks(
        &self,
        (id, path): (i64, &RelPath),
        stamp: &Stamp,
        range: std::ops::Range<u64>,
        is_database: &mut bool,
    ) -> Result<Option<u64>, DiskError> {
        let file = self.dest.open_own(path).within("reading", self.dest.path(), path)?;
        // What the system remembers of it proves nothing of the disk.
        let (from, size) = (range.start * BLOCK as u64, NonZero::new((range.end - range.start) * BLOCK as u64));
        let _ = rustix::fs::fadvise(&file, from, size, rustix::fs::Advice::DontNeed);
        let mut known = crate::replica::Blocks::default();
        for (number, row) in self.index.rows(id, range.start / ROW..range.end.div_ceil(ROW))? {
            for (slot, sum) in row.iter() {
                known.set(number * ROW + slot, Some(sum));
            }
        }
        let ranges = stored(&file, stamp.size, stamp.is_sparse()).within("reading", self.dest.path(), path)?;
        let holes = now_holes(&known, &ranges, range.end).any(|number| number >= range.start);
        let clipped: Vec<_> = ranges
            .iter()
            .map(|part| part.start.max(range.start)..part.end.min(range.end))
            .filter(|part| part.start < part.end)
            .collect();
        let begins = AtomicBool::new(false);
        let differs = |number: u64, bytes: &[u8]| {
            if number == 0 {
                begins.store(bytes.starts_with(MAGIC), Ordering::Relaxed);
            }
            let same = match known.get(number) {
                Some(sum) => sum.proof == blocks::prove(bytes),
                None => blocks::is_zero(bytes),
            };
            (!same).then_some(())
        };
        let mut agrees = !holes;
        let bytes = scan(&file, stamp.size, &clipped, &differs, &mut |_, ()| {
            agrees = false;
            std::io::Result::Ok(())
        })
        .within("reading", self.dest.path(), path)?;
        *is_database = begins.into_inner();
        Ok(agrees.then_some(bytes))
    }

    /// Names that stand in the mirror and not in its index: they are in it, then.
    pub fn check_extra(&self) -> Result<Vec<RelPath>, DiskError> {
        let mut extra = vec![];
        let mut failed = None;
        walk(&self.dest, &RelPath::root(), &|_| true, &mut |found| {
            if let Found::Entry(path, _) = found {
                match self.index.get(&path) {
                    Ok(Some(_)) => {}
                    Ok(None) => extra.push(path),
                    Err(error) => failed = Some(error),
                }
            }
        })
        .at("listing", self.dest.path())?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.index.begin()?;
        for path in &extra {
            self.observe(path, None)?;
        }
        self.index.commit()?;
        Ok(extra)
    }

    /// One proof for everything that the index says.
    pub fn digest(&self) -> Result<Proof, DiskError> {
        let mut digest = Digest::default();
        let mut after: Option<RelPath> = None;
        loop {
            let page = self.index.after(after.as_ref(), NAMES)?;
            let Some((_, last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (id, path, entry) in page {
                let body = match entry.body {
                    Body::File { size, .. } => Body::File { size, blocks: self.index.sums(id)? },
                    other => other,
                };
                digest.add(&path, &entry.meta, &body);
            }
        }
        Ok(digest.end())
    }
}

fn link_of(body: &Body) -> Option<&RelPath> {
    match body {
        Body::Link { to } => Some(to),
        _ => None,
    }
}
