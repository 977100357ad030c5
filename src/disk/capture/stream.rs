//! The first copy: everything is read once and goes straight out, without a spool. It is not one instant; what moved
//! meanwhile is captured behind it, and only then the generation ends.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

use super::candidates::Dirty;
use super::look::is_whole_queue;
use super::outgoing::{CHUNK, Outgoing, Stopped};
use super::tree::Known;
use super::{Source, SourceError};
use crate::disk::read::{now_holes, scan, stored};
use crate::disk::root::says_absent;
use crate::disk::stamp::{Shape, Stamp};
use crate::disk::walk::{Found, walk};
use crate::replica::{BLOCK, Blocks, Body, RelPath, Sum, blocks, part::Content};

/// Why a first copy could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The way.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a file could not be streamed.
enum FileBroken {
    Read,
    Stopped(Stopped),
}

impl From<io::Error> for FileBroken {
    fn from(_: io::Error) -> Self {
        // Whatever it was: the pass behind meets it again, and reports it.
        Self::Read
    }
}

impl Source {
    /// Says everything that differs from what the mirror holds. Returns what has to be looked at again behind it.
    pub fn stream(&mut self, out: &mut Outgoing<'_>) -> Result<Dirty, Broken> {
        let mut names: BTreeMap<RelPath, Stamp> = BTreeMap::new();
        let mut again = Dirty::default();
        self.mark = self.mark.wrapping_add(1);
        let mark = self.mark;
        let mut broken = None;
        let mut files = vec![];
        let walked = walk(&self.root, &RelPath::root(), &|_| true, &mut |found| match found {
            Found::Entry(path, stamp) if stamp.shape == Shape::Special => {
                again.paths.insert(path);
            }
            Found::Entry(path, stamp) => {
                self.tree.saw(&path, mark);
                // Names of one file are told apart only when all of them are known: the pass behind does that.
                if stamp.shape == Shape::File && stamp.links > 1 {
                    again.paths.insert(path);
                } else {
                    names.insert(path, stamp);
                }
            }
            Found::Unreadable(path, _) | Found::Loop(path) => {
                again.paths.insert(path);
            }
        });
        walked.map_err(|error| self.gone(error))?;
        self.stream_gone(mark, &again, out)?;
        for (path, stamp) in names {
            match stamp.shape {
                Shape::File => files.push((path, stamp)),
                Shape::Dir => self.stream_dir(&path, stamp, out)?,
                Shape::Symlink | Shape::Special => {
                    again.paths.insert(path);
                }
            }
        }
        for (path, stamp) in files {
            match self.stream_file(&path, stamp, out) {
                Ok(true) => {}
                Ok(false) | Err(FileBroken::Read) => {
                    again.paths.insert(path);
                }
                Err(FileBroken::Stopped(stopped)) => {
                    broken = Some(stopped);
                    break;
                }
            }
        }
        broken.map_or(Ok(again), |stopped| Err(stopped.into()))
    }

    fn stream_gone(&mut self, mark: u32, again: &Dirty, out: &mut Outgoing<'_>) -> Result<(), Stopped> {
        // Only a folder that could not be listed may hide what is not gone; the pass behind looks into that.
        if again.paths.iter().any(|path| self.tree.get(path).is_some()) {
            return Ok(());
        }
        let gone: Vec<RelPath> =
            self.tree.iter().filter(|(_, known)| known.seen != mark).map(|(path, _)| path.clone()).collect();
        for path in gone.iter().rev() {
            out.gone(path)?;
            self.tree.remove(path);
        }
        Ok(())
    }

    fn stream_dir(&mut self, path: &RelPath, stamp: Stamp, out: &mut Outgoing<'_>) -> Result<(), Stopped> {
        let held = self.tree.get(path);
        if held.is_none_or(|known| known.body != Body::Dir || known.stamp.meta != stamp.meta) {
            out.put(path, stamp.meta, Content::Dir)?;
        }
        self.tree.insert(path.clone(), Known { stamp, body: Body::Dir, queue: false, seen: self.mark });
        Ok(())
    }

    /// Streams one file. Returns whether it held still.
    fn stream_file(&mut self, path: &RelPath, stamp: Stamp, out: &mut Outgoing<'_>) -> Result<bool, FileBroken> {
        let file = match self.root.open_file(path) {
            Ok(file) => file,
            Err(error) if says_absent(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let was_file = self.tree.get(path).is_some_and(|known| known.body.is_file());
        let known = self.tree.take_blocks(path);
        let ranges = stored(&file, stamp.size, stamp.is_sparse())?;
        // What the mirror holds of an interrupted copy need not come again; a file it does not hold is sent as it is read.
        let bytes = if known.is_empty() { ranges.iter().map(|r| (r.end - r.start) * BLOCK as u64).sum() } else { 0 };
        let base = was_file.then(|| path.clone());
        let content = Content::File { size: stamp.size, base, bytes: stamp.size.min(bytes) };
        out.put(path, stamp.meta, content).map_err(FileBroken::Stopped)?;
        // What was said must be known as said, even where the file could not be read to its end.
        let (blocks, result) = send_blocks(&file, &stamp, &ranges, &known, out);
        let body = Body::File { size: stamp.size, blocks };
        let queue = is_whole_queue(&file, path, &stamp);
        self.tree.insert(path.clone(), Known { stamp, body, queue, seen: self.mark });
        result?;
        let now = rustix::fs::fstat(&file).map(Stamp::from).map_err(io::Error::from)?;
        Ok(now.is_same(&stamp))
    }
}

struct Pending {
    offset: u64,
    sums: Vec<Sum>,
    bytes: Vec<u8>,
}

fn send_blocks(
    file: &std::fs::File,
    stamp: &Stamp,
    ranges: &[std::ops::Range<u64>],
    known: &Blocks,
    out: &mut Outgoing<'_>,
) -> (Blocks, Result<(), FileBroken>) {
    let count = blocks::count(stamp.size);
    let mut blocks = known.clone();
    blocks.truncate(count);
    let mut zeros: Vec<u64> = now_holes(known, ranges, count).collect();
    let mut open: Option<Pending> = None;
    let judge = |index: u64, bytes: &[u8]| match (Sum::of(bytes), known.get(index)) {
        (None, None) => None,
        (Some(sum), Some(known)) if sum == *known => None,
        (sum, _) => Some((sum, if sum.is_some() { bytes.to_vec() } else { vec![] })),
    };
    let result = scan(file, stamp.size, ranges, &judge, &mut |index, (sum, bytes): (Option<Sum>, Vec<u8>)| {
        blocks.set(index, sum);
        let Some(sum) = sum else {
            zeros.push(index);
            return Ok(());
        };
        let offset = index * BLOCK as u64;
        let joins = |open: &Pending| open.offset + open.bytes.len() as u64 == offset && open.bytes.len() < CHUNK;
        if !open.as_ref().is_some_and(joins) {
            flush(&mut open, out)?;
        }
        let pending = open.get_or_insert_with(|| Pending { offset, sums: vec![], bytes: vec![] });
        pending.sums.push(sum);
        pending.bytes.extend_from_slice(&bytes);
        Ok(())
    });
    let result = result.and_then(|_| flush(&mut open, out)).and_then(|()| {
        zeros.sort_unstable();
        for &index in &zeros {
            blocks.set(index, None);
        }
        out.zeros(&zeros).map_err(FileBroken::Stopped)
    });
    blocks.shrink();
    (blocks, result)
}

fn flush(open: &mut Option<Pending>, out: &mut Outgoing<'_>) -> Result<(), FileBroken> {
    match open.take() {
        Some(Pending { offset, sums, bytes }) => {
            out.data(offset, &sums, Bytes::from(bytes)).map_err(FileBroken::Stopped)
        }
        None => Ok(()),
    }
}
