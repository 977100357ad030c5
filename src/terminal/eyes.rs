//! What a terminal has seen of both machines: how they are heard, and whether the POS server of the one that serves answers.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::proxy::Proxy;
use super::speech::Sight;
use super::way::{FRESH, Gate, Way};
use crate::pair::Node;

/// So long a sight of the POS server is as good as new.
const SEEN: Duration = Duration::from_secs(3);
/// Between two tries of the POS port where all is well: a POS server need not be bothered more often.
pub const CALM: Duration = Duration::from_secs(5);
/// The same where the two machines do not hear each other, or this one does not hear whoever serves.
const ALERT: Duration = Duration::from_secs(1);
/// A POS server that owes an answer for so long does not answer, though its port opens.
const OWED: Duration = Duration::from_secs(10);
/// Between two tries of a server that says that it is ready, and has just changed.
const SOON: Duration = Duration::from_millis(200);
/// So long it is tried whether the POS port opens.
const TRYING: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub struct Eyes {
    seen: [Seen; 2],
    tried_at: Option<Instant>,
    /// It is being tried.
    tries: bool,
}

/// What was seen of one machine.
#[derive(Clone, Copy, Debug)]
struct Seen {
    heard_at: Option<Instant>,
    /// Since when it is called in vain.
    missed_since: Option<Instant>,
    /// When it has last heard this terminal.
    echoed_at: Option<Instant>,
    round_trip: Option<Duration>,
    answered_at: Option<Instant>,
}

impl Eyes {
    /// Eyes that have seen nothing, and begin to call both machines.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let seen =
            Seen { heard_at: None, missed_since: Some(now), echoed_at: None, round_trip: None, answered_at: None };
        Self { seen: [seen; 2], tried_at: None, tries: false }
    }

    /// There is no connection to a machine, or none any more: it is called.
    pub fn lost(&mut self, node: Node, now: Instant) {
        self.seen[node as usize].missed_since.get_or_insert(now);
    }

    /// A machine said something; `way` is the time there and back, where that is known by it.
    pub fn heard(&mut self, node: Node, way: Option<Duration>, now: Instant) {
        let seen = &mut self.seen[node as usize];
        (seen.heard_at, seen.missed_since) = (Some(now), None);
        if let Some(way) = way {
            (seen.round_trip, seen.echoed_at) = (Some(way), Some(now));
        }
    }

    /// Another machine serves: what was seen of POS servers counts no more.
    pub fn forget(&mut self, proxies: &[Proxy]) {
        for seen in &mut self.seen {
            seen.answered_at = None;
        }
        for proxy in proxies {
            proxy.flow.forget();
        }
    }

    /// Looks at what came through the ports.
    pub fn look(&mut self, server: Node, proxies: &[Proxy]) {
        let answered = proxies.iter().filter_map(|proxy| proxy.flow.answered_at()).max();
        let seen = &mut self.seen[server as usize];
        seen.answered_at = seen.answered_at.max(answered);
    }

    /// When the POS server of `node` was seen to answer last.
    #[must_use]
    pub fn answered_at(&self, node: Node) -> Option<Instant> {
        self.seen[node as usize].answered_at
    }

    /// Whether it is to be tried now that the POS port opens: then that is under way until [`Self::tried`].
    pub fn is_to_try(&mut self, way: &Way, proxies: &[Proxy], changes: bool, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        let flows = proxies.iter().any(|proxy| proxy.flow.answered_at().is_some_and(|at| since(at) < SEEN));
        let hears = |node| way.fresh(node, now).is_some_and(|here| here.hears_other);
        let pause = match (changes && way.is_ready(now), hears(Node::Main) && hears(Node::Backup)) {
            (true, _) => SOON,
            (false, true) if !changes => CALM,
            (false, _) => ALERT,
        };
        let is_due = self.tried_at.is_none_or(|at| since(at) >= pause);
        let is_to_try = way.gate(now) == Gate::Open && !flows && is_due && !self.tries;
        if is_to_try {
            (self.tried_at, self.tries) = (Some(now), true);
        }
        is_to_try
    }

    /// It was tried whether the first port of `server` opens. Where somebody waits there for an answer in vain, that it does says
    /// nothing.
    pub fn tried(&mut self, server: Option<Node>, proxy: Option<&Proxy>, now: Instant) {
        self.tries = false;
        let is_vain = |since: Instant| now.saturating_duration_since(since) >= OWED;
        let waits = proxy.and_then(|proxy| proxy.flow.waits_since()).is_some_and(is_vain);
        if let Some(server) = server.filter(|_| !waits) {
            self.seen[server as usize].answered_at = Some(now);
        }
    }

    /// What is seen of `node`, as it is told.
    #[must_use]
    pub fn sight(&self, way: &Way, node: Node, now: Instant) -> Sight {
        let ago = |at: Instant| u64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(u64::MAX);
        let seen = &self.seen[node as usize];
        let here = way.fresh(node, now);
        let is_echoed = seen.echoed_at.is_some_and(|at| now.saturating_duration_since(at) < FRESH);
        Sight {
            reached: here.is_some() && is_echoed,
            heard_ago_ms: seen.heard_at.map(ago),
            missed_ms: seen.missed_since.map(ago),
            round_trip_us: seen.round_trip.map(|way| u64::try_from(way.as_micros()).unwrap_or(u64::MAX)),
            epoch: here.map(|here| here.epoch),
            answered_ago_ms: seen.answered_at.map(ago),
        }
    }
}

/// Whether the port of `host` opens.
pub async fn opens(host: &str, port: u16) -> bool {
    timeout(TRYING, TcpStream::connect((host, port))).await.is_ok_and(|opened| opened.is_ok())
}
