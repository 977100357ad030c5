//! The serving half of the copy: watches, captures, sends. It runs on a thread of its own, and blocks between what it waits for.
//!
//! It waits for one thing to happen (`Wake`), notes it, and then does what is due. While a generation is under way the
//! next changes gather.
//!
//! - [`budget`]: how much of the machine reading may take
//! - `canary`: goes the way that changes go
//! - `capturing`: one generation
//! - `heard`: what the mirror says
//! - `compare`: comparing every byte
//! - `first`: the first copy
//! - `ears`: what the watch says and nobody has listened to yet
//! - `linked`: links come and go
//! - [`last`]: what was changed last, when the POS server has stopped
//! - `start`: what stood there when the epoch began
//! - `tell`: what is said to the mirror
//! - `truth`: what the mirror says of single names
//! - `watching`: what the watch says, and what nobody tells of

pub mod budget;
mod canary;
mod capturing;
mod compare;
mod ears;
mod first;
mod heard;
pub mod last;
mod linked;
mod start;
mod tell;
mod truth;
mod watching;

use std::collections::{BTreeSet, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::disk::capture::candidates::Dirty;
use crate::disk::capture::{Captured, Options, Source, SourceError};
use crate::disk::watch::Moved;
use crate::link::Told;
use crate::link::port::{Came, Port};
use crate::os;
use crate::replica::naming::Inode;
use crate::replica::{End, Position, RelPath};
use crate::service::news::News;
use budget::Budget;
use compare::Comparison;
use ears::Ears;
use heard::Learning;
use last::{Last, Order};
use tell::Behind;
use truth::Truth;

/// How a dataset is sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The dataset's name.
    pub dataset: String,
    /// The folder.
    pub source: PathBuf,
    /// At the latest after so long is looked for what the watch cannot tell.
    pub interval: Duration,
    /// At the latest after so long is looked at everything.
    pub rescan: Duration,
    /// The epoch in which this side serves.
    pub epoch: u64,
    /// The epoch that began with the mirror which the folder was until then, if it was one: what belongs to that tells what this
    /// side had of a server of an earlier epoch.
    pub took_over: Option<u64>,
    /// Generations before that epoch.
    pub start: u64,
    /// How it is captured.
    pub options: Options,
}

/// What can wake the half.
enum Wake {
    Order(Order),
    Moved(Moved),
    Link(Came),
    Time,
}

/// Time between two tries of what failed.
const RETRY: Duration = Duration::from_secs(1);

/// The most that looking for mapped files may take of a core, as one part of so many.
const MAPPED_SHARE: u32 = 1000;

/// Names from which on everything is looked at instead.
const MANY: usize = 20_000;

/// The most that rescans may take of a core where they stand in for the watch, as one part of so many.
const RESCAN_SHARE: u32 = 20;

/// The serving half.
pub struct Sending {
    settings: Settings,
    source: Source,
    port: Port,
    /// Frames that came while a first copy was sent.
    early: VecDeque<Bytes>,
    moved: Ears,
    /// The folder that is watched.
    watched: Inode,
    told: Told,
    /// What the mirror was told last.
    said: Option<Told>,
    /// What it was told last of databases that are captured as plain files.
    plain: Option<Vec<(String, String)>>,
    position: Position,
    learning: Learning,
    dirty: Dirty,
    /// What is not acknowledged.
    behind: Option<Behind>,
    /// What the mirror was told of that.
    said_behind: Option<Behind>,
    flight: Option<Flight>,
    /// What was under way when the link went.
    unanswered: Option<Flight>,
    truth: Truth,
    comparison: Option<Comparison>,
    last: Last,
    orders: mpsc::UnboundedReceiver<Order>,
    tell: mpsc::UnboundedSender<News>,
    budget: Budget,
    /// Nothing is captured before, unless something new is heard.
    not_before: Instant,
    next_tick: Instant,
    /// The canary of this cycle has not gone yet.
    canary_due: bool,
    next_mapped: Instant,
    /// Some of it is not looked at now, since nobody can pay for that.
    mapped_waits: bool,
    /// So many answers to [`Say::Last`] are to come.
    asked_last: u32,
    /// Those that somebody could write unseen when that was looked at last.
    mapped: BTreeSet<RelPath>,
    next_rescan: Instant,
    /// Everything is looked at so often.
    rescan: Duration,
    /// Where it is told that something moves.
    stirred: Option<watch::Sender<Instant>>,
}

/// A generation that is under way.
struct Flight {
    end: End,
    /// None for a first copy: what it says is known as said.
    captured: Option<Captured>,
    /// When it was begun: what is still dirty then has changed since.
    began: Instant,
}

/// Why the half ends.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// Nobody listens any more.
    #[error("the mirror has ended")]
    Closed,
    /// The other side cannot be understood.
    #[error("the mirror cannot be understood: {0}")]
    Strange(String),
    /// The source could not be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The system does not let the half begin.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

impl Sending {
    /// Opens the source and begins to watch it. What it is asked comes from `orders`, what happens goes to `tell`.
    pub fn open(
        settings: Settings,
        port: Port,
        orders: mpsc::UnboundedReceiver<Order>,
        tell: mpsc::UnboundedSender<News>,
    ) -> Result<Self, Ended> {
        let now = Instant::now();
        let source = Source::open(&settings.source, settings.options.clone())?;
        let moved = Ears::deaf();
        let mut half = Self {
            watched: source.inode(),
            rescan: settings.rescan,
            source,
            port,
            early: VecDeque::new(),
            moved,
            told: Told::default(),
            said: None,
            plain: None,
            position: Position::default(),
            learning: Learning::default(),
            dirty: Dirty::default(),
            behind: None,
            said_behind: None,
            flight: None,
            unanswered: None,
            truth: Truth::default(),
            comparison: None,
            last: Last::No,
            orders,
            tell,
            budget: Budget::new(now),
            not_before: now,
            // What is mapped is to be known from the first change on.
            next_tick: now,
            canary_due: true,
            next_mapped: now,
            mapped: BTreeSet::new(),
            asked_last: 0,
            mapped_waits: false,
            next_rescan: now + settings.rescan,
            stirred: None,
            settings,
        };
        half.begin_to_watch();
        Ok(half)
    }

    /// It tells there when something in the folder moved last.
    #[must_use]
    pub fn stirring(mut self, stirred: watch::Sender<Instant>) -> Self {
        self.stirred = Some(stirred);
        self
    }

    /// Sends, over one link after another, until none can come any more.
    pub async fn run(mut self) -> Result<(), Ended> {
        loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Ended::Closed) => self.unlinked(),
                Err(strange @ Ended::Strange(_)) if self.port.is_last() => return Err(strange),
                Err(Ended::Strange(what)) => {
                    tracing::warn!(what, "the mirror cannot be understood; the link is given up");
                    self.unlinked();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for one thing to happen, and does what is due. Returns whether anything can happen again.
    async fn turn(&mut self) -> Result<bool, Ended> {
        match self.next().await {
            Wake::Order(order) => self.order(order),
            Wake::Moved(moved) => self.moved(moved),
            Wake::Link(Came::Link) => self.linked()?,
            Wake::Link(Came::Frame(frame)) => self.heard(&frame)?,
            Wake::Link(Came::Gone) => self.unlinked(),
            Wake::Link(Came::Over) => return Ok(false),
            Wake::Time => {}
        }
        while let Some(moved) = self.moved.next() {
            self.moved(moved);
        }
        self.work()?;
        self.send_canary().map(|()| true)
    }

    async fn next(&mut self) -> Wake {
        let deadline = self.deadline();
        if let Some(frame) = self.early.pop_front() {
            return Wake::Link(Came::Frame(frame));
        }
        let hears = self.moved.hear();
        let (port, moved, orders) = (&mut self.port, &mut self.moved, &mut self.orders);
        tokio::select! {
            biased;
            Some(order) = orders.recv() => Wake::Order(order),
            came = port.next(true) => Wake::Link(came),
            moved = moved.listen(), if hears => moved.map_or(Wake::Time, Wake::Moved),
            () = tokio::time::sleep_until(deadline) => Wake::Time,
        }
    }

    fn deadline(&mut self) -> Instant {
        let now = Instant::now();
        let mut next = self.next_tick.min(self.next_rescan);
        if self.learning.is_first_copy() {
            next = next.min(self.not_before);
        }
        if self.is_ready() && !self.dirty.is_empty() {
            next = next.min(self.not_before.max(self.free_at(now)));
        }
        if self.is_ready()
            && let Some(at) = self.comparison.as_ref().and_then(|comparison| comparison.goes_on(&self.dirty))
        {
            next = next.min(at);
        }
        next
    }

    /// When it may be read again. While a shop stands still and waits for that, at once, and so what costs next to nothing.
    fn free_at(&mut self, now: Instant) -> Instant {
        let is_free = self.last != Last::No || self.source.is_little(&self.dirty) && !self.is_mapped();
        let free = if is_free { now } else { self.budget.free_at(now) };
        self.truth.until().map_or(free, |until| free.max(until))
    }

    /// Whether a file is mapped that is looked at with each change.
    fn is_mapped(&self) -> bool {
        self.mapped.iter().any(|path| !self.source.tree().is_index(path))
    }

    /// Whether the mirror can be told of changes now.
    fn is_ready(&self) -> bool {
        self.learning.is_done() && self.flight.is_none()
    }

    fn work(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        self.go_on_watching();
        if now >= self.next_tick {
            self.next_tick = now + self.settings.interval;
            self.canary_due = true;
            self.tick(now);
        }
        if now >= self.next_rescan {
            self.rescan(now);
        }
        if self.learning.is_first_copy() {
            self.first_copy()?;
        }
        if !self.is_ready() {
            return self.tell_behind();
        }
        self.ask_truth()?;
        if !self.dirty.is_empty() && now >= self.not_before.max(self.free_at(now)) {
            self.capture()?;
        }
        self.go_on_comparing()?;
        self.go_on_last()?;
        self.tell_behind()
    }

    /// What the watch cannot tell.
    fn tick(&mut self, now: Instant) {
        if self.told.rescans_ms.is_some() {
            // Where not everything is watched nobody knows that nothing moves.
            self.stir();
        }
        // Another disk may be mounted over it by now.
        self.dirty.everything |= self.told.error.is_none() && !self.source.stands();
        let overdue = self.source.overdue(now);
        self.dirty.join(overdue);
        if now >= self.next_mapped {
            let mapped = os::mapped_writable(&self.settings.source);
            let took = now.elapsed();
            self.next_mapped = now + (took * MAPPED_SHARE).max(self.settings.interval);
            let mapped = mapped.files.iter().filter_map(|path| RelPath::new(path).ok());
            let mapped: BTreeSet<RelPath> = mapped.filter(|path| self.source.takes(path)).collect();
            // Whoever has ended since may have written in the end.
            let all: BTreeSet<RelPath> = mapped.union(&self.mapped).cloned().collect();
            self.mapped_waits = self.last == Last::No && self.budget.free_at(now) > now;
            if self.mapped_waits {
                self.mapped_waits = all.iter().any(|path| !self.source.tree().is_index(path));
                // Nobody can pay for that now: it is read when somebody can.
                self.mapped = all;
            } else {
                self.dirty.unsure.extend(all);
                self.mapped = mapped;
            }
        }
    }
}

/// A dataset's name when nobody gave one: that of its folder.
#[must_use]
pub fn dataset_name(folder: &std::path::Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    RelPath::root().join(name.as_bytes()).shown().into_owned()
}
