//! What is held back until a person says that it is meant: files that become empty, and most files gone at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::look::{FileSeen, Item, Seen};
use super::sqlite::names;
use super::tree::{Kept, Tree};
use crate::replica::{BLOCK, Body, Kind, RelPath, Time};

/// What is held back.
#[derive(Debug, Default)]
pub struct Guard {
    emptied: BTreeMap<RelPath, Instant>,
    /// Those of them for which patience has ended.
    ripe: BTreeSet<RelPath>,
    meant_empty: BTreeSet<RelPath>,
    /// Files that were held back, and of which nothing was taken over since.
    held: BTreeSet<RelPath>,
    removals: Consent,
    empties: Consent,
    olds: Consent,
    /// All is compared with what the mirror says it has, for the first time.
    first_look: bool,
    /// Names that could not be looked at then, and were not since.
    unlooked: BTreeSet<RelPath>,
    /// Files that went without a question, and when: "at once" is ten minutes, for removing takes its time.
    lately: VecDeque<(Instant, u64)>,
}

/// So long ago is "at once".
const AT_ONCE: Duration = Duration::from_secs(600);

/// What is older by more than this is asked about. Less is what a machine loses that was cut off.
const LONG_AGO: i64 = 600;

/// Files whose content differs and that are older than the mirror has them: the source is an earlier state of itself.
#[derive(Debug, Default)]
pub struct Older {
    /// Their names.
    pub files: Vec<RelPath>,
    /// It must be asked about.
    asks: bool,
}

impl Older {
    /// The files, if they must be asked about.
    #[must_use]
    pub fn stops(&self) -> Option<Vec<RelPath>> {
        self.asks.then(|| self.files.clone())
    }
}

/// Whether a change of a kind is taken over without a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Consent {
    /// It is asked about.
    #[default]
    Ask,
    /// It was answered: the next one is meant.
    Once,
    /// All of them are meant.
    Always,
}

/// Files gone, of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Removals {
    /// Gone.
    pub gone: u64,
    /// Of how many.
    pub of: u64,
}

impl Guard {
    /// A guard that asks, or that takes everything over.
    #[must_use]
    pub fn new(consent: Consent) -> Self {
        Self { removals: consent, empties: consent, olds: consent, ..Self::default() }
    }

    /// Files that are held back since they became empty.
    pub fn emptied(&self) -> impl Iterator<Item = &RelPath> {
        self.emptied.keys()
    }

    /// Those of them that a person is asked about.
    pub fn ripe(&self) -> impl Iterator<Item = &RelPath> {
        self.ripe.iter()
    }

    /// The files held back are meant to be empty.
    pub fn accept_emptied(&mut self) {
        self.ripe.clear();
        self.meant_empty.extend(std::mem::take(&mut self.emptied).into_keys());
    }

    /// The next removal of most files is meant.
    pub fn accept_removals(&mut self) {
        if self.removals == Consent::Ask {
            self.removals = Consent::Once;
        }
    }

    /// The source may be older than the mirror once.
    pub fn accept_older(&mut self) {
        if self.olds == Consent::Ask {
            self.olds = Consent::Once;
        }
    }

    /// All is to be compared anew with what the mirror says it has.
    pub fn begin_anew(&mut self) {
        self.first_look = true;
        self.unlooked.clear();
    }

    /// These cannot be looked at, or do not hold still. What counts for the first look counts for theirs, whenever that is.
    pub fn misses<'p>(&mut self, paths: impl Iterator<Item = &'p RelPath>, tree: &Tree) {
        if self.first_look {
            // Of a database one name is told.
            let all = paths.flat_map(|path| [path.clone(), names::log(path)]);
            self.unlooked
                .extend(all.flat_map(|path| tree.within(&path).map(|(path, _)| path.clone()).collect::<Vec<_>>()));
        }
    }

    /// This was looked at, and is what the mirror has.
    pub fn looked_at(&mut self, path: &RelPath) {
        self.unlooked.remove(path);
    }

    /// All was compared, and nothing differs.
    pub fn looked_through(&mut self) {
        self.first_look = false;
    }

    /// Looks for files that are older than the mirror has them. When all is compared for the first time, each one counts: the
    /// machine was cut off, or its files come from an old image. Later a program may well put an old file in the place
    /// of a new one, and only queues count, which never get shorter. A queue that is not what the mirror has of it and more counts
    /// at the first look whatever its time says: a power cut may leave the time of a write and not what was written. The log of a
    /// database counts as a queue does, unless what stood in it can be in the database now. So does whatever was held back since it was empty, be it that a person says that this is meant, or that its program has begun anew
    /// meanwhile: neither may know what it held. A time that has not come `now` is no proof of what was later: it counts as now.
    #[must_use]
    pub fn older(&self, items: &BTreeMap<RelPath, Item>, tree: &Tree, now: Time) -> Older {
        let mut older = Older::default();
        for (path, item) in items {
            let Some(known) = tree.get(path) else { continue };
            let is_first = self.first_look || self.unlooked.contains(path) && known.is_told();
            let is_lost_log = is_first && is_lost_log(path, items, tree);
            let (Seen::File(file), Some(stamp)) = (&item.seen, item.stamp) else {
                older.files.extend(is_lost_log.then(|| path.clone()));
                continue;
            };
            let ago = known.stamp.meta.mtime.min(now).seconds - stamp.meta.mtime.seconds;
            let is_queue = file.kept == Kept::Queue || Kind::by_name(path.as_bytes()) == Kind::Queue;
            let is_cut = (is_first && is_queue || self.held.contains(path))
                && file.added_to.is_none()
                && !file.grew(known.body.size());
            let is_older = stamp.meta.mtime < known.stamp.meta.mtime && (is_first || known.kept == Kept::Queue);
            let is_other = file.base.as_ref() == Some(path) && !file.is_held(path, known.body.size());
            if (is_older || is_cut || is_lost_log) && is_other && known.body.is_file() {
                older.files.push(path.clone());
                older.asks |= self.olds == Consent::Ask && ago > LONG_AGO;
            }
        }
        older
    }

    /// Looks for files that had content and are empty now. While one of them is younger than `patience` it is returned when
    /// that ends: its program may be about to write. Older ones are taken out of `items`, so that the mirror keeps what it has.
    pub fn hold_emptied(
        &mut self,
        items: &mut BTreeMap<RelPath, Item>,
        tree: &Tree,
        patience: Duration,
        now: Instant,
    ) -> Option<Instant> {
        let is_emptied = |path: &RelPath, item: &Item| match &item.seen {
            Seen::File(file) => {
                file.size == 0
                    && file.base.as_ref() == Some(path)
                    && tree.get(path).is_some_and(|known| known.body.size() > 0)
                    && !is_journal(path, tree)
            }
            _ => false,
        };
        let empty: BTreeSet<RelPath> =
            items.iter().filter(|(path, item)| is_emptied(path, item)).map(|(path, _)| path.clone()).collect();
        self.emptied.retain(|path, _| empty.contains(path));
        self.ripe.retain(|path| empty.contains(path));
        if self.empties == Consent::Always {
            return None;
        }
        let mut wait = None;
        for path in empty.into_iter().filter(|path| !self.meant_empty.contains(path)) {
            let ripe = *self.emptied.entry(path.clone()).or_insert(now) + patience;
            if now < ripe {
                wait = Some(wait.map_or(ripe, |earlier: Instant| earlier.min(ripe)));
            } else {
                items.remove(&path);
                self.held.insert(path.clone());
                self.ripe.insert(path);
            }
        }
        wait
    }

    /// Whether more than half of the files are gone at once, and nobody said that this is meant.
    pub fn stop_removals(&mut self, items: &BTreeMap<RelPath, Item>, tree: &Tree, now: Instant) -> Option<Removals> {
        let gone = gone(items, tree);
        if gone == 0 {
            return None;
        }
        while self.lately.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > AT_ONCE) {
            self.lately.pop_front();
        }
        let lately: u64 = self.lately.iter().map(|(_, gone)| gone).sum();
        let removals = Removals { gone: gone + lately, of: tree.files() + lately };
        self.stops(removals).then_some(removals)
    }

    /// Whether so many files gone at once are asked about.
    #[must_use]
    pub fn stops(&self, removals: Removals) -> bool {
        self.removals == Consent::Ask && removals.gone * 2 > removals.of
    }

    /// A generation was taken over: what was meant once is done, and what went counts for a while.
    pub fn done(&mut self, items: &BTreeMap<RelPath, Item>, tree: &Tree, now: Instant) {
        let gone = gone(items, tree);
        match self.removals {
            Consent::Once => {
                self.removals = Consent::Ask;
                self.lately.clear();
            }
            Consent::Ask if gone > 0 => self.lately.push_back((now, gone)),
            Consent::Ask | Consent::Always => {}
        }
        self.first_look = false;
        if self.olds == Consent::Once {
            self.olds = Consent::Ask;
        }
        self.meant_empty.retain(|path| !items.contains_key(path));
        self.held.retain(|path| !items.contains_key(path));
        self.unlooked.retain(|path| !items.contains_key(path));
    }
}

/// Whether a file is the journal or the log of a database beside it: `SQLite` empties them (`journal_mode = TRUNCATE`) and removes them to
/// commit, and nothing is lost by that.
fn is_journal(path: &RelPath, tree: &Tree) -> bool {
    names::owner(path).is_some_and(|base| tree.get(&base).is_some_and(|known| known.body.is_file()))
}

/// Whether commits are gone with the log of a database: it is not what the mirror has of it and more, and neither was it begun anew or
/// removed after they had gone into the database. That was written after the log in the mirror, then, or has changed since.
fn is_lost_log(path: &RelPath, items: &BTreeMap<RelPath, Item>, tree: &Tree) -> bool {
    let Some(database) = names::owner(path).filter(|database| names::log(database) == *path) else { return false };
    let Some(held) = tree.get(&database).filter(|held| held.body.is_file()) else { return false };
    let (Some(item), Some(known)) = (items.get(path), tree.get(path).filter(|known| known.body.size() > 0)) else {
        return false;
    };
    let begins_alike = match &item.seen {
        Seen::File(file) if file.grew(known.body.size()) => return false,
        Seen::File(file) => file.size > 0 && is_untouched_at_its_beginning(file),
        _ => false,
    };
    let is_all_there = held.stamp.meta.mtime > known.stamp.meta.mtime;
    begins_alike || !is_all_there && !items.get(&database).is_some_and(|item| is_edited(&database, item, tree))
}

fn is_untouched_at_its_beginning(file: &FileSeen) -> bool {
    file.runs.first().is_none_or(|run| run.offset >= BLOCK as u64) && file.zeros.first() != Some(&0)
}

/// Whether something else stands at `path` than the mirror has.
fn is_edited(path: &RelPath, item: &Item, tree: &Tree) -> bool {
    let is_held = |file: &FileSeen| tree.get(path).is_some_and(|known| file.is_held(path, known.body.size()));
    !matches!(&item.seen, Seen::File(file) if is_held(file))
}

/// Files in `items` that the mirror holds and that are gone, not merely somewhere else.
fn gone(items: &BTreeMap<RelPath, Item>, tree: &Tree) -> u64 {
    let moved: BTreeSet<&RelPath> = items
        .values()
        .filter_map(|item| match &item.seen {
            Seen::File(file) => file.base.as_ref(),
            _ => None,
        })
        .collect();
    let is_gone = |(path, item): &(&RelPath, &Item)| {
        matches!(item.seen, Seen::Gone)
            && !moved.contains(path)
            && !(is_journal(path, tree) && names::owner(path).is_some_and(|base| !is_gone_too(&base, items)))
            && tree.get(path).is_some_and(|known| matches!(known.body, Body::File { .. }))
    };
    items.iter().filter(is_gone).count() as u64
}

fn is_gone_too(path: &RelPath, items: &BTreeMap<RelPath, Item>) -> bool {
    items.get(path).is_some_and(|item| matches!(item.seen, Seen::Gone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::capture::tree::Known;
    use crate::disk::stamp::{Shape, Stamp};
    use crate::replica::naming::Inode;
    use crate::replica::{Blocks, Entry, Meta};

    fn path(number: u64) -> RelPath {
        RelPath::new(number.to_string().as_bytes()).unwrap()
    }

    fn tree(files: std::ops::Range<u64>) -> Tree {
        let mut tree = Tree::default();
        for number in files {
            let body = Body::File { size: 1, blocks: Blocks::default() };
            tree.insert(path(number), Known::told(Entry { meta: Meta::default(), body }));
        }
        tree
    }

    fn without(files: std::ops::Range<u64>) -> BTreeMap<RelPath, Item> {
        files.map(|number| (path(number), Item { stamp: None, seen: Seen::Gone })).collect()
    }

    #[test]
    fn a_journal_is_one_only_beside_its_database() {
        let path = |name: &str| RelPath::new(name.as_bytes()).unwrap();
        let mut tree = tree(0..2);
        for name in ["POS-R", "POS-R-journal", "DIARY-journal"] {
            let body = Body::File { size: 1, blocks: Blocks::default() };
            tree.insert(path(name), Known::told(Entry { meta: Meta::default(), body }));
        }
        assert!(is_journal(&path("POS-R-journal"), &tree));
        assert!(!is_journal(&path("DIARY-journal"), &tree) && !is_journal(&path("POS-R"), &tree));
    }

    /// Found by reading: what could not be read at the first look counted for nothing later, when it was shorter than the mirror's.
    #[test]
    fn a_queue_that_could_not_be_looked_at_first_is_older_whenever_it_is() {
        let name = RelPath::new(b"ORDER.QUE").unwrap();
        let mut tree = Tree::default();
        let body = Body::File { size: 100, blocks: Blocks::default() };
        tree.insert(name.clone(), Known::told(Entry { meta: Meta::default(), body }));
        let (inode, meta, ctime) = (Inode::default(), Meta::default(), Time::default());
        let stamp = Stamp { inode, size: 60, stored: 60, links: 1, shape: Shape::File, meta, ctime };
        let cut = || {
            let seen = FileSeen { size: 60, kept: Kept::Queue, base: Some(name.clone()), ..FileSeen::default() };
            BTreeMap::from([(name.clone(), Item { stamp: Some(stamp), seen: Seen::File(seen) })])
        };
        let older = |guard: &Guard| guard.older(&cut(), &tree, Time::default()).files;
        let mut guard = Guard::new(Consent::Ask);
        guard.begin_anew();
        guard.misses([name.clone()].iter(), &tree);
        guard.looked_through();
        assert_eq!(older(&guard), std::slice::from_ref(&name));
        guard.done(&cut(), &tree, Instant::now());
        assert!(older(&guard).is_empty(), "what was set aside once is");
        guard.misses([name.clone()].iter(), &tree);
        assert!(older(&guard).is_empty(), "its program may have begun it anew since");
    }

    #[test]
    fn removing_bit_by_bit_is_removing_at_once() {
        let (mut guard, now) = (Guard::new(Consent::Ask), Instant::now());
        assert_eq!(guard.stop_removals(&without(0..4), &tree(0..10), now), None);
        guard.done(&without(0..4), &tree(0..10), now);
        // Two of the six that are left would be few by themselves.
        let asked = guard.stop_removals(&without(4..6), &tree(4..10), now);
        assert_eq!(asked, Some(Removals { gone: 6, of: 10 }));
        assert_eq!(guard.stop_removals(&without(4..6), &tree(4..10), now + AT_ONCE * 2), None, "not at once");
    }

    #[test]
    fn what_is_meant_is_meant_once() {
        let (mut guard, now) = (Guard::new(Consent::Ask), Instant::now());
        assert!(guard.stop_removals(&without(0..9), &tree(0..10), now).is_some());
        guard.accept_removals();
        assert_eq!(guard.stop_removals(&without(0..9), &tree(0..10), now), None);
        guard.done(&without(0..9), &tree(0..10), now);
        assert!(guard.stop_removals(&without(9..10), &tree(9..10), now).is_some());
    }
}
