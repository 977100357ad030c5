//! How the service ended the last time: in order, or with a crash of its own, or with one of the whole machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::home::save;
use crate::os;
use crate::os::ground::remove;

/// How the service ended the last time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastEnd {
    /// It was asked to; or it never ran.
    InOrder,
    /// It crashed, and the machine ran on.
    Crashed,
    /// The machine was switched off, or fell.
    Cut,
}

fn path(home: &Path) -> PathBuf {
    home.join("running")
}

/// The service of `home` begins: how did it end the last time?
pub fn begin(home: &Path) -> io::Result<LastEnd> {
    let now = os::boot();
    let last = match fs::read_to_string(path(home)) {
        Ok(boot) if boot == now => LastEnd::Crashed,
        Ok(_) => LastEnd::Cut,
        Err(error) if error.kind() == io::ErrorKind::NotFound => LastEnd::InOrder,
        Err(error) => return Err(error),
    };
    if last != LastEnd::Crashed {
        save(&path(home), now.as_bytes())?;
    }
    Ok(last)
}

/// The service of `home` ends in order.
pub fn end(home: &Path) {
    // Where it cannot be removed, the next begin is more careful than it must be.
    let _ = remove(&path(home));
}

/// A file that is there while the other machine may count on this one's goodbye.
fn goodbye(home: &Path) -> PathBuf {
    home.join("goodbye")
}

/// The service of `home` is about to say goodbye.
pub fn part(home: &Path) {
    // Where it cannot be written, a person is asked one question less.
    let _ = save(&goodbye(home), b"");
}

/// The other machine has been heard since.
pub fn met(home: &Path) {
    let _ = remove(&goodbye(home));
}

/// Whether the service of `home` said goodbye, and has not heard the other machine since.
#[must_use]
pub fn has_parted(home: &Path) -> bool {
    goodbye(home).exists()
}

/// A file that is there since another machine with this one's key was met at the other machine.
fn twin(home: &Path) -> PathBuf {
    home.join("twin")
}

/// There is another machine with the key of the one of `home`.
pub fn doubled(home: &Path) {
    // Where it cannot be written, it is known until the service ends.
    let _ = save(&twin(home), b"");
}

/// The other machine takes this one for the one that it is.
pub fn alone(home: &Path) {
    let _ = remove(&twin(home));
}

/// Whether there was another machine with this key when the other machine was met last.
#[must_use]
pub fn has_twin(home: &Path) -> bool {
    twin(home).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goodbye_counts_until_the_other_is_heard() {
        let home = tempfile::tempdir().unwrap();
        assert!(!has_parted(home.path()));
        part(home.path());
        assert!(has_parted(home.path()));
        met(home.path());
        assert!(!has_parted(home.path()));
    }

    #[test]
    fn how_it_ended_is_known_at_the_next_begin() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(begin(home.path()).unwrap(), LastEnd::InOrder);
        assert_eq!(begin(home.path()).unwrap(), LastEnd::Crashed);
        end(home.path());
        assert_eq!(begin(home.path()).unwrap(), LastEnd::InOrder);
        fs::write(path(home.path()), "another run of the machine").unwrap();
        assert_eq!(begin(home.path()).unwrap(), LastEnd::Cut);
        assert_eq!(begin(home.path()).unwrap(), LastEnd::Crashed);
    }
}
