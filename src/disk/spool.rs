//! Keeps what changed until it has travelled, so that one instant does not grow with a slow link.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::read::read_full;

/// Bytes that are kept in memory; what is more goes to a file.
const IN_MEMORY: u64 = 8 * 1024 * 1024;

/// Keeps pieces of content, in memory first, then in a file without a name.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    in_memory: u64,
    file: Option<(File, u64)>,
}

/// A piece of content in a [`Spool`].
#[derive(Clone, Debug)]
pub enum Piece {
    /// In memory.
    Memory(Bytes),
    /// In the spool's file.
    File {
        /// Where it begins there.
        at: u64,
        /// Its length in bytes.
        len: usize,
    },
}

impl Spool {
    /// An empty spool whose file, should it need one, is made in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), in_memory: 0, file: None }
    }

    /// Where its file is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps `bytes`.
    pub fn keep(&mut self, bytes: &[u8]) -> io::Result<Piece> {
        if self.in_memory + bytes.len() as u64 <= IN_MEMORY {
            self.in_memory += bytes.len() as u64;
            return Ok(Piece::Memory(Bytes::copy_from_slice(bytes)));
        }
        let (file, end) = match &mut self.file {
            Some(file) => file,
            None => self.file.insert((tempfile::tempfile_in(&self.folder)?, 0)),
        };
        file.write_all_at(bytes, *end)?;
        let piece = Piece::File { at: *end, len: bytes.len() };
        *end += bytes.len() as u64;
        Ok(piece)
    }

    /// Gives a piece back.
    pub fn get(&self, piece: &Piece) -> io::Result<Bytes> {
        match piece {
            Piece::Memory(bytes) => Ok(bytes.clone()),
            Piece::File { at, len } => {
                let mut bytes = vec![0; *len];
                let (file, _) = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
                if read_full(file, &mut bytes, *at)? < *len {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(bytes.into())
            }
        }
    }
}

impl Piece {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File { len, .. } => *len,
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_from_memory_and_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        let block = |number: u8| vec![number; 1 << 20];
        let pieces: Vec<_> = (0..40).map(|number| spool.keep(&block(number)).unwrap()).collect();
        assert!(matches!(pieces[0], Piece::Memory(_)) && matches!(pieces[39], Piece::File { .. }));
        assert!((0..40).all(|number| spool.get(&pieces[usize::from(number)]).unwrap() == block(number)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has a name");
    }
}
