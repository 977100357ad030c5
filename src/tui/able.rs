//! What can be done now, and why not: said by the view, obeyed by the app.

use jiff::{SignedDuration, Timestamp};

use super::Place;
use crate::pair::Duty;
use crate::service::Status;
use crate::service::status::{Operation, OperationKind, OperationState, Phase, Question};

/// Until a service has answered, what was asked of it counts as asked this long.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// Whether every byte can be compared now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Comparing<'s> {
    /// Yes; and how it ended last.
    Possible(Option<&'s Operation>),
    /// No: this screen only watches.
    WatchOnly,
    /// No: there is no complete copy yet, or nothing was heard of it.
    NotYet,
    /// No: the copy has stopped.
    Stopped,
    /// It was asked for a moment ago.
    Asked,
    /// It runs.
    Runs(&'s Operation),
}

/// Whether every byte can be compared `now`, when that was asked for at `asked`.
#[must_use]
pub fn comparing(status: Option<&Status>, place: Place, asked: Option<Timestamp>, now: Timestamp) -> Comparing<'_> {
    let Some(status) = status else { return Comparing::NotYet };
    let last = status.operation.as_ref().filter(|operation| operation.kind == OperationKind::Verify);
    if let Some(running) = last.filter(|operation| operation.state == OperationState::Running) {
        return Comparing::Runs(running);
    }
    if place == Place::WatchOnly {
        return Comparing::WatchOnly;
    }
    let answered = |asked| last.is_some_and(|operation| operation.started_at >= asked);
    if asked.is_some_and(|asked| now.duration_since(asked) < PATIENCE && !answered(asked)) {
        return Comparing::Asked;
    }
    match status.mirror.phase {
        Phase::Opening | Phase::FirstCopy => Comparing::NotYet,
        Phase::Stopped => Comparing::Stopped,
        Phase::Following | Phase::Verifying => Comparing::Possible(last),
    }
}

/// Whether a drill can be held now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drilling {
    /// Yes.
    Possible,
    /// No: this screen only watches.
    WatchOnly,
    /// No: this is not the machine that mirrors, or no POS server is set, or there is no copy.
    NotHere,
    /// It runs.
    Runs,
    /// Something else runs.
    Busy(OperationKind),
}

/// Whether a drill can be held from here.
#[must_use]
pub fn drilling(status: Option<&Status>, place: Place) -> Drilling {
    let Some(status) = status else { return Drilling::NotHere };
    let running = status.operation.as_ref().filter(|operation| operation.state == OperationState::Running);
    match running.map(|running| running.kind) {
        Some(OperationKind::Drill) => return Drilling::Runs,
        Some(kind) if kind.is_turn() => return Drilling::Busy(kind),
        _ => {}
    }
    let here = status.duty == Duty::Mirroring && status.pos.is_some() && status.mirror.as_of.is_some();
    match place {
        _ if !here => Drilling::NotHere,
        Place::WatchOnly => Drilling::WatchOnly,
        Place::Attached | Place::Embedded => Drilling::Possible,
    }
}

/// The question that can be answered from here.
#[must_use]
pub fn question(status: Option<&Status>, place: Place) -> Option<&Question> {
    let first = status.and_then(|status| status.questions.first());
    first.filter(|_| place != Place::WatchOnly)
}
