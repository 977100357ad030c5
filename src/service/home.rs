//! The folder in which a machine keeps what is its own: one service at a time, its socket, its log, what it mirrors.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::os::ground;
pub use crate::os::ground::save;
use crate::pair::Record;

/// A home that this process has for itself.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    _lock: File,
}

/// What `espejo mirror` was last asked to do here, so that `espejo` alone can go on with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Remembered {
    /// What is mirrored.
    pub source: PathBuf,
    /// Where to.
    pub dest: PathBuf,
    /// Seconds between looks for what the watch cannot tell.
    pub interval_ms: u64,
}

/// Why a home cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A service runs there.
    #[error("a service runs already in {}", .0.display())]
    Busy(PathBuf),
    /// The system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// A service that was killed just as it started a program lives on in that for a moment, until the program is loaded; and one that ends
/// has a moment to do so.
const ENDING: Duration = Duration::from_secs(1);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(20);

impl Home {
    /// Takes the home at `path`, making it where there is none; only its owner may look into it.
    pub fn take(path: &Path) -> Result<Self, HomeError> {
        let at = |error| HomeError::Io { path: path.to_owned(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock")).map_err(at)?;
        let since = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) if since.elapsed() < ENDING => std::thread::park_timeout(AGAIN),
                Err(TryLockError::WouldBlock) => return Err(HomeError::Busy(path.to_owned())),
                Err(TryLockError::Error(error)) => return Err(at(error)),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers what is mirrored.
    pub fn remember(&self, what: &Remembered) -> Result<(), HomeError> {
        let path = self.path.join("mirror.json");
        let bytes = serde_json::to_vec_pretty(what)
            .map_err(|error| HomeError::Io { path: path.clone(), error: error.into() })?;
        save(&path, &bytes).map_err(|error| HomeError::Io { path, error })
    }
}

/// What the home at `path` was last asked to mirror, if that is on record.
#[must_use]
pub fn remembered(path: &Path) -> Option<Remembered> {
    serde_json::from_slice(&fs::read(path.join("mirror.json")).ok()?).ok()
}

/// Where the record is in `folder`.
#[must_use]
pub fn record_path(folder: &Path) -> PathBuf {
    folder.join("record.json")
}

/// The record saved in `folder`; none where there is none yet.
pub fn load_record(folder: &Path) -> io::Result<Option<Record>> {
    let path = record_path(folder);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            // To guess here could make two servers: a person must look.
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: this record cannot be read: {error}", path.display()),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where a file that cannot be gone on with is kept.
fn aside(path: &Path) -> PathBuf {
    let at = ground::now().strftime("%Y%m%d-%H%M%S");
    path.with_extension(format!("json.unreadable-{at}"))
}

/// Keeps a copy of it there, and the file itself as it is. Returns where.
pub fn copy_aside(path: &Path) -> io::Result<String> {
    let kept = aside(path);
    fs::copy(path, &kept)?;
    Ok(kept.display().to_string())
}

/// Keeps it there, and no more where it was. Returns where; nothing where it is not there.
pub fn keep_aside(path: &Path) -> io::Result<String> {
    let kept = aside(path);
    match fs::rename(path, &kept) {
        Ok(()) => Ok(kept.display().to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Saves the record in `folder`, durably.
pub fn save_record(folder: &Path, record: &Record) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    save(&record_path(folder), &serde_json::to_vec_pretty(record)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::Node;

    #[test]
    fn a_home_has_one_service() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::take(&folder.path().join("a/b")).unwrap();
        assert!(matches!(Home::take(home.path()), Err(HomeError::Busy(_))));
        let path = home.path().to_owned();
        drop(home);
        assert!(Home::take(&path).is_ok());
    }

    #[test]
    fn a_torn_record_is_no_record_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load_record(folder.path()).unwrap(), None);
        let record = Record::first(Node::Backup).following(3, 9);
        save_record(folder.path(), &record).unwrap();
        assert_eq!(load_record(folder.path()).unwrap(), Some(record));
        fs::write(folder.path().join("record.json"), b"{\"node\":").unwrap();
        assert!(load_record(folder.path()).unwrap_err().to_string().contains("record.json"));
    }
}
