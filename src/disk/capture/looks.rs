//! One look at all that changed, and the second one: in an order in which both can be one instant.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::look::{How, Item, Missed, Reading, Seen, Still, first_look, is_untouched, second_look};
use super::queue::only_grew;
use super::settle::{Certainty, Moves, Names, Settle, Settled};
use super::sqlite::{Bases, names};
use super::tree::{Kept, Known, Tree};
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::naming::{Role, roles};
use crate::replica::{Body, RelPath};

impl Settle<'_> {
    /// Looks at `todo`, and at whatever is to be compared with another base now. Returns what did not hold still.
    pub(super) fn look(
        &mut self,
        known: &mut Names,
        mut todo: BTreeSet<RelPath>,
        done: &mut Settled,
        how: (u32, Still),
    ) -> Result<BTreeSet<RelPath>, Missed> {
        for path in &todo {
            if done.items.remove(path).is_some() {
                let stamp = self.search.root.stat(path)?.filter(|stamp| stamp.shape != Shape::Special);
                known.insert(path.clone(), stamp);
            }
        }
        let mut databases = self.databases(known, &mut todo, done)?;
        let roles = self.roles(known);
        let stale = done.items.iter().filter(|(path, item)| !fits(item, roles.get(path))).map(|(path, _)| path.clone());
        todo.extend(stale.collect::<Vec<_>>());
        databases.extend(self.databases(known, &mut todo, done)?);
        let mut moving = BTreeSet::new();
        // Queues and databases come last: what was read before them and holds still until they are read is one instant with them.
        let (queues, others): (Vec<_>, Vec<_>) = todo.into_iter().partition(|path| self.rules.queue(path).is_some());
        for path in others.into_iter().chain(queues) {
            self.look_at_one(&path, (known, &roles), done, how.1, &mut moving)?;
        }
        for path in databases {
            self.look_at_all_of(&path, (known, &roles), done, how, &mut moving)?;
        }
        Ok(moving)
    }

    /// The databases to which any of `todo` belongs; all their files are taken out of it and into `known`.
    fn databases(
        &mut self,
        known: &mut Names,
        todo: &mut BTreeSet<RelPath>,
        done: &Settled,
    ) -> Result<BTreeSet<RelPath>, Missed> {
        let mut databases = BTreeSet::new();
        for path in todo.iter() {
            let owner = names::owner(path);
            let is_found = databases.contains(path) || owner.as_ref().is_some_and(|owner| databases.contains(owner));
            if !is_found && !done.unreadable.contains_key(path) {
                databases.extend(self.database_of(path)?);
            }
        }
        for database in &databases {
            for path in files_of(database) {
                todo.remove(&path);
                let stamp = self.search.root.stat(&path)?.filter(|stamp| stamp.shape == Shape::File);
                if stamp.is_some() || self.search.tree.get(&path).is_some() {
                    known.insert(path, stamp);
                }
            }
        }
        Ok(databases)
    }

    fn look_at_all_of(
        &mut self,
        database: &RelPath,
        (known, roles): (&mut Names, &BTreeMap<RelPath, Role>),
        done: &mut Settled,
        how: (u32, Still),
        moving: &mut BTreeSet<RelPath>,
    ) -> Result<(), Missed> {
        let base = |path: &RelPath| match roles.get(path) {
            Some(Role::File { base }) => base.clone(),
            _ => None,
        };
        let bases = Bases { database: base(database), log: base(&names::log(database)) };
        let found = match roles.get(database) {
            Some(Role::Link { .. }) => Ok(None),
            _ => self.look_at_database(database, &bases, how),
        };
        match found {
            Ok(Some(looked)) => {
                done.read += looked.read;
                for (path, item) in looked.items {
                    done.unreadable.remove(&path);
                    done.items.insert(path, item);
                }
            }
            Ok(None) => {
                // Like any other files. The index of the log is of no use to anybody else.
                for path in files_of(database) {
                    if path == names::index(database) {
                        done.items.insert(path, Item { stamp: None, seen: Seen::Gone });
                    } else {
                        self.look_at_one(&path, (known, roles), done, how.1, moving)?;
                    }
                }
            }
            Err(Missed::Moved) => {
                moving.insert(database.clone());
            }
            Err(Missed::Unreadable(error)) => {
                for path in files_of(database) {
                    known.remove(&path);
                    done.items.remove(&path);
                }
                done.unreadable.insert(database.clone(), error.to_string());
            }
            Err(full @ Missed::Spool(_)) => return Err(full),
        }
        Ok(())
    }

    fn look_at_one(
        &mut self,
        path: &RelPath,
        (known, roles): (&mut Names, &BTreeMap<RelPath, Role>),
        done: &mut Settled,
        still: Still,
        moving: &mut BTreeSet<RelPath>,
    ) -> Result<(), Missed> {
        let Some(&stamp) = known.get(path) else { return Ok(()) };
        match self.item(path, stamp, roles.get(path), still) {
            Ok((item, read)) => {
                done.read += read;
                done.unreadable.remove(path);
                done.items.insert(path.clone(), item);
            }
            Err(Missed::Moved) => {
                done.items.insert(path.clone(), Item { stamp: None, seen: Seen::Gone });
                moving.insert(path.clone());
            }
            Err(Missed::Unreadable(error)) => {
                known.remove(path);
                done.items.remove(path);
                done.unreadable.insert(path.clone(), error.to_string());
            }
            Err(full @ Missed::Spool(_)) => return Err(full),
        }
        Ok(())
    }

    fn item(
        &mut self,
        path: &RelPath,
        stamp: Option<Stamp>,
        role: Option<&Role>,
        still: Still,
    ) -> Result<(Item, u64), Missed> {
        let Some(mut known) = stamp else { return Ok((Item { stamp, seen: Seen::Gone }, 0)) };
        let root = self.search.root;
        if still == Still::NeedNot && !self.cloning.has(path) {
            known = root.stat(path)?.ok_or(Missed::Moved)?;
        }
        let (seen, read) = match (known.shape, role) {
            (Shape::Dir, _) => (Seen::Dir, 0),
            (Shape::Symlink, _) => (Seen::Symlink(root.read_link(path)?), 0),
            (Shape::Special, _) => (Seen::Gone, 0),
            (Shape::File, Some(Role::Link { to })) => (Seen::Link(to.clone()), 0),
            (Shape::File, role) => {
                let base = role.and_then(|role| match role {
                    Role::File { base } => base.clone(),
                    Role::Link { .. } => None,
                });
                let reading = if self.unsure.contains(path) { Reading::Whole } else { Reading::Tail };
                let how = How { still, reading, queue: self.rules.queue(path) };
                let file = self.cloning.get(path)?.map_or_else(|| root.open_file(path), Ok)?;
                let (seen, read) = first_look(&file, path, &known, self.search.tree, base, self.spool, how)?;
                (Seen::File(seen), read)
            }
        };
        Ok((Item { stamp: Some(known), seen }, read))
    }

    /// The second look at everything. Returns what is not as the first one found it; `lone` may have moved on.
    pub(super) fn look_again(
        &mut self,
        done: &mut Settled,
        unmapped: &BTreeSet<RelPath>,
        lone: Option<&RelPath>,
    ) -> Result<BTreeSet<RelPath>, Missed> {
        let began = Instant::now();
        self.search.root.forget();
        let still_unmapped = if unmapped.is_empty() {
            BTreeSet::new()
        } else {
            let stamps = done.items.iter().map(|(path, item)| (path.clone(), item.stamp)).collect();
            self.unmapped(&stamps, unmapped)
        };
        let mut moved = BTreeSet::new();
        for (path, item) in &done.items {
            let owner = names::owner(path).filter(|owner| is_database(owner, &done.items));
            if owner.is_some() || lone == Some(path) && is_alone(item) {
                // One commit is one instant, whatever moves on.
                continue;
            }
            let may_grow = lone == Some(path);
            let now = self.search.root.stat(path)?.filter(|stamp| stamp.shape != Shape::Special);
            let agrees = match (&item.seen, item.stamp, now) {
                (Seen::Gone, None, now) => now.is_none(),
                (Seen::File(seen), Some(stamp), Some(_))
                    if self.shows(seen, &stamp) && still_unmapped.contains(path) =>
                {
                    is_untouched(self.search.root, path, &stamp)?
                }
                (Seen::File(seen), Some(stamp), Some(_)) => {
                    let committed = match seen.kept {
                        Kept::Database => self.database_agrees(path, log_of(path, &done.items)),
                        _ => Ok(None),
                    };
                    let still = if may_grow { Still::MayGrow } else { Still::Must };
                    let looked = || second_look(self.search.root, path, &stamp, seen, self.search.tree, still);
                    match committed.and_then(|known| known.map_or_else(looked, |agrees| Ok((agrees, 0)))) {
                        Ok((agrees, read)) => {
                            done.read += read;
                            agrees
                        }
                        Err(Missed::Moved | Missed::Unreadable(_)) => false,
                        Err(full @ Missed::Spool(_)) => return Err(full),
                    }
                }
                // Whoever changes a database makes files beside it, and takes them away.
                (Seen::Dir, Some(stamp), Some(now)) if lone.is_some_and(|lone| lone.parent() == *path) => {
                    stamp.inode == now.inode && stamp.meta.mode == now.meta.mode
                }
                (_, Some(stamp), Some(now)) => stamp.is_same(&now),
                _ => false,
            };
            if !agrees {
                moved.insert(path.clone());
            }
        }
        done.worked += began.elapsed();
        Ok(moved)
    }

    /// Patience has ended: what moves is taken as it is now, and looked at again next time.
    pub(super) fn take_as_it_is(
        &mut self,
        known: &mut Names,
        moving: BTreeSet<RelPath>,
        done: &mut Settled,
        round: u32,
    ) -> Result<(), Missed> {
        done.certainty = Certainty::None;
        // Whoever stops within the tick of its stamp does not show in it.
        done.dirty.unsure.extend(moving.iter().cloned());
        let missed = self.look(known, moving, done, (round, Still::NeedNot))?;
        for path in missed {
            done.items.remove(&path);
        }
        Ok(())
    }

    fn roles(&self, names: &Names) -> BTreeMap<RelPath, Role> {
        let file = |stamp: &Stamp| (stamp.shape == Shape::File).then_some(stamp.inode);
        let now: BTreeMap<_, _> =
            names.iter().filter_map(|(path, stamp)| Some((path.clone(), file(stamp.as_ref()?)?))).collect();
        let held = |path: &RelPath| self.search.tree.get(path).filter(|known| known.body.is_file());
        // What the mirror only says is no file of this disk: it can be a base under its own name alone.
        let before: BTreeMap<_, _> = names
            .keys()
            .zip(1u64..)
            .filter_map(|(path, number)| {
                let known: &Known = held(path)?;
                let inode = match self.moves {
                    Moves::Follow if !known.is_told() => known.stamp.inode,
                    _ => (u64::MAX, number),
                };
                Some((path.clone(), inode))
            })
            .collect();
        roles(&before, &now)
    }
}

/// The only queue or database among the items, if there is just one: it may move on between the looks, since it was read last.
pub(super) fn lone(items: &BTreeMap<RelPath, Item>) -> Option<RelPath> {
    let moves =
        |item: &Item| matches!(&item.seen, Seen::File(seen) if matches!(seen.kept, Kept::Queue | Kept::Database));
    let mut movers = items.iter().filter(|(_, item)| moves(item));
    let (path, _) = movers.next()?;
    movers.next().is_none().then(|| path.clone())
}

/// Whether there is nothing but a queue.
pub(super) fn is_queue_alone(items: &BTreeMap<RelPath, Item>) -> bool {
    items.len() == 1 && items.values().all(|item| matches!(&item.seen, Seen::File(seen) if seen.kept == Kept::Queue))
}

/// Whether nothing happened but that `lone` grew, if it is a queue, or that it was changed, if it is a database.
pub(super) fn moves_alone(lone: &RelPath, items: &BTreeMap<RelPath, Item>, tree: &Tree) -> bool {
    let Some(item) = items.get(lone).filter(|item| is_alone(item)) else { return only_grew(lone, items, tree) };
    let belongs = |(path, other): (&RelPath, &Item)| {
        names::belongs(path, lone) || matches!(other.seen, Seen::Dir) && *path == lone.parent()
    };
    let is_held = tree.get(lone).is_some_and(|held| matches!(held, Known { body: Body::File { .. }, .. }));
    is_held && base_of(item) == Some(lone) && items.iter().all(belongs)
}

fn base_of(item: &Item) -> Option<&RelPath> {
    match &item.seen {
        Seen::File(seen) => seen.base.as_ref(),
        _ => None,
    }
}

/// Whether it is a database in a state that holds whatever moves on.
fn is_alone(item: &Item) -> bool {
    matches!(&item.seen, Seen::File(seen) if seen.kept == Kept::Database && seen.alone)
}

fn is_database(path: &RelPath, items: &BTreeMap<RelPath, Item>) -> bool {
    items.get(path).is_some_and(|item| matches!(&item.seen, Seen::File(seen) if seen.kept == Kept::Database))
}

/// The log of the database `path`, where one was looked at.
fn log_of<'i>(path: &RelPath, items: &'i BTreeMap<RelPath, Item>) -> Option<(&'i super::sqlite::log::Log, &'i Stamp)> {
    let item = items.get(&names::log(path))?;
    match (&item.seen, &item.stamp) {
        (Seen::File(seen), Some(stamp)) => match &seen.kept {
            Kept::Log(log) => Some((log, stamp)),
            _ => None,
        },
        _ => None,
    }
}

fn files_of(database: &RelPath) -> [RelPath; 4] {
    [database.clone(), names::log(database), names::journal(database), names::index(database)]
}

/// Whether a look was made with what the file's role is now.
fn fits(item: &Item, role: Option<&Role>) -> bool {
    match (&item.seen, role) {
        (Seen::File(seen), Some(Role::File { base })) => seen.base == *base,
        (Seen::Link(to), Some(Role::Link { to: now })) => to == now,
        (Seen::File(_) | Seen::Link(_), _) => false,
        (Seen::Gone | Seen::Dir | Seen::Symlink(_), role) => role.is_none(),
    }
}
