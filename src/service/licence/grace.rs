//! What becomes of the POS server when the days of a vendor's licence are over that says so: it is stopped in order at the next
//! quiet moment, at the latest when the grace is over, and not started again until there are days. The data are served on.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Licensing, Save};
use crate::licence::Moment;
use crate::licence::standing::State;
use crate::service::event::LicenceNews;
use crate::service::status::LicenceTrouble;

/// So long nothing changes before that is a quiet moment.
pub const QUIET: Duration = Duration::from_secs(60);

impl Licensing {
    /// When at the latest the serving backup is to be stopped in order, where the licence says so and its days are over.
    #[must_use]
    pub fn stop_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.stops_at(now).filter(|_| self.standing(now).state == State::Expired)
    }

    /// Whether the POS server is to be stopped now, where nothing has changed for so long.
    #[must_use]
    pub fn is_to_stop(&self, quiet: Duration, now: Timestamp) -> bool {
        self.stop_by(now).is_some_and(|by| quiet >= QUIET || now >= by)
    }

    /// Whether the POS server may not be started: it was stopped, or ought to be by now.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.stop_by(now).is_some_and(|by| self.ledger.is_stopped() || now >= by)
    }

    /// The POS server is stopped from now on. To be written before it is.
    pub fn hold(&mut self, now: &Moment) -> Save {
        if !self.ledger.is_stopped() {
            self.ledger.stop(now);
            self.tell(LicenceNews::Stopped, now);
        }
        self.save(now)
    }

    /// What is wrong while the backup serves on a licence that has it stopped, with so much left; none where it has not.
    pub(super) fn stopping(&self, remaining_ms: u64, now: Timestamp) -> Option<LicenceTrouble> {
        let left = self.stops_at(now)?.duration_since(now).max(SignedDuration::ZERO);
        let stop_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Some(match remaining_ms {
            0 if self.holds(now) => LicenceTrouble::Stopped,
            0 => LicenceTrouble::OverStops { stop_ms },
            left_ms => LicenceTrouble::Stops { left_ms, stop_ms },
        })
    }

    /// When the grace ends, if the backup serves on.
    fn stops_at(&self, now: Timestamp) -> Option<Timestamp> {
        let hours = self.installed.1.as_ref().ok()?.terms.grace_hours?;
        self.standing(now).ends_at?.checked_add(SignedDuration::from_hours(hours.into())).ok()
    }
}
