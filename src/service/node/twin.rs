//! Two machines with one key: the disk of one is a copy of the other's. The one that was there first stays; the other is turned away,
//! and told why.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::Machine;
use crate::service::status::Trouble;

/// Who is heard less often may have begun again.
const LIVES: Duration = Duration::from_secs(1);
/// So long it is spoken of after it has tried last.
const REMEMBERED: Duration = Duration::from_secs(60);

/// A second machine with the key of the other one.
#[derive(Debug, Default)]
pub(super) struct Twin {
    at: Option<Instant>,
    from: Option<SocketAddr>,
}

impl Twin {
    /// It has tried just now.
    pub(super) fn seen(&mut self, from: Option<SocketAddr>) {
        *self = Self { at: Some(Instant::now()), from };
    }

    /// Whether it has tried not long ago.
    pub(super) fn is_seen(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    /// What is wrong by that.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let from = self.from.map(|from| from.ip().to_string()).unwrap_or_default();
        self.is_seen().then_some(Trouble::KeyTwice { from })
    }
}

impl Machine {
    /// Whether it is another life than the one that this machine talks with that begins a session, and that one lives.
    pub(super) fn is_twin(&self, session: u64) -> bool {
        let life = |session: u64| session & u64::from(u32::MAX);
        let is_other = self.session.as_ref().is_some_and(|known| life(known.number) != life(session));
        is_other && self.again.is_none() && self.heart.silent(Instant::now()).is_some_and(|silent| silent < LIVES)
    }
}
