//! Which terminals have joined. Both machines keep the list, and each tells the other of a change: of two lines about one terminal
//! the later counts, wherever it was written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::link::identity::MachineId;
use crate::os::ground::{now, save};

/// A terminal that has joined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// Its key.
    pub id: MachineId,
    /// When that was written.
    pub at: Timestamp,
    /// How often something was written about it.
    pub number: u64,
    /// It may not come in any more.
    pub revoked: bool,
}

/// The terminals of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registry {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Registry {
    /// That of `home`. What cannot be read is empty: the other machine has the list, too.
    #[must_use]
    pub fn load(home: &Path) -> Self {
        let path = home.join("terminals.json");
        let read = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        let entries = read.unwrap_or_else(|error: io::Error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "the list of terminals cannot be read");
            }
            vec![]
        });
        Self { path, entries }
    }

    /// All that was ever written, revoked ones too.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Those that may come in.
    pub fn joined(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.revoked)
    }

    /// The one called `name`, whatever the case of its letters.
    #[must_use]
    pub fn called(&self, name: &str) -> Option<&Entry> {
        self.joined().find(|entry| entry.name.to_lowercase() == name.to_lowercase())
    }

    /// The one with this key, if it may come in.
    #[must_use]
    pub fn with_key(&self, id: MachineId) -> Option<&Entry> {
        self.joined().find(|entry| entry.id == id)
    }

    /// A terminal has joined. It is on disk when this returns.
    pub fn admit(&mut self, name: &str, id: MachineId) -> io::Result<()> {
        self.write(Entry { name: name.to_owned(), id, at: now(), number: 1, revoked: false })
    }

    /// The terminal with this key may not come in any more. It is on disk when this returns.
    pub fn revoke(&mut self, id: MachineId) -> io::Result<()> {
        match self.with_key(id).cloned() {
            Some(entry) => self.write(Entry { revoked: true, at: now(), ..entry }),
            None => Ok(()),
        }
    }

    /// The other machine's list. Returns whether something of it was news here.
    pub fn merge(&mut self, theirs: &[Entry]) -> io::Result<bool> {
        let before = self.entries.clone();
        for entry in theirs {
            match self.entries.iter_mut().find(|known| known.id == entry.id) {
                Some(known) if counts(entry) > counts(known) => *known = entry.clone(),
                Some(_) => {}
                None => self.entries.push(entry.clone()),
            }
        }
        if self.entries == before {
            return Ok(false);
        }
        self.save(before)?;
        Ok(true)
    }

    fn write(&mut self, entry: Entry) -> io::Result<()> {
        let before = self.entries.clone();
        match self.entries.iter_mut().find(|known| known.id == entry.id) {
            Some(known) => *known = Entry { number: known.number + 1, ..entry },
            None => self.entries.push(entry),
        }
        self.save(before)
    }

    fn save(&mut self, before: Vec<Entry>) -> io::Result<()> {
        let saved = serde_json::to_vec_pretty(&self.entries).map_err(io::Error::from);
        let saved = saved.and_then(|bytes| save(&self.path, &bytes));
        if saved.is_err() {
            self.entries = before;
        }
        saved
    }
}

/// Which of two lines about one terminal counts: the higher.
fn counts(entry: &Entry) -> (u64, bool, Timestamp) {
    (entry.number, entry.revoked, entry.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::identity::Identity;

    #[test]
    fn what_either_machine_writes_both_know_and_the_later_counts() {
        let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [mut main, mut backup] = [0, 1].map(|at| Registry::load(homes[at].path()));
        let [one, two] = [(); 2].map(|()| Identity::make().unwrap().id());
        main.admit("CAJA-1", one).unwrap();
        backup.admit("CAJA-2", two).unwrap();
        assert!(main.merge(backup.entries()).unwrap() && backup.merge(main.entries()).unwrap());
        assert!(!main.merge(backup.entries()).unwrap(), "nothing is news");
        assert_eq!(main.called("caja-2").map(|entry| entry.id), Some(two));
        backup.revoke(one).unwrap();
        assert!(main.merge(backup.entries()).unwrap());
        assert!(main.with_key(one).is_none() && main.called("CAJA-1").is_none());
        assert!(
            !backup.merge(&[Entry { number: 1, revoked: false, ..main.entries()[0].clone() }]).unwrap(),
            "that is past"
        );
        main.admit("CAJA-1", one).unwrap();
        assert!(backup.merge(main.entries()).unwrap() && backup.with_key(one).is_some(), "it has joined again");
        assert_eq!(Registry::load(homes[0].path()), main);
    }

    #[test]
    fn a_list_that_is_no_list_is_empty_and_may_be_written_again() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("terminals.json"), "{").unwrap();
        let mut registry = Registry::load(home.path());
        assert_eq!(registry.joined().count(), 0);
        registry.admit("CAJA-1", Identity::make().unwrap().id()).unwrap();
        assert_eq!(Registry::load(home.path()).joined().count(), 1);
    }
}
