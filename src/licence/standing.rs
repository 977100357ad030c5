//! What follows from terms and ledger.

use jiff::{SignedDuration, Timestamp};

use super::ledger::Ledger;
use super::terms::Grant;

/// How the licence stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// There is none.
    Missing,
    /// It begins when the backup starts.
    Ready,
    /// The backup serves on it.
    Running,
    /// It is used up.
    Expired,
}

/// How the licence stands, and what is left of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// How.
    pub state: State,
    /// What is left, in milliseconds.
    pub remaining_ms: u64,
    /// When it ends, or has ended, if the backup serves on.
    pub ends_at: Option<Timestamp>,
}

/// How the licence stands when the wall clock says `now`, and all time up to now is counted.
#[must_use]
pub fn standing(ledger: &Ledger, grant: Option<&Grant>, now: Timestamp) -> Standing {
    let Some(grant) = grant else { return Standing { state: State::Missing, remaining_ms: 0, ends_at: None } };
    let (all, used) = (grant.terms.all_ms(), ledger.used_ms(grant));
    let remaining_ms = all.saturating_sub(used);
    let state = match (remaining_ms, ledger.is_running()) {
        (0, _) => State::Expired,
        (_, true) => State::Running,
        (_, false) => State::Ready,
    };
    let far = |ms: u64| SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let end = || {
        let end = if remaining_ms > 0 { now.checked_add(far(remaining_ms)) } else { now.checked_sub(far(used - all)) };
        // To the second: the two clocks are not read at the same instant.
        end.and_then(|end| end.round(jiff::Unit::Second)).ok()
    };
    Standing { state, remaining_ms, ends_at: ledger.is_running().then(end).flatten() }
}
