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
/// So long it is tried whether the POS port opens.
const TRYING: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Eyes {
    seen: [Seen; 2],
    tried_at: Option<Instant>,
}

/// What was seen of one machine.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    heard_at: Option<Instant>,
    /// When it has last heard this terminal.
    echoed_at: Option<Instant>,
    round_trip: Option<Duration>,
    answered_at: Option<Instant>,
}

impl Eyes {
    /// A machine said something; `way` is the time there and back, where that is known by it.
    pub fn heard(&mut self, node: Node, way: Option<Duration>, now: Instant) {
        let seen = &mut self.seen[node as usize];
        seen.heard_at = Some(now);
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

    /// Whether it is to be tried now that the POS port opens; then that counts as done.
    pub fn is_to_look(&mut self, way: &Way, proxies: &[Proxy], changes: bool, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        let flows = proxies.iter().any(|proxy| proxy.flow.answered_at().is_some_and(|at| since(at) < SEEN));
        let hears = |node| way.fresh(node, now).is_some_and(|here| here.hears_other);
        let pause = if hears(Node::Main) && hears(Node::Backup) && !changes { CALM } else { ALERT };
        // Who has just changed is tried as soon as it says that it is ready.
        let is_due = self.tried_at.is_none_or(|at| since(at) >= pause) || changes && way.is_ready(now);
        let is_to_look = way.gate(now) == Gate::Open && !flows && is_due;
        if is_to_look {
            self.tried_at = Some(now);
        }
        is_to_look
    }

    /// The POS port of `server` opens. Where it owes answers all the same, that says nothing.
    pub fn opened(&mut self, server: Node, proxies: &[Proxy], now: Instant) {
        let is_owing = |at: Instant| now.saturating_duration_since(at) >= OWED;
        if !proxies.iter().any(|proxy| proxy.flow.asked_at().is_some_and(is_owing)) {
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
