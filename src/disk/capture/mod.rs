//! Reads a dataset at one instant, finds what differs from what the mirror holds, and says it as a generation.
//!
//! It never writes to the dataset, never maps a file of it, and holds no lock.
//!
//! - [`tree`]: what the mirror is known to hold
//! - [`candidates`]: what may have changed
//! - [`exclude`]: what is not mirrored
//! - [`rules`]: what somebody said of the files
//! - `calm`: whether a program has paused by itself
//! - `capturing`: captures one difference
//! - [`captured`]: what was captured, and what becomes of it
//! - `clones`: clones of one instant, where the file system has any
//! - `compare`: what of a file differs
//! - [`look`]: one look at a file, and the second
//! - `looks`: one look at all that changed, and the second
//! - [`queue`]: what of a file that grows is whole
//! - [`quiet`]: has the shop's program stand still
//! - [`sqlite`]: a database, as one commit left it
//! - [`settle`]: looks until two agree
//! - [`guard`]: what is held back until a person says that it is meant
//! - `little`: what is read for little
//! - `grading`: how sure it is that what is held is one instant
//! - `now`: what stands there, without any memory
//! - `once`: what is read once
//! - [`outgoing`]: says a generation, part by part
//! - [`stream`]: the first copy
//! - [`prove`]: compares every byte with what the mirror is known to hold

mod calm;
pub mod candidates;
pub mod captured;
mod capturing;
mod clones;
mod compare;
pub mod exclude;
mod grading;
pub mod guard;
mod little;
pub mod look;
mod looks;
mod now;
mod once;
pub mod outgoing;
pub mod prove;
pub mod queue;
pub mod quiet;
pub mod rules;
pub mod settle;
pub mod sqlite;
pub mod stream;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use candidates::{Dirty, Trust};
pub use captured::Captured;
use clones::Cloning;
use exclude::Exclude;
use guard::{Consent, Guard, Removals};
pub use little::LITTLE;
use quiet::{Quiet, Quieting};
use rules::Rules;
use settle::Certainty;
use tree::{Kept, Known, Tree};

use super::hold::Holder;
use super::root::Root;
use super::stamp::Shape;
use super::walk::{Found, walk};
use crate::os::writers::Writers;
use crate::replica::naming::Inode;
use crate::replica::{Entry, RelPath, Time};

/// How a dataset is captured.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a file that became empty may stay so before it is asked about.
    pub empty_patience: Duration,
    /// How long is looked for an instant in which nothing moves.
    pub patience: Duration,
    /// Whether large changes for the worse are asked about.
    pub consent: Consent,
    /// A folder of the program's own, where what changed is kept when it is too much for memory. It is never mirrored.
    pub own: PathBuf,
    /// What is said of the files.
    pub rules: Rules,
    /// Has the shop's program stand still, where it never does by itself.
    pub quiet: Option<Quiet>,
    /// The program whose process holds what the shop's programs honour; without one nothing can be held, and databases are captured like
    /// any other files.
    pub holder: Option<PathBuf>,
}

/// A dataset where it lives.
pub struct Source {
    root: Root,
    inode: Inode,
    options: Options,
    exclude: Exclude,
    rules: Rules,
    holder: Holder,
    cloning: Cloning,
    writers: Writers,
    quieting: Quieting,
    plain: BTreeMap<RelPath, String>,
    tree: Tree,
    trust: Trust,
    guard: Guard,
    unreadable: BTreeMap<RelPath, String>,
    special: BTreeSet<RelPath>,
    torn: BTreeMap<RelPath, Instant>,
    /// Long queues of which only the end was read, and when the rest is to be read again.
    unread: BTreeMap<RelPath, Instant>,
    certainty: Certainty,
    /// The mirror holds what never held still.
    unsteady: bool,
    /// Bytes that the last capture read, and how long that took.
    worked: (u64, Duration),
    /// Queues and databases of which much was read when they were captured by themselves.
    heavy: BTreeSet<RelPath>,
}

/// What a capture found.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing differs from what the mirror holds.
    Nothing,
    /// This does.
    Captured(Captured),
    /// A file has just become empty: look again then, or when it changes.
    Wait {
        /// When to look again.
        until: Instant,
        /// What to look at.
        dirty: Dirty,
    },
    /// Nothing is taken over before somebody says that this is meant.
    Stopped {
        /// What.
        why: Stop,
        /// What to look at again.
        dirty: Dirty,
    },
}

/// What nobody can have meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Most files are gone at once.
    Removals(Removals),
    /// These files are older by far than the mirror has them.
    Older(Vec<RelPath>),
}

/// Why a dataset could not be captured.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The folder is not there, or cannot be listed.
    #[error("{}: {error}", path.display())]
    Gone {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// This machine has no room to keep what changed until it has travelled.
    #[error("{}: what changed cannot be kept until it has travelled: {error}", path.display())]
    Spool {
        /// Where it would be kept.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Source {
    /// Opens the folder at `path`.
    pub fn open(path: &Path, options: Options) -> Result<Self, SourceError> {
        let gone = |error| SourceError::Gone { path: path.to_owned(), error };
        let root = Root::open(path).map_err(gone)?;
        let inode = root.stat(&RelPath::root()).map_err(gone)?.map(|stamp| stamp.inode).unwrap_or_default();
        Ok(Self {
            root,
            inode,
            guard: Guard::new(options.consent),
            exclude: Exclude::new(path, &options.own, options.rules.clone()),
            rules: options.rules.clone(),
            holder: Holder::new(options.holder.clone()),
            cloning: Cloning::default(),
            writers: Writers::of(path),
            quieting: Quieting::of(options.quiet.clone()),
            plain: BTreeMap::new(),
            options,
            tree: Tree::of(path),
            trust: Trust::Nothing,
            unreadable: BTreeMap::new(),
            special: BTreeSet::new(),
            torn: BTreeMap::new(),
            unread: BTreeMap::new(),
            certainty: Certainty::default(),
            unsteady: false,
            worked: (0, Duration::ZERO),
            heavy: BTreeSet::new(),
        })
    }

    /// Bytes that the last capture read, whatever came of it, and how long that took.
    #[must_use]
    pub fn worked(&self) -> (u64, Duration) {
        self.worked
    }

    /// Forgets what the mirror holds, before it says so anew. With [`Trust::Stamps`] what it says is believed where size,
    /// time and mode agree.
    pub fn unlearn(&mut self, trust: Trust) {
        self.tree = Tree::of(self.root.path());
        self.trust = trust;
        self.unsteady = false;
        self.guard.begin_anew();
    }

    /// Takes in what the mirror says that it holds under `path`, or that it holds nothing there.
    pub fn learn(&mut self, path: RelPath, entry: Option<Entry>) {
        match entry {
            Some(entry) => {
                // Of a long one perhaps only the end was read before, and nobody remembers.
                if entry.body.size() > queue::SHORT_QUEUE && self.rules.queue(&path).is_some() {
                    self.unread.insert(path.clone(), captured::when_reread());
                }
                self.tree.insert(path, Known::told(entry));
            }
            None => self.tree.remove(&path),
        }
    }

    /// The mirror says that what it holds never held still: where it is one instant after all, it is to hear so. What was written within
    /// the tick of a stamp does not show in that: what it says from now on is not believed.
    pub fn learn_unsteady(&mut self) {
        self.unsteady = true;
        self.trust = Trust::Nothing;
    }

    /// Where the dataset is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// What makes the folder the one that it is.
    #[must_use]
    pub fn inode(&self) -> Inode {
        self.inode
    }

    /// Whether the system tells of changes in the dataset.
    #[must_use]
    pub fn tells_of_changes(&self) -> bool {
        crate::os::tells_of_changes(self.root.fd())
    }

    /// All files of the source and the bytes in them, as far as they can be looked at.
    pub fn weigh(&self) -> Result<(u64, u64), SourceError> {
        let (mut files, mut bytes) = (0, 0);
        let weighed = walk(&self.root, &RelPath::root(), &|path| self.exclude.takes(path), &mut |found| {
            if let Found::Entry(_, stamp) = found
                && stamp.shape == Shape::File
            {
                files += 1;
                bytes += stamp.size.min(stamp.stored) / u64::from(stamp.links.max(1));
            }
        });
        weighed.map(|()| (files, bytes)).map_err(|error| self.gone(error))
    }

    /// What a first copy would take away, if that must be asked about: more than half of the files that are there.
    pub fn first_removals(&mut self) -> Result<Option<Removals>, SourceError> {
        self.still_there()?;
        let mut gone = 0;
        for (path, _) in self.tree.iter().filter(|(_, known)| known.body.is_file()) {
            // What cannot be looked at stays as it is.
            gone += u64::from(matches!(self.root.stat(path), Ok(None)));
        }
        let removals = Removals { gone, of: self.tree.files() };
        Ok(self.guard.stops(removals).then_some(removals))
    }

    /// Whether it is mirrored, if it is there.
    #[must_use]
    pub fn takes(&self, path: &RelPath) -> bool {
        self.exclude.takes(path)
    }

    /// What the mirror holds.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What waits for an answer, and the means to give it.
    pub fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }

    /// Files that could not be read when they were last looked at, and why.
    #[must_use]
    pub fn unreadable(&self) -> &BTreeMap<RelPath, String> {
        &self.unreadable
    }

    /// Databases that are captured like any other files, and why.
    #[must_use]
    pub fn plain(&self) -> &BTreeMap<RelPath, String> {
        &self.plain
    }

    /// What is there and is neither file, folder nor link.
    #[must_use]
    pub fn special(&self) -> &BTreeSet<RelPath> {
        &self.special
    }

    /// Names that must be looked at again by now although nothing was heard of them: queues that end in half a line, what is
    /// held back, what could not be read, and folders too deep to be watched.
    pub fn overdue(&mut self, now: Instant) -> Dirty {
        let mut dirty = Dirty::default();
        let patience = self.options.empty_patience;
        let ripe: Vec<RelPath> =
            self.torn.iter().filter(|(_, since)| now >= **since + patience).map(|(path, _)| path.clone()).collect();
        for path in ripe {
            // Nobody has ended the line: it is no queue of lines.
            self.torn.remove(&path);
            if let Some(mut known) = self.tree.get(&path).cloned() {
                known.kept = Kept::Whole;
                self.tree.insert(path.clone(), known);
                dirty.unsure.insert(path);
            }
        }
        let due: Vec<RelPath> =
            self.unread.iter().filter(|(_, due)| now >= **due).map(|(path, _)| path.clone()).collect();
        for path in due {
            self.unread.remove(&path);
            dirty.unsure.insert(path);
        }
        dirty.paths.extend(self.unreadable.keys().chain(self.tree.far()).cloned());
        dirty
    }

    /// Whether the folder is still the one that was opened: else nothing is heard of it.
    #[must_use]
    pub fn stands(&self) -> bool {
        let now = Root::open(self.root.path()).and_then(|now| now.stat(&RelPath::root()));
        now.is_ok_and(|now| now.is_some_and(|now| now.inode == self.inode))
    }

    /// Makes sure that the folder is still the one that was opened: another disk may be mounted there, or none.
    fn still_there(&mut self) -> Result<Dirty, SourceError> {
        let path = self.root.path().to_owned();
        let gone = |error| SourceError::Gone { path: path.clone(), error };
        let now = Root::open(&path).map_err(gone)?;
        let inode = now.stat(&RelPath::root()).map_err(gone)?.map(|stamp| stamp.inode).unwrap_or_default();
        if inode == self.inode {
            return Ok(Dirty::default());
        }
        // A share of another machine is another device each time that it is mounted.
        if inode.0 != self.inode.0 && self.tells_of_changes() {
            let other = io::Error::other("another disk is here now than when the mirror began");
            return Err(SourceError::Gone { path, error: other });
        }
        (self.root, self.inode) = (now, inode);
        Ok(Dirty { everything: true, ..Dirty::default() })
    }

    fn gone(&self, error: io::Error) -> SourceError {
        SourceError::Gone { path: self.root.path().to_owned(), error }
    }
}

/// The wall clock, for people to read; nothing is decided by it.
#[must_use]
pub fn now_as_time() -> Time {
    crate::os::ground::now().into()
}
