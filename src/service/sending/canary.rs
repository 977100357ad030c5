//! The canary: once a cycle it goes the way that changes go, so that it is known to work where nothing changes.

use super::{Ended, Sending};
use crate::disk::capture::now_as_time;
use crate::link::frame::Say;

impl Sending {
    /// Sends the canary of this cycle, if it has not gone yet.
    pub(super) fn send_canary(&mut self) -> Result<(), Ended> {
        if !std::mem::take(&mut self.canary_due) || self.port.out().is_none() {
            return Ok(());
        }
        let at = now_as_time();
        let hears = self.moved.catch_up();
        while let Some(moved) = self.moved.next() {
            self.moved(moved);
        }
        let level = hears && self.is_ready() && self.dirty.is_empty() && !self.is_held_up() && !self.mapped_waits;
        self.say(Say::Canary { at, level })
    }

    /// Whether something of the source may not be in the mirror, though nothing is to be sent: what is known, and what nobody told of
    /// where not everything is watched.
    fn is_held_up(&self) -> bool {
        self.holds_back() || self.told.rescans_ms.is_some()
    }

    /// Whether something of the source is known not to be in the mirror.
    pub(super) fn holds_back(&self) -> bool {
        let told = &self.told;
        told.error.is_some()
            || told.removals.is_some()
            || !told.emptied.is_empty()
            || !told.older.is_empty()
            || !told.unreadable.is_empty()
    }
}
