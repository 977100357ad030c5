//! The write-ahead log of a database: what of it is committed, and which pages stand in it.
//!
//! The format: <https://www.sqlite.org/fileformat2.html#walformat>. A log is begun anew from its beginning once all of it has gone
//! into the database; what stood there before stays behind the new frames until they come so far.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use crate::disk::read::read_full;
use crate::replica::naming::Inode;

/// Bytes before the first frame.
pub(super) const HEAD: u64 = 32;
/// Bytes of a frame before its page.
const FRAME: u64 = 24;
/// Frames that are read first: a commit is mostly small, and behind it may stand much that is old.
const FEW: u64 = 8;
/// Bytes that are read at once in the end, about.
const PIECE: u64 = 1024 * 1024;

/// What is known of a log up to its last commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// The file.
    pub inode: Inode,
    /// Its length when it was read.
    size: u64,
    head: Head,
    /// Frames up to the last commit.
    frames: u64,
    /// The running sums behind them.
    sums: (u32, u32),
    /// The pages in them: in the database these may be older, or half written.
    pages: BTreeSet<u32>,
}

/// The beginning of a log: with another one it is another log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Head {
    high_first: bool,
    page: u64,
    salts: (u32, u32),
    sums: (u32, u32),
}

/// What became of a log since it was read.
#[derive(Debug)]
pub enum Since {
    /// It goes on.
    Grew,
    /// It was begun anew, and all that had stood in it is known: these pages.
    Anew(BTreeSet<u32>),
    /// Something may have stood in it that nobody has seen.
    Unknown,
}

impl Head {
    fn read(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; 32];
        if read_full(file, &mut bytes, 0)? < bytes.len() {
            return Ok(None);
        }
        let high_first = match word(&bytes, 0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return Ok(None),
        };
        let page = u64::from(word(&bytes, 8));
        let sums = (word(&bytes, 24), word(&bytes, 28));
        let is_one = word(&bytes, 4) == 3_007_000 && page.is_power_of_two() && (512..=65_536).contains(&page);
        let head = Self { high_first, page, salts: (word(&bytes, 16), word(&bytes, 20)), sums };
        Ok((is_one && head.sum((0, 0), &bytes[..24]) == sums).then_some(head))
    }

    /// The running sums behind `bytes`, whose length is a multiple of eight.
    fn sum(&self, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
        let read = |word: &[u8]| {
            let word = [word[0], word[1], word[2], word[3]];
            if self.high_first { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        for two in bytes.chunks_exact(8) {
            first = first.wrapping_add(read(&two[..4])).wrapping_add(second);
            second = second.wrapping_add(read(&two[4..])).wrapping_add(first);
        }
        (first, second)
    }

    fn step(&self) -> u64 {
        FRAME + self.page
    }

    fn salts_of(frame: &[u8]) -> (u32, u32) {
        (word(frame, 8), word(frame, 12))
    }
}

impl Log {
    /// Reads what is committed in `file`, of `size` bytes, from where `known` ends if that is the same log; none where there is no log in
    /// it yet.
    pub fn read(file: &File, (inode, size): (Inode, u64), known: Option<&Self>) -> io::Result<Option<Self>> {
        let Some(head) = Head::read(file)? else { return Ok(None) };
        let mut log = match known {
            Some(known) if known.goes_on(file, inode, head)? => known.clone(),
            _ => Self { inode, size, head, frames: 0, sums: head.sums, pages: BTreeSet::new() },
        };
        log.size = size;
        log.follow(file)?;
        Ok(Some(log))
    }

    /// What became of it in `file`, in which `now` was read.
    pub fn since(&self, file: &File, now: &Self) -> io::Result<Since> {
        if now.inode != self.inode || now.size < self.size {
            return Ok(Since::Unknown);
        }
        if now.head == self.head {
            // Only its new end is read then: what was read before must stand there as it was.
            let stands = self.goes_on(file, now.inode, now.head)?;
            let grew = stands && now.frames >= self.frames && now.pages.is_superset(&self.pages);
            return Ok(if grew { Since::Grew } else { Since::Unknown });
        }
        // Whoever begins it anew counts the first salt up by one.
        if now.head.page != self.head.page || now.head.salts.0 != self.head.salts.0.wrapping_add(1) {
            return Ok(Since::Unknown);
        }
        // More may have been written than was read. It stands there still, as far as the new frames have not come.
        let mut all = self.clone();
        all.follow(file)?;
        Ok(if all.was_all(file, now)? { Since::Anew(all.pages) } else { Since::Unknown })
    }

    /// Whether nothing was committed in it behind its last commit before `now` was begun in `file`. Something older behind it shows that,
    /// or the end of a file that was neither cut off and has grown again (its last frame still stands there) nor cut to a length (which
    /// is not that of whole frames: `journal_size_limit`).
    fn was_all(&self, file: &File, now: &Self) -> io::Result<bool> {
        let mut frame = [0; 24];
        let step = self.head.step();
        let got = read_full(file, &mut frame, HEAD + self.frames * step)?;
        if got == frame.len() {
            let salts = Head::salts_of(&frame);
            return Ok(salts != now.head.salts && salts != self.head.salts);
        }
        let Some(last) = self.frames.checked_sub(1).filter(|_| got == 0) else { return Ok(false) };
        let got = read_full(file, &mut frame, HEAD + last * step)?;
        Ok(got == frame.len() && Head::salts_of(&frame) == self.head.salts)
    }

    /// Whether it is `other`, or that and more.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        self.inode == other.inode && self.head == other.head && self.frames >= other.frames
    }

    /// Whether the log in `file` still is this one, up to here.
    pub fn is_in(&self, file: &File) -> io::Result<bool> {
        let Some(head) = Head::read(file)? else { return Ok(false) };
        self.goes_on(file, self.inode, head)
    }

    /// Bytes up to the end of the last commit.
    #[must_use]
    pub fn end(&self) -> u64 {
        if self.frames == 0 { 0 } else { HEAD + self.frames * self.head.step() }
    }

    /// Bytes of a page.
    #[must_use]
    pub fn page(&self) -> u64 {
        self.head.page
    }

    /// The pages in it.
    #[must_use]
    pub fn pages(&self) -> &BTreeSet<u32> {
        &self.pages
    }

    /// A log begins with `head` in `file`: is it this one, and does its last commit still stand there?
    fn goes_on(&self, file: &File, inode: Inode, head: Head) -> io::Result<bool> {
        if inode != self.inode || head != self.head {
            return Ok(false);
        }
        let Some(last) = self.frames.checked_sub(1) else { return Ok(true) };
        let mut frame = [0; 24];
        let got = read_full(file, &mut frame, HEAD + last * head.step())?;
        Ok(got == frame.len()
            && Head::salts_of(&frame) == head.salts
            && (word(&frame, 16), word(&frame, 20)) == self.sums)
    }

    /// Follows the frames from here on, up to the last commit.
    fn follow(&mut self, file: &File) -> io::Result<()> {
        let step = self.head.step();
        let mut at_once = FEW;
        let mut buffer = vec![];
        let (mut sums, mut frames, mut pages) = (self.sums, self.frames, vec![]);
        loop {
            buffer.resize(usize::try_from(at_once * step).map_err(io::Error::other)?, 0);
            let got = read_full(file, &mut buffer, HEAD + frames * step)?;
            let whole = buffer[..got].chunks_exact(usize::try_from(step).map_err(io::Error::other)?);
            let count = whole.len();
            for frame in whole {
                if Head::salts_of(frame) != self.head.salts {
                    return Ok(());
                }
                sums = self.head.sum(self.head.sum(sums, &frame[..8]), &frame[24..]);
                if (word(frame, 16), word(frame, 20)) != sums {
                    return Ok(());
                }
                frames += 1;
                pages.push(word(frame, 0));
                if word(frame, 4) != 0 {
                    (self.sums, self.frames) = (sums, frames);
                    self.pages.extend(pages.drain(..));
                }
            }
            if (count as u64) < at_once {
                return Ok(());
            }
            at_once = (at_once * 2).min((PIECE / step).max(FEW));
        }
    }
}

/// Four bytes, the high one first.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
