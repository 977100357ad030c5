//! What a home knows of its store: which machine this is, who the other one is, and what is set.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::home::{remembered, save};
use super::rules::rules;
use crate::config::fault::Fault;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::disk::capture::rules::Rules;
use crate::link::identity::MachineId;
use crate::link::proof::StoreId;
use crate::pair::Node;

/// What a home knows of its store, beside the text of its `store.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Which machine this is, by what it was set up as: that never changes.
    pub node: Node,
    /// The other one, once the two have joined.
    pub other: Option<MachineId>,
    /// Which store it is, whatever it is called; none before this machine knows a main.
    #[serde(default)]
    pub store: Option<StoreId>,
    /// Where the first dataset lies on this machine, where that was said when it joined.
    pub data: Option<PathBuf>,
    /// The number of the configuration's text.
    pub revision: u64,
    /// The proof of that text: with another one it is a new revision.
    pub text: String,
}

/// Why a home knows of no store.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// It was never set up.
    #[error("no store is set up in {}", .0.display())]
    Nothing(PathBuf),
    /// The system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The configuration is wrong.
    #[error("{}: {} faults", path.display(), faults.len())]
    Faults {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        faults: Vec<Fault>,
    },
}

/// The configuration in `home`.
#[must_use]
pub fn store_path(home: &Path) -> PathBuf {
    home.join("store.toml")
}

fn member_path(home: &Path) -> PathBuf {
    home.join("node.json")
}

impl Member {
    /// A member that has just been set up or has just joined, with the configuration `revision`.
    #[must_use]
    pub fn new(node: Node, other: Option<MachineId>, data: Option<PathBuf>, revision: &Revision) -> Self {
        Self { node, other, store: None, data, revision: revision.number, text: proof(&revision.text) }
    }

    /// What `home` knows.
    pub fn load(home: &Path) -> Result<Self, MemberError> {
        let path = member_path(home);
        let at = |error| MemberError::Io { path: path.clone(), error };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| at(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(MemberError::Nothing(home.to_owned())),
            Err(error) => Err(at(error)),
        }
    }

    /// Saves it in `home`.
    pub fn save(&self, home: &Path) -> Result<(), MemberError> {
        let path = member_path(home);
        let saved = serde_json::to_vec_pretty(self).map_err(io::Error::from).and_then(|bytes| save(&path, &bytes));
        saved.map_err(|error| MemberError::Io { path, error })
    }

    /// Which store it is: that of this machine, `own`, where it was set up as main, and else that of the machine that it has joined.
    /// It is on disk when this returns, and stays.
    pub fn pin(&mut self, home: &Path, own: MachineId) -> Result<Option<StoreId>, MemberError> {
        let main = if self.node == Node::Main { Some(own) } else { self.other };
        if let (None, Some(main)) = (self.store, main) {
            self.store = Some(StoreId::of(main));
            self.save(home)?;
        }
        Ok(self.store)
    }

    /// Reads the configuration. Where its text is another one than was known, that is a new revision, and saved as one.
    pub fn revise(&mut self, home: &Path) -> Result<(Store, Revision), MemberError> {
        let path = store_path(home);
        let bytes = fs::read(&path).map_err(|error| MemberError::Io { path: path.clone(), error })?;
        let store = Store::from_bytes(&bytes).map_err(|faults| MemberError::Faults { path, faults })?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if proof(&text) != self.text {
            self.revision += 1;
            self.text = proof(&text);
            self.save(home)?;
        }
        Ok((store, Revision { number: self.revision, text }))
    }

    /// Where a dataset lies on this machine.
    #[must_use]
    pub fn folder(&self, home: &Path, store: &Store, name: &str) -> PathBuf {
        let at = store.datasets.iter().position(|dataset| dataset.name == name).unwrap_or_default();
        let dataset = &store.datasets[at];
        match (self.node, &self.data) {
            // What was said when the machine joined wins over what is set.
            (_, Some(data)) if at == 0 => data.clone(),
            (Node::Main, _) => home.join(&dataset.main),
            (Node::Backup, _) => home.join(&dataset.backup),
        }
    }

    /// Takes over another configuration: one that the other machine has sent, or the one in which this machine is the main. The
    /// text that it replaces stays beside it.
    pub fn take(&mut self, home: &Path, revision: &Revision) -> Result<(), MemberError> {
        let path = store_path(home);
        if let Ok(before) = fs::read(&path) {
            let kept = home.join("store.toml.before");
            save(&kept, &before).map_err(|error| MemberError::Io { path: kept, error })?;
        }
        save(&path, revision.text.as_bytes()).map_err(|error| MemberError::Io { path, error })?;
        (self.revision, self.text) = (revision.number, proof(&revision.text));
        self.save(home)
    }
}

/// Every dataset of `home`, and where it lies on this machine; none where nothing was ever set up or mirrored there.
pub fn own_folders(home: &Path) -> Result<Option<Vec<(String, PathBuf)>>, MemberError> {
    let member = match Member::load(home) {
        Err(MemberError::Nothing(_)) => {
            let mirrored = remembered(home);
            return Ok(mirrored.map(|what| vec![(super::sending::dataset_name(&what.source), what.dest)]));
        }
        member => member?,
    };
    let store = own_store(home)?;
    let each = store.datasets.iter().map(|dataset| (dataset.name.clone(), member.folder(home, &store, &dataset.name)));
    Ok(Some(each.collect()))
}

fn own_store(home: &Path) -> Result<Store, MemberError> {
    let path = store_path(home);
    let bytes = fs::read(&path).map_err(|error| MemberError::Io { path: path.clone(), error })?;
    Store::from_bytes(&bytes).map_err(|faults| MemberError::Faults { path, faults })
}

/// How the files of a dataset of `home` are captured; where nothing is set, as their names say it.
#[must_use]
pub fn own_rules(home: &Path, dataset: &str) -> Rules {
    let store = own_store(home).ok();
    let found = store.and_then(|store| store.datasets.iter().find(|one| one.name == dataset).map(rules));
    found.unwrap_or_default()
}

/// Which machine `home` is: that of a mirror without a store is a backup.
#[must_use]
pub fn own_node(home: &Path) -> Node {
    Member::load(home).map_or(Node::Backup, |member| member.node)
}

/// What `node` is in this store: its home role. It is what it was set up as, until the other machine is adopted as the main; and in
/// the same way, which machine has a role.
#[must_use]
pub fn role(store: &Store, node: Node) -> Node {
    if store.is_adopted { node.other() } else { node }
}

/// A home role, in a word that stays the same in all versions.
#[must_use]
pub fn role_name(role: Node) -> &'static str {
    match role {
        Node::Main => "main",
        Node::Backup => "backup",
    }
}

fn proof(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
        [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n";

    #[test]
    fn a_text_that_was_edited_is_a_new_revision_once() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(Member::load(home.path()), Err(MemberError::Nothing(_))));
        let first = Revision { number: 1, text: TEXT.to_owned() };
        fs::write(store_path(home.path()), TEXT).unwrap();
        let mut member = Member::new(Node::Main, None, None, &first);
        member.save(home.path()).unwrap();
        assert_eq!(member.revise(home.path()).unwrap().1, first);
        fs::write(store_path(home.path()), format!("# edited\n{TEXT}")).unwrap();
        assert_eq!(member.revise(home.path()).unwrap().1.number, 2);
        let mut again = Member::load(home.path()).unwrap();
        assert_eq!((again.revise(home.path()).unwrap().1.number, &again), (2, &member));
        fs::write(store_path(home.path()), "store = 7").unwrap();
        assert!(matches!(again.revise(home.path()), Err(MemberError::Faults { .. })));
        assert_eq!(again.revision, 2, "nothing changed");
        let sent = Revision { number: 5, text: TEXT.to_owned() };
        let before = fs::read(store_path(home.path())).unwrap();
        again.take(home.path(), &sent).unwrap();
        assert_eq!(fs::read(home.path().join("store.toml.before")).unwrap(), before);
        assert_eq!(Member::load(home.path()).unwrap().revise(home.path()).unwrap().1, sent);
    }
}
