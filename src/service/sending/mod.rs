//! The serving half of the copy: watches, captures, sends. It runs on a thread of its own and may block.
//!
//! It waits for one thing to happen (`Wake`), notes it, and then does what is due. While a generation is under way the
//! next changes gather.
//!
//! - [`budget`]: how much of the machine reading may take
//! - `heard`: what the mirror says
//! - `compare`: comparing every byte
//! - `first`: the first copy
//! - `ears`: what the watch says and nobody has listened to yet
//! - `tell`: what is said to the mirror

pub mod budget;
mod compare;
mod ears;
mod first;
mod heard;
mod tell;

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::disk::capture::candidates::Dirty;
use crate::disk::capture::outgoing::{self, Outgoing, Stopped};
use crate::disk::capture::settle::Moves;
use crate::disk::capture::{Captured, Options, Outcome, Source, SourceError};
use crate::disk::watch::Moved;
use crate::link::frame::Say;
use crate::link::wire;
use crate::link::{Hello, Told};
use crate::os;
use crate::replica::naming::Inode;
use crate::replica::{End, Position, RelPath};
use budget::Budget;
use compare::Comparison;
use ears::Ears;
use heard::Learning;
use tell::send_part;

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
    /// How it is captured.
    pub options: Options,
}

/// What can wake the half.
enum Wake {
    Moved(Moved),
    Frame(Bytes),
    Closed,
    Time,
}

/// Time between two tries of what failed.
const RETRY: Duration = Duration::from_secs(1);

/// The most that looking for mapped files may take of a core, as one part of so many.
const MAPPED_SHARE: u32 = 1000;

/// The most that rescans may take of a core where they stand in for the watch, as one part of so many.
const RESCAN_SHARE: u32 = 20;

/// The serving half.
pub struct Sending {
    settings: Settings,
    source: Source,
    link: wire::End,
    runtime: tokio::runtime::Runtime,
    moved: Ears,
    /// The folder that is watched.
    watched: Inode,
    told: Told,
    /// What the mirror was told last.
    said: Option<Told>,
    position: Position,
    learning: Learning,
    dirty: Dirty,
    /// Since when something is not acknowledged, and how many bytes are known of it.
    behind: Option<(Instant, u64)>,
    /// What the mirror was told of that.
    said_behind: Option<(Instant, u64)>,
    flight: Option<Flight>,
    /// Names that the mirror is to say the truth about.
    look: BTreeSet<RelPath>,
    comparison: Option<Comparison>,
    budget: Budget,
    /// Nothing is captured before, unless something new is heard.
    not_before: Instant,
    next_tick: Instant,
    next_mapped: Instant,
    next_rescan: Instant,
    /// Everything is looked at so often.
    rescan: Duration,
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
    /// Opens the source and begins to watch it.
    pub fn open(settings: Settings, link: wire::End) -> Result<Self, Ended> {
        let now = Instant::now();
        let source = Source::open(&settings.source, settings.options.clone())?;
        let moved = Ears::deaf();
        let mut half = Self {
            watched: source.inode(),
            rescan: settings.rescan,
            source,
            link,
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
            moved,
            told: Told::default(),
            said: None,
            position: Position::default(),
            learning: Learning::default(),
            dirty: Dirty::default(),
            behind: None,
            said_behind: None,
            flight: None,
            look: BTreeSet::new(),
            comparison: None,
            budget: Budget::new(now),
            not_before: now,
            next_tick: now + settings.interval,
            next_mapped: now,
            next_rescan: now + settings.rescan,
            settings,
        };
        half.begin_to_watch();
        Ok(half)
    }

    /// Begins to watch, or begins anew where the folder is another one now: the old watch hears nothing any more.
    pub(super) fn begin_to_watch(&mut self) {
        self.moved = Ears::deaf();
        self.watched = self.source.inode();
        if self.source.tells_of_changes() {
            self.moved = Ears::open(&self.settings.source, &self.settings.options.own);
        }
        if !self.moved.hear() {
            self.rescan_often(self.settings.interval);
        }
    }

    /// Sends until the link closes.
    pub fn run(mut self) -> Result<(), Ended> {
        let (epoch, dataset) = (self.settings.epoch, self.settings.dataset.clone());
        let hello = Hello { protocol: crate::link::frame::PROTOCOL, epoch, start: 0, dataset };
        self.say(Say::Hello(hello))?;
        loop {
            match self.next() {
                Wake::Moved(moved) => self.moved(moved),
                Wake::Frame(frame) => self.heard(&frame)?,
                Wake::Closed => return Ok(()),
                Wake::Time => {}
            }
            while let Some(moved) = self.moved.next() {
                self.moved(moved);
            }
            self.work()?;
        }
    }

    fn next(&mut self) -> Wake {
        let deadline = tokio::time::Instant::from_std(self.deadline());
        let hears = self.moved.hear();
        let (link, moved) = (&mut self.link, &mut self.moved);
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                frame = link.inbox.recv() => frame.map_or(Wake::Closed, Wake::Frame),
                moved = moved.listen(), if hears => moved.map_or(Wake::Time, Wake::Moved),
                () = tokio::time::sleep_until(deadline) => Wake::Time,
            }
        })
    }

    fn deadline(&mut self) -> Instant {
        let now = Instant::now();
        let mut next = self.next_tick.min(self.next_rescan);
        if self.learning.is_first_copy() {
            next = next.min(self.not_before);
        }
        if self.is_ready() && !self.dirty.is_empty() {
            next = next.min(self.not_before.max(self.budget.free_at(now)));
        }
        if self.is_ready() && self.comparison.as_ref().is_some_and(|comparison| comparison.can_go_on(&self.dirty)) {
            next = now;
        }
        next
    }

    /// Whether the mirror can be told of changes now.
    fn is_ready(&self) -> bool {
        self.learning.is_done() && self.flight.is_none()
    }

    fn moved(&mut self, moved: Moved) {
        match moved {
            Moved::Path(path) => {
                self.dirty.paths.insert(path);
            }
            Moved::Everything => self.dirty.everything = true,
            Moved::Limited => {
                self.dirty.everything = true;
                self.rescan_often(Duration::from_secs(30).min(self.settings.rescan));
            }
        }
        self.not_before = Instant::now();
    }

    fn rescan_often(&mut self, every: Duration) {
        if self.told.rescans_ms.is_none() {
            self.rescan = every;
            self.next_rescan = Instant::now() + every;
            self.told.rescans_ms = Some(u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
        }
    }

    fn work(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if now >= self.next_tick {
            self.next_tick = now + self.settings.interval;
            self.tick(now);
        }
        if now >= self.next_rescan {
            self.next_rescan = now + self.rescan;
            self.dirty.everything = true;
        }
        if self.learning.is_first_copy() {
            self.first_copy()?;
        }
        if !self.is_ready() {
            return self.tell_behind();
        }
        self.ask_truth()?;
        if !self.dirty.is_empty() && now >= self.not_before.max(self.budget.free_at(now)) {
            self.capture()?;
        }
        self.go_on_comparing()?;
        self.tell_behind()
    }

    /// What the watch cannot tell.
    fn tick(&mut self, now: Instant) {
        let overdue = self.source.overdue(now);
        self.dirty.join(overdue);
        if now >= self.next_mapped {
            let mapped = os::mapped_writable(&self.settings.source);
            let took = now.elapsed();
            self.next_mapped = now + (took * MAPPED_SHARE).max(self.settings.interval);
            self.dirty.unsure.extend(mapped.files.iter().filter_map(|path| RelPath::new(path).ok()));
        }
    }

    fn capture(&mut self) -> Result<(), Ended> {
        let began = Instant::now();
        self.tell_behind()?;
        let dirty = std::mem::take(&mut self.dirty);
        let closed: Vec<RelPath> = self.source.unreadable().keys().cloned().collect();
        let (everything, moved) = (dirty.everything, &mut self.moved);
        let outcome = self.source.capture(dirty, Moves::Follow, &mut |gap| moved.wait(gap));
        let spent = began.elapsed();
        if everything && self.told.rescans_ms.is_some() {
            // A slow disk is not looked through all the time.
            self.next_rescan = Instant::now() + self.rescan.max(spent * RESCAN_SHARE);
        }
        match outcome {
            Ok(outcome) => {
                if self.told.error.take().is_some() || self.watched != self.source.inode() {
                    self.begin_to_watch();
                    self.dirty.everything = true;
                }
                for opened in closed.iter().filter(|path| !self.source.unreadable().contains_key(path)) {
                    self.dirty.everything |= self.moved.also(opened);
                }
                self.outcome(outcome, spent)
            }
            Err(error) => {
                self.told.error = Some(error.to_string());
                self.dirty.everything = true;
                self.not_before = Instant::now() + RETRY;
                self.tell()
            }
        }
    }

    fn outcome(&mut self, outcome: Outcome, spent: Duration) -> Result<(), Ended> {
        if !matches!(outcome, Outcome::Stopped { .. } | Outcome::Wait { .. }) {
            self.told.removals = None;
        }
        match outcome {
            Outcome::Nothing => {}
            Outcome::Wait { until, dirty } => {
                self.dirty.join(dirty);
                self.not_before = until;
            }
            Outcome::Stopped { removals, dirty } => {
                self.told.removals = Some((removals.gone, removals.of));
                self.dirty.join(dirty);
                self.not_before = Instant::now() + self.settings.interval;
            }
            Outcome::Captured(captured) => {
                if captured.read > 1024 * 1024 {
                    self.budget.spend(spent, Instant::now());
                }
                self.dirty.join(captured.dirty.clone());
                if !captured.is_empty() {
                    self.send(captured, Instant::now().checked_sub(spent).unwrap_or_else(Instant::now))?;
                }
            }
        }
        self.tell()
    }

    fn send(&mut self, captured: Captured, began: Instant) -> Result<(), Ended> {
        let grade = self.source.grade_with(&captured);
        let begin = outgoing::step(self.settings.epoch, self.position, &captured);
        let link = self.link.out.clone();
        let mut out = |part| send_part(&link, part);
        self.say_behind(Some((self.behind.map_or(began, |(since, _)| since), begin.bytes)))?;
        let sent = Outgoing::begin(begin, &mut out).and_then(|mut out| {
            out.captured(&captured)?;
            out.end(grade)
        });
        match sent {
            Ok(end) => self.flight = Some(Flight { end, captured: Some(captured), began }),
            Err(Stopped::Closed) => return Err(Ended::Closed),
            Err(Stopped::Spool(error)) => return Err(Ended::System(error)),
        }
        Ok(())
    }
}

/// A dataset's name when nobody gave one: that of its folder.
#[must_use]
pub fn dataset_name(folder: &std::path::Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    RelPath::root().join(name.as_bytes()).shown().into_owned()
}
