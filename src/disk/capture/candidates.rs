//! What may have changed: from what the watch said, or from a look at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::exclude::Exclude;
use super::sqlite::names;
use super::tree::Tree;
use crate::disk::root::Root;
use crate::disk::stamp::{Shape, Stamp};
use crate::disk::walk::{Found, walk};
use crate::replica::RelPath;

/// Names that may have changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dirty {
    /// Anything may have.
    pub everything: bool,
    /// These may have, and what is in them if they are folders that came or went.
    pub paths: BTreeSet<RelPath>,
    /// Of these, the content is read whatever `stat` says.
    pub unsure: BTreeSet<RelPath>,
}

impl Dirty {
    /// Whether nothing may have changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.everything && self.paths.is_empty() && self.unsure.is_empty()
    }

    /// So many names, at the least, may have changed.
    #[must_use]
    pub fn names(&self) -> u64 {
        self.paths.len().max(self.unsure.len()) as u64
    }

    /// Whether nothing but what belongs to `path`, if to any, may have changed.
    #[must_use]
    pub fn is_only(&self, path: Option<&RelPath>) -> bool {
        let belongs = |name: &RelPath| path.is_some_and(|path| names::belongs(name, path));
        !self.everything && self.paths.iter().chain(&self.unsure).all(belongs)
    }

    /// Takes in what `other` says.
    pub fn join(&mut self, other: Self) {
        self.everything |= other.everything;
        self.paths.extend(other.paths);
        self.unsure.extend(other.unsure);
    }
}

/// Names that differ from what is held, with what `stat` says of them now; none where nothing is there.
#[derive(Debug, Default)]
pub struct Candidates {
    /// By name.
    pub names: BTreeMap<RelPath, Option<Stamp>>,
    /// What cannot be looked at; what is held of it stays as it is.
    pub unreadable: BTreeMap<RelPath, String>,
    /// What is neither file, folder nor link.
    pub special: BTreeSet<RelPath>,
}

/// Finds candidates in `root`, against what `tree` holds.
pub struct Search<'s> {
    /// The folder.
    pub root: &'s Root,
    /// What is held.
    pub tree: &'s mut Tree,
    /// Names that are not mirrored.
    pub exclude: &'s Exclude,
    /// Whether what the mirror says it holds is believed where size, time and mode agree.
    pub trust: Trust,
    /// What could not be looked at when it was tried last.
    pub closed: &'s BTreeMap<RelPath, String>,
}

/// Whether the mirror's word is believed where size, time and mode agree with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Yes: it was committed and proven.
    Stamps,
    /// No: every byte is compared.
    Nothing,
}

impl Search<'_> {
    /// Looks at what `dirty` names.
    pub fn look(&mut self, dirty: &Dirty) -> io::Result<Candidates> {
        self.root.forget();
        let mut found = Candidates::default();
        if dirty.everything {
            self.everything(&mut found)?;
        } else {
            for path in dirty.paths.iter().filter(|path| self.exclude.takes(path)) {
                self.one(path, &mut found)?;
            }
            self.folders_of(&dirty.paths, &mut found)?;
        }
        let exclude = self.exclude;
        for path in dirty.unsure.iter().filter(|path| exclude.takes(path)) {
            if !self.tree.is_index(path)
                && let Some(stamp) = self.stamp(path, &mut found)?.filter(|stamp| stamp.shape == Shape::File)
            {
                found.names.insert(path.clone(), Some(stamp));
            }
        }
        self.add_parents(&mut found)?;
        self.add_other_names(&mut found)?;
        hold_closed(&mut found);
        Ok(found)
    }

    fn everything(&mut self, found: &mut Candidates) -> io::Result<()> {
        let mark = self.tree.begin_walk();
        let (root, exclude) = (self.root, self.exclude);
        let enter = |path: &RelPath| exclude.takes(path);
        walk(root, &RelPath::root(), &enter, &mut |name| self.take(name, found, Some(mark)))?;
        let closed = &found.unreadable;
        let hidden =
            |path: &RelPath| closed.contains_key(path) || path.ancestors().any(|above| closed.contains_key(&above));
        let gone = self.tree.iter().filter(|(path, known)| known.seen != mark && (closed.is_empty() || !hidden(path)));
        for path in gone.map(|(path, _)| path.clone()) {
            found.names.entry(path).or_insert(None);
        }
        Ok(())
    }

    /// What is under a name now. Where that cannot be looked at, it is noted as unreadable, and holds up nothing else.
    fn stamp(&mut self, path: &RelPath, found: &mut Candidates) -> io::Result<Option<Stamp>> {
        let stamp = self.root.stat(path);
        match stamp {
            Err(error) if !path.is_root() => {
                self.take(Found::Unreadable(path.clone(), error), found, None);
                Ok(None)
            }
            stamp => stamp,
        }
    }

    fn one(&mut self, path: &RelPath, found: &mut Candidates) -> io::Result<()> {
        let stamp = self.stamp(path, found)?;
        if found.unreadable.contains_key(path) {
            return Ok(());
        }
        let was_folder = self.tree.get(path).filter(|known| known.stamp.shape == Shape::Dir);
        // With other rights than before it may have been closed, or opened; and another one may have the number of one that went.
        let closed = self.closed.contains_key(path);
        let same_folder = |stamp: &Stamp| !closed && was_folder.is_some_and(|known| known.stamp.is_same(stamp));
        match stamp {
            Some(stamp) if stamp.shape == Shape::Dir && (!same_folder(&stamp) || self.tree.is_far(path)) => {
                // A folder that came: whatever is in it may have come before it was watched, if ever it is.
                found.names.extend(self.tree.within(path).map(|(path, _)| (path.clone(), None)));
                let (root, exclude) = (self.root, self.exclude);
                let enter = |path: &RelPath| exclude.takes(path);
                walk(root, path, &enter, &mut |name| self.take(name, found, None))?;
            }
            Some(stamp) => {
                if stamp.shape != Shape::Dir && was_folder.is_some() {
                    found.names.extend(self.tree.within(path).map(|(path, _)| (path.clone(), None)));
                }
                self.take(Found::Entry(path.clone(), stamp), found, None);
            }
            None => found.names.extend(self.tree.within(path).map(|(path, _)| (path.clone(), None))),
        }
        Ok(())
    }

    fn take(&mut self, name: Found, found: &mut Candidates, mark: Option<u32>) {
        match name {
            // That of a database's log is made anew by whoever opens it, and changes all the time.
            Found::Entry(path, _) if self.tree.is_index(&path) => {}
            Found::Entry(path, stamp) => {
                if let Some(mark) = mark {
                    self.tree.saw(&path, mark);
                }
                if stamp.shape == Shape::Special {
                    if self.tree.get(&path).is_some() {
                        found.names.insert(path.clone(), None);
                    }
                    found.special.insert(path);
                } else if self.differs(&path, &stamp) {
                    found.names.insert(path, Some(stamp));
                } else {
                    found.names.remove(&path);
                }
            }
            Found::Unreadable(path, error) => {
                found.names.retain(|name, stamp| stamp.is_some() || !name.is_within(&path));
                found.unreadable.insert(path, error.to_string());
            }
            Found::Loop(path) => {
                found.special.insert(path);
            }
        }
    }

    /// Whether `stamp` shows that `path` is not what is held. What the mirror says of a file that was not seen here yet is
    /// taken for the file, where it is to be trusted.
    fn differs(&mut self, path: &RelPath, stamp: &Stamp) -> bool {
        let Some(known) = self.tree.get(path) else { return true };
        if !known.is_told() {
            return known.young || !known.stamp.is_same(stamp);
        }
        let alike = known.stamp.shape == stamp.shape && known.stamp.meta == stamp.meta;
        let content_alike = match stamp.shape {
            Shape::File => stamp.links == 1 && known.body.is_file() && known.stamp.size == stamp.size,
            Shape::Dir => true,
            Shape::Symlink | Shape::Special => false,
        };
        if self.trust == Trust::Nothing && stamp.shape != Shape::Dir || !alike || !content_alike {
            return true;
        }
        self.tree.restamp(path, *stamp, false);
        false
    }

    /// What came and went again unseen, or was renamed there and back, has changed the time of its folder all the same.
    fn folders_of(&mut self, paths: &BTreeSet<RelPath>, found: &mut Candidates) -> io::Result<()> {
        let folders: BTreeSet<RelPath> = paths.iter().map(RelPath::parent).collect();
        for folder in folders.into_iter().filter(|folder| self.exclude.takes(folder)) {
            if self.tree.get(&folder).is_some()
                && !found.names.contains_key(&folder)
                && let Some(stamp) = self.stamp(&folder, found)?.filter(|stamp| stamp.shape == Shape::Dir)
                && self.differs(&folder, &stamp)
            {
                found.names.insert(folder, Some(stamp));
            }
        }
        Ok(())
    }

    /// A name that came or went changes the folder that holds it.
    fn add_parents(&mut self, found: &mut Candidates) -> io::Result<()> {
        let came_or_went = |(path, stamp): (&RelPath, &Option<Stamp>)| {
            let inode = self.tree.get(path).map(|known| known.stamp.inode);
            (inode != stamp.map(|stamp| stamp.inode)).then(|| path.parent())
        };
        let parents: BTreeSet<RelPath> = found.names.iter().filter_map(came_or_went).collect();
        for parent in parents {
            for folder in std::iter::once(parent.clone()).chain(parent.ancestors()) {
                let known = self.tree.get(&folder).is_some();
                if let Some(stamp) = self.stamp(&folder, found)?
                    && self.differs(&folder, &stamp)
                {
                    found.names.insert(folder, Some(stamp));
                }
                if known {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What changes under one name of a file changes under all of them.
    fn add_other_names(&mut self, found: &mut Candidates) -> io::Result<()> {
        let mut names: BTreeSet<RelPath> = BTreeSet::new();
        for (path, stamp) in &found.names {
            if let Some(known) = self.tree.get(path).filter(|known| known.stamp.links > 1) {
                names.extend(self.tree.names_of(known.stamp.inode).cloned());
            }
            let Some(stamp) = stamp.filter(|stamp| stamp.links > 1 && stamp.shape == Shape::File) else { continue };
            names.extend(self.tree.names_of(stamp.inode).cloned());
            let heard_of = self.tree.get(path).is_some_and(|known| known.stamp.links == stamp.links);
            if !heard_of && self.tree.names_of(stamp.inode).next().is_none() {
                // A second name for a file that had one: only a look through all of them tells which.
                names.extend(
                    self.tree.iter().filter(|(_, known)| known.stamp.inode == stamp.inode).map(|(p, _)| p.clone()),
                );
            }
        }
        for path in names {
            if found.names.contains_key(&path) {
                continue;
            }
            let stamp = self.stamp(&path, found)?;
            if !found.unreadable.contains_key(&path) {
                found.names.insert(path, stamp.filter(|stamp| stamp.shape != Shape::Special));
            }
        }
        Ok(())
    }
}

/// A folder that cannot be listed stays in the mirror as it is, its rights included: with those that it has now the mirror
/// might not be able to write what is in it either. So does one whose names can be listed and not looked at.
fn hold_closed(found: &mut Candidates) {
    let closed: BTreeSet<RelPath> =
        found.unreadable.keys().flat_map(|path| [path.clone(), path.parent()]).filter(|path| !path.is_root()).collect();
    let is_folder = |stamp: &Option<Stamp>| stamp.is_some_and(|stamp| stamp.shape == Shape::Dir);
    found.names.retain(|path, stamp| !(is_folder(stamp) && closed.contains(path)));
}
