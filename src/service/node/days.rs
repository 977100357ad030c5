//! The days of the backup licence: counted once a second, and written where nothing waits for the disk.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::config::store::Store;
use crate::link::identity::MachineId;
use crate::pair::Node;
use crate::service::event::What;
use crate::service::licence::{Holder, Licensing, Save, has_served, now};
use crate::service::refusal::WhyNot;
use crate::service::status::Status;

/// The backup licence of a machine that is a backup.
pub struct Days {
    licensing: Licensing,
    counted: Option<Timestamp>,
    saving: Option<JoinHandle<()>>,
}

impl Days {
    /// What `home` knows; none on a main.
    pub fn load(home: &Path, node: Node, store: &Store, machine: MachineId) -> io::Result<Option<Self>> {
        if node == Node::Main {
            return Ok(None);
        }
        let holder = Holder::new(store, machine.to_string());
        let licensing = Licensing::load(home, holder, has_served(home)?, &now())?;
        Ok(Some(Self { licensing, counted: None, saving: None }))
    }

    /// Counts, once a second at the most: the days run while this machine is `serving`.
    pub fn count(&mut self, serving: bool) {
        let wall = Timestamp::now();
        let is_soon = |at: Timestamp| (0..1000).contains(&wall.duration_since(at).as_millis());
        let is_saving = self.saving.as_ref().is_some_and(|saving| !saving.is_finished());
        if is_saving || self.counted.is_some_and(is_soon) {
            return;
        }
        self.counted = Some(wall);
        if let Some(save) = self.licensing.tick(serving, &now()) {
            self.saving = Some(spawn_blocking(move || {
                if let Err(error) = save.write() {
                    tracing::warn!(%error, "the ledger of the licence could not be saved");
                }
            }));
        }
    }

    /// Whether the licence lets this machine be started as the server.
    pub fn may_start(&self) -> Result<(), WhyNot> {
        self.licensing.may_start(Timestamp::now())
    }

    /// The days begin to run. It is on disk when this is done.
    pub async fn begin(&mut self) -> io::Result<()> {
        let save = self.licensing.begin(&now());
        self.write(save).await
    }

    /// The days do not run any more. It is on disk when this is done.
    pub async fn end(&mut self) -> io::Result<()> {
        let save = self.licensing.end(&now());
        self.write(save).await
    }

    /// A return is completed, and this machine does not serve any more. It is on disk when this is done.
    pub async fn returned(&mut self) -> io::Result<()> {
        let save = self.licensing.returned(&now());
        self.write(save).await
    }

    /// The service ends; whatever it serves goes on without it.
    pub async fn leave(&mut self) -> io::Result<()> {
        let save = self.licensing.keep(&now());
        self.write(save).await
    }

    /// Completes a status of this machine.
    pub fn complete(&mut self, status: &mut Status) {
        self.licensing.complete(status, Timestamp::now());
    }

    /// What has happened to the licence since this was asked last.
    pub fn news(&mut self) -> Vec<What> {
        self.licensing.news()
    }

    async fn write(&mut self, save: Save) -> io::Result<()> {
        // An older one must not come after it.
        if let Some(saving) = self.saving.take() {
            let _ = saving.await;
        }
        spawn_blocking(move || save.write()).await.map_err(io::Error::other)?
    }
}
