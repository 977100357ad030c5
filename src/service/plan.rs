//! What a change of server would do now: everything that is examined before it, what it asks a person, what it would lose, and
//! its steps. A person reads it first, and the same value decides whether it is done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::book::showing::age_ms;
use super::numbering::{CounterStatus, Next};
use super::refusal::WhyNot;
use super::status::OperationKind;

/// What a change of server would do now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What would be done.
    pub kind: OperationKind,
    /// Everything that is examined, in the order in which a person would.
    pub checks: Vec<Check>,
    /// What would be lost; none where nothing would be, since the one that gives its place sends all that there is first.
    pub loss: Option<Loss>,
    /// When the days of the backup licence would end, if they began now; none where this does not begin them.
    pub licence_ends_at: Option<Timestamp>,
    /// How long the POS server may stand still for it, where that is limited.
    #[serde(default)]
    pub limit_ms: Option<u64>,
    /// What would be done, in this order.
    pub steps: Vec<Step>,
    /// Where each number would go on that must never be given twice.
    #[serde(default)]
    pub numbers: Vec<CounterStatus>,
    /// What may be missing in the copy, in words that the shop knows.
    #[serde(default)]
    pub lacks: Vec<Lack>,
    /// The same for the earlier states that a person chooses among, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// The earlier state of the copy that it would begin from; none for the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// What may be missing in an earlier state of the copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Earlier {
    /// The state of then.
    pub at: Timestamp,
    /// In words that the shop knows.
    pub lacks: Vec<Lack>,
    /// The last one of each number that must not repeat, as far as it was read then.
    #[serde(default)]
    pub numbers: BTreeMap<String, u64>,
}

/// Something that may be missing in the copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lack {
    /// What, as people say it: "orders". For numbers that must not repeat: what they are called.
    pub label: String,
    /// So many are in the copy; none where they could not be counted.
    pub held: Option<u64>,
    /// So many may be missing at the most, by the busiest minute of the last day.
    pub at_most: Option<u64>,
    /// Those that terminals have seen confirmed and that are not in the copy: "CAJA-2 1041".
    pub seen: Vec<String>,
}

/// One thing that is examined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub check: Checked,
    /// What stands against it, with its value and limit; none where it is well.
    pub why: Option<WhyNot>,
}

/// What is examined before a change of server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// This machine is the one that can do it.
    Duty,
    /// What is known of the other machine.
    Verdict,
    /// The other machine does not count on this one's goodbye.
    Goodbye,
    /// There is a complete copy.
    Copy,
    /// It is young enough.
    CopyAge,
    /// Every dataset is mirrored.
    Datasets,
    /// Nothing about it waits for an answer.
    Questions,
    /// The last comparison of every byte found both sides equal.
    Proven,
    /// The backup licence allows it.
    Licence,
    /// The POS server program can be started there.
    Server,
    /// Both machines have the same version of it.
    ServerVersion,
    /// There is room on the disk.
    Room,
    /// It is known where each number goes on that must never be given twice.
    Numbers,
    /// The two machines talk.
    Line,
    /// Nothing else of that kind runs.
    Free,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// What would be lost: all that came after the last copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Loss {
    /// The mirror holds what its source held then.
    pub as_of: Option<Timestamp>,
    /// Age of the oldest change that is not in the mirror.
    pub behind_ms: u64,
    /// It is the least that it can be: the sender is not heard.
    pub behind_at_least: bool,
    /// Bytes that are known to have changed since.
    pub behind_bytes: u64,
    /// Files that are known to have changed since.
    #[serde(default)]
    pub behind_files: u64,
}

impl Loss {
    /// Whether anything may be lost.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.behind_at_least || self.behind_ms > 0 || self.behind_bytes > 0 || self.behind_files > 0
    }
}

/// A step of a change of server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The mirror takes nothing more, and applies all that it acknowledged.
    CloseMirror,
    /// The new epoch is saved.
    TakeEpoch,
    /// The numbers that must never be given twice go on where none can have been given.
    SetNumbers,
    /// The POS server is started, and answers.
    StartServer,
    /// The other machine is there, and waits.
    OtherWaits,
    /// The other machine is there, and holds what this one holds.
    OtherLevel,
    /// What it alone held is set aside.
    SetAside,
    /// It is given all that there is.
    CopyBack,
    /// The POS server stops; the terminals wait.
    Pause,
    /// What changed last is sent.
    LastChanges,
    /// Both copies are compared.
    Compare,
    /// The other machine is given its place, and its POS server answers.
    HandOver,
    /// The settings name this machine as the main.
    NameMain,
    /// The mirror is copied for a drill.
    CopyMirror,
    /// The POS server is started on the copy, and answers.
    StartTraining,
    /// All that is taken down and removed.
    CleanUp,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// What a person can consent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// The other machine is dead: a person has looked.
    Yes,
    /// What the copy lacks may be lost.
    AcceptLoss,
    /// The terminals lock it, and the support has looked: only that opens it.
    Unlock,
    /// A person has said where each number goes on that is asked about.
    Numbers,
}

impl Consent {
    /// What a person has consented to: each one in the order above.
    #[must_use]
    pub fn all_of(given: [bool; 4]) -> Vec<Self> {
        let all = [Self::Yes, Self::AcceptLoss, Self::Unlock, Self::Numbers];
        all.into_iter().zip(given).filter_map(|(consent, is_given)| is_given.then_some(consent)).collect()
    }
}

impl OperationKind {
    /// The steps of a change of server, or of a drill; of other operations they have no names.
    #[must_use]
    pub fn steps(self) -> &'static [Step] {
        match self {
            Self::Promote => &[Step::CloseMirror, Step::TakeEpoch, Step::SetNumbers, Step::StartServer],
            Self::Return => &[
                Step::OtherWaits,
                Step::SetAside,
                Step::CopyBack,
                Step::Pause,
                Step::LastChanges,
                Step::Compare,
                Step::HandOver,
            ],
            Self::Switch => &[Step::OtherLevel, Step::Pause, Step::LastChanges, Step::Compare, Step::HandOver],
            Self::Start => &[Step::TakeEpoch, Step::StartServer],
            Self::Adopt => &[Step::NameMain],
            Self::Drill => &[Step::CopyMirror, Step::StartTraining, Step::CleanUp],
            Self::Verify | Self::Reseed => &[],
        }
    }

    /// Whether it changes who serves.
    #[must_use]
    pub fn is_turn(self) -> bool {
        !matches!(self, Self::Verify | Self::Reseed | Self::Drill)
    }
}

impl WhyNot {
    /// What a person would have to consent to, where that helps.
    #[must_use]
    pub fn consent(&self) -> Option<Consent> {
        match self {
            Self::NobodyKnows | Self::Parted => Some(Consent::Yes),
            Self::NumberAsked { .. } => Some(Consent::Numbers),
            Self::OnlyThisLink { .. } | Self::Isolated { .. } => Some(Consent::Unlock),
            Self::CopyOld { .. } | Self::QuestionOpen | Self::CopyDiffers | Self::DatasetLacks { .. } => {
                Some(Consent::AcceptLoss)
            }
            _ => None,
        }
    }
}

impl WhyNot {
    /// Whether something is proposed that a person only has to confirm.
    #[must_use]
    pub fn is_proposed(&self) -> bool {
        matches!(self, Self::NumberAsked { proposed: Some(_), .. })
    }
}

impl Plan {
    /// One that loses nothing and limits nothing.
    #[must_use]
    pub fn of(kind: OperationKind, checks: Vec<Check>) -> Self {
        Self {
            kind,
            checks,
            loss: None,
            licence_ends_at: None,
            limit_ms: None,
            steps: kind.steps().to_vec(),
            numbers: vec![],
            lacks: vec![],
            earlier: vec![],
            as_of: None,
        }
    }

    /// The same from what the copy was at `at`: all that came since is lost, too.
    #[must_use]
    pub fn from_earlier(mut self, at: Timestamp, now: Timestamp) -> Self {
        let earlier = self.earlier.iter().find(|earlier| earlier.at <= at).cloned();
        let (lacks, lasts) = earlier.map(|earlier| (earlier.lacks, earlier.numbers)).unzip();
        let lasts = lasts.unwrap_or_default();
        // What was given out since then is suspect, too.
        self.numbers.iter_mut().for_each(|number| number.last = lasts.get(&number.name).copied());
        let loss = self.loss.unwrap_or_default();
        let loss =
            Loss { as_of: Some(at), behind_ms: age_ms(at, now).max(loss.behind_ms), behind_at_least: true, ..loss };
        (self.lacks, self.loss, self.as_of) = (lacks.unwrap_or_default(), Some(loss), Some(at));
        self
    }

    /// Everything that stands against it, where a person has given these consents.
    #[must_use]
    pub fn against(&self, given: &[Consent]) -> Vec<WhyNot> {
        let stands = |why: &&WhyNot| why.consent().is_none_or(|consent| !given.contains(&consent));
        // Of a machine whose part it is not to do that, no other reason means anything.
        let duty = self
            .checks
            .iter()
            .find(|check| check.check == Checked::Duty && check.why.as_ref().is_some_and(|why| stands(&why)));
        let all = duty.map_or(self.checks.as_slice(), std::slice::from_ref);
        all.iter().filter_map(|check| check.why.as_ref()).filter(stands).cloned().collect()
    }

    /// Where numbers go on that a person is asked about, as it is proposed.
    #[must_use]
    pub fn proposed(&self) -> Vec<(String, u64)> {
        let asked = self.numbers.iter().filter(|number| number.asks);
        let proposal = |number: &CounterStatus| match number.next {
            Some(Next::Behind(next)) => Some((number.name.clone(), next)),
            Some(Next::Series(_)) | None => None,
        };
        asked.filter_map(proposal).collect()
    }

    /// Whether it is possible, if a person consents to what is asked.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        let left = self.against(&[Consent::Yes, Consent::AcceptLoss]);
        left.iter().all(WhyNot::is_proposed)
    }

    /// What a person is asked to consent to.
    #[must_use]
    pub fn asks(&self) -> Vec<Consent> {
        let asked =
            |consent| self.checks.iter().any(|check| check.why.as_ref().and_then(WhyNot::consent) == Some(consent));
        [Consent::Yes, Consent::AcceptLoss, Consent::Numbers].into_iter().filter(|consent| asked(*consent)).collect()
    }
}

impl Check {
    /// One that is well unless `why` stands against it.
    #[must_use]
    pub fn of(check: Checked, why: Option<WhyNot>) -> Self {
        Self { check, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(why: &[WhyNot]) -> Plan {
        let checks = why.iter().map(|why| Check::of(Checked::Other, Some(why.clone())));
        Plan::of(OperationKind::Promote, checks.chain([Check::of(Checked::Copy, None)]).collect())
    }

    /// Found by reading: the plan told the last number of now, and the suspect ones began too late.
    #[test]
    fn an_earlier_state_holds_earlier_numbers() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |ago| now.checked_sub(jiff::SignedDuration::from_mins(ago)).unwrap();
        let earlier =
            |ago, last| Earlier { at: at(ago), lacks: vec![], numbers: BTreeMap::from([("receipt".to_owned(), last)]) };
        let number = CounterStatus {
            name: "receipt".to_owned(),
            last: Some(1042),
            error: None,
            read_at: None,
            next: Some(Next::Behind(1092)),
            asks: false,
        };
        let plan = Plan { numbers: vec![number], earlier: vec![earlier(1, 1040), earlier(10, 1000)], ..plan(&[]) };
        let last = |ago| plan.clone().from_earlier(at(ago), now).numbers[0].last;
        assert_eq!((last(5), last(10), last(20)), (Some(1000), Some(1000), None));
    }

    #[test]
    fn a_consent_answers_its_own_question_and_no_other() {
        let old = WhyNot::CopyOld { age_ms: 2, limit_ms: 1 };
        let both = plan(&[WhyNot::NobodyKnows, old.clone()]);
        assert_eq!(both.against(&[]), [WhyNot::NobodyKnows, old.clone()]);
        assert_eq!(both.against(&[Consent::Yes]), [old]);
        assert_eq!(both.against(&[Consent::AcceptLoss]), [WhyNot::NobodyKnows]);
        assert_eq!((both.is_offered(), both.asks()), (true, vec![Consent::Yes, Consent::AcceptLoss]));
        let locked = plan(&[WhyNot::OtherHealthy, WhyNot::NobodyKnows]);
        assert_eq!((locked.is_offered(), locked.asks()), (false, vec![Consent::Yes]));
        assert!(plan(&[]).is_offered() && plan(&[]).asks().is_empty());
    }
}
