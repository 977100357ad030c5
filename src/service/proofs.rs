//! The proofs of epochs that a machine has: of those that it took itself, and of the one that it follows. They are on disk
//! before the epoch is acted on, and are shown to whoever has seen a lower one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::home::save;
use crate::link::identity::{Identity, MachineId};
use crate::link::proof::{BadProof, Proof, StoreId};
use crate::pair::{Claim, Epoch, Node, Record};

/// So many are kept: that of the epoch in force, and those just before it.
const KEPT: usize = 8;

/// The proofs of a machine.
#[derive(Debug)]
pub struct Proofs {
    path: PathBuf,
    identity: Identity,
    node: Node,
    store: Option<StoreId>,
    /// By their epochs, the lowest first.
    kept: Vec<Proof>,
    /// They are on disk as they are here.
    is_saved: bool,
    /// The epoch of which the other machine speaks without a proof, if it does.
    unproven: Option<Epoch>,
}

/// What is to be written before a record is.
#[derive(Debug)]
#[must_use = "an epoch without a proof on disk is not to be acted on"]
pub struct Save {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Why an epoch is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unproven {
    /// There is no proof of it.
    #[error("there is no proof of it")]
    NoProof,
    /// The proof is of something else.
    #[error("the proof is of another epoch, or of another start")]
    OtherEpoch,
    /// Nobody is known here who could have taken it.
    #[error("the machine that would have taken it is not known here")]
    NobodyKnown,
    /// The proof is none.
    #[error(transparent)]
    Bad(#[from] BadProof),
}

/// Where the proofs of `home` are.
#[must_use]
pub fn proofs_path(home: &Path) -> PathBuf {
    home.join("proofs.json")
}

/// The epochs that are proven in `home`, and the generations before each: the lowest first. Whoever proved them is not looked at.
#[must_use]
pub fn known(home: &Path) -> Vec<(Epoch, u64)> {
    let read = fs::read(proofs_path(home)).ok().and_then(|bytes| serde_json::from_slice::<Vec<Proof>>(&bytes).ok());
    let mut known: Vec<_> = read.unwrap_or_default().iter().map(|proof| (proof.epoch, proof.start)).collect();
    known.sort_unstable();
    known
}

impl Proofs {
    /// Those of the machine in `home`, which is `node` of `store`. What cannot be read is no proof: its owner has another one.
    #[must_use]
    pub fn load(home: &Path, identity: Identity, node: Node, store: Option<StoreId>) -> Self {
        let path = proofs_path(home);
        let read = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        let kept = read.unwrap_or_else(|error: io::Error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "the proofs of epochs cannot be read");
            }
            vec![]
        });
        Self { path, identity, node, store, kept, is_saved: true, unproven: None }
    }

    /// The proof of `epoch`, where there is one.
    #[must_use]
    pub fn of(&self, epoch: Epoch) -> Option<&Proof> {
        self.kept.iter().find(|proof| proof.epoch == epoch)
    }

    /// Proves the epoch of `record`, where it is this machine's own and is not proven yet. What is returned is to be written
    /// before the record is.
    pub fn prove(&mut self, record: &Record) -> io::Result<Option<Save>> {
        let start = start_of(record);
        let is_own = record.claim != Claim::Idle && Node::of_epoch(record.epoch) == self.node;
        let is_proven = self.of(record.epoch).is_some_and(|proof| {
            proof.start == start && self.store.is_some_and(|store| proof.verify(store, self.identity.id()).is_ok())
        });
        if let Some(store) = self.store.filter(|_| is_own && !is_proven) {
            let proof = Proof::sign(&self.identity, store, record.epoch, start).map_err(io::Error::other)?;
            self.keep(proof);
        }
        self.save()
    }

    /// The other machine, if one is known, says that `epoch` began after `start` generations. Makes sure that this is so.
    pub fn believe(
        &mut self,
        (epoch, start): (Epoch, u64),
        proof: Option<Proof>,
        other: Option<MachineId>,
    ) -> Result<(), Unproven> {
        let proof = proof.ok_or(Unproven::NoProof)?;
        if (proof.epoch, proof.start) != (epoch, start) {
            return Err(Unproven::OtherEpoch);
        }
        // An epoch of this machine's own may come back to it: from before an old state of it was restored.
        let owner = if Node::of_epoch(epoch) == self.node { Some(self.identity.id()) } else { other };
        let (Some(owner), Some(store)) = (owner, self.store) else { return Err(Unproven::NobodyKnown) };
        proof.verify(store, owner)?;
        if self.of(epoch) != Some(&proof) {
            self.keep(proof);
        }
        Ok(())
    }

    /// The other machine speaks of this epoch without a proof, or of none any more. Returns whether that is new.
    pub fn doubt(&mut self, epoch: Option<Epoch>) -> bool {
        std::mem::replace(&mut self.unproven, epoch) != epoch
    }

    /// The epoch of which the other machine speaks without a proof.
    #[must_use]
    pub fn doubted(&self) -> Option<Epoch> {
        self.unproven
    }

    fn keep(&mut self, proof: Proof) {
        self.kept.retain(|known| known.epoch != proof.epoch);
        self.kept.push(proof);
        self.kept.sort_by_key(|proof| proof.epoch);
        let over = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..over);
        self.is_saved = false;
    }

    /// What was to be written could not be, or nobody knows: it is to be written again.
    pub fn unsaved(&mut self) {
        self.is_saved = false;
    }

    fn save(&mut self) -> io::Result<Option<Save>> {
        if self.is_saved {
            return Ok(None);
        }
        self.is_saved = true;
        Ok(Some(Save { path: self.path.clone(), bytes: serde_json::to_vec_pretty(&self.kept)? }))
    }
}

impl Save {
    /// Writes them, durably. It waits for the disk.
    pub fn write(&self) -> io::Result<()> {
        save(&self.path, &self.bytes)
    }
}

/// Generations before the epoch of `record`.
#[must_use]
pub fn start_of(record: &Record) -> u64 {
    record.starts.last().map_or(0, |start| start.seq)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Machine {
        home: TempDir,
        node: Node,
    }

    impl Machine {
        fn new(node: Node) -> Self {
            Self { home: tempfile::tempdir().unwrap(), node }
        }

        fn id(&self) -> MachineId {
            Identity::load_or_make(self.home.path()).unwrap().id()
        }

        fn load(&self, main: &Self) -> Proofs {
            let identity = Identity::load_or_make(self.home.path()).unwrap();
            Proofs::load(self.home.path(), identity, self.node, Some(StoreId::of(main.id())))
        }
    }

    fn starts(proofs: &Proofs) -> Vec<(Epoch, u64)> {
        proofs.kept.iter().map(|proof| (proof.epoch, proof.start)).collect()
    }

    fn two() -> (Machine, Machine) {
        (Machine::new(Node::Main), Machine::new(Node::Backup))
    }

    #[test]
    fn who_takes_an_epoch_proves_it_and_the_other_one_believes_it_and_can_show_it() {
        let (main, backup) = two();
        let (mut ours, mut theirs) = (main.load(&main), backup.load(&main));
        let first = Record::first(Node::Main);
        ours.prove(&first).unwrap().unwrap().write().unwrap();
        assert!(ours.prove(&first).unwrap().is_none(), "once");
        ours.unsaved();
        assert!(ours.prove(&first).unwrap().is_some(), "once more where that could not be written");
        assert!(theirs.prove(&Record::first(Node::Backup)).unwrap().is_none(), "who follows proves nothing");
        let third = first.serving(3, 41);
        ours.prove(&third).unwrap().unwrap().write().unwrap();
        let ours = main.load(&main);
        assert_eq!(starts(&ours), [(1, 0), (3, 41)]);
        let proof = ours.of(3).cloned();
        theirs.believe((3, 41), proof.clone(), Some(main.id())).unwrap();
        theirs.prove(&Record::first(Node::Backup).following(3, 41)).unwrap().unwrap().write().unwrap();
        assert_eq!(backup.load(&main).of(3).cloned(), proof, "as it was given");
    }

    #[test]
    fn what_is_not_proven_is_not_believed() {
        let (main, backup) = two();
        let stranger = Machine::new(Node::Main);
        let mut ours = main.load(&main);
        let _ = ours.prove(&Record::first(Node::Main).serving(3, 41)).unwrap();
        let good = ours.of(3).cloned();
        let mut theirs = backup.load(&main);
        let mut doubted = |claim, proof, other| theirs.believe(claim, proof, other).unwrap_err();
        assert_eq!(doubted((3, 41), None, Some(main.id())), Unproven::NoProof);
        assert_eq!(doubted((5, 41), good.clone(), Some(main.id())), Unproven::OtherEpoch);
        assert_eq!(doubted((3, 40), good.clone(), Some(main.id())), Unproven::OtherEpoch);
        assert_eq!(doubted((3, 41), good.clone(), None), Unproven::NobodyKnown);
        let other = Some(stranger.id());
        assert_eq!(doubted((3, 41), good.clone(), other), Unproven::Bad(BadProof::OtherOwner));
        let mut elsewhere = backup.load(&stranger);
        let not_here = elsewhere.believe((3, 41), good, Some(main.id()));
        assert_eq!(not_here, Err(Unproven::Bad(BadProof::NotSigned)), "the proof is of another store");
        assert!(theirs.of(3).is_none() && theirs.save().unwrap().is_none());
    }

    #[test]
    fn a_home_without_proofs_goes_on_and_what_it_holds_is_proven_at_its_next_start() {
        let (main, backup) = two();
        let served = Record::first(Node::Backup).serving(2, 7);
        let mut theirs = backup.load(&main);
        theirs.prove(&served).unwrap().unwrap().write().unwrap();
        let proof = theirs.of(2).cloned();
        main.load(&main).believe((2, 7), proof.clone(), Some(backup.id())).unwrap();
        // An own epoch that an old state of this machine has not seen.
        let mut restored = backup.load(&main);
        fs::write(proofs_path(backup.home.path()), "[").unwrap();
        restored.believe((2, 7), proof, Some(main.id())).unwrap();
        let mut damaged = backup.load(&main);
        assert!(damaged.of(2).is_none());
        let given = served.given(9);
        assert!(damaged.prove(&given).unwrap().is_some(), "who gives it away still holds it");
        assert_eq!(starts(&damaged), [(2, 7)]);
    }

    #[test]
    fn only_the_last_are_kept() {
        let (main, _) = two();
        let mut ours = main.load(&main);
        for epoch in (1..100).step_by(2) {
            let _ = ours.prove(&Record::first(Node::Main).serving(epoch, epoch)).unwrap();
        }
        assert!(ours.kept.len() == KEPT && ours.of(99).is_some() && ours.of(1).is_none());
    }
}
