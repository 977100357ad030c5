//! The days of the backup licence: counted once a second, and written where nothing waits for the disk.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Machine, MachineError};
use crate::config::store::Store;
use crate::link::identity::MachineId;
use crate::os::ground;
use crate::pair::{Duty, Node};
use crate::service::event::What;
use crate::service::licence::{Holder, Licensing, Save, has_served, now};
use crate::service::refusal::WhyNot;
use crate::service::status::Status;

/// The backup licence of a machine that is a backup.
pub struct Days {
    licensing: Licensing,
    counted: Option<Timestamp>,
    saving: Option<JoinHandle<()>>,
    /// What is known is not on disk: it could not be written.
    unsaved: Arc<AtomicBool>,
    /// The POS server is not asked to stop again before.
    not_before: Option<Instant>,
}

/// Between two tries to stop a POS server that its hook keeps going.
const AGAIN: Duration = Duration::from_secs(60);

impl Days {
    /// What `home` knows; none where the machine's home role is that of the main.
    pub fn load(home: &Path, role: Node, store: &Store, machine: MachineId) -> io::Result<Option<Self>> {
        if role == Node::Main {
            return Ok(None);
        }
        let holder = Holder::new(store, machine.to_string());
        let licensing = Licensing::load(home, holder, has_served(home)?, &now())?;
        Ok(Some(Self { licensing, counted: None, saving: None, unsaved: Arc::default(), not_before: None }))
    }

    /// Counts, once a second at the most: the days run while this machine is `serving`.
    pub fn count(&mut self, serving: bool) {
        let wall = ground::now();
        let is_soon = |at: Timestamp| (0..1000).contains(&wall.duration_since(at).as_millis());
        let is_saving = self.saving.as_ref().is_some_and(|saving| !saving.is_finished());
        if is_saving || self.counted.is_some_and(is_soon) {
            return;
        }
        self.counted = Some(wall);
        let due = self.licensing.tick(serving, &now());
        let again = || self.unsaved.load(Ordering::Relaxed).then(|| self.licensing.keep(&now()));
        if let Some(save) = due.or_else(again) {
            let unsaved = Arc::clone(&self.unsaved);
            self.saving = Some(ground::spawn(written(save, unsaved)));
        }
    }

    /// Whether the licence lets this machine be started as the server.
    pub fn may_start(&self) -> Result<(), WhyNot> {
        self.licensing.may_start(ground::now())
    }

    /// The days begin to run. It is on disk when this is done, if it can be.
    pub async fn begin(&mut self) {
        let save = self.licensing.begin(&now());
        self.write(save).await;
    }

    /// A return is completed, and this machine does not serve any more. It is on disk when this is done, if it can be.
    pub async fn returned(&mut self) {
        let save = self.licensing.returned(&now());
        self.write(save).await;
    }

    /// Whether the POS server may not be started: the days are over, and the grace is, or it was stopped before.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.licensing.holds(ground::now())
    }

    /// Whether the POS server is to be stopped now, where nothing has changed for so long.
    fn is_to_stop(&self, quiet: Duration, clock: Instant) -> bool {
        let is_time = self.not_before.is_none_or(|at| clock >= at);
        is_time && self.licensing.is_to_stop(quiet, ground::now())
    }

    /// The POS server is stopped from now on. It is on disk when this is done, if it can be.
    async fn hold(&mut self, clock: Instant) {
        self.not_before = Some(clock + AGAIN);
        let save = self.licensing.hold(&now());
        self.write(save).await;
    }

    /// The service ends; whatever it serves goes on without it.
    pub async fn leave(&mut self) {
        let save = self.licensing.keep(&now());
        self.write(save).await;
    }

    /// Completes a status of this machine.
    pub fn complete(&mut self, status: &mut Status) {
        self.licensing.complete(status, ground::now());
    }

    /// What has happened to the licence since this was asked last.
    pub fn news(&mut self) -> Vec<What> {
        self.licensing.news()
    }

    async fn write(&mut self, save: Save) {
        // An older one must not come after it.
        if let Some(saving) = self.saving.take() {
            let _ = saving.await;
        }
        written(save, Arc::clone(&self.unsaved)).await;
    }
}

/// Writes the ledger. The shop does not stand still where it cannot be written: the days are counted on, and it is tried again.
async fn written(save: Save, unsaved: Arc<AtomicBool>) {
    let result = ground::aside(move || save.write()).await.and_then(|written| written);
    let was_unsaved = unsaved.swap(result.is_err(), Ordering::Relaxed);
    if let Some(error) = result.err().filter(|_| !was_unsaved) {
        tracing::error!(%error, "the ledger of the licence could not be saved: that is tried again");
    }
}

impl Machine {
    /// Stops the POS server where the licence says so, and starts it again when there are days. The machine serves on all the
    /// same: what was sold is there to be given back.
    pub(super) async fn keep_to_licence(&mut self) -> Result<(), MachineError> {
        let (is_turning, may_start) = (self.turning.is_freezing() || self.leaving.is_some(), self.may_start());
        let (Some(days), Some(program)) = (&mut self.days, &mut self.program) else { return Ok(()) };
        if self.pair.duty() != Duty::Serving || is_turning {
            return Ok(());
        }
        let clock = Instant::now();
        let quiet = clock.saturating_duration_since(*self.tell.stirred.borrow());
        let was_held = std::mem::replace(&mut program.held, days.holds());
        if program.is_wanted() && days.is_to_stop(quiet, clock) {
            days.hold(clock).await;
            tracing::warn!("the days of the licence are over: the POS server is stopped");
            program.stop();
            self.publish_soon();
        } else if was_held && !program.held && !program.is_wanted() && may_start {
            program.start(self.pair.record().epoch);
            self.publish_soon();
        }
        Ok(())
    }
}
