//! Reads files block by block, on all processors where that pays, and never what is only a hole.
//!
//! Files are read with `pread`, never mapped: a POS that cuts a mapped file off would kill whoever reads it.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rayon::prelude::*;
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::replica::{BLOCK, Blocks, Sum, blocks};

/// How a file is read by several processors.
#[derive(Clone, Copy, Debug)]
pub struct Stride {
    /// Blocks that one processor reads at a stretch: few enough to be hashed while they are in its cache.
    pub stretch: usize,
    /// Stretches that are under way at once; what is found in them waits in memory until the ones before are done.
    pub ahead: usize,
}

impl Stride {
    fn blocks(self) -> u64 {
        (self.stretch * self.ahead) as u64
    }
}

/// The stride where little of what is read is kept.
const SCAN: Stride = Stride { stretch: 64, ahead: 16 };

/// Blocks up to which one processor reads alone: to wake another would take longer.
const SMALL: u64 = 64;

thread_local! {
    /// What a stretch is read into. A new one for each would cost more than reading it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The ranges of blocks of a file of `size` bytes in which something is stored.
pub fn stored(file: &File, size: u64, sparse: bool) -> io::Result<Vec<Range<u64>>> {
    if !sparse {
        return Ok(if size == 0 { vec![] } else { vec![0..blocks::count(size)] });
    }
    let mut ranges: Vec<Range<u64>> = vec![];
    let mut at = 0;
    while at < size {
        let from = match seek(file, SeekFrom::Data(at)) {
            Ok(from) => from,
            Err(Errno::NXIO) => break,
            // A file system that knows no holes.
            Err(Errno::INVAL) => return stored(file, size, false),
            Err(error) => return Err(error.into()),
        };
        at = seek(file, SeekFrom::Hole(from))?.max(from + 1);
        let range = from / BLOCK as u64..blocks::count(at.min(size));
        match ranges.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ if range.is_empty() => {}
            _ => ranges.push(range),
        }
    }
    Ok(ranges)
}

/// Reads the blocks of a file of `size` bytes in `ranges`. `judge` sees each one, on any thread; what it returns is given
/// to `take`, in order. Returns the bytes that were read.
///
/// A block is shorter than others where the file ends, or has been cut off meanwhile.
pub fn scan<T: Send, E: From<io::Error>>(
    file: &File,
    size: u64,
    ranges: &[Range<u64>],
    judge: &(dyn Fn(u64, &[u8]) -> Option<T> + Sync),
    take: &mut dyn FnMut(u64, T) -> Result<(), E>,
) -> Result<u64, E> {
    let judge = |first: u64, bytes: &[u8]| -> Vec<(u64, T)> {
        let blocks = (first..).zip(bytes.chunks(BLOCK));
        blocks.filter_map(|(index, bytes)| Some((index, judge(index, bytes)?))).collect()
    };
    let look = |blocks: Range<u64>| BUFFER.with_borrow_mut(|buffer| stretch(file, size, &blocks, buffer, &judge));
    let mut take = |found: Vec<(u64, T)>| found.into_iter().try_for_each(|(index, value)| take(index, value));
    stretches(ranges, SCAN, &look, &mut take)
}

/// Has `look` look at each stretch of `ranges`, on any thread; what it returns is given to `take`, in order. Returns the bytes
/// that were read, of which `look` tells.
pub fn stretches<T: Send, E: From<io::Error>>(
    ranges: &[Range<u64>],
    stride: Stride,
    look: &(dyn Fn(Range<u64>) -> io::Result<(u64, T)> + Sync),
    take: &mut dyn FnMut(T) -> Result<(), E>,
) -> Result<u64, E> {
    let mut read = 0;
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + stride.blocks());
            let step = stride.stretch;
            let parts: Vec<_> = (at..end).step_by(step).map(|from| from..end.min(from + step as u64)).collect();
            let found: Vec<io::Result<(u64, T)>> = if end - at > SMALL {
                parts.into_par_iter().map(look).collect()
            } else {
                parts.into_iter().map(look).collect()
            };
            for result in found {
                let (bytes, found) = result?;
                read += bytes;
                take(found)?;
            }
            at = end;
        }
    }
    Ok(read)
}

/// Where in a file of `size` bytes a range of blocks begins, and how long it is.
pub fn bytes_of(range: &Range<u64>, size: u64) -> io::Result<(u64, usize)> {
    let from = range.start * BLOCK as u64;
    let wanted = (range.end * BLOCK as u64).min(size).saturating_sub(from);
    Ok((from, usize::try_from(wanted).map_err(io::Error::other)?))
}

fn stretch<T>(
    file: &File,
    size: u64,
    range: &Range<u64>,
    buffer: &mut Vec<u8>,
    judge: &(dyn Fn(u64, &[u8]) -> T + Sync),
) -> io::Result<(u64, T)> {
    let (from, wanted) = bytes_of(range, size)?;
    if buffer.len() < wanted {
        buffer.resize(wanted, 0);
    }
    let got = read_full(file, &mut buffer[..wanted], from)?;
    Ok((got as u64, judge(range.start, &buffer[..got])))
}

/// Fills `buffer` from `offset` on; returns how many bytes there were.
pub fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The sums of a whole file.
pub fn sums(file: &File, size: u64, sparse: bool) -> io::Result<Blocks> {
    let mut all = Blocks::default();
    scan(file, size, &stored(file, size, sparse)?, &|_, bytes| Sum::of(bytes), &mut |index, sum| {
        all.set(index, Some(sum));
        io::Result::Ok(())
    })?;
    all.shrink();
    Ok(all)
}

/// The blocks in `known` that lie in none of `ranges`: they had content and are holes now.
pub fn now_holes<'b>(known: &'b Blocks, ranges: &'b [Range<u64>], end: u64) -> impl Iterator<Item = u64> + 'b {
    known.iter().map(|(index, _)| index).filter(move |index| {
        let after = ranges.partition_point(|range| range.end <= *index);
        *index < end && ranges.get(after).is_none_or(|range| *index < range.start)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn reads_only_what_is_stored() {
        let file = tempfile::tempfile().unwrap();
        let size = 1 << 40;
        file.set_len(size).unwrap();
        file.write_all_at(&[7; 100], 1 << 39).unwrap();
        let ranges = stored(&file, size, true).unwrap();
        let block = (1u64 << 39) / BLOCK as u64;
        assert!(ranges.iter().any(|range| range.contains(&block)) && ranges.iter().all(|r| r.end - r.start < 100));
        let sums = sums(&file, size, true).unwrap();
        assert_eq!((sums.len(), sums.get(block).is_some()), (1, true));
        let was: Blocks =
            [3, block, block + 1].map(|at| (at, Sum { find: [1; 16], proof: [1; 32] })).into_iter().collect();
        let gone: Vec<_> = now_holes(&was, &[block..block + 1], blocks::count(size)).collect();
        assert_eq!(gone, [3, block + 1]);
    }

    #[test]
    fn many_stretches_come_in_order() {
        let mut file = tempfile::tempfile().unwrap();
        let size = BLOCK * 3000 + 5;
        file.write_all(&vec![1; size]).unwrap();
        let mut seen = vec![];
        let all = stored(&file, size as u64, false).unwrap();
        let judge = |index: u64, bytes: &[u8]| index.is_multiple_of(7).then_some(bytes.len());
        let read = scan(&file, size as u64, &all, &judge, &mut |index, len| {
            seen.push((index, len));
            io::Result::Ok(())
        });
        assert_eq!(read.unwrap(), size as u64);
        assert!(seen.iter().map(|(index, _)| *index).eq((0..3001).step_by(7)));
        assert!(seen.iter().all(|(index, len)| *len == if *index == 3000 { 5 } else { BLOCK }));
    }
}
