//! All ports of this machine that lead to whoever serves.

use tokio::sync::watch;

use super::proxy::{Port, Proxy, Target};
use super::speech::Shut;
use super::way::Gate;
use crate::config::terminal::Terminal;
use crate::config::terminals::Terminals;

/// The ports of a machine, and where they lead. All that is open ends when this goes.
#[derive(Debug)]
pub struct Ports {
    open: Vec<Proxy>,
    target: watch::Sender<Target>,
}

impl Default for Ports {
    fn default() -> Self {
        let target = Target { epoch: 0, host: String::new(), gate: Gate::Held };
        Self { open: vec![], target: watch::Sender::new(target) }
    }
}

impl Ports {
    /// Listens at the ports of the store, or at those that this machine has instead of them, and at no other any more.
    pub async fn listen(&mut self, terminals: &Terminals, own: &Terminal) {
        self.free().await;
        for there in &terminals.ports {
            let here = own.ports.iter().find(|(server, _)| server == there).map_or(*there, |(_, here)| *here);
            let port = Port { here, there: *there };
            self.open.push(Proxy::begin(port, self.target.subscribe(), terminals.hold));
        }
    }

    /// Listens nowhere any more: when this returns the ports are free, and no connection of theirs is open.
    pub async fn free(&mut self) {
        for proxy in self.open.drain(..) {
            proxy.end().await;
        }
    }

    /// From now on all lead there.
    pub fn aim(&self, target: Target) {
        self.target.send_if_modified(|known| {
            let is_news = *known != target;
            *known = target;
            is_news
        });
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[Proxy] {
        &self.open
    }

    /// Those at which it cannot listen.
    #[must_use]
    pub fn shut(&self) -> Vec<Shut> {
        let shut = |proxy: &Proxy| proxy.shut().map(|why| Shut { port: proxy.port.here, why });
        self.open.iter().filter_map(shut).collect()
    }

    /// How many connections go through them.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.open.iter().map(|proxy| proxy.flow.open() as u64).sum()
    }
}
