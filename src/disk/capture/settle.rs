//! Finds one instant: looks until two looks agree, or patience ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::candidates::{Candidates, Dirty, Search};
use super::look::{How, Item, Missed, Reading, Seen, Still, first_look, is_untouched, second_look};
use super::queue::{lone_queue, only_grew};
use super::tree::Known;
use crate::disk::spool::Spool;
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::naming::{Role, roles};
use crate::replica::{Kind, RelPath};

/// The least time between the two looks.
const FIRST_GAP: Duration = Duration::from_millis(10);
/// The most.
const LAST_GAP: Duration = Duration::from_millis(200);
/// Looks that are tried at the least before what moves is taken as it is.
const LEAST_ROUNDS: u32 = 3;

/// How a search for one instant ended.
#[derive(Debug, Default)]
pub struct Settled {
    /// What differs from what is held.
    pub items: BTreeMap<RelPath, Item>,
    /// How sure it is that this is one instant.
    pub certainty: Certainty,
    /// What could not be looked at or read, and why.
    pub unreadable: BTreeMap<RelPath, String>,
    /// What is neither file, folder nor link.
    pub special: BTreeSet<RelPath>,
    /// What moved on meanwhile: for the next capture.
    pub dirty: Dirty,
    /// All that the watch said meanwhile.
    pub heard: Dirty,
    /// Bytes that were read.
    pub read: u64,
}

/// How sure it is that a capture is one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Certainty {
    /// Only a queue grew: a state that its program left.
    #[default]
    Queue,
    /// Two looks agreed.
    TwoLooks,
    /// Something never held still.
    None,
}

/// What names may be bases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moves {
    /// A file that has a new name brings its bytes along.
    Follow,
    /// Each file is compared with what is held under its own name.
    Ignore,
}

/// A search for one instant.
pub struct Settle<'s> {
    /// Finds what changed.
    pub search: Search<'s>,
    /// Where content is kept.
    pub spool: &'s mut Spool,
    /// How long is looked for an instant.
    pub patience: Duration,
    /// What names may be bases.
    pub moves: Moves,
    /// What is read whole, also of long queues.
    pub unsure: BTreeSet<RelPath>,
    /// The files that somebody may write unseen, since they are mapped; none where that cannot be known.
    pub mapped: &'s dyn Fn() -> Option<BTreeSet<RelPath>>,
    /// Waits for so long, and returns all that has changed until then; none where only a look at everything tells.
    pub wait: &'s mut dyn FnMut(Duration) -> Option<Dirty>,
}

impl Settle<'_> {
    /// Looks at what `dirty` names until two looks agree.
    pub fn run(mut self, dirty: &Dirty) -> Result<Settled, Missed> {
        let began = Instant::now();
        let mut done = Settled::default();
        let mut names = BTreeMap::new();
        if dirty.everything {
            // Before anything is looked at, all folders that there are must be watched.
            done.dirty.join(self.heard_within(Duration::ZERO).unwrap_or_default());
        }
        let mut todo = self.merge(dirty, &mut names, &mut done)?;
        todo.extend(self.look_into_new_folders(&mut names, &mut done)?);
        if names.is_empty() {
            return Ok(done);
        }
        let mut gap = FIRST_GAP;
        for round in 1.. {
            self.wait_for_calm(&mut names, &mut todo, &mut done)?;
            // A big file that nobody maps, before or after, is read once: whoever wrote it meanwhile shows in its stamp.
            let unmapped = self.unmapped(&names, &BTreeSet::new());
            let looked = Instant::now();
            let mut moving = self.look(&mut names, todo, &mut done, Still::Must)?;
            let lone = lone_queue(&done.items).cloned();
            if round == 1
                && moving.is_empty()
                && lone.as_ref().is_some_and(|queue| only_grew(queue, &done.items, self.search.tree))
            {
                // Alone only if nothing else changed up to when it was read.
                match self.heard_within(Duration::ZERO) {
                    Some(since) if since.is_only(lone.as_ref()) => {
                        done.dirty.join(since);
                        return Ok(done);
                    }
                    Some(since) => {
                        self.merge(&since, &mut names, &mut done)?;
                        todo = names.keys().cloned().collect();
                        continue;
                    }
                    None => {}
                }
            }
            let left = if round == 1 { self.left(gap, looked, &done, &unmapped) } else { gap };
            let mut since = match self.heard_within(left) {
                Some(since) => since,
                None => self.changed_since(&names, &done.unreadable)?,
            };
            moving.extend(self.look_again(&mut done, &unmapped, lone.as_ref())?);
            // It was read last and may go on growing, where nothing else has moved: else it is looked at again with the rest.
            if moving.is_empty() && since.is_only(lone.as_ref()) {
                done.dirty.paths.extend(lone.and_then(|queue| since.paths.take(&queue)));
            }
            if moving.is_empty() && since.is_empty() {
                done.certainty = Certainty::TwoLooks;
                break;
            }
            if began.elapsed() > self.patience && round >= LEAST_ROUNDS {
                self.take_as_it_is(&mut names, moving, &mut done)?;
                done.dirty.join(since);
                break;
            }
            moving.extend(self.merge(&since, &mut names, &mut done)?);
            todo = moving;
            gap = (gap * 2).min(LAST_GAP);
        }
        Ok(done)
    }

    /// Waits for so long. Returns all that has changed until then; none where only a look at everything tells.
    pub(super) fn heard_within(&mut self, gap: Duration) -> Option<Dirty> {
        let mut since = (self.wait)(gap)?;
        // What is not mirrored may move as it likes.
        since.paths.retain(|path| self.search.exclude.takes(path));
        self.search.tree.far().next().is_none().then_some(since)
    }

    /// Looks at everything for what is not as `names` has it. What could not be read is no news: it is tried again in time.
    fn changed_since(&mut self, names: &Names, unreadable: &BTreeMap<RelPath, String>) -> io::Result<Dirty> {
        let now = self.search.look(&Dirty { everything: true, ..Dirty::default() })?.names;
        let is_news = |(path, stamp): (RelPath, Option<Stamp>)| {
            (names.get(&path) != Some(&stamp) && !unreadable.contains_key(&path)).then_some(path)
        };
        Ok(Dirty { paths: now.into_iter().filter_map(is_news).collect(), ..Dirty::default() })
    }

    /// Finds what `dirty` names and adds it to `names`; returns what must be looked at for that.
    pub(super) fn merge(
        &mut self,
        dirty: &Dirty,
        names: &mut Names,
        done: &mut Settled,
    ) -> io::Result<BTreeSet<RelPath>> {
        let Candidates { names: found, unreadable, special } = self.search.look(dirty)?;
        done.heard.join(dirty.clone());
        done.unreadable.extend(unreadable);
        done.special.extend(special);
        let todo = found.keys().cloned().collect();
        names.extend(found);
        Ok(todo)
    }

    /// What came into a new folder between the look into it and the begin of its being watched is told by nobody: once it is
    /// watched, it is looked into again.
    fn look_into_new_folders(&mut self, names: &mut Names, done: &mut Settled) -> io::Result<BTreeSet<RelPath>> {
        let is_new = |path: &RelPath, stamp: &Stamp| {
            let held = self.search.tree.get(path);
            stamp.shape == Shape::Dir && held.is_none_or(|held| held.stamp.inode != stamp.inode)
        };
        let new = names.iter().filter(|(path, stamp)| stamp.as_ref().is_some_and(|stamp| is_new(path, stamp)));
        let new: BTreeSet<RelPath> = new.map(|(path, _)| path.clone()).collect();
        if new.is_empty() {
            return Ok(BTreeSet::new());
        }
        // Where nobody tells of changes, everything is looked at again anyway.
        let Some(mut since) = self.heard_within(Duration::ZERO) else { return Ok(BTreeSet::new()) };
        since.paths.extend(new);
        self.merge(&since, names, done)
    }

    /// Looks at `todo`, and at whatever is to be compared with another base now. Returns what did not hold still.
    fn look(
        &mut self,
        names: &mut Names,
        todo: BTreeSet<RelPath>,
        done: &mut Settled,
        still: Still,
    ) -> Result<BTreeSet<RelPath>, Missed> {
        for path in &todo {
            if done.items.remove(path).is_some() {
                let stamp = self.search.root.stat(path)?.filter(|stamp| stamp.shape != Shape::Special);
                names.insert(path.clone(), stamp);
            }
        }
        let roles = self.roles(names);
        let stale: BTreeSet<RelPath> = done
            .items
            .iter()
            .filter(|(path, item)| !fits(item, roles.get(path)))
            .map(|(path, _)| path.clone())
            .collect();
        let mut moving = BTreeSet::new();
        // Queues come last: what was read before them and holds still until they are read is one instant with them.
        let (queues, others): (Vec<_>, Vec<_>) =
            todo.into_iter().chain(stale).partition(|path| Kind::by_name(path.as_bytes()) == Kind::Queue);
        for path in others.into_iter().chain(queues) {
            let Some(&stamp) = names.get(&path) else { continue };
            match self.item(&path, stamp, roles.get(&path), still) {
                Ok((item, read)) => {
                    done.read += read;
                    done.unreadable.remove(&path);
                    done.items.insert(path, item);
                }
                Err(Missed::Moved) => {
                    done.items.insert(path.clone(), Item { stamp: None, seen: Seen::Gone });
                    moving.insert(path);
                }
                Err(Missed::Unreadable(error)) => {
                    names.remove(&path);
                    done.items.remove(&path);
                    done.unreadable.insert(path, error.to_string());
                }
                Err(full @ Missed::Spool(_)) => return Err(full),
            }
        }
        Ok(moving)
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
        if still == Still::NeedNot {
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
                let how = How { still, reading };
                let (seen, read) = first_look(root, path, &known, self.search.tree, base, self.spool, how)?;
                (Seen::File(seen), read)
            }
        };
        Ok((Item { stamp: Some(known), seen }, read))
    }

    /// The second look at everything. Returns what is not as the first one found it; `lone` may have grown.
    fn look_again(
        &mut self,
        done: &mut Settled,
        unmapped: &BTreeSet<RelPath>,
        lone: Option<&RelPath>,
    ) -> Result<BTreeSet<RelPath>, Missed> {
        self.search.root.forget();
        let still_unmapped = if unmapped.is_empty() {
            BTreeSet::new()
        } else {
            let stamps = done.items.iter().map(|(path, item)| (path.clone(), item.stamp)).collect();
            self.unmapped(&stamps, unmapped)
        };
        let mut moved = BTreeSet::new();
        for (path, item) in &done.items {
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
                    let still = if may_grow { Still::MayGrow } else { Still::Must };
                    match second_look(self.search.root, path, &stamp, seen, self.search.tree, still) {
                        Ok((agrees, read)) => {
                            done.read += read;
                            agrees
                        }
                        Err(Missed::Moved | Missed::Unreadable(_)) => false,
                        Err(full @ Missed::Spool(_)) => return Err(full),
                    }
                }
                (_, Some(stamp), Some(now)) => stamp.is_same(&now),
                _ => false,
            };
            if !agrees {
                moved.insert(path.clone());
            }
        }
        Ok(moved)
    }

    /// Patience has ended: what moves is taken as it is now, and looked at again next time.
    fn take_as_it_is(
        &mut self,
        names: &mut Names,
        moving: BTreeSet<RelPath>,
        done: &mut Settled,
    ) -> Result<(), Missed> {
        done.certainty = Certainty::None;
        // Whoever stops within the tick of its stamp does not show in it.
        done.dirty.unsure.extend(moving.iter().cloned());
        let missed = self.look(names, moving, done, Still::NeedNot)?;
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

pub(super) type Names = BTreeMap<RelPath, Option<Stamp>>;

/// Whether a look was made with what the file's role is now.
fn fits(item: &Item, role: Option<&Role>) -> bool {
    match (&item.seen, role) {
        (Seen::File(seen), Some(Role::File { base })) => seen.base == *base,
        (Seen::Link(to), Some(Role::Link { to: now })) => to == now,
        (Seen::File(_) | Seen::Link(_), _) => false,
        (Seen::Gone | Seen::Dir | Seen::Symlink(_), role) => role.is_none(),
    }
}
