//! Says a generation, part by part.

use std::io;

use bytes::Bytes;

use super::look::{Item, Run, Seen};
use super::{Captured, now_as_time};
use crate::replica::part::{Begin, Content, Data, End, MAX_DATA, Mode, Part, Put};
use crate::replica::position::Rolling;
use crate::replica::{BLOCK, Grade, Meta, Position, RelPath, Sum, Time};

/// Where parts go. An error ends the generation: nobody listens any more.
pub type Out<'o> = dyn FnMut(Part) -> Result<(), Stopped> + 'o;

/// Why a generation could not be said to its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Nobody listens any more.
    #[error("the connection to the mirror is closed")]
    Closed,
    /// The mirror could not take it, and says so before it has come to its end.
    #[error("the mirror could not take it")]
    Refused,
    /// What was kept cannot be read back, or says what no part can say.
    #[error("what was kept to be sent cannot be read: {0}")]
    Spool(#[from] io::Error),
}

/// A generation on its way.
pub struct Outgoing<'o> {
    out: &'o mut Out<'o>,
    rolling: Rolling,
    parent: Position,
    files: u32,
    gone: u64,
    bytes: u64,
}

impl<'o> Outgoing<'o> {
    /// Begins a generation after `begin.parent`.
    pub fn begin(begin: Begin, out: &'o mut Out<'o>) -> Result<Self, Stopped> {
        let (parent, rolling) = (begin.parent, begin.parent.checksum.roll());
        let mut outgoing = Self { out, rolling, parent, files: 0, gone: 0, bytes: 0 };
        outgoing.say(Part::Begin(begin))?;
        Ok(outgoing)
    }

    /// Says that nothing stands under `path` any more.
    pub fn gone(&mut self, path: &RelPath) -> Result<(), Stopped> {
        self.gone += 1;
        self.say(Part::Gone(path.clone()))
    }

    /// Says what stands under `path`. A file is followed by its data.
    pub fn put(&mut self, path: &RelPath, meta: Meta, content: Content) -> Result<(), Stopped> {
        let is_file = matches!(content, Content::File { .. });
        self.files += u32::from(is_file);
        let number = if is_file { self.files } else { 0 };
        self.say(Part::Put(Put { number, path: path.clone(), meta, content }))
    }

    /// Says content of the file that was put last: whole blocks, but for a beginning inside one.
    pub fn data(&mut self, offset: u64, sums: &[Sum], bytes: Bytes) -> Result<(), Stopped> {
        self.bytes += bytes.len() as u64;
        let sums = sums.iter().copied().map(Some).collect();
        self.say(Part::Data(Data { offset, sums, bytes }))
    }

    /// Says that blocks of the file that was put last are zeros.
    pub fn zeros(&mut self, blocks: &[u64]) -> Result<(), Stopped> {
        let mut at = 0;
        while let Some(&first) = blocks.get(at) {
            let run = blocks[at..].iter().zip(first..).take_while(|(index, expected)| *index == expected).count();
            self.say(Part::Zero { first, count: run as u64 })?;
            at += run;
        }
        Ok(())
    }

    /// Says everything that was captured, each name after what it needs.
    pub fn captured(&mut self, captured: &Captured) -> Result<(), Stopped> {
        let gone = |(_, item): &(&RelPath, &Item)| matches!(item.seen, Seen::Gone);
        for (path, _) in captured.items.iter().rev().filter(gone) {
            self.gone(path)?;
        }
        for (path, item) in &captured.items {
            let Some(stamp) = item.stamp else { continue };
            match &item.seen {
                Seen::Gone | Seen::Link(_) => {}
                Seen::Dir => self.put(path, stamp.meta, Content::Dir)?,
                Seen::Symlink(target) => self.put(path, stamp.meta, Content::Symlink { target: target.clone() })?,
                Seen::File(seen) => {
                    let content = Content::File { size: seen.size, base: seen.base.clone(), bytes: seen.bytes() };
                    self.put(path, stamp.meta, content)?;
                    for run in &seen.runs {
                        self.run(run, captured)?;
                    }
                    self.zeros(&seen.zeros)?;
                }
            }
        }
        for (path, item) in &captured.items {
            if let (Seen::Link(to), Some(stamp)) = (&item.seen, item.stamp) {
                self.put(path, stamp.meta, Content::Link { to: to.clone() })?;
            }
        }
        Ok(())
    }

    fn run(&mut self, run: &Run, captured: &Captured) -> Result<(), Stopped> {
        self.data(run.offset, &run.sums, captured.spool.get(&run.piece)?)
    }

    /// Ends the generation; returns what was said at its end.
    pub fn end(mut self, grade: Grade) -> Result<End, Stopped> {
        let position = Position { seq: self.parent.seq + 1, checksum: self.rolling.end() };
        let end = End { position, grade, files: self.files, gone: self.gone, bytes: self.bytes };
        self.say(Part::End(end.clone()))?;
        Ok(end)
    }

    fn say(&mut self, part: Part) -> Result<(), Stopped> {
        part.feed(&mut self.rolling).map_err(|bad| Stopped::Spool(io::Error::other(bad)))?;
        (self.out)(part)
    }
}

/// The begin of a generation that changes a committed state.
#[must_use]
pub fn step(epoch: u64, parent: Position, captured: &Captured) -> Begin {
    let file = |item: &Item| match &item.seen {
        Seen::File(seen) => Some(seen.bytes()),
        _ => None,
    };
    let files = captured.items.values().filter(|item| file(item).is_some()).count();
    let bytes = captured.items.values().filter_map(file).sum();
    let files = u32::try_from(files).unwrap_or(u32::MAX);
    let mode = if captured.aside { Mode::Aside } else { Mode::Step };
    Begin { epoch, parent, mode, taken_at: captured.taken_at, files, bytes }
}

/// The begin of a first copy: nobody knows yet how much it will be.
#[must_use]
pub fn build(epoch: u64, parent: Position) -> Begin {
    Begin { epoch, parent, mode: Mode::Build, taken_at: Time { ..now_as_time() }, files: 0, bytes: 0 }
}

/// Bytes that are sent at once.
pub(crate) const CHUNK: usize = MAX_DATA;

const _: () = assert!(CHUNK.is_multiple_of(BLOCK));
