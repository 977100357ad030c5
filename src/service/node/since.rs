//! Since which protocol each thing exists that one service says to the other. Who adds one says so here: a machine that speaks an
//! older protocol is not told of it, since it would break the session off. Later ones pass over what they do not know.
//!
//! A new field of something that is said already needs no line here, where it can be missing (`#[serde(default)]`).

use super::note::Note;
use crate::service::command::Command;
use crate::service::event::{Noted, What};
use crate::service::status::{Alarm, OperationKind, Status, Trouble};

/// The note as it may be said in the protocol `spoken`, if it may.
pub(super) fn known_in(mut note: Note, spoken: u32) -> Option<Note> {
    if let Note::Standing(status) = &mut note {
        leave_out(status, spoken);
    }
    (since(&note) <= spoken).then_some(note)
}

/// Whether the protocol `spoken` knows this request.
pub(super) fn knows(spoken: u32, command: &Command) -> bool {
    of_command(command) <= spoken
}

/// Leaves out of `status` what the protocol `spoken` does not know.
pub(super) fn leave_out(status: &mut Status, spoken: u32) {
    status.alarms.retain(|Alarm { trouble, .. }| of_trouble(trouble) <= spoken);
    status.events.retain(|event| of_what(&event.what) <= spoken);
    status.plans.retain(|plan| of_kind(plan.kind) <= spoken);
    status.history.retain(|operation| of_kind(operation.kind) <= spoken);
    if spoken < 5 {
        for dataset in &mut status.datasets {
            dataset.kinds = dataset.kinds.iter().map(|kind| kind.known_before()).collect();
        }
    }
    status.operation.take_if(|operation| of_kind(operation.kind) > spoken);
}

fn since(note: &Note) -> u32 {
    match note {
        Note::Here { .. }
        | Note::Configured(_)
        | Note::Standing(_)
        | Note::Answer { .. }
        | Note::Grant { .. }
        | Note::Goodbye { .. }
        | Note::Maintenance(_)
        | Note::Ping
        | Note::Terminals { .. }
        | Note::Devices { .. } => 4,
        Note::Done { what, .. } => of_what(what),
        Note::Operation(operation) => of_kind(operation.kind),
        Note::Ask { command, .. } => of_command(command),
        Note::Unknown { .. } => u32::MAX,
    }
}

fn of_what(what: &What) -> u32 {
    match what {
        What::Trouble(trouble) | What::Mended(trouble) => of_trouble(trouble),
        What::Noted(Noted::SteppedBack { .. } | Noted::HistoryForgotten | Noted::GivenUp { .. }) => 5,
        _ => 4,
    }
}

fn of_command(command: &Command) -> u32 {
    match command {
        Command::Status
        | Command::Watch
        | Command::Verify { .. }
        | Command::Reseed { .. }
        | Command::ForgetHistory { .. }
        | Command::Promote { .. }
        | Command::Return { .. }
        | Command::Copy { .. }
        | Command::Switch { .. }
        | Command::Start { .. }
        | Command::Cancel { .. }
        | Command::Answer { .. }
        | Command::Check { .. }
        | Command::Invite { .. }
        | Command::Revoke { .. }
        | Command::Maintenance { .. }
        | Command::Mute { .. }
        | Command::Stop { .. }
        | Command::Who
        | Command::NumbersSet { .. }
        | Command::Pin { .. }
        | Command::Adopt { .. }
        | Command::InviteTerminal { .. }
        | Command::Message { .. } => 4,
        Command::Drill { .. } | Command::GiveUpAside { .. } => 5,
    }
}

/// Since which protocol a machine knows this operation.
pub(super) fn of_kind(kind: OperationKind) -> u32 {
    match kind {
        OperationKind::Verify
        | OperationKind::Reseed
        | OperationKind::Promote
        | OperationKind::Return
        | OperationKind::Switch
        | OperationKind::Start
        | OperationKind::Adopt => 4,
        OperationKind::Drill => 5,
    }
}

fn of_trouble(trouble: &Trouble) -> u32 {
    match trouble {
        Trouble::DiskFull { .. }
        | Trouble::NoRoomAside { .. }
        | Trouble::MirrorFails { .. }
        | Trouble::DatasetStopped { .. }
        | Trouble::SourceGone { .. }
        | Trouble::Held { .. }
        | Trouble::Unreadable { .. }
        | Trouble::Silent { .. }
        | Trouble::Unanswered { .. }
        | Trouble::CopyOld { .. }
        | Trouble::MirrorStopped { .. }
        | Trouble::Versions { .. }
        | Trouble::DiskLow { .. }
        | Trouble::WatchLimit { .. }
        | Trouble::Unwatched { .. }
        | Trouble::ServerStray { .. }
        | Trouble::ServerDown { .. }
        | Trouble::EpochUnproven { .. }
        | Trouble::EventsWait { .. }
        | Trouble::Licence(_)
        | Trouble::RecordUnsaved { .. }
        | Trouble::KeyTwice { .. }
        | Trouble::StoppedAlone
        | Trouble::DevicesMissed { .. } => 4,
        Trouble::Doubt(_) | Trouble::StandsStill => 5,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::pair::{Node, Pair};
    use crate::replica::Kind;
    use crate::service::book::Book;
    use crate::service::event::Event;
    use crate::service::status::{Doubt, Folders};

    #[test]
    fn what_is_new_is_told_to_nobody_who_does_not_know_it() {
        let mut status = Book::new("pos", Folders::default()).status(&Pair::new(Node::Backup), Timestamp::UNIX_EPOCH);
        let new = Trouble::Doubt(Doubt::DrillOld { days: 31 });
        let old = Trouble::Held { files: 1 };
        for trouble in [&new, &old] {
            let (code, since) = (trouble.code().to_owned(), Timestamp::UNIX_EPOCH);
            status.alarms.push(Alarm { code, trouble: trouble.clone(), since });
            status.events.push(Event { at: since, what: What::Trouble(trouble.clone()) });
        }
        let to = Timestamp::UNIX_EPOCH;
        status.events.push(Event { at: to, what: What::Noted(Noted::SteppedBack { to }) });
        status.datasets[0].kinds = vec![Kind::Queue, Kind::Dump];
        let mut told = status.clone();
        leave_out(&mut told, 4);
        assert_eq!((told.alarms.len(), told.events.len()), (1, 1));
        assert_eq!(told.datasets[0].kinds, [Kind::Queue, Kind::Files]);
        leave_out(&mut status, 5);
        assert_eq!((status.alarms.len(), status.events.len()), (2, 3));
        assert!(!knows(4, &Command::Drill { by: String::new() }));
    }
}
