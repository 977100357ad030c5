//! A lesson: one whole story, from a healthy shop to a healthy shop. It says what to do, and sees by itself that it was done.

use super::places::TILLS;
use crate::pair::Duty;
use crate::service::Status;
use crate::service::status::{PeerState, Server, Verdict};

use super::shop::works_with;

/// A step of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// All is well; the main's power is to be cut.
    CutPower,
    /// The alarm is waited for.
    Alarm,
    /// The backup server is to be started.
    Start,
    /// The terminals come by themselves.
    Follow,
    /// Days of the licence run; the main is to be brought back.
    BringBack,
    /// It is brought level.
    Level,
    /// It is to get its place again.
    Return,
    /// All is well again.
    Over,
}

/// All steps.
pub const STEPS: [Step; 8] =
    [Step::CutPower, Step::Alarm, Step::Start, Step::Follow, Step::BringBack, Step::Level, Step::Return, Step::Over];

/// How the shop stands, as far as the lesson goes.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'s> {
    /// The main has power.
    pub is_on: bool,
    /// How the main stands, where its service is there.
    pub main: Option<&'s Status>,
    /// How the backup stands.
    pub backup: Option<&'s Status>,
}

impl Step {
    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> usize {
        STEPS.iter().position(|step| *step == self).map_or(0, |at| at + 1)
    }

    /// The step at which the lesson is now, if it was at this one.
    #[must_use]
    pub fn after(self, seen: &Seen<'_>) -> Self {
        let mut step = self;
        while let Some(next) = STEPS.get(step.number()).filter(|_| step.is_done(seen)) {
            step = *next;
        }
        step
    }

    fn is_done(self, seen: &Seen<'_>) -> bool {
        let backup = |holds: &dyn Fn(&Status) -> bool| seen.backup.is_some_and(holds);
        let serves = backup(&|backup| backup.duty == Duty::Serving);
        let main_mirrors = seen.main.is_some_and(|main| main.duty == Duty::Mirroring);
        match self {
            Self::CutPower => !seen.is_on || serves,
            Self::Alarm => serves || backup(&|backup| backup.verdict == Verdict::MainDown),
            Self::Start => serves,
            Self::Follow => {
                serves && backup(&|backup| backup.server == Server::Ready && works_with(backup) == TILLS.len())
            }
            Self::BringBack => seen.is_on,
            Self::Level => {
                let is_level = |main: &Status| main.mirror.as_of.is_some() && main.peer.state == PeerState::Healthy;
                main_mirrors && seen.main.is_some_and(is_level) || !serves
            }
            Self::Return => {
                let works = |main: &Status| {
                    main.duty == Duty::Serving && main.server == Server::Ready && works_with(main) == TILLS.len()
                };
                seen.main.is_some_and(works) && backup(&|backup| backup.can_take_over.yes)
            }
            Self::Over => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_when_something_was_done_and_never_back() {
        let [off, on] = [false, true].map(|is_on| Seen { is_on, main: None, backup: None });
        assert_eq!(Step::CutPower.after(&on), Step::CutPower);
        assert_eq!(Step::CutPower.after(&off), Step::Alarm);
        assert_eq!(Step::Alarm.after(&on), Step::Alarm, "whatever else is done meanwhile");
        assert_eq!(Step::BringBack.after(&off), Step::BringBack);
        assert_eq!(Step::Over.after(&on), Step::Over);
        assert!(STEPS.is_sorted() && STEPS.map(Step::number) == [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
