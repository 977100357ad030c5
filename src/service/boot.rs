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

/// What the service of a home knows again after a restart, by a file that is there or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// It said goodbye, and has not heard the other machine since: that one may count on it.
    Goodbye,
    /// Another machine with its key was there when the other machine was met last.
    Twin,
}

impl Mark {
    fn path(self, home: &Path) -> PathBuf {
        home.join(match self {
            Self::Goodbye => "goodbye",
            Self::Twin => "twin",
        })
    }

    /// From now on it is so.
    pub fn set(self, home: &Path) {
        // Where it cannot be written, it is known until the service ends.
        let _ = save(&self.path(home), b"");
    }

    /// It is so no more.
    pub fn clear(self, home: &Path) {
        let _ = remove(&self.path(home));
    }

    /// Whether it is so.
    #[must_use]
    pub fn is_set(self, home: &Path) -> bool {
        self.path(home).exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goodbye_counts_until_the_other_is_heard() {
        let home = tempfile::tempdir().unwrap();
        assert!(!Mark::Goodbye.is_set(home.path()));
        Mark::Goodbye.set(home.path());
        assert!(Mark::Goodbye.is_set(home.path()) && !Mark::Twin.is_set(home.path()));
        Mark::Goodbye.clear(home.path());
        assert!(!Mark::Goodbye.is_set(home.path()));
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
