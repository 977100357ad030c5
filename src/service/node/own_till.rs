//! This machine as a till: what connects to the POS ports here is joined to whoever serves, as on any terminal, and the programs of
//! this machine follow the server. The ports are free before the POS server starts here, and are taken again when it has stopped.
//!
//! It never votes: of a machine that is silent here it could say only what is known here.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pos::Program;
use super::{Machine, pos};
use crate::config::machine::Machine as Set;
use crate::config::terminal::Terminal;
use crate::pair::{Duty, Node};
use crate::service::pos::Stray;
use crate::service::status::{Server, Trouble};
use crate::terminal::bar::Bar;
use crate::terminal::known::settings_path;
use crate::terminal::news::Server as Serving;
use crate::terminal::outside::Outside;
use crate::terminal::ports::Ports;
use crate::terminal::proxy::{Proxy, Target};
use crate::terminal::way::Gate;

/// So long a port that is to be taken is not free, before that is said: what was started with the POS server may take a while to stop.
const SHUT: Duration = Duration::from_secs(15);

/// What a till does on a machine of the pair.
#[derive(Debug, Default)]
pub(super) struct OwnTill {
    set: Terminal,
    ports: Ports,
    /// It listens at the ports, or tries to.
    takes: bool,
    /// Keeps everybody else out of them, where the store wants that.
    bar: Bar,
    /// A port that is not free, and since when.
    shut: Option<(u16, Instant)>,
    pub(super) programs: Programs,
}

/// Programs and files of a machine that follow the server. They outlive a service that begins again with other settings.
#[derive(Debug, Default)]
pub struct Programs {
    outside: Outside,
    /// What they were told last of who serves.
    told: Option<String>,
}

impl OwnTill {
    /// That of `home`. Whoever starts the service has looked whether its settings can be read.
    pub(super) fn open(home: &Path) -> Self {
        let text = fs::read(settings_path(home)).unwrap_or_default();
        let set = Terminal::from_bytes(&text).unwrap_or_else(|faults| {
            tracing::warn!(?faults, "the settings of this machine as a terminal cannot be read");
            Terminal::default()
        });
        Self { set, ..Self::default() }
    }

    /// Gives all ports free: when this returns they are.
    pub(super) async fn free(&mut self) {
        (self.takes, self.shut) = (false, None);
        self.bar.lift();
        self.ports.free().await;
    }

    /// Something else has a port on a machine that does not serve.
    pub(super) fn trouble(&self, now: Instant) -> Option<Trouble> {
        let (port, _) = self.shut.filter(|(_, since)| now.saturating_duration_since(*since) >= SHUT)?;
        Some(Trouble::ServerStray { found: Stray::Port { address: format!("127.0.0.1:{port}") } })
    }
}

impl Machine {
    /// What time alone calls for: ports are taken, or aimed at whoever serves now.
    pub(super) async fn pass_on(&mut self) {
        let Some(terminals) = self.store.terminals.clone() else { return };
        let may = self.may_pass_on();
        let till = &mut self.own_till;
        // The bar comes first: once there is a listener at a port, it comes too late.
        let are_in = till.takes && till.ports.all().iter().all(Proxy::is_open);
        let is_barred = !may || !terminals.deactivate || till.bar.keep(&terminals.ports, are_in);
        if may && is_barred && !till.takes {
            till.takes = true;
            till.ports.listen(&terminals, &till.set).await;
        } else if !may {
            till.free().await;
        }
        let shut = till.ports.shut().first().map(|shut| shut.port);
        let shut = shut.or_else(|| terminals.ports.first().copied().filter(|_| !is_barred));
        till.shut = shut.map(|port| (port, till.shut.map_or_else(Instant::now, |(_, since)| since)));
        self.own_till.ports.aim(self.target());
        self.tell_programs();
    }

    /// The POS server does not run here, and nothing is about to start it.
    fn may_pass_on(&self) -> bool {
        let rests = |program: &Program| program.stands == Server::Stopped && !program.is_wanted();
        let is_apart = self.pair.duty() != Duty::Serving || self.turning.stands_still();
        // Where nobody here keeps the POS server, it may run as long as this machine is not known to follow.
        let follows = || Node::of_epoch(self.pair.record().epoch) != self.member.node;
        // Where both machines are one, the ports are the POS server's.
        !self.far().address.is_local() && is_apart && self.program.as_ref().map_or_else(follows, rests)
    }

    fn far(&self) -> &Set {
        if self.member.node == Node::Main { &self.store.backup } else { &self.store.main }
    }

    fn target(&self) -> Target {
        let epoch = self.pair.record().epoch;
        let is_ready = |server: &Server| *server == Server::Ready || pos::set(&self.store, self.member.node).is_none();
        let gate = match (&self.session, &self.theirs) {
            // Nobody else has an epoch of this machine's own.
            _ if Node::of_epoch(epoch) == self.member.node => Gate::Held,
            (Some(_), Some((Duty::Serving, server, _))) if is_ready(server) => Gate::Open,
            (Some(_), Some(_)) => Gate::Held,
            // It is not heard: it is tried.
            (None, _) | (_, None) => Gate::Open,
        };
        Target { epoch, host: self.far().address.host().to_owned(), gate }
    }

    /// Programs and files of this machine follow the server.
    fn tell_programs(&mut self) {
        let epoch = self.pair.record().epoch;
        let node = Node::of_epoch(epoch);
        if node == self.member.node && self.pair.duty() != Duty::Serving {
            return;
        }
        let Set { name, address } = if node == Node::Main { &self.store.main } else { &self.store.backup };
        let (name, address) = (name.clone(), address.host().to_owned());
        let serving = Serving { epoch, address, name, store: self.store.name.clone() };
        let told = serving.told();
        if self.own_till.programs.told.as_ref() == Some(&told) {
            return;
        }
        let OwnTill { set, programs: Programs { outside, told: known }, .. } = &mut self.own_till;
        let is_first = known.replace(told).is_none();
        outside.change(&self.home, set, (serving, false), mpsc::unbounded_channel().0);
        if is_first {
            outside.begin(set, None);
        }
    }
}
