//! A database, copied with all that belongs to it: opening one may change it, and of the copy that is no matter.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::capture::sqlite::names;
use super::root::on_disk;
use crate::replica::RelPath;

/// So often a copy is tried of what somebody writes.
const TRIES: u32 = 3;

/// Between two of them.
const APART: Duration = Duration::from_secs(1);

/// The files of a database, and what each is called in a copy.
#[must_use]
pub fn files(database: &RelPath) -> [(RelPath, &'static str); 3] {
    [(database.clone(), "db"), (names::log(database), "db-wal"), (names::journal(database), "db-journal")]
}

/// Bytes of all of them.
#[must_use]
pub fn bytes(folder: &Path, database: &RelPath) -> u64 {
    let of =
        |(path, _): (RelPath, &str)| std::fs::symlink_metadata(on_disk(folder, &path)).map_or(0, |meta| meta.len());
    files(database).into_iter().map(of).sum()
}

/// The same as [`copy`], where somebody may write it meanwhile: it is tried until nobody has written anything but more into its log.
pub fn copy_live(folder: &Path, database: &RelPath, to: &Path) -> io::Result<PathBuf> {
    for _ in 0..TRIES {
        let before = states(folder, database)?;
        let copied = copy(folder, database, to)?;
        let after = states(folder, database)?;
        if before.iter().zip(&after).all(|(before, after)| after.follows(before)) {
            return Ok(copied);
        }
        for (_, name) in files(database) {
            let _ = std::fs::remove_file(to.join(name));
        }
        std::thread::park_timeout(APART);
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "it is written all the time"))
}

/// What tells whether one of the files is written.
#[derive(Default, PartialEq, Eq)]
struct State {
    inode: u64,
    written: (i64, i64),
    size: u64,
    /// Where it is a log, how it begins: with another beginning it was begun anew.
    head: Option<[u8; 32]>,
}

impl State {
    fn follows(&self, before: &Self) -> bool {
        let grew = self.head.is_some() && self.size >= before.size;
        self == before || grew && (self.inode, self.head) == (before.inode, before.head)
    }
}

fn states(folder: &Path, database: &RelPath) -> io::Result<Vec<State>> {
    let log = names::log(database);
    let state = |(path, _): (RelPath, &str)| {
        let file = match std::fs::File::open(on_disk(folder, &path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            file => file?,
        };
        let meta = file.metadata()?;
        let mut head = [0; 32];
        let is_log = path == log && super::read::read_full(&file, &mut head, 0)? == head.len();
        let written = (meta.mtime(), meta.mtime_nsec());
        Ok(State { inode: meta.ino(), written, size: meta.len(), head: is_log.then_some(head) })
    };
    files(database).into_iter().map(state).collect()
}

/// Copies the database of `folder`, its log and its journal into the folder `to`, sharing blocks where the file system does that by itself.
/// Returns where it is then; nothing is there where there is no such database. Nobody writes it meanwhile.
pub fn copy(folder: &Path, database: &RelPath, to: &Path) -> io::Result<PathBuf> {
    for (path, name) in files(database) {
        let from = on_disk(folder, &path);
        if std::fs::symlink_metadata(&from).is_ok_and(|meta| meta.is_file()) {
            std::fs::copy(&from, to.join(name))?;
        }
    }
    Ok(to.join("db"))
}
