//! Writes a large new file past the system's memory of files: what a first copy brings is not read again soon, and would push
//! out what the till works with. It is written on a thread of its own while more of it comes.
//!
//! Where the file system does not do that, it is written as any other file.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use bytes::{BufMut, Bytes, BytesMut};
use rustix::fs::{FallocateFlags, OFlags, fallocate, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, pwritev};

/// Bytes from which on a file is written so.
pub const LARGE: u64 = 4 * 1024 * 1024;

/// Bytes that are written at once.
const BATCH: usize = 1024 * 1024;

/// Batches that may wait to be written.
const WAITING: usize = 2;

/// What such writing wants places in the file and in memory to be multiples of, on any disk.
pub const ALIGNED: usize = 4096;

/// A file that is being written so.
#[derive(Debug)]
pub struct Direct {
    file: File,
    gathered: Batch,
    full: Option<SyncSender<Batch>>,
    writes: Option<JoinHandle<io::Result<()>>>,
}

/// Neighbouring pieces, each of which begins at a place in memory that is aligned.
#[derive(Debug, Default)]
struct Batch {
    /// Where in the file they go.
    offset: u64,
    len: usize,
    pieces: Vec<Bytes>,
}

impl Batch {
    fn end(&self) -> u64 {
        self.offset + self.len as u64
    }
}

impl Direct {
    /// Begins to write `file`, which is new and will have `size` bytes, all of them stored. `other`: the same file, opened once
    /// more. None where the file system does not do that.
    pub fn begin(file: &File, other: File, size: u64) -> io::Result<Option<Self>> {
        match fallocate(file, FallocateFlags::empty(), 0, size) {
            // There is room for all of it, or the first copy need not go on.
            Err(full @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => return Err(full.into()),
            Err(_) => return Ok(None),
            Ok(()) => {}
        }
        if fcntl_setfl(&other, fcntl_getfl(&other)? | OFlags::DIRECT).is_err() {
            return Ok(None);
        }
        let (full, batches) = sync_channel(WAITING);
        let writes = std::thread::Builder::new().name("write".to_owned()).spawn(move || write_all(&other, &batches))?;
        let file = file.try_clone()?;
        Ok(Some(Self { file, gathered: Batch::default(), full: Some(full), writes: Some(writes) }))
    }

    /// Has `bytes` written at `offset`, soon. What could not be written before comes back as an error.
    pub fn write(&mut self, offset: u64, bytes: &Bytes) -> io::Result<()> {
        if self.gathered.end() != offset || !offset.is_multiple_of(ALIGNED as u64) {
            self.pass_on()?;
            self.gathered.offset = offset;
        }
        if !offset.is_multiple_of(ALIGNED as u64) {
            return self.file.write_all_at(bytes, offset);
        }
        self.gathered.pieces.push(aligned(bytes));
        self.gathered.len += bytes.len();
        if self.gathered.len >= BATCH { self.pass_on() } else { Ok(()) }
    }

    /// Waits until all is written.
    pub fn end(mut self) -> io::Result<()> {
        self.pass_on().and_then(|()| self.join())
    }

    /// Gives what was gathered away to be written.
    fn pass_on(&mut self) -> io::Result<()> {
        let mut batch = std::mem::take(&mut self.gathered);
        self.gathered.offset = batch.end();
        let rest = batch.len % ALIGNED;
        if let Some(last) = batch.pieces.last_mut().filter(|_| rest > 0) {
            // What is left of a page, at the end of the file, is written as in any other file.
            let rest = last.split_off(last.len() - rest);
            batch.len -= rest.len();
            self.file.write_all_at(&rest, batch.end())?;
        }
        if batch.len == 0 {
            return Ok(());
        }
        match self.full.as_ref().map(|full| full.send(batch)) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => self.join(),
        }
    }

    /// Waits for who writes, who says what went wrong.
    fn join(&mut self) -> io::Result<()> {
        let ended = self.full.take().is_none();
        let crashed = |_| Err(io::Error::other("who writes the file has crashed"));
        self.writes.take().map_or(Ok(()), |writes| writes.join().unwrap_or_else(crashed))?;
        // What failed once does not come right.
        if ended { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        // Whoever looks at the file next finds nobody writing it.
        let _ = self.join();
    }
}

/// The same bytes at an aligned place: what comes over a link is there already.
fn aligned(bytes: &Bytes) -> Bytes {
    if bytes.as_ptr().align_offset(ALIGNED) == 0 {
        return bytes.clone();
    }
    let mut room = BytesMut::with_capacity(bytes.len() + ALIGNED);
    let skip = room.as_ptr().align_offset(ALIGNED).min(ALIGNED);
    room.put_bytes(0, skip);
    room.put_slice(bytes);
    room.freeze().slice(skip..)
}

fn write_all(file: &File, batches: &Receiver<Batch>) -> io::Result<()> {
    for batch in batches {
        let mut slices: Vec<IoSlice<'_>> = batch.pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let (mut slices, mut at) = (&mut slices[..], batch.offset);
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match pwritev(file, slices, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    at += count as u64;
                    IoSlice::advance_slices(&mut slices, count);
                }
                Err(Errno::INTR) => {}
                // This disk wants other multiples: it is written as any other file.
                Err(Errno::INVAL) if fcntl_getfl(file)?.contains(OFlags::DIRECT) => {
                    fcntl_setfl(file, fcntl_getfl(file)? - OFlags::DIRECT)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::read::read_full;

    fn new(folder: &tempfile::TempDir) -> (File, std::path::PathBuf) {
        let path = folder.path().join("file");
        (File::options().read(true).write(true).create_new(true).open(&path).unwrap(), path)
    }

    #[test]
    fn what_is_written_stands_there_also_with_gaps_and_an_odd_end() {
        let folder = tempfile::tempdir().unwrap();
        let (file, path) = new(&folder);
        let size = 5 * BATCH + 12_345;
        let mut wanted: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
        wanted[BATCH..BATCH + 16_384].fill(0);
        wanted[3 * BATCH..4 * BATCH].fill(0);
        let other = File::options().write(true).open(&path).unwrap();
        let Some(mut direct) = Direct::begin(&file, other, size as u64).unwrap() else { return };
        let all = Bytes::from(wanted.clone());
        for range in [0..BATCH, BATCH + 16_384..3 * BATCH, 4 * BATCH..size] {
            for from in range.clone().step_by(6 * 16_384) {
                let to = range.end.min(from + 6 * 16_384);
                // Some pieces are aligned in memory, most are not.
                direct.write(from as u64, &aligned(&all.slice(from..to))).unwrap();
                direct.write(from as u64, &all.slice(from..to)).unwrap();
            }
        }
        direct.end().unwrap();
        let mut got = vec![0; size + 1];
        assert_eq!(read_full(&file, &mut got, 0).unwrap(), size);
        assert!(got[..size] == wanted[..]);
    }

    #[test]
    fn what_cannot_be_written_is_said_once_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let (file, path) = new(&folder);
        // Whoever may only read cannot write.
        let Some(mut direct) = Direct::begin(&file, File::open(&path).unwrap(), LARGE).unwrap() else { return };
        let piece = Bytes::from(vec![7; BATCH]);
        let failed = (0..10).filter(|number| direct.write(number * BATCH as u64, &piece).is_err()).count();
        assert!(failed > 1, "{failed}");
        assert!(direct.end().is_err());
    }
}
