//! The other machine's POS server program, as it is heard.

use std::time::Duration;

use tokio::time::Instant;

use crate::pair::Duty;
use crate::service::status::{PeerState, Server, Trouble, Verdict};

/// The other machine's POS server may be stopped for so long before that is said: it is started again after a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// The other machine's POS server program, as it is heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Far {
    /// Since when it does not answer, though that machine serves.
    down: Option<(Instant, Server)>,
    /// Since when neither machine is the server, and no change of server is under way.
    nobody: Option<Instant>,
}

impl Far {
    /// The other machine said what it does, and how its POS server stands.
    pub fn hear(&mut self, duty: Duty, server: Server, now: Instant) {
        match (duty, server) {
            (Duty::Serving, Server::Stopped | Server::Failing) => {
                let since = self.down.map_or(now, |(since, _)| since);
                self.down = Some((since, server));
            }
            // That it is started again does not mean that it works.
            (Duty::Serving, Server::Starting) => {}
            (Duty::Serving, Server::Ready) | (Duty::Mirroring | Duty::Waiting, _) => self.down = None,
        }
    }

    /// Whether neither machine is the server now, nor about to become it.
    pub fn weigh(&mut self, is_nobody: bool, now: Instant) {
        self.nobody = is_nobody.then(|| self.nobody.unwrap_or(now));
    }

    /// Whether it does not answer, and has not for long enough to say so.
    #[must_use]
    pub fn is_down(&self, now: Instant) -> bool {
        let is_long = |since: Instant| now.saturating_duration_since(since) >= PATIENCE;
        // One that fails was waited for over there.
        let down = self.down.is_some_and(|(since, server)| server == Server::Failing || is_long(since));
        down || self.nobody.is_some_and(is_long)
    }

    /// The verdict, where the other machine is heard, and the alarm that goes with it.
    #[must_use]
    pub fn judge(&self, state: PeerState, now: Instant) -> Option<(Verdict, Trouble)> {
        let is_heard = matches!(state, PeerState::Healthy | PeerState::Late);
        let alarm = Trouble::ServerDown { here: false, why: None };
        (is_heard && self.is_down(now)).then_some((Verdict::ServerStopped, alarm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_started_again_in_time_is_not_missed() {
        let (mut far, now) = (Far::default(), Instant::now());
        let later = |ms| now + Duration::from_millis(ms);
        far.hear(Duty::Serving, Server::Starting, now);
        assert!(!far.is_down(later(90_000)), "it begins");
        far.hear(Duty::Serving, Server::Stopped, now);
        assert!(!far.is_down(later(2999)));
        far.hear(Duty::Serving, Server::Starting, later(1000));
        assert!(far.is_down(later(3000)), "it was started again, and does not answer");
        assert!(far.judge(PeerState::Lost, later(3000)).is_none(), "who is not heard says nothing");
        far.hear(Duty::Serving, Server::Ready, later(4000));
        assert!(!far.is_down(later(9000)));
        far.hear(Duty::Serving, Server::Failing, later(5000));
        assert!(far.is_down(later(5000)), "that was waited for");
        far.hear(Duty::Mirroring, Server::Stopped, later(6000));
        assert!(!far.is_down(later(60_000)), "it has none to run");
        far.weigh(true, later(60_000));
        assert!(!far.is_down(later(62_999)), "one of the two may be about to serve");
        far.weigh(true, later(62_999));
        assert!(far.is_down(later(63_000)), "both follow, and nobody serves");
        far.weigh(false, later(64_000));
        assert!(!far.is_down(later(64_000)));
    }
}
