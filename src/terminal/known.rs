//! What a terminal keeps on its disk: with that it works when no machine answers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::speech::Machines;
use crate::config::revision::Revision;
use crate::link::proof::{BadProof, Proof, StoreId};
use crate::os::ground::save;
use crate::pair::{Epoch, Node};

/// What a terminal receives when it joins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pass {
    /// What the terminal is called, as it was invited.
    pub terminal: String,
    /// Which store it is.
    pub store: StoreId,
    /// The keys of the two machines.
    pub machines: Machines,
    /// The store's configuration.
    pub revision: Revision,
    /// The proof of the highest epoch, where there is one.
    pub proof: Option<Proof>,
}

/// What a terminal keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Known {
    /// What it is called, as it was invited.
    pub name: String,
    /// Which store it is.
    pub store: StoreId,
    /// The keys of the two machines.
    pub machines: Machines,
    /// The number of the configuration's text.
    pub revision: u64,
    /// The proof of the highest epoch that it has seen.
    pub proof: Option<Proof>,
    /// Of which server the programs of this machine know: its epoch and address.
    #[serde(default)]
    pub told: String,
}

/// Where `home` keeps what its terminal knows.
#[must_use]
pub fn known_path(home: &Path) -> PathBuf {
    home.join("agent.json")
}

/// The settings of the terminal of `home`.
#[must_use]
pub fn settings_path(home: &Path) -> PathBuf {
    home.join("terminal.toml")
}

impl From<&Pass> for Known {
    fn from(pass: &Pass) -> Self {
        Self {
            name: pass.terminal.clone(),
            store: pass.store,
            machines: pass.machines,
            revision: pass.revision.number,
            proof: pass.proof.clone(),
            told: String::new(),
        }
    }
}

impl Known {
    /// What the terminal of `home` knows; none where none was ever joined there.
    pub fn load(home: &Path) -> io::Result<Option<Self>> {
        match fs::read(known_path(home)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps it in `home`: it is on disk when this returns.
    pub fn save(&self, home: &Path) -> io::Result<()> {
        save(&known_path(home), &serde_json::to_vec_pretty(self)?)
    }

    /// The highest epoch that it has seen; 0 where none was proven.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.proof.as_ref().map_or(0, |proof| proof.epoch)
    }

    /// Makes sure that a proof is one of this store, by the machine that alone may take its epoch.
    pub fn verify(&self, proof: &Proof) -> Result<(), BadProof> {
        let owner = self.machines.of(Node::of_epoch(proof.epoch)).ok_or(BadProof::OtherOwner)?;
        proof.verify(self.store, owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::identity::Identity;

    #[test]
    fn only_the_machine_of_an_epoch_proves_it() {
        let [main, backup, stranger] = [(); 3].map(|()| Identity::make().unwrap());
        let store = StoreId::of(main.id());
        let machines = Machines { main: Some(main.id()), backup: Some(backup.id()) };
        let known = Known { name: "CAJA-1".into(), store, machines, revision: 1, proof: None, told: String::new() };
        let proof = |by: &Identity, epoch| Proof::sign(by, store, epoch, 7).unwrap();
        assert_eq!(known.verify(&proof(&main, 3)), Ok(()));
        assert_eq!(known.verify(&proof(&backup, 4)), Ok(()));
        for (by, epoch) in [(&main, 4), (&backup, 3), (&stranger, 3), (&stranger, 4)] {
            assert!(known.verify(&proof(by, epoch)).is_err(), "{epoch}");
        }
        let alone = Known { machines: Machines { backup: None, ..machines }, ..known };
        assert!(alone.verify(&proof(&backup, 4)).is_err(), "it is not known yet");
    }

    #[test]
    fn what_is_kept_is_known_again() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Known::load(home.path()).unwrap(), None);
        let main = Identity::make().unwrap();
        let store = StoreId::of(main.id());
        let proof = Some(Proof::sign(&main, store, 3, 7).unwrap());
        let machines = Machines { main: Some(main.id()), backup: None };
        let known = Known { name: "CAJA-1".into(), store, machines, revision: 2, proof, told: "3 10.0.0.1".into() };
        known.save(home.path()).unwrap();
        assert_eq!(Known::load(home.path()).unwrap(), Some(known.clone()));
        assert_eq!(known.epoch(), 3);
        fs::write(known_path(home.path()), "{").unwrap();
        assert!(Known::load(home.path()).is_err());
    }
}
