//! Finds one instant: looks until two looks agree, or patience ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::calm::Calm;
use super::candidates::{Candidates, Dirty, Search};
use super::clones::Cloning;
use super::look::{Item, Missed, Still};
use super::looks::{is_queue_alone, lone, moves_alone};
use super::quiet::Quieting;
use super::rules::Rules;
use super::sqlite::names::belongs;
use super::tree::Known;
use crate::disk::hold::Holder;
use crate::disk::root::on_disk;
use crate::disk::spool::Spool;
use crate::disk::stamp::{Shape, Stamp};
use crate::os::writers::{Doing, Writers};
use crate::replica::RelPath;

/// The least time between the two looks.
pub(super) const FIRST_GAP: Duration = Duration::from_millis(10);
/// The most.
const LAST_GAP: Duration = Duration::from_millis(200);
/// The time between the first looks: a program that pauses so long was mostly not in the middle of something.
const CALM_GAP: Duration = Duration::from_millis(40);
/// Looks that are so far apart. Then a program is hoped for that pauses often and not for long.
const CALM_ROUNDS: u32 = 4;
/// Looks after which the time between the two grows.
const CLOSE_ROUNDS: u32 = 24;
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
    /// Nothing is taken: its program stands still for a capture then.
    pub later: Option<Instant>,
    /// Bytes that were read.
    pub read: u64,
    /// How long that took, without what was waited for.
    pub worked: Duration,
}

impl Settled {
    /// Nothing is taken before `at`, and what was heard last is for then.
    fn later(mut self, at: Instant, since: Dirty) -> Self {
        self.dirty.join(since);
        Self { later: Some(at), ..self }
    }
}

/// How sure it is that a capture is one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Certainty {
    /// Only a queue grew, or only a database was changed: a state that its program left.
    #[default]
    Program,
    /// Two looks agreed, or clones were made while nothing moved.
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
    /// What was said of the files.
    pub rules: &'s Rules,
    /// Has things held that their programs honour.
    pub holder: &'s mut Holder,
    /// Databases that are captured like any other files, and why.
    pub plain: &'s mut BTreeMap<RelPath, String>,
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
    /// Clones what moves, where the file system can.
    pub(super) cloning: &'s mut Cloning,
    /// Who writes there.
    pub(super) writers: &'s mut Writers,
    /// Has the shop's program stand still, where it never does by itself.
    pub(super) quieting: &'s mut Quieting,
    /// Waits for so long, and returns all that has changed until then; none where only a look at everything tells.
    pub wait: &'s mut dyn FnMut(Duration) -> Option<Dirty>,
}

impl Settle<'_> {
    /// Looks at what `dirty` names until two looks agree.
    pub fn run(mut self, dirty: &Dirty) -> Result<Settled, Missed> {
        let (mut began, mut done, mut names) = (Instant::now(), Settled::default(), BTreeMap::new());
        let mut todo = self.found(dirty, &mut names, &mut done)?;
        if names.is_empty() {
            return Ok(done);
        }
        let (mut gap, mut calm) = (CALM_GAP, Calm::begin());
        for round in 1.. {
            self.wait_for_calm(&mut names, &mut todo, &mut done)?;
            // A big file that nobody maps, before or after, is read once: whoever wrote it meanwhile shows in its stamp.
            let unmapped = self.unmapped(&names, &BTreeSet::new());
            let looked = Instant::now();
            if !todo.is_empty() {
                calm = Calm::begin();
            }
            self.lock(&names);
            let mut moving = self.look(&mut names, todo, &mut done, (round, Still::Must))?;
            done.worked += looked.elapsed();
            let lone = lone(&done.items);
            let alone =
                lone.as_ref().filter(|lone| moving.is_empty() && moves_alone(lone, &done.items, self.search.tree));
            if let Some(more) = alone.map_or(Ok(None), |lone| self.went_alone(lone, &mut names, &mut done))? {
                if more.is_empty() {
                    return Ok(done);
                }
                if self.is_patient(began, round) {
                    todo = more;
                    continue;
                }
                moving = more;
            }
            let left = if round == 1 { self.left(gap, looked, &done, &unmapped) } else { gap };
            let (mut since, doing) = self.paused(left, &names, &done.unreadable, &mut calm)?;
            moving.extend(self.look_again(&mut done, &unmapped, lone.as_ref())?);
            self.holder.unlock();
            // It was read last and may go on growing, where nothing else has moved: else it is looked at again with the rest.
            if moving.is_empty() && since.is_only(lone.as_ref()) {
                done.dirty.join(std::mem::take(&mut since));
            }
            let rests = moving.is_empty() && since.is_empty();
            // Of a queue alone each state is one that its program left.
            if rests && (calm.is_a_pause(doing) || is_queue_alone(&done.items)) {
                done.certainty = Certainty::TwoLooks;
                break;
            }
            match self.patience_over(began, round, rests.then(|| calm.lasts())) {
                None => {}
                Some(Over::Later(at)) => return Ok(done.later(at, since)),
                Some(Over::Stands) => began = Instant::now(),
                Some(Over::Ends) => {
                    // Whoever was held up all the time may be in the middle of something.
                    let moving = if rests { names.keys().cloned().collect() } else { moving };
                    self.take_as_it_is(&mut names, moving, &mut done, round)?;
                    done.dirty.join(since);
                    break;
                }
            }
            if rests {
                todo = moving;
                continue;
            }
            moving.extend(self.merge(&since, &mut names, &mut done)?);
            if self.is_cloned(&mut names, &mut done, &mut moving, round)? {
                break;
            }
            todo = moving;
            gap = gap_after(round, gap);
        }
        Ok(done)
    }

    /// Finds all that `dirty` names.
    fn found(&mut self, dirty: &Dirty, names: &mut Names, done: &mut Settled) -> io::Result<BTreeSet<RelPath>> {
        if dirty.everything {
            // Before anything is looked at, all folders that there are must be watched.
            done.dirty.join(self.heard_within(Duration::ZERO).unwrap_or_default());
        }
        let mut todo = self.merge(dirty, names, done)?;
        todo.extend(self.look_into_new_folders(names, done)?);
        Ok(todo)
    }

    /// Whether nothing else has changed up to when `lone` was read: nothing is to be looked at again then. None where nobody tells.
    fn went_alone(
        &mut self,
        lone: &RelPath,
        names: &mut Names,
        done: &mut Settled,
    ) -> io::Result<Option<BTreeSet<RelPath>>> {
        let Some(since) = self.heard_within(Duration::ZERO) else { return Ok(None) };
        if since.is_only(Some(lone)) {
            done.dirty.join(since);
            return Ok(Some(BTreeSet::new()));
        }
        // What is heard of need not have changed: a file that came and went leaves nothing but the time of its folder.
        let is_one = self.merge(&since, names, done)?.iter().all(|path| belongs(path, lone) || *path == lone.parent());
        if is_one {
            done.dirty.join(since);
            return Ok(Some(BTreeSet::new()));
        }
        Ok(Some(names.keys().cloned().collect()))
    }

    /// Locks what is said to be locked while it is captured, among `names`. Where its program holds it just now, it is looked at all the
    /// same: it moves, and that shows.
    pub(super) fn lock(&mut self, names: &Names) {
        let is_file = |stamp: &Option<Stamp>| stamp.as_ref().is_some_and(|stamp| stamp.shape == Shape::File);
        let folder = self.search.root.path();
        let locks = names.iter().filter(|(_, stamp)| is_file(stamp));
        let locks: Vec<_> =
            locks.filter_map(|(path, _)| Some((on_disk(folder, path), self.rules.lock(path)?))).collect();
        if !locks.is_empty() && self.holder.may_lock() {
            let _ = self.holder.lock(locks);
        }
    }

    fn is_patient(&self, began: Instant, round: u32) -> bool {
        began.elapsed() <= self.patience || round < LEAST_ROUNDS
    }

    /// What becomes of what never held still; none while there is patience, or nothing has moved since a while that is no pause yet.
    fn patience_over(&mut self, began: Instant, round: u32, rests: Option<Duration>) -> Option<Over> {
        if rests.is_some_and(|rests| rests <= self.patience) {
            return None;
        }
        if self.is_patient(began, round) && !(round >= LEAST_ROUNDS && self.quieting.is_awaited()) {
            return None;
        }
        // It stood still not long ago, and will again: what the mirror has of then is better than this.
        let rested = self.quieting.rests().map(Over::Later);
        Some(rested.unwrap_or_else(|| if self.quieting.begin() { Over::Stands } else { Over::Ends }))
    }

    /// Waits for so long. Returns all that has changed until then; none where only a look at everything tells.
    pub(super) fn heard_within(&mut self, gap: Duration) -> Option<Dirty> {
        let mut since = (self.wait)(gap)?;
        // What is not mirrored may move as it likes.
        since.paths.retain(|path| self.search.exclude.takes(path) && !self.search.tree.is_index(path));
        self.search.tree.far().next().is_none().then_some(since)
    }

    /// Waits for so long. Returns what has changed until then, and what those do who write there: who was found at rest has paused by
    /// itself, for what it did before is heard.
    pub(super) fn paused(
        &mut self,
        gap: Duration,
        names: &Names,
        unreadable: &BTreeMap<RelPath, String>,
        calm: &mut Calm,
    ) -> io::Result<(Dirty, Doing)> {
        let waits = Instant::now();
        let heard = self.heard_within(gap);
        let hears = heard.is_some();
        // A look at everything is work, and others pause meanwhile as at any other time.
        calm.waited(gap, waits.elapsed());
        let mut since = heard.map_or_else(|| self.changed_since(names, unreadable), Ok)?;
        let doing = self.writers.doing();
        if hears {
            since.join(self.heard_within(Duration::ZERO).unwrap_or_default());
        }
        Ok((since, doing))
    }

    /// Waits for so long and returns what has changed until then, by what is heard or by a look at everything.
    pub(super) fn since(
        &mut self,
        gap: Duration,
        names: &Names,
        unreadable: &BTreeMap<RelPath, String>,
    ) -> io::Result<Dirty> {
        match self.heard_within(gap) {
            Some(since) => Ok(since),
            None => self.changed_since(names, unreadable),
        }
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
        // Another one may have the number of one that went.
        let heard = &done.heard.paths;
        let is_same = |held: &Known, path: &RelPath, stamp: &Stamp| {
            held.stamp.inode == stamp.inode && (held.stamp.is_same(stamp) || !heard.contains(path))
        };
        let is_new = |path: &RelPath, stamp: &Stamp| {
            let held = self.search.tree.get(path);
            stamp.shape == Shape::Dir && held.is_none_or(|held| !is_same(held, path, stamp))
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
}

/// What becomes of what never held still.
enum Over {
    /// Nothing is taken before then.
    Later(Instant),
    /// Its program stands still now.
    Stands,
    /// It is taken as it is.
    Ends,
}

/// The time between the two looks of the next round.
fn gap_after(round: u32, gap: Duration) -> Duration {
    match round {
        ..CALM_ROUNDS => CALM_GAP,
        CALM_ROUNDS..CLOSE_ROUNDS => FIRST_GAP,
        CLOSE_ROUNDS.. => (gap * 2).min(LAST_GAP),
    }
}

pub(super) type Names = BTreeMap<RelPath, Option<Stamp>>;
