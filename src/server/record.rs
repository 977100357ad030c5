//! Which process the program is: a small file in the home, so that it is known again after a restart of this program.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Setup;
use crate::config::server::Start;
use crate::os;

/// What the program finds in its environment: the home for which it was started.
pub const VARIABLE: &str = "ESPEJO_SERVER_OF";

/// A process of this run of the machine, by its number and when it was started: numbers come again. It leads a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Its number, and that of its group.
    pub pid: i32,
    /// When it was started, in ticks since the machine was.
    pub started: u64,
}

/// What is kept of the program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its process.
    #[serde(flatten)]
    pub mark: Mark,
    /// In which run of the machine.
    pub boot: String,
    /// A proof of what it was started with.
    pub proof: String,
}

impl Mark {
    /// The process `pid`, which runs.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, started: os::process(pid)?.started })
    }

    /// Whether the process itself runs.
    #[must_use]
    pub fn lives(&self) -> bool {
        os::process(self.pid).is_some_and(|process| process.lives && process.started == self.started)
    }

    /// What runs of its group. A number that another process has by now leads another group.
    #[must_use]
    pub fn group(&self) -> Vec<i32> {
        let is_other = os::process(self.pid).is_some_and(|process| process.started != self.started);
        if is_other { vec![] } else { os::group(self.pid) }
    }
}

impl Record {
    /// A record of a process that was just started as `setup` says.
    #[must_use]
    pub fn new(mark: Mark, setup: &Setup) -> Self {
        Self { mark, boot: os::boot(), proof: proof(setup) }
    }

    /// Whether the process was started as `setup` says.
    #[must_use]
    pub fn is_of(&self, setup: &Setup) -> bool {
        self.proof == proof(setup)
    }

    /// What is kept in `home`, of this run of the machine; none where nothing of it runs.
    #[must_use]
    pub fn load(home: &Path) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(path(home)).ok()?).ok()?;
        (record.boot == os::boot() && !record.mark.group().is_empty()).then_some(record)
    }

    /// One that was started for `home` and never came on record: this program was killed just then.
    #[must_use]
    pub fn lost(home: &Path) -> Option<Self> {
        let variable = [VARIABLE.as_bytes(), b"=", home.as_os_str().as_bytes()].concat();
        let mark = Mark::of(os::leader_with(|one| one == variable)?)?;
        Some(Self { mark, boot: os::boot(), proof: String::new() })
    }

    /// Keeps it in `home`, durably.
    pub fn save(&self, home: &Path) -> io::Result<()> {
        os::ground::save(&path(home), &serde_json::to_vec_pretty(self)?)
    }
}

/// Forgets what is kept in `home`.
pub fn forget(home: &Path) {
    let _ = fs::remove_file(path(home));
}

fn path(home: &Path) -> PathBuf {
    home.join("server.json")
}

fn proof(setup: &Setup) -> String {
    let words = match &setup.server.start {
        Start::Command(command) => setup.words(command),
        Start::Unit(unit) => vec![unit.as_str().to_owned()],
    };
    // A word ends where no word can have a byte.
    blake3::hash(words.join("\0").as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_with_the_same_number_is_another() {
        let own = Mark::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.lives());
        let before = Mark { started: own.started - 1, ..own };
        assert!(!before.lives() && before.group().is_empty());
        let home = tempfile::tempdir().unwrap();
        let record = Record { mark: before, boot: os::boot(), proof: String::new() };
        record.save(home.path()).unwrap();
        assert_eq!(Record::load(home.path()), None, "it has gone");
    }
}
