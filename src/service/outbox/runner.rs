//! The thread that has the shop's program told: what comes is written first; then the oldest event that waits is told, as often
//! as it takes. The program itself is waited for on a thread of its own.

use std::io::{Seek, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Setup;
use super::queue::{Item, Queue};
use crate::server::beside::{Beside, Wanted};
use crate::server::filled;

/// The first time between two tries; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// Where nothing is to be done.
const REST: Duration = Duration::from_secs(3600);

/// What wakes the thread.
#[derive(Debug)]
pub enum Input {
    /// Something happened that is to be told.
    Happened(Box<Item>),
    /// The program has ended.
    Told {
        /// It was told the event of this number.
        number: u64,
        /// It has taken it.
        is_well: bool,
    },
    /// The thread is to end.
    Leave,
}

/// How the telling stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stands {
    /// Since when the program does not take what it is told.
    pub failing_since: Option<Instant>,
    /// Events that wait.
    pub waiting: u64,
}

/// Has the program told.
pub struct Runner {
    setup: Setup,
    queue: Queue,
    back: Sender<Input>,
    stands: watch::Sender<Stands>,
    telling: Option<Beside>,
    pause: Duration,
    not_before: Instant,
    failing_since: Option<Instant>,
}

impl Runner {
    /// One that tells what waits in `queue`. `back`: where its own inputs come in.
    #[must_use]
    pub fn new(setup: Setup, queue: Queue, back: Sender<Input>, stands: watch::Sender<Stands>) -> Self {
        let now = Instant::now();
        Self { setup, queue, back, stands, telling: None, pause: FIRST_PAUSE, not_before: now, failing_since: None }
    }

    /// Tells until it is to end.
    pub fn run(mut self, inbox: &Receiver<Input>) {
        loop {
            let wait = if self.telling.is_some() || self.queue.is_empty() {
                REST
            } else {
                self.not_before.saturating_duration_since(Instant::now())
            };
            let first = match inbox.recv_timeout(wait) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // What waits meanwhile goes with it: one sync for all.
            let (mut happened, mut leaves) = (vec![], false);
            for input in first.into_iter().chain(inbox.try_iter()) {
                match input {
                    Input::Happened(item) => happened.push(*item),
                    Input::Told { number, is_well } => self.told(number, is_well),
                    Input::Leave => leaves = true,
                }
            }
            if !happened.is_empty()
                && let Err(error) = self.queue.push(happened)
            {
                tracing::error!(%error, "an event waits to be told and is not on disk");
            }
            if leaves {
                return;
            }
            self.tell();
            let waiting = self.queue.len() as u64;
            self.stands.send_replace(Stands { failing_since: self.failing_since, waiting });
        }
    }

    fn tell(&mut self) {
        if self.telling.is_some() || Instant::now() < self.not_before {
            return;
        }
        let Some(item) = self.queue.first().cloned() else { return };
        let (setup, back, number) = (self.setup.clone(), self.back.clone(), item.number);
        let run = move |wanted: &Wanted| {
            let is_well = setup.tell(&item, wanted).unwrap_or_else(|error| {
                tracing::debug!(%error, "the program that is told of events cannot be run");
                false
            });
            let _ = back.send(Input::Told { number, is_well });
        };
        match Beside::begin("event hook", run) {
            Ok(telling) => self.telling = Some(telling),
            Err(_) => self.told(number, false),
        }
    }

    fn told(&mut self, number: u64, is_well: bool) {
        self.telling = None;
        if !is_well {
            if self.failing_since.is_none() {
                tracing::warn!(number, "the program that is told of events did not take one: it is told again");
            }
            self.failing_since.get_or_insert_with(Instant::now);
            self.not_before = Instant::now() + self.pause;
            self.pause = (self.pause * 2).min(LAST_PAUSE);
            return;
        }
        if self.failing_since.take().is_some() {
            tracing::info!(number, "the program that is told of events takes them again");
        }
        (self.pause, self.not_before) = (FIRST_PAUSE, Instant::now());
        if let Err(error) = self.queue.done(number) {
            tracing::warn!(%error, "that an event was told could not be written: it may be told twice");
        }
    }
}

impl Setup {
    /// Tells the program of an event, and waits for it: at most as long as it may run, or until nobody wants to know any more.
    fn tell(&self, item: &Item, wanted: &Wanted) -> std::io::Result<bool> {
        // A file and no pipe: who does not read it keeps nobody waiting.
        let mut said = tempfile::tempfile()?;
        serde_json::to_writer(&mut said, item)?;
        said.write_all(b"\n")?;
        said.rewind()?;
        let mut command = filled(&self.folders, &self.command);
        let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        command.env("ESPEJO_STORE", &self.store).env("ESPEJO_NODE", self.node).env("ESPEJO_EVENT", &item.event);
        command.env("ESPEJO_EPOCH", number(item.epoch)).env("ESPEJO_OPERATION", number(item.operation));
        wanted.run(&mut command, Stdio::from(said), self.limit)
    }
}
