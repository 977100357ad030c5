//! When a person is called: the screen comes forward and an alarm is heard, from the first alarm until it is muted or all is
//! mended; and again with the next alarm that is new.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::status::{PeerState, Status, Verdict};
use crate::pair::Duty;

/// Whether a person is called to a backup: the screen came forward, and an alarm is heard until it is muted or all is mended.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Call {
    /// Since when there is something to be called for; none where there is nothing.
    pub since: Option<Timestamp>,
    /// A person is called now: it can be muted.
    pub calls: bool,
    /// Screens ring the bell of the terminal, again and again, while this is so.
    pub bell: bool,
    /// Who has muted it. It is heard again when something else is wrong.
    pub muted_by: Option<String>,
}

/// What stands for a start that is offered, beside the codes of alarms.
const START: &str = "start";

/// Whether a person is called.
#[derive(Debug, Default)]
pub struct Calls {
    /// What there was to be called for when it was last looked at.
    known: BTreeSet<String>,
    since: Option<Timestamp>,
    muted_by: Option<String>,
}

/// What is to be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Calling {
    /// A person is called from now on: the screen comes forward.
    Begins,
    /// A person is called already.
    GoesOn,
    /// Nobody is called.
    Rests,
}

impl Calls {
    /// Looks at how it stands.
    pub fn weigh(&mut self, status: &Status) -> Calling {
        let reasons = reasons(status);
        let is_called = self.since.is_some() && self.muted_by.is_none();
        let is_new = reasons.iter().any(|reason| !self.known.contains(reason));
        self.known = reasons;
        if self.known.is_empty() {
            (self.since, self.muted_by) = (None, None);
            Calling::Rests
        } else if is_called {
            Calling::GoesOn
        } else if is_new {
            (self.since, self.muted_by) = (Some(status.at), None);
            Calling::Begins
        } else {
            Calling::Rests
        }
    }

    /// Somebody has heard it. Returns whether there was something to hear.
    pub fn mute(&mut self, by: &str) -> bool {
        let is_called = self.since.is_some() && self.muted_by.is_none();
        if is_called {
            self.muted_by = Some(by.to_owned());
        }
        is_called
    }

    /// What screens hear of it. `bell`: they are the ones who ring.
    #[must_use]
    pub fn told(&self, bell: bool) -> Call {
        let is_called = self.since.is_some() && self.muted_by.is_none();
        Call { since: self.since, calls: is_called, bell: bell && is_called, muted_by: self.muted_by.clone() }
    }
}

/// What a person is to be called for: what is wrong and not only a hint, and that a start is offered.
fn reasons(status: &Status) -> BTreeSet<String> {
    if status.maintenance {
        return BTreeSet::new();
    }
    let wrong = status.alarms.iter().filter(|alarm| !alarm.trouble.is_hint()).map(|alarm| alarm.code.clone());
    let is_offered = match status.verdict {
        Verdict::ServerStopped | Verdict::MainDown => true,
        Verdict::Unknown => status.peer.state == PeerState::Lost,
        Verdict::Healthy | Verdict::OnlyThisLink | Verdict::Isolated => false,
    };
    let start = (is_offered && status.duty != Duty::Serving).then(|| START.to_owned());
    wrong.chain(start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::{Node, Pair};
    use crate::service::book::Book;
    use crate::service::status::{Alarm, Folders, Trouble};

    fn status(troubles: &[Trouble]) -> Status {
        let now = Timestamp::UNIX_EPOCH;
        let mut status = Book::new("pos", Folders::default()).status(&Pair::new(Node::Backup), now);
        let alarm = |trouble: &Trouble| Alarm { code: trouble.code().to_owned(), trouble: trouble.clone(), since: now };
        status.alarms = troubles.iter().map(alarm).collect();
        status.verdict = Verdict::Healthy;
        status
    }

    const SILENT: Trouble = Trouble::Silent { why: None };
    const OLD: Trouble = Trouble::CopyOld { age_ms: 7, limit_ms: 1 };
    const HINT: Trouble = Trouble::DiskLow { free_bytes: 7 };

    #[test]
    fn a_person_is_called_once_until_all_is_mended() {
        let mut calls = Calls::default();
        assert_eq!(calls.weigh(&status(&[HINT])), Calling::Rests, "a hint calls nobody");
        assert_eq!(calls.weigh(&status(&[HINT, SILENT])), Calling::Begins);
        assert_eq!(calls.weigh(&status(&[SILENT])), Calling::GoesOn);
        assert_eq!(calls.weigh(&status(&[SILENT, OLD])), Calling::GoesOn, "who is called is called already");
        assert!(calls.told(true).calls && calls.told(true).bell && !calls.told(false).bell);
        assert_eq!(calls.weigh(&status(&[])), Calling::Rests);
        assert_eq!(calls.told(true), Call::default());
        assert_eq!(calls.weigh(&status(&[SILENT])), Calling::Begins, "it is another one");
    }

    #[test]
    fn what_is_muted_is_muted_until_something_new_is_wrong() {
        let mut calls = Calls::default();
        assert!(!calls.mute("ana"), "there is nothing to hear");
        let _ = calls.weigh(&status(&[SILENT]));
        assert!(calls.mute("ana") && !calls.mute("eva"));
        assert_eq!(calls.weigh(&status(&[SILENT])), Calling::Rests);
        assert_eq!(calls.told(true).muted_by.as_deref(), Some("ana"));
        assert!(!calls.told(true).calls && !calls.told(true).bell);
        assert_eq!(calls.weigh(&status(&[SILENT, OLD])), Calling::Begins);
        assert_eq!(calls.told(true).muted_by, None);
        assert!(calls.mute("eva"));
        assert_eq!(calls.weigh(&status(&[OLD])), Calling::Rests, "what goes is nothing new");
    }

    #[test]
    fn a_start_that_is_offered_calls_and_maintenance_calls_nobody() {
        let mut calls = Calls::default();
        let mut down = status(&[]);
        down.verdict = Verdict::ServerStopped;
        assert_eq!(calls.weigh(&Status { maintenance: true, ..down.clone() }), Calling::Rests);
        assert_eq!(calls.weigh(&down), Calling::Begins, "maintenance is over, and it is still so");
        assert_eq!(calls.weigh(&Status { maintenance: true, ..down.clone() }), Calling::Rests);
        assert_eq!(calls.weigh(&Status { duty: Duty::Serving, ..down.clone() }), Calling::Rests, "it was started");
        let mut unknown = status(&[]);
        unknown.verdict = Verdict::Unknown;
        assert_eq!(calls.weigh(&unknown), Calling::Rests, "in the morning nothing is known yet");
        unknown.peer.state = PeerState::Lost;
        assert_eq!(calls.weigh(&unknown), Calling::Begins);
    }
}
