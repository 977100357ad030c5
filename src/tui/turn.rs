//! Changes of server: which can be asked for from here now, and why not the others; and which home screen that makes. Said by
//! the view, obeyed by the app.

use jiff::{SignedDuration, Timestamp};

use super::Place;
use super::intent::{Intent, Scope};
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{Operation, OperationKind, OperationState, PeerState, Plan, Trouble, Verdict};
use crate::words::answer::refuses;

/// Until a service has begun it, what was asked of it counts as asked this long.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// What the home screen is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// The mirror, and that all is well or not.
    Mirror,
    /// The server is missed, and this machine might take its place.
    Alarm,
    /// This machine is the server, and is not the one that is on ordinary days.
    Serving,
    /// A change of server runs.
    Turning,
}

impl Home {
    /// What the home screen of `status` is about.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        match () {
            () if status.machines.is_none() => Self::Mirror,
            () if running(status).is_some() => Self::Turning,
            () if status.duty == Duty::Serving && status.node == Node::Backup => Self::Serving,
            () if is_missed(status) => Self::Alarm,
            () => Self::Mirror,
        }
    }

    /// Where its keys mean something.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::Mirror | Self::Serving => Scope::Mirror,
            Self::Alarm => Scope::Alarm,
            Self::Turning => Scope::Turn,
        }
    }
}

/// The change of server that runs.
#[must_use]
pub fn running(status: &Status) -> Option<&Operation> {
    let turns = |operation: &&Operation| operation.kind.is_turn() && operation.state == OperationState::Running;
    status.operation.as_ref().filter(turns)
}

/// The plan of the server's start on this machine.
#[must_use]
pub fn start_plan(status: &Status) -> Option<&Plan> {
    status.plans.iter().find(|plan| matches!(plan.kind, OperationKind::Promote | OperationKind::Start))
}

/// Whether a start here would be that of the backup server.
#[must_use]
pub fn promotes(status: &Status) -> bool {
    start_plan(status).is_some_and(|plan| plan.kind == OperationKind::Promote)
}

/// Whether the server is missed, and this machine might take its place. One that is there and does not talk to this machine may
/// well sell as ever.
fn is_missed(status: &Status) -> bool {
    let Some(plan) = status.plans.iter().find(|plan| plan.kind == OperationKind::Promote) else { return false };
    if status.duty == Duty::Serving || refuses(status) {
        return false;
    }
    let silent = || status.alarms.iter().any(|alarm| matches!(alarm.trouble, Trouble::Silent { .. }));
    match status.peer.state {
        PeerState::Lost => true,
        // Without a copy it was never met.
        PeerState::Unknown => status.mirror.as_of.is_some() && silent(),
        PeerState::Healthy | PeerState::Late => status.verdict == Verdict::ServerStopped && plan.is_offered(),
    }
}

/// A change of server that a person can ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// The server is started on this machine.
    Start,
    /// The main server is given its place again.
    Return,
    /// The backup is given the place, as planned.
    Switch,
    /// The return that runs is not ended.
    Cancel,
}

/// Whether a change of server can be asked for now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Turn<'s> {
    /// Yes; what it would do.
    Offered(&'s Plan),
    /// Yes: the return runs, and can be cancelled.
    Cancellable(&'s Operation),
    /// No: something stands against it.
    Hindered(&'s Plan),
    /// No: this screen only watches.
    WatchOnly,
    /// It was asked for a moment ago.
    Asked,
    /// It runs.
    Runs,
    /// No: another change of server runs.
    Busy(OperationKind),
    /// No: it is too late to cancel it.
    TooLate,
    /// No: this machine is the server.
    ServesHere,
    /// No: the other machine is the server.
    ServesThere,
    /// No: there is nothing to return from.
    NothingToReturn,
    /// No: nothing is known of it yet.
    Unknown,
}

impl Which {
    /// What asks for it.
    #[must_use]
    pub fn intent(self) -> Intent {
        match self {
            Self::Start => Intent::StartServer,
            Self::Return => Intent::ReturnToMain,
            Self::Switch => Intent::ChangeToBackup,
            Self::Cancel => Intent::CancelReturn,
        }
    }

    fn kinds(self) -> &'static [OperationKind] {
        match self {
            Self::Start => &[OperationKind::Promote, OperationKind::Start],
            Self::Return => &[OperationKind::Return],
            Self::Switch => &[OperationKind::Switch],
            Self::Cancel => &[],
        }
    }

    /// Whether it can be asked for `now`, when it was asked for at `asked`.
    #[must_use]
    pub fn stands(self, status: &Status, place: Place, asked: Option<(Self, Timestamp)>, now: Timestamp) -> Turn<'_> {
        let is_asked = |(which, at): (Self, Timestamp)| which == self && now.duration_since(at) < PATIENCE;
        let asked = asked.filter(|asked| is_asked(*asked)).map(|(_, at)| at);
        if self == Self::Cancel {
            return match running(status) {
                None => Turn::NothingToReturn,
                Some(running) if !running.can_cancel => Turn::TooLate,
                Some(_) if place == Place::WatchOnly => Turn::WatchOnly,
                Some(_) if asked.is_some() => Turn::Asked,
                Some(running) => Turn::Cancellable(running),
            };
        }
        if let Some(running) = running(status) {
            return if self.kinds().contains(&running.kind) { Turn::Runs } else { Turn::Busy(running.kind) };
        }
        // Who serves on ordinary days has nothing to be given back.
        if self == Self::Return && status.holder == Node::Main {
            return Turn::NothingToReturn;
        }
        let plan = status.plans.iter().find(|plan| self.kinds().contains(&plan.kind));
        let began = |at| status.operation.as_ref().is_some_and(|last| last.kind.is_turn() && last.started_at >= at);
        match plan {
            Some(plan) if !plan.is_offered() => Turn::Hindered(plan),
            Some(_) if place == Place::WatchOnly => Turn::WatchOnly,
            Some(_) if asked.is_some_and(|at| !began(at)) => Turn::Asked,
            Some(plan) => Turn::Offered(plan),
            None => self.without_plan(status),
        }
    }

    /// Where there is nothing to plan, who serves says why.
    fn without_plan(self, status: &Status) -> Turn<'_> {
        let heard = matches!(status.peer.state, PeerState::Healthy | PeerState::Late);
        let there = heard && status.peer.duty == Some(Duty::Serving);
        match (self, status.duty) {
            (Self::Start, Duty::Serving) => Turn::ServesHere,
            (Self::Start, _) if there => Turn::ServesThere,
            (Self::Start | Self::Return | Self::Switch | Self::Cancel, _) => Turn::Unknown,
        }
    }
}

/// The last change of server that has ended, for so long as it is news.
#[must_use]
pub fn ended(status: &Status, now: Timestamp) -> Option<&Operation> {
    const NEWS: SignedDuration = SignedDuration::from_hours(1);
    // Of what was refused nothing came: who asked has read why.
    const REFUSED: SignedDuration = SignedDuration::from_mins(1);
    if running(status).is_some() {
        return None;
    }
    let last = status.history.iter().chain(&status.operation).filter(|operation| operation.kind.is_turn());
    let is_news = |last: &&Operation| {
        let is_read = last.state == OperationState::Refused && !last.is_by_itself();
        let span = if is_read { REFUSED } else { NEWS };
        last.state != OperationState::Running && last.ended_at.is_some_and(|at| now.duration_since(at) < span)
    };
    last.filter(is_news).max_by_key(|last| last.started_at)
}
