//! Two machines with one key: the disk of one is a copy of the other's. The one that was there first stays; the other is turned away,
//! and told why.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::{Machine, meet};
use crate::link::greeting::Refusal;
use crate::link::tls::Secure;
use crate::service::boot::Mark;
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
    /// It is told why each time that it tries, and known here while it does.
    pub(super) async fn turn_twin_away(&mut self, mut secure: Secure) {
        let from = secure.stream.get_ref().0.get_ref().from();
        if !self.twin.is_seen() {
            tracing::error!(?from, "another machine with the key of the other one was turned away");
        }
        self.twin.seen(from);
        let _ = meet::answer(&mut secure, Some(Refusal::Twin)).await;
    }

    /// The other machine could not be called; whether that is since it talks with another one that has this one's key.
    pub(super) fn notice_twin(&mut self, is_there: bool) {
        if is_there && !std::mem::replace(&mut self.has_twin, true) {
            Mark::Twin.set(&self.home);
        }
    }

    /// The other machine takes this one for the one that it is.
    pub(super) fn is_no_twin(&mut self) {
        if std::mem::take(&mut self.has_twin) {
            Mark::Twin.clear(&self.home);
        }
    }

    /// Whether it is another life than the one that this machine talks with that begins a session, and that one lives.
    pub(super) fn is_twin(&self, session: u64) -> bool {
        let life = |session: u64| session & u64::from(u32::MAX);
        let is_other = self.session.as_ref().is_some_and(|known| life(known.number) != life(session));
        is_other && self.again.is_none() && self.heart.silent(Instant::now()).is_some_and(|silent| silent < LIVES)
    }
}
