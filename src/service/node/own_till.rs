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

/// So long a port that is to be taken is not free, before that is said.
const SHUT: Duration = Duration::from_secs(5);

/// What a till does on a machine of the pair.
#[derive(Debug, Default)]
pub(super) struct OwnTill {
    set: Terminal,
    ports: Ports,
    /// It listens at the ports, or tries to.
    takes: bool,
    /// Keeps everybody else out of them, where the store wants that.
    bar: Bar,
    /// Since when a port is not free.
    shut_since: Option<Instant>,
    outside: Outside,
    /// What programs were told last of who serves.
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
        (self.takes, self.shut_since) = (false, None);
        self.bar.lift();
        self.ports.free().await;
    }

    /// Something else has a port on a machine that does not serve.
    pub(super) fn trouble(&self, now: Instant) -> Option<Trouble> {
        let is_long = self.shut_since.is_some_and(|since| now.saturating_duration_since(since) >= SHUT);
        let port = self.ports.shut().first().filter(|_| is_long)?.port;
        Some(Trouble::ServerStray { found: Stray::Port { address: format!("127.0.0.1:{port}") } })
    }
}

impl Machine {
    /// What time alone calls for: ports are taken, or aimed at whoever serves now.
    pub(super) async fn pass_on(&mut self) {
        let Some(terminals) = self.store.terminals.clone() else { return };
        let may = self.may_pass_on();
        if may && !self.own_till.takes {
            self.own_till.takes = true;
            self.own_till.ports.listen(&terminals, &self.own_till.set).await;
        } else if !may && self.own_till.takes {
            self.own_till.free().await;
        }
        self.own_till.ports.aim(self.target());
        if terminals.deactivate && may {
            // Its own part is in by then, and no other gets in.
            let is_in = self.own_till.ports.all().iter().all(Proxy::is_open);
            self.own_till.bar.keep(&terminals.ports, is_in);
        }
        let shut_since = (!self.own_till.ports.shut().is_empty()).then(Instant::now);
        self.own_till.shut_since = shut_since.map(|now| self.own_till.shut_since.unwrap_or(now));
        self.tell_programs();
    }

    /// The POS server does not run here, and nothing is about to start it.
    fn may_pass_on(&self) -> bool {
        let rests = |program: &Program| program.stands == Server::Stopped && !program.is_wanted();
        let is_apart = self.pair.duty() != Duty::Serving || self.turning.stands_still();
        // Where both machines are one, the ports are the POS server's.
        !self.far().address.is_local() && is_apart && self.program.as_ref().is_none_or(rests)
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
        if self.own_till.told.as_ref() == Some(&told) {
            return;
        }
        let OwnTill { set, outside, told: known, .. } = &mut self.own_till;
        let is_first = known.replace(told).is_none();
        outside.change(&self.home, set, (serving, false), mpsc::unbounded_channel().0);
        if is_first {
            outside.begin(set, None);
        }
    }
}
