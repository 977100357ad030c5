//! The one sentence that is always there: could the copy take over now?

use super::Words;
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{Machines, OperationKind, PeerState, Phase, Unmet};

/// What the sentence says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stance {
    /// It could.
    Yes,
    /// It could, and the main is silent.
    YesAlone,
    /// It could, with a copy that is older than it may be.
    Old,
    /// The same, and the main is silent.
    OldAlone,
    /// It could not.
    No,
    /// It could not, and the main is silent.
    NoAlone,
    /// The mirror is being opened.
    Opening,
    /// The first copy is being made.
    FirstCopy,
    /// The first copy is not complete, and the main is silent.
    FirstCopyAlone,
    /// There is no copy, and the two machines have not met yet.
    NotMet,
    /// This machine serves, and no other one has joined it.
    NobodyJoined,
    /// This machine serves, and its mirror is silent.
    Bare,
    /// The backup serves, and the main is silent.
    ServesBare,
    /// The backup serves, and the main is given everything.
    ServesCopying,
    /// The backup serves, and the main follows with something that is not well.
    ServesFollowed,
    /// The backup serves, and the main could have its place back.
    ServesLevel,
    /// The backup serves, and this is the main, which hears it.
    Follows,
    /// This machine was the server, and waits to hear whether it is still.
    Waits,
}

/// What is to be said of `status`.
#[must_use]
pub fn stance(status: &Status) -> Stance {
    let silent = status.machines.is_some() && !matches!(status.peer.state, PeerState::Healthy | PeerState::Late);
    let unknown = silent && status.peer.state == PeerState::Unknown;
    if let Some(stance) = elsewhere(status, silent) {
        return stance;
    }
    if silent && status.duty == Duty::Serving {
        return match status.peer.unmet {
            Some(Unmet::NobodyJoined) => Stance::NobodyJoined,
            _ if unknown && status.alarms.is_empty() => Stance::NotMet,
            _ => Stance::Bare,
        };
    }
    if status.can_take_over.yes {
        return if silent { Stance::YesAlone } else { Stance::Yes };
    }
    let is_old = status.can_take_over.reasons.iter().all(|reason| reason.check == "copy-age");
    match status.mirror.phase {
        _ if unknown && status.mirror.as_of.is_none() => Stance::NotMet,
        _ if silent && status.mirror.as_of.is_none() => Stance::FirstCopyAlone,
        Phase::Opening => Stance::Opening,
        Phase::FirstCopy => Stance::FirstCopy,
        Phase::Following | Phase::Verifying | Phase::Stopped => match (is_old, silent) {
            (true, true) => Stance::OldAlone,
            (true, false) => Stance::Old,
            (false, true) => Stance::NoAlone,
            (false, false) => Stance::No,
        },
    }
}

/// What is to be said where the server is not where it is on ordinary days, or nowhere.
fn elsewhere(status: &Status, silent: bool) -> Option<Stance> {
    status.machines.as_ref()?;
    match (status.node, status.duty) {
        (Node::Backup, Duty::Serving) => Some(match status.mirror.phase {
            _ if silent => Stance::ServesBare,
            _ if status.can_take_over.yes => Stance::ServesLevel,
            Phase::Opening | Phase::FirstCopy => Stance::ServesCopying,
            Phase::Following | Phase::Verifying | Phase::Stopped => Stance::ServesFollowed,
        }),
        (Node::Main, Duty::Mirroring) if status.holder == Node::Backup && !silent => Some(Stance::Follows),
        (_, Duty::Waiting) => {
            status.plans.iter().any(|plan| plan.kind == OperationKind::Start).then_some(Stance::Waits)
        }
        (_, Duty::Serving | Duty::Mirroring) => None,
    }
}

/// The sentence for `status`.
#[must_use]
pub fn sentence(words: &Words, status: &Status) -> String {
    let whose = |[copy, this, backup]: [&'static str; 3]| match (&status.machines, status.node) {
        (None, _) => copy,
        (Some(_), Node::Backup) => this,
        (Some(_), Node::Main) => backup,
    };
    let key = match stance(status) {
        Stance::Yes => whose(["answer-yes", "answer-yes-this", "answer-yes-backup"]),
        Stance::YesAlone if refuses(status) => "answer-yes-apart",
        Stance::YesAlone => "answer-yes-alone",
        Stance::Old => whose(["answer-old", "answer-old-this", "answer-old-backup"]),
        Stance::OldAlone if refuses(status) => "answer-old-apart",
        Stance::OldAlone => "answer-old-alone",
        Stance::No => whose(["answer-no", "answer-no-this", "answer-no-backup"]),
        Stance::NoAlone if refuses(status) => "answer-no-apart",
        Stance::NoAlone => "answer-no-alone",
        Stance::Opening => "answer-opening",
        Stance::FirstCopy => "answer-first-copy",
        Stance::FirstCopyAlone => "answer-first-copy-alone",
        Stance::NotMet => "answer-not-met",
        Stance::NobodyJoined => "answer-nobody-joined",
        Stance::Bare => "answer-bare",
        Stance::ServesBare => "serving-bare",
        Stance::ServesCopying => "serving-copying",
        Stance::ServesFollowed => "serving-follows",
        Stance::ServesLevel => "serving-level",
        Stance::Follows => "follows-serves",
        Stance::Waits => "morning-waits",
    };
    words.with(key, &[("name", other(status).into())])
}

/// Whether the other machine is there, and does not talk to this one: it may well sell as ever.
#[must_use]
pub fn refuses(status: &Status) -> bool {
    matches!(
        status.peer.unmet,
        Some(Unmet::TurnedAway { .. } | Unmet::Twin { .. } | Unmet::Versions { .. } | Unmet::NoPlace | Unmet::Other)
    )
}

/// What the other machine is called; nothing where there is none.
#[must_use]
pub fn other(status: &Status) -> &str {
    match (&status.machines, status.node) {
        (None, _) => "",
        (Some(Machines { backup, .. }), Node::Main) => backup,
        (Some(Machines { main, .. }), Node::Backup) => main,
    }
}
