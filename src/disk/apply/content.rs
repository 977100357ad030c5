//! Writes what changes in a file, and works out the sums of its blocks.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{FallocateFlags, fallocate};

use crate::disk::read::{read_full, stored};
use crate::replica::part::Data;
use crate::replica::{BLOCK, Sum, blocks};

/// The sum that a block will have, by its number; none for zeros.
pub type NewSum = (u64, Option<Sum>);

/// Writes `data` to `file`, and adds the sums of the blocks that it touches. Returns whether every block is what it is said
/// to be: one that begins before the data can be another one than the sender knows, where a stranger wrote.
pub fn write(file: &File, data: &Data, sums: &mut Vec<NewSum>) -> io::Result<bool> {
    file.write_all_at(&data.bytes, data.offset)?;
    note(file, data, sums)
}

/// Adds the sums of the blocks that `data`, which were written to `file`, touch.
pub fn note(file: &File, data: &Data, sums: &mut Vec<NewSum>) -> io::Result<bool> {
    let mut proven = true;
    if data.begins_inside_block() {
        let number = data.offset / BLOCK as u64;
        let mut block = vec![0; BLOCK];
        let len = read_full(file, &mut block, number * BLOCK as u64)?;
        let sum = Sum::of(&block[..len]);
        proven = sum == data.sums.first().copied().flatten();
        sums.push((number, sum));
    }
    sums.extend(data.whole_blocks().map(|(number, _, sum)| (number, sum)));
    Ok(proven)
}

/// Makes `count` blocks from `first` on zeros, and gives their room back where the file system can. The file keeps its length.
pub fn write_zeros(file: &File, size: u64, first: u64, count: u64) -> io::Result<()> {
    let from = first.saturating_mul(BLOCK as u64).min(size);
    let end = from.saturating_add(count.saturating_mul(BLOCK as u64)).min(size);
    if from == end {
        return Ok(());
    }
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    if fallocate(file, punch, from, end - from).is_ok() {
        return Ok(());
    }
    // A file system without holes: what is stored there is written over.
    let zeros = vec![0; BLOCK];
    for range in stored(file, size, true)? {
        for number in range.start.max(first)..range.end.min(first + count) {
            let at = number * BLOCK as u64;
            let len = usize::try_from(size.saturating_sub(at)).unwrap_or(BLOCK).min(BLOCK);
            file.write_all_at(&zeros[..len], at)?;
        }
    }
    Ok(())
}

/// Copies the first `len` bytes of `from` to `to`, holes as holes; what `skip` names by its block is left out.
pub fn copy(from: &File, to: &File, len: u64, skip: &dyn Fn(u64) -> bool) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    for range in stored(from, len, true)? {
        for number in range.filter(|number| !skip(*number)) {
            let at = number * BLOCK as u64;
            let wanted = usize::try_from(len.saturating_sub(at)).unwrap_or(BLOCK).min(BLOCK);
            let got = read_full(from, &mut block[..wanted], at)?;
            if !blocks::is_zero(&block[..got]) {
                to.write_all_at(&block[..got], at)?;
            }
        }
    }
    Ok(())
}
