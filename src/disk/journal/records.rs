//! A file of records: the length of each (4 bytes, little endian), then what was sealed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::disk::error::{At, DiskError};
use crate::disk::read::read_full;
use crate::replica::sealed::MAX_SEALED;

/// Bytes that are gathered before they are written.
const GATHER: usize = 512 * 1024;

/// A file of records that is written at its end.
#[derive(Debug)]
pub struct Records {
    file: File,
    path: PathBuf,
    written: u64,
    gathered: Vec<u8>,
}

impl Records {
    /// Opens the file at `path`, or makes it; writing goes on at `end`.
    pub fn open(path: &Path, end: u64) -> Result<Self, DiskError> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).at("opening", path)?;
        Ok(Self { file, path: path.to_owned(), written: end, gathered: vec![] })
    }

    /// Where the next record will begin, in bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    /// Another handle for reading what is written.
    pub fn reader(&self) -> Result<Reader, DiskError> {
        let file = self.file.try_clone().at("opening", &self.path)?;
        Ok(Reader { file, path: self.path.clone() })
    }

    /// Adds a record.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        let len = u32::try_from(bytes.len()).map_err(io::Error::other).at("writing", &self.path)?;
        self.gathered.extend_from_slice(&len.to_le_bytes());
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHER { self.flush() } else { Ok(()) }
    }

    /// Writes what was gathered.
    pub fn flush(&mut self) -> Result<(), DiskError> {
        self.file.write_all_at(&self.gathered, self.written).at("writing", &self.path)?;
        self.written += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }

    /// Makes every record durable.
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.flush()?;
        self.file.sync_data().at("making durable", &self.path)
    }

    /// Goes back to `end`: what came after it is to be overwritten. The file gives its room back.
    pub fn cut(&mut self, end: u64) -> Result<(), DiskError> {
        self.gathered.clear();
        self.written = end;
        self.file.set_len(end).at("cutting", &self.path)
    }

    /// Goes back to the beginning. What stands there is written over later, which is faster than growing again; only a file
    /// longer than `keep` bytes gives room back.
    pub fn rewind(&mut self, keep: u64) -> Result<(), DiskError> {
        if self.written > keep {
            self.file.set_len(keep).at("cutting", &self.path)?;
        }
        self.gathered.clear();
        self.written = 0;
        Ok(())
    }
}

/// Reads records at any place.
#[derive(Debug)]
pub struct Reader {
    file: File,
    path: PathBuf,
}

impl Reader {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        Ok(Self { file: File::open(path).at("opening", path)?, path: path.to_owned() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record at `offset`, and where the next one begins; `None` where no record can stand.
    pub fn read(&self, offset: u64) -> Result<Option<(Bytes, u64)>, DiskError> {
        let mut len = [0; 4];
        if read_full(&self.file, &mut len, offset).at("reading", &self.path)? < 4 {
            return Ok(None);
        }
        let len = u32::from_le_bytes(len) as usize;
        if len == 0 || len > MAX_SEALED {
            return Ok(None);
        }
        let mut bytes = vec![0; len];
        if read_full(&self.file, &mut bytes, offset + 4).at("reading", &self.path)? < len {
            return Ok(None);
        }
        Ok(Some((Bytes::from(bytes), offset + 4 + len as u64)))
    }
}
