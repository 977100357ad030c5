//! What the mirror is known to hold, and how the source looked when it was captured.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::sqlite::log::Log;
use super::sqlite::names;
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::naming::Inode;
use crate::replica::{Blocks, Body, Entry, RelPath, Time};

/// One name that the mirror holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// How the source looked when this was captured. Its inode is [`UNSEEN`] when only the mirror's word is known.
    pub stamp: Stamp,
    /// What the mirror holds.
    pub body: Body,
    /// What of it was captured.
    pub kept: Kept,
    /// It was captured within the tick of the clock that stamped it: a later write may have the same stamp.
    pub young: bool,
    /// The look at everything that saw it last.
    pub seen: u32,
}

/// What of a file was captured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Kept {
    /// All of it, when nothing moved.
    #[default]
    Whole,
    /// A queue, up to the end of its last whole record.
    Queue,
    /// A database, as a commit left it.
    Database,
    /// The log of a database, up to its last commit.
    Log(Box<Log>),
}

impl Kept {
    /// Whether it is a state that its program itself could have left.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        *self != Self::Whole
    }
}

/// The inode of what was never seen at the source.
pub const UNSEEN: Inode = (0, 0);

/// What the mirror holds, by name.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: BTreeMap<RelPath, Known>,
    linked: HashMap<Inode, BTreeSet<RelPath>>,
    mark: u32,
    /// Folders with longer paths cannot be watched; none: all can.
    reach: Option<usize>,
    /// Folders that cannot be watched.
    far: BTreeSet<RelPath>,
    files: u64,
    queues: u64,
    databases: u64,
    /// Files that are neither.
    unsure: u64,
    bytes: u64,
}

impl Known {
    /// What the mirror says that it holds.
    #[must_use]
    pub fn told(entry: Entry) -> Self {
        let (size, shape) = match &entry.body {
            Body::File { size, .. } => (*size, Shape::File),
            // Another name of a file: its size is told under the first one.
            Body::Link { .. } => (0, Shape::File),
            Body::Dir => (0, Shape::Dir),
            Body::Symlink { target } => (target.len() as u64, Shape::Symlink),
        };
        let stamp =
            Stamp { inode: UNSEEN, size, stored: size, links: 1, shape, meta: entry.meta, ctime: Time::default() };
        Self { stamp, body: entry.body, kept: Kept::Whole, young: false, seen: 0 }
    }

    /// Whether only the mirror's word is known.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.stamp.inode == UNSEEN
    }
}

impl Tree {
    /// An empty tree of the folder at `path`, whose own path lengthens all those in it.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { reach: Some(crate::os::LONGEST_PATH.saturating_sub(path.as_os_str().len() + 1)), ..Self::default() }
    }

    /// Folders that the system cannot watch, since their paths are too long; not those that are in one of them.
    pub fn far(&self) -> impl Iterator<Item = &RelPath> {
        self.far.iter().filter(|path| !self.far.contains(&path.parent()))
    }

    /// Whether the system cannot watch `path`.
    #[must_use]
    pub fn is_far(&self, path: &RelPath) -> bool {
        self.far.contains(path)
    }

    /// What is held under `path`.
    #[must_use]
    pub fn get(&self, path: &RelPath) -> Option<&Known> {
        self.entries.get(path)
    }

    /// Sets what is held under `path`.
    pub fn insert(&mut self, path: RelPath, known: Known) {
        self.remove(&path);
        self.count(&known, 1);
        if known.stamp.links > 1 && known.stamp.shape == Shape::File {
            self.linked.entry(known.stamp.inode).or_default().insert(path.clone());
        }
        if known.stamp.shape == Shape::Dir && self.reach.is_some_and(|reach| path.as_bytes().len() > reach) {
            self.far.insert(path.clone());
        }
        self.entries.insert(path, known);
    }

    /// Forgets what is held under `path`.
    pub fn remove(&mut self, path: &RelPath) {
        let Some(known) = self.entries.remove(path) else { return };
        self.count(&known, -1);
        self.far.remove(path);
        if let Some(names) = self.linked.get_mut(&known.stamp.inode) {
            names.remove(path);
            if names.is_empty() {
                self.linked.remove(&known.stamp.inode);
            }
        }
    }

    /// Notes how the source looks at `path`, where what is held is found to be the same.
    pub fn restamp(&mut self, path: &RelPath, stamp: Stamp, young: bool) {
        let Some(known) = self.entries.get_mut(path) else { return };
        known.young = young;
        let was = std::mem::replace(&mut known.stamp, stamp);
        if was.links > 1
            && let Some(names) = self.linked.get_mut(&was.inode)
        {
            names.remove(path);
        }
        if stamp.links > 1 && stamp.shape == Shape::File {
            self.linked.entry(stamp.inode).or_default().insert(path.clone());
        }
    }

    /// Notes what of `path` was captured, where what is held is found to be the same.
    pub fn keep(&mut self, path: &RelPath, kept: Kept) {
        if let Some(mut known) = self.entries.get(path).filter(|known| known.kept != kept).cloned() {
            known.kept = kept;
            self.insert(path.clone(), known);
        }
    }

    /// Takes the sums of the file `path` out, for who makes the next ones from them.
    pub fn take_blocks(&mut self, path: &RelPath) -> Blocks {
        match self.entries.get_mut(path).map(|known| &mut known.body) {
            Some(Body::File { blocks, .. }) => std::mem::take(blocks),
            _ => Blocks::default(),
        }
    }

    /// Whether `path` is the index of a database's log.
    #[must_use]
    pub fn is_index(&self, path: &RelPath) -> bool {
        let base = names::owner(path).filter(|base| names::index(base) == *path && !self.entries.contains_key(path));
        base.is_some_and(|base| self.get(&base).is_some_and(|known| known.kept == Kept::Database))
    }

    /// The number of the last look at everything.
    #[must_use]
    pub fn mark(&self) -> u32 {
        self.mark
    }

    /// Begins a look at everything. Returns its number.
    pub fn begin_walk(&mut self) -> u32 {
        self.mark = self.mark.wrapping_add(1);
        self.mark
    }

    /// Notes that the look `mark` saw `path`.
    pub fn saw(&mut self, path: &RelPath, mark: u32) {
        if let Some(known) = self.entries.get_mut(path) {
            known.seen = mark;
        }
    }

    /// Everything, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, &Known)> {
        self.entries.iter()
    }

    /// Everything from `path` on, in order.
    pub fn from<'t>(&'t self, path: &RelPath) -> impl Iterator<Item = (&'t RelPath, &'t Known)> + use<'t> {
        self.entries.range(path.clone()..)
    }

    /// `folder` and everything in it.
    pub fn within<'t>(&'t self, folder: &RelPath) -> impl Iterator<Item = (&'t RelPath, &'t Known)> + use<'t> {
        // "a" is followed by "a-b" before "a/b": what is in a folder stands together, but not right behind it.
        let below = folder.join(b"");
        let inside = folder.clone();
        self.entries
            .get_key_value(folder)
            .into_iter()
            .filter(|(path, _)| !path.is_root())
            .chain(self.entries.range(below..).take_while(move |(path, _)| path.is_within(&inside)))
    }

    /// The other names of the file `inode` that are known.
    pub fn names_of(&self, inode: Inode) -> impl Iterator<Item = &RelPath> {
        self.linked.get(&inode).into_iter().flatten()
    }

    /// Files with content of their own.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files
    }

    /// How many of them are queues.
    #[must_use]
    pub fn queues(&self) -> u64 {
        self.queues
    }

    /// How many of them are databases.
    #[must_use]
    pub fn databases(&self) -> u64 {
        self.databases
    }

    /// How many of them are neither queues nor databases.
    #[must_use]
    pub fn unsure(&self) -> u64 {
        self.unsure
    }

    /// Bytes in them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing is held, the folder itself aside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.keys().all(RelPath::is_root)
    }

    fn count(&mut self, known: &Known, sign: i8) {
        let Body::File { size, .. } = known.body else { return };
        let count = |all: &mut u64, one: u64| *all = if sign > 0 { *all + one } else { *all - one };
        count(&mut self.files, 1);
        count(&mut self.bytes, size);
        count(&mut self.queues, u64::from(known.kept == Kept::Queue));
        count(&mut self.databases, u64::from(known.kept == Kept::Database));
        count(&mut self.unsure, u64::from(!known.kept.is_sure()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::Meta;

    fn path(name: &str) -> RelPath {
        RelPath::new(name.as_bytes()).unwrap()
    }

    #[test]
    fn a_folder_is_what_is_in_it_and_no_more() {
        let mut tree = Tree::default();
        for name in ["", "a", "a-b", "a/b", "a/c/d", "ab"] {
            tree.insert(path(name), Known::told(Entry { meta: Meta::default(), body: Body::Dir }));
        }
        let within = |folder: &str| tree.within(&path(folder)).map(|(path, _)| path.to_string()).collect::<Vec<_>>();
        assert_eq!(within("a"), ["a", "a/b", "a/c/d"]);
        assert_eq!(within("ab"), ["ab"]);
        assert_eq!(within("x"), Vec::<String>::new());
        assert_eq!(within("").len(), 6);
    }

    #[test]
    fn knows_what_no_watch_reaches() {
        let mut tree = Tree::of(Path::new("/srv/pos"));
        let long = |len: usize| vec![b"a".as_slice(); len.div_ceil(2)].join(&b'/');
        let folder = |len| RelPath::new(&long(len)).unwrap();
        let of = |body| Known::told(Entry { meta: Meta::default(), body });
        // "/srv/pos" and a slash are nine bytes.
        for len in [4085, 4087, 4089] {
            tree.insert(folder(len), of(Body::Dir));
        }
        let far = |tree: &Tree| tree.far().map(|path| path.as_bytes().len()).collect::<Vec<_>>();
        assert_eq!(far(&tree), [4087], "not those that are in one of them");
        assert!(!tree.is_far(&folder(4085)) && tree.is_far(&folder(4089)));
        tree.remove(&folder(4087));
        assert_eq!(far(&tree), [4089]);
    }

    #[test]
    fn counts_what_it_holds() {
        let file =
            |size| Known::told(Entry { meta: Meta::default(), body: Body::File { size, blocks: Blocks::default() } });
        let mut tree = Tree::default();
        tree.insert(path("a"), file(5));
        tree.insert(path("a"), file(7));
        tree.insert(path("b"), file(1));
        tree.remove(&path("b"));
        assert_eq!((tree.files(), tree.bytes(), tree.is_empty()), (1, 7, false));
    }
}
