//! The way back, generation by generation: what stood where before each was applied.
//!
//! Written and made durable before the first change in place. A generation that a crash left half applied is undone with it
//! and applied again; one that was applied can be stepped back for as long as its undo is kept. Undo is kept in segments,
//! so that the oldest goes at once.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::records::{Reader, Records};
use crate::disk::error::{At, DiskError};
use crate::replica::sealed::{seal, unseal};
use crate::replica::{Grade, Meta, Position, RelPath, Time};

/// One line of the way back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Back {
    /// The way back from generation `seq` begins: where it leads.
    Begin {
        /// The generation.
        seq: u64,
        /// The position before it.
        position: Position,
        /// When the generation before was taken.
        as_of: Time,
        /// How sure that one was.
        grade: Grade,
    },
    /// What stood at `from` is in the stash under `number`, or went on to `next`.
    Taken {
        /// Its name in the stash.
        number: u32,
        /// Where it stood.
        from: RelPath,
        /// Where it stands now, if it does.
        next: Option<RelPath>,
        /// It was another name of this file.
        link: Option<RelPath>,
    },
    /// Something new stands here.
    Made {
        /// Where.
        path: RelPath,
        /// Whether it is a folder.
        dir: bool,
    },
    /// A folder stood here.
    Removed {
        /// Where.
        path: RelPath,
    },
    /// A file was changed in place. It stood at `path`, was so long, and the data that follow stood in it.
    Edited {
        /// Where it stood.
        path: RelPath,
        /// Its length in bytes.
        size: u64,
    },
    /// Bytes that stood there, in the file that was edited last.
    Old {
        /// Where in the file.
        offset: u64,
    },
    /// Zeros that stood there, in the file that was edited last.
    OldZeros {
        /// Where in the file.
        offset: u64,
        /// How many.
        len: u64,
    },
    /// Mode, owner and time of what stood here.
    Meta {
        /// Where.
        path: RelPath,
        /// Mode, owner and time.
        meta: Meta,
        /// Whether it is a symbolic link.
        symlink: bool,
    },
    /// The way back is complete.
    End {
        /// The generation.
        seq: u64,
    },
}

/// The undo of a mirror.
#[derive(Debug)]
pub struct Undo {
    folder: PathBuf,
    /// Where whole files wait for it.
    stash: PathBuf,
    segments: VecDeque<Segment>,
    open: Option<Records>,
    limits: Limits,
    /// A way back is begun and not ended.
    writing: bool,
}

/// How much of the way back is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For so long.
    pub age: Duration,
    /// For so many bytes, the stash counted in.
    pub bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Segment {
    first: u64,
    /// Where each generation's way back begins, by its number.
    begins: Vec<(u64, u64)>,
    end: u64,
    stashed: u64,
    began: SystemTime,
    /// When something was written to it last.
    ended: SystemTime,
}

impl Segment {
    fn last(&self) -> u64 {
        self.begins.last().map_or(self.first, |(seq, _)| *seq)
    }
}

impl Undo {
    /// Opens the undo in `folder`, and finds out what is in it, and what waits for it in `stash`.
    pub fn open(folder: &Path, stash: &Path, limits: Limits) -> Result<Self, DiskError> {
        fs::create_dir_all(folder).at("making", folder)?;
        let mut firsts: Vec<u64> = fs::read_dir(folder)
            .at("listing", folder)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        firsts.sort_unstable();
        let stash = stash.to_owned();
        let mut undo =
            Self { folder: folder.to_owned(), stash, segments: VecDeque::new(), open: None, limits, writing: false };
        for first in firsts {
            let mut segment = undo.scan(first)?;
            segment.stashed = undo.stashed(&segment);
            undo.segments.push_back(segment);
        }
        Ok(undo)
    }

    /// What waits in the stash for the ways back of a segment.
    fn stashed(&self, segment: &Segment) -> u64 {
        segment.begins.iter().map(|(seq, _)| bytes_in(&self.stash.join(seq.to_string()))).sum()
    }

    fn path(&self, first: u64) -> PathBuf {
        self.folder.join(format!("{first:020}"))
    }

    fn scan(&self, first: u64) -> Result<Segment, DiskError> {
        let path = self.path(first);
        let began = fs::metadata(&path).and_then(|meta| meta.modified()).at("reading", &path)?;
        let reader = Reader::open(&path)?;
        let mut segment = Segment { first, begins: vec![], end: 0, stashed: 0, began, ended: began };
        let (mut at, mut open) = (0, None);
        while let Some((bytes, next)) = reader.read(at)? {
            let Ok((back, ..)) = unseal::<Back>(&bytes) else { break };
            match back {
                Back::Begin { seq, .. } => open = Some((seq, at)),
                Back::End { seq } if open.is_some_and(|(begun, _)| begun == seq) => {
                    segment.begins.extend(open.take());
                    segment.end = next;
                }
                _ => {}
            }
            at = next;
        }
        Ok(segment)
    }

    /// The generations whose way back is complete, as first and last; none when there is none.
    #[must_use]
    pub fn range(&self) -> Option<(u64, u64)> {
        let first = self.segments.iter().find_map(|segment| segment.begins.first())?.0;
        let last = self.segments.iter().rev().find_map(|segment| segment.begins.last())?.0;
        Some((first, last))
    }

    /// Bytes of undo, the stash counted in.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.end + segment.stashed).sum()
    }

    /// Begins the way back from generation `seq`; an unfinished one is written over.
    pub fn begin(&mut self, seq: u64) -> Result<(), DiskError> {
        self.writing = true;
        let (age, bytes) = (self.limits.age / 12, (self.limits.bytes / 32).max(64 * 1024));
        let full = |segment: &Segment| {
            segment.end + segment.stashed > bytes
                || segment.began.elapsed().is_ok_and(|old| old > age)
                || segment.begins.len() > 10_000
        };
        let is_over = |segment: &Segment| full(segment) || is_removed(&self.path(segment.first));
        if self.segments.back().is_none_or(is_over) {
            let path = self.path(seq);
            fs::create_dir_all(&self.folder).at("making", &self.folder)?;
            let records = Records::open(&path, 0)?;
            // The name must last as long as what is in it.
            let folder = fs::File::open(&self.folder).at("opening", &self.folder)?;
            folder.sync_all().at("making durable", &self.folder)?;
            let began = SystemTime::now();
            self.segments.push_back(Segment { first: seq, begins: vec![], end: 0, stashed: 0, began, ended: began });
            self.open = Some(records);
        }
        let Some(segment) = self.segments.back() else { return Ok(()) };
        let (first, end) = (segment.first, segment.end);
        let path = self.path(first);
        match &mut self.open {
            Some(records) if records.end() == end => {}
            Some(records) => records.cut(end)?,
            None => {
                let mut records = Records::open(&path, end)?;
                records.cut(end)?;
                self.open = Some(records);
            }
        }
        Ok(())
    }

    /// Adds a line to the way back that was begun.
    pub fn add(&mut self, back: &Back, data: &[u8]) -> Result<(), DiskError> {
        let bytes = seal(back, data).map_err(|error| DiskError::Part(error.into()))?;
        match &mut self.open {
            Some(records) => records.append(&bytes),
            None => Ok(()),
        }
    }

    /// Ends the way back from generation `seq` and makes it durable. `stashed` bytes will wait in the stash for it.
    pub fn end(&mut self, seq: u64, stashed: u64) -> Result<(), DiskError> {
        self.add(&Back::End { seq }, &[])?;
        let (Some(records), Some(segment)) = (&mut self.open, self.segments.back_mut()) else { return Ok(()) };
        records.sync()?;
        segment.begins.push((seq, segment.end));
        segment.end = records.end();
        segment.stashed += stashed;
        segment.ended = SystemTime::now();
        self.writing = false;
        Ok(())
    }

    /// The way back from generation `seq`, line by line with its data, if it is complete.
    pub fn read(&self, seq: u64) -> Result<Option<WayBack>, DiskError> {
        let at = |segment: &Segment| {
            let at = segment.begins.binary_search_by_key(&seq, |(seq, _)| *seq).ok()?;
            Some((segment.first, segment.begins[at].1))
        };
        let Some((path, at)) = self.segments.iter().find_map(at).map(|(first, at)| (self.path(first), at)) else {
            return Ok(None);
        };
        // Somebody may have removed it.
        if is_removed(&path) {
            return Ok(None);
        }
        Ok(Some(WayBack { reader: Reader::open(&path)?, begin: at }))
    }

    /// Forgets the way back from `seq` and from all after it: they were undone.
    pub fn forget_from(&mut self, seq: u64) -> Result<(), DiskError> {
        (self.open, self.writing) = (None, false);
        while let Some(segment) = self.segments.back() {
            let path = self.path(segment.first);
            let keep = segment.begins.partition_point(|(number, _)| *number < seq);
            if keep == 0 || is_removed(&path) {
                remove(&path)?;
                self.segments.pop_back();
                continue;
            }
            let cut = segment.begins.get(keep).map(|(_, cut)| *cut);
            if let Some(cut) = cut {
                Records::open(&path, cut)?.cut(cut)?;
                if let Some(mut segment) = self.segments.pop_back() {
                    segment.begins.truncate(keep);
                    (segment.end, segment.stashed) = (cut, self.stashed(&segment));
                    self.segments.push_back(segment);
                }
            }
            break;
        }
        Ok(())
    }

    /// Drops the oldest segment, but the newest one only where it is too old, and never one that is being written. Returns the last
    /// generation in it.
    pub fn drop_oldest(&mut self) -> Result<Option<u64>, DiskError> {
        if self.segments.len() < 2 {
            if self.writing || !self.is_old() {
                return Ok(None);
            }
            self.open = None;
        }
        let Some((first, last)) = self.segments.front().map(|segment| (segment.first, segment.last())) else {
            return Ok(None);
        };
        remove(&self.path(first))?;
        self.segments.pop_front();
        Ok(Some(last))
    }

    /// The last generation that the oldest segment leads back from.
    #[must_use]
    pub fn oldest_last(&self) -> Option<u64> {
        self.segments.front().map(Segment::last)
    }

    /// How much room the whole may take, in bytes.
    #[must_use]
    pub fn most_bytes(&self) -> u64 {
        self.limits.bytes
    }

    /// Whether the oldest segment is older or the whole is larger than it should be.
    #[must_use]
    pub fn is_over(&self) -> bool {
        (self.is_old() && !self.writing) || (self.bytes() > self.limits.bytes && self.segments.len() > 1)
    }

    /// Whether everything in the oldest segment is too old.
    fn is_old(&self) -> bool {
        let age = self.segments.front().and_then(|segment| segment.ended.elapsed().ok());
        age.is_some_and(|age| age > self.limits.age)
    }
}

/// Whether somebody has removed this. What cannot be looked at just now is there.
#[must_use]
pub fn is_removed(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Removes a file. One that somebody has removed already is gone.
fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.at("removing", path),
    }
}

/// Bytes of all files in a folder, as far as they can be looked at.
fn bytes_in(path: &Path) -> u64 {
    let Ok(meta) = fs::symlink_metadata(path) else { return 0 };
    let below =
        || fs::read_dir(path).into_iter().flatten().filter_map(Result::ok).map(|entry| bytes_in(&entry.path())).sum();
    if meta.is_dir() { below() } else { meta.len() }
}

/// The way back from one generation.
#[derive(Debug)]
pub struct WayBack {
    reader: Reader,
    begin: u64,
}

impl WayBack {
    /// Gives each line to `each`, in the order in which they were written, up to the end.
    pub fn each(&self, mut each: impl FnMut(Back, Bytes) -> Result<(), DiskError>) -> Result<(), DiskError> {
        let mut at = self.begin;
        while let Some((bytes, next)) = self.reader.read(at)? {
            let (back, data, _) = unseal::<Back>(&bytes).map_err(|error| DiskError::Part(error.into()))?;
            if let Back::End { .. } = back {
                return Ok(());
            }
            each(back, data)?;
            at = next;
        }
        let what = "the way back ends before it should".to_owned();
        Err(DiskError::Corrupt { path: self.reader.path().to_owned(), what })
    }
}
