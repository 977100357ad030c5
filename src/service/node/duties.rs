//! What a machine begins with as the server, and as the mirror.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::days::Days;
use super::lanes::{Receipt, Work};
use super::numbers::asks;
use super::pos::{self, Program};
use super::stillness::Stillness;
use super::{Machine, MachineError};
use crate::config::command::Command;
use crate::config::dataset::Content;
use crate::disk::apply::open::{Opening, Others};
use crate::disk::capture::Options;
use crate::disk::capture::guard::Consent;
use crate::disk::journal::undo::Limits;
use crate::os::point;
use crate::pair::{Epoch, Record};
use crate::server::{ask, filled};
use crate::service::member::role_name;
use crate::service::receiving::Asking;
use crate::service::rules::rules;
use crate::service::sending;

/// How long is looked for an instant in which nothing moves.
const PATIENCE: Duration = Duration::from_secs(3);

impl Machine {
    pub(super) async fn serve(&mut self, epoch: Epoch) -> Result<(), MachineError> {
        let consent = Consent::Ask;
        let mirror = &self.store.mirror;
        let stillness = self.stillness(epoch);
        let work = self.store.datasets.iter().map(|dataset| {
            let options = Options {
                empty_patience: mirror.empty_patience,
                patience: PATIENCE,
                consent,
                own: self.home.clone(),
                rules: rules(dataset),
                quiet: stillness.as_ref().map(Stillness::quiet),
                holder: crate::os::apart::own_program(),
            };
            let source = self.folder(&self.store, &dataset.name);
            let settings = sending::Settings {
                dataset: dataset.name.clone(),
                source,
                interval: mirror.interval,
                rescan: mirror.rescan,
                epoch,
                took_over: self.pair.record().took_over(),
                start: self.pair.record().starts.last().map_or(0, |start| start.seq),
                options,
            };
            (dataset.name.clone(), Work::Send(Box::new(settings), self.tell.stirred.clone()))
        });
        let work = work.collect();
        self.make_dump_folders()?;
        self.begin_lanes(work)?;
        self.tell.stirred.send_replace(Instant::now());
        // What it writes is captured from the first byte on.
        if let Some(program) = &mut self.program {
            program.held = self.days.as_ref().is_some_and(Days::holds);
        }
        point!("turn.program-wanted");
        if self.restore_dumps(epoch) {
            self.ready_to_start(epoch).await;
        }
        Ok(())
    }

    /// The data are what they should be: the numbers are set, and the POS server is started.
    pub(super) async fn ready_to_start(&mut self, epoch: Epoch) {
        if self.set_numbers(epoch).await {
            self.start_program(epoch).await;
        }
    }

    /// What has the shop's program stand still while its files are captured, where that is set.
    fn stillness(&self, epoch: Epoch) -> Option<Arc<Stillness>> {
        let hooks = &self.store.hooks;
        let quiesce = hooks.quiesce.clone()?;
        let (folders, name) = (self.data_folders(), self.store.name.clone());
        let (node, limit) = (role_name(self.role()), hooks.limit);
        let run = move |command: &Command, event: &str| {
            let mut command = filled(&folders, command);
            command.env("ESPEJO_STORE", &name).env("ESPEJO_NODE", node);
            command.env("ESPEJO_EPOCH", epoch.to_string()).env("ESPEJO_OPERATION", "").env("ESPEJO_EVENT", event);
            let done = ask::run(&mut command, std::time::Instant::now() + limit);
            if !matches!(done, Ok(true)) {
                tracing::warn!(event, "a hook did not do what it should");
            }
            matches!(done, Ok(true))
        };
        Some(Stillness::new(&self.home, (quiesce, hooks.resume.clone()), limit, run))
    }

    /// Keeps the POS server program of this machine, where one is set; it does not run before the core says so.
    pub(super) fn keep_program(&mut self) -> Result<(), MachineError> {
        let node = self.member.node;
        if let Some(set) = pos::set(&self.store, node) {
            let folder = |name: &str| self.folder(&self.store, name);
            self.program = Some(Program::begin(
                &*self.keeping,
                (node, set),
                &self.store,
                &self.home,
                folder,
                self.tell.served.clone(),
            )?);
        }
        Ok(())
    }

    /// Opens the mirrors, as `record` says. They listen to nobody before the core says so.
    pub(super) fn receive(&mut self, record: &Record) -> Result<(), MachineError> {
        let mirror = &self.store.mirror;
        let history = Limits { age: mirror.history, bytes: mirror.history_bytes };
        let (epoch, served) = (record.epoch, record.served());
        let work = self.store.datasets.iter().map(|dataset| {
            let dest = self.folder(&self.store, &dataset.name);
            let others = match served {
                served if record.strays => Others::SetAside { served },
                1.. => Others::Given { served },
                0 => Others::Refuse,
            };
            let opening = Opening { others, history };
            let asks = Asking { asks: asks(&self.store, &dataset.name), scratch: self.home.clone() };
            // Another dump of the same database may differ in every byte.
            let suspicious = if matches!(dataset.content, Content::Dump(_)) { u64::MAX } else { mirror.suspicious };
            (dataset.name.clone(), Work::Receive(Receipt { dest, opening, epoch, asks, suspicious }))
        });
        self.begin_lanes(work.collect())?;
        self.clean_up_after_drill();
        let served = std::mem::take(&mut self.turning.served);
        self.lanes.iter_mut().for_each(|lane| lane.served = served);
        Ok(())
    }
}
