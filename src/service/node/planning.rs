//! What each change of server that concerns this machine would do now: everything is examined, whatever the first answer is.

use jiff::SignedDuration;
use tokio::time::Instant;

use super::pos::Program;
use super::{Machine, numbers};
use crate::os::ground;
use crate::pair::{Claim, Duty, Node};
use crate::service::plan::{Check, Checked, Loss, Plan, Step};
use crate::service::refusal::WhyNot;
use crate::service::status::{
    Doubt, LicenceState, OperationKind, OperationState, PeerState, Stalled, Status, Trouble, Verdict,
};

/// So much room must be left on the disk of a machine that is to serve.
const NEEDED: u64 = 64 << 20;

impl Machine {
    /// The plans of a machine that stands as `status` says.
    pub(super) fn plans(&self, status: &Status) -> Vec<Plan> {
        let mut plans = vec![];
        if self.pair.duty() != Duty::Serving && !self.pair.is_resuming() {
            plans.push(self.plan_promote(status));
        }
        if self.pair.is_resuming() {
            plans.push(self.plan_start());
        }
        plans.push(self.plan_return(status));
        plans.push(self.plan_switch(status));
        plans.push(self.plan_adopt(status));
        plans
    }

    /// The plan of `kind`, as it is now.
    pub(super) fn plan(&mut self, kind: OperationKind) -> Plan {
        let status = self.status();
        match kind {
            OperationKind::Promote => self.plan_promote(&status),
            OperationKind::Start => self.plan_start(),
            OperationKind::Switch => self.plan_switch(&status),
            OperationKind::Adopt => self.plan_adopt(&status),
            OperationKind::Return | OperationKind::Verify | OperationKind::Reseed | OperationKind::Drill => {
                self.plan_return(&status)
            }
        }
    }

    fn plan_promote(&self, status: &Status) -> Plan {
        let duty = match self.pair.duty() {
            Duty::Serving => Some(WhyNot::ServesAlready),
            _ if self.pair.is_resuming() => Some(WhyNot::WasServer),
            _ => None,
        };
        let verdict = match (status.peer.state, status.verdict) {
            // Of a machine that is silent, those who stand elsewhere can say that it is down.
            (PeerState::Healthy | PeerState::Late, Verdict::ServerStopped)
            | (PeerState::Lost | PeerState::Unknown, Verdict::MainDown) => None,
            (PeerState::Healthy | PeerState::Late, _) => Some(WhyNot::OtherHealthy),
            (PeerState::Lost | PeerState::Unknown, Verdict::OnlyThisLink) => {
                let (saw, all) = self.count().map_or((0, 0), |count| (count.saw as u64, count.all as u64));
                Some(WhyNot::OnlyThisLink { saw, all })
            }
            (PeerState::Lost | PeerState::Unknown, Verdict::Isolated) => {
                Some(WhyNot::Isolated { all: self.count().map_or(0, |count| count.all as u64) })
            }
            // Two machines alone cannot.
            (PeerState::Lost | PeerState::Unknown, _) => Some(WhyNot::NobodyKnows),
        };
        // Who gave its place away holds all that there was.
        let has_given = matches!(self.pair.record().claim, Claim::Given { .. });
        let limit_ms = u64::try_from(self.store.mirror.max_age.as_millis()).unwrap_or(u64::MAX);
        let dumps = self.dump_ages(limit_ms);
        let oldest_ms = dumps.iter().map(|(age, _)| *age).max().unwrap_or(0);
        let ages = std::iter::once((status.mirror.behind_ms, limit_ms)).chain(dumps);
        let (age_ms, limit_ms) = ages.max_by_key(|(age, limit)| age.saturating_sub(*limit)).unwrap_or((0, limit_ms));
        let stopped = self.stalled().into_iter().next().map(|Stalled { dataset, why, .. }| (dataset, why));
        let lacks = stopped.or_else(|| self.unapplied()).map(|(name, why)| WhyNot::DatasetLacks { name, why });
        let parted = if self.has_twin { Some(WhyNot::Twin) } else { self.has_parted.then_some(WhyNot::Parted) };
        let mut checks = vec![
            Check::of(Checked::Duty, duty),
            Check::of(Checked::Verdict, verdict),
            Check::of(Checked::Goodbye, parted),
            Check::of(Checked::Copy, (status.mirror.as_of.is_none() && !has_given).then_some(WhyNot::NoCopy)),
            Check::of(
                Checked::CopyAge,
                (age_ms > limit_ms && !has_given).then_some(WhyNot::CopyOld { age_ms, limit_ms }),
            ),
            Check::of(Checked::Datasets, lacks),
            Check::of(Checked::Questions, (!status.questions.is_empty()).then_some(WhyNot::QuestionOpen)),
            Check::of(Checked::Proven, self.copy_differs().then_some(WhyNot::CopyDiffers)),
            Check::of(Checked::Licence, self.days.as_ref().and_then(|days| days.may_start().err())),
            self.check_server(),
            self.check_version(),
            Check::of(Checked::Room, self.no_room()),
            self.check_free(),
        ];
        let numbers = self.numbers_stand(status.mirror.behind_ms);
        checks.extend(numbers::checks(&numbers).filter(|_| self.counts_numbers()));
        let mirror = &status.mirror;
        let loss = (!has_given).then_some(Loss {
            as_of: mirror.as_of,
            behind_ms: mirror.behind_ms.max(oldest_ms),
            behind_at_least: mirror.behind_at_least,
            behind_bytes: mirror.behind_bytes,
            behind_files: mirror.behind_files,
        });
        let left = SignedDuration::from_millis(i64::try_from(status.licence.remaining_ms).unwrap_or(i64::MAX));
        let counts = self.days.is_some() && matches!(status.licence.state, LicenceState::Ready | LicenceState::Running);
        let licence_ends_at = counts.then(|| ground::now().checked_add(left).ok()).flatten();
        let kind = OperationKind::Promote;
        let skipped = |step: &&Step| **step == Step::SetNumbers && numbers.is_empty();
        let steps = kind.steps().iter().filter(|step| !skipped(step)).copied().collect();
        let (lacks, earlier) = (self.lacks(status, None), self.lacks_earlier(status));
        Plan { loss, licence_ends_at, steps, numbers, lacks, earlier, ..Plan::of(kind, checks) }
    }

    /// A dataset that cannot apply what it acknowledged last, and why.
    fn unapplied(&self) -> Option<(String, String)> {
        self.lanes.iter().find_map(|lane| Some((lane.name.clone(), lane.book.unapplied()?.to_owned())))
    }

    fn copy_differs(&self) -> bool {
        self.lanes.iter().any(|lane| lane.book.differs())
    }

    fn plan_start(&self) -> Plan {
        let duty = match self.pair.duty() {
            Duty::Serving => Some(WhyNot::ServesAlready),
            _ if !self.pair.is_resuming() => Some(WhyNot::WasNoServer),
            _ => None,
        };
        let kind = OperationKind::Start;
        let checks = vec![
            Check::of(Checked::Duty, duty),
            // Nobody has confirmed it: else it would serve already. Whatever ran here before that cannot go on by itself.
            Check::of(Checked::Verdict, Some(WhyNot::NobodyKnows)),
        ];
        Plan::of(kind, checks)
    }

    fn plan_return(&self, status: &Status) -> Plan {
        let backup = if self.role() == Node::Backup { Some(self.pair.duty()) } else { status.peer.duty };
        let serves = status.holder == Node::Backup;
        let duty = match backup {
            Some(Duty::Serving) => None,
            _ if !serves => Some(WhyNot::MainServes),
            _ => Some(WhyNot::ServesNot),
        };
        let kind = OperationKind::Return;
        let mut checks = vec![
            Check::of(Checked::Duty, duty),
            self.check_line(),
            self.every_dataset(status),
            Check::of(Checked::Questions, (!status.questions.is_empty()).then_some(WhyNot::QuestionFirst)),
            self.check_version(),
            self.check_free(),
        ];
        if self.role() == Node::Main {
            checks.insert(4, self.check_server());
            checks.insert(5, Check::of(Checked::Room, self.no_room()));
        }
        let limit_ms = Some(self.hold_ms());
        Plan { limit_ms, ..Plan::of(kind, checks) }
    }

    /// What the backup says of its own start is what counts, but that this one is meant to be well.
    fn plan_switch(&self, status: &Status) -> Plan {
        let theirs = self.their_status.as_deref().and_then(|status| plan_of(&status.plans, OperationKind::Promote));
        let backup = match self.role() {
            Node::Main => theirs.cloned(),
            Node::Backup => Some(self.plan_promote(status)),
        };
        let serves = status.holder == Node::Main;
        let is_main_serving = match self.role() {
            Node::Main => self.pair.duty() == Duty::Serving,
            Node::Backup => status.peer.duty == Some(Duty::Serving),
        };
        let duty = match () {
            () if !serves => Some(WhyNot::BackupServes),
            () if !is_main_serving => Some(WhyNot::ServesNot),
            () => None,
        };
        let mut checks = vec![Check::of(Checked::Duty, duty), self.check_line(), self.every_dataset(status)];
        if backup.is_none() {
            checks.push(Check::of(Checked::Copy, Some(WhyNot::NoCopy)));
        }
        let licence_ends_at = backup.as_ref().and_then(|plan| plan.licence_ends_at);
        let own = |check: &Check| {
            !matches!(
                check.check,
                Checked::Duty
                    | Checked::Verdict
                    | Checked::Goodbye
                    | Checked::CopyAge
                    | Checked::Datasets
                    | Checked::Free
                    | Checked::Numbers
            )
        };
        // What asks for consent before a start that may lose something stands against one that may not.
        checks.extend(backup.into_iter().flat_map(|plan| plan.checks).filter(own).map(first_mended));
        checks.push(self.check_free());
        let (kind, limit_ms) = (OperationKind::Switch, Some(self.hold_ms()));
        Plan { licence_ends_at, limit_ms, ..Plan::of(kind, checks) }
    }

    /// Whether neither machine is the server, as both say, and no change of server is under way: only a person can mend that.
    pub(super) fn is_without_server(&self) -> bool {
        let is_other = self.theirs.as_ref().is_some_and(|(duty, _, _)| *duty == Duty::Serving);
        let waits = self.pair.duty() != Duty::Serving && !self.pair.is_resuming() && !self.pair.is_turning();
        self.session.is_some() && waits && !is_other && self.turning.job.running().is_none()
    }

    /// Whether every dataset is mirrored, on either machine, and every database can be dumped there.
    fn every_dataset(&self, status: &Status) -> Check {
        let stopped = status.stalled.first().cloned();
        let stopped = stopped.map(|Stalled { dataset: name, why, .. }| WhyNot::DatasetStopped { name, why });
        // What the other one says of itself counts as long as it mirrors this one.
        let theirs = self.their_status.iter().filter(|_| self.pair.duty() == Duty::Serving);
        let theirs = theirs.flat_map(|theirs| &theirs.alarms);
        let undumped = status.alarms.iter().chain(theirs).find_map(|alarm| match &alarm.trouble {
            // A server that could not read its dump back can be relieved: nothing was sold since.
            Trouble::Doubt(doubt @ (Doubt::NotDumped { .. } | Doubt::NotAside { .. })) => doubt.why_not(),
            _ => None,
        });
        Check::of(Checked::Datasets, stopped.or(undumped))
    }

    /// Whether the two machines talk.
    pub(super) fn check_line(&self) -> Check {
        let is_silent = self.session.is_none() || self.heart.state(Instant::now()) == PeerState::Lost;
        Check::of(Checked::Line, is_silent.then_some(WhyNot::Unheard))
    }

    /// Whether the POS server program can be started here.
    fn check_server(&self) -> Check {
        let why = match &self.program {
            None => Some(WhyNot::NoServer),
            Some(program) => program.hindered().map(|(what, why)| WhyNot::ServerHindered { what, why }),
        };
        Check::of(Checked::Server, why)
    }

    fn check_version(&self) -> Check {
        let ours = self.program.as_ref().and_then(Program::version);
        let versions = ours.zip(self.their_version.clone()).filter(|(ours, theirs)| ours != theirs);
        Check::of(Checked::ServerVersion, versions.map(|(ours, theirs)| WhyNot::ServerVersions { ours, theirs }))
    }

    fn no_room(&self) -> Option<WhyNot> {
        let first = self.store.datasets.first()?;
        let folder = self.folder(&self.store, &first.name);
        let free_bytes = crate::os::room(&folder).or_else(|| crate::os::room(&self.home))?.free;
        (free_bytes < NEEDED).then_some(WhyNot::NoRoom { free_bytes, needed_bytes: NEEDED })
    }

    pub(super) fn check_free(&self) -> Check {
        let runs = self
            .turning
            .job
            .shown(self.heart.is_heard(Instant::now()))
            .filter(|shown| shown.state == OperationState::Running);
        Check::of(Checked::Free, runs.map(|shown| WhyNot::Busy { kind: shown.kind }))
    }

    /// The same in milliseconds, as plans and operations say it.
    pub(super) fn hold_ms(&self) -> u64 {
        u64::try_from(self.hold().as_millis()).unwrap_or(u64::MAX)
    }

    /// How long the POS server may stand still while its place is given away.
    pub(super) fn hold(&self) -> std::time::Duration {
        let set = self.store.terminals.as_ref().map(|terminals| terminals.hold);
        let usual = self.store.servers.as_ref().map(crate::config::server::Servers::longest_change);
        set.or(usual).unwrap_or(super::turning::STANDSTILL)
    }
}

fn plan_of(plans: &[Plan], kind: OperationKind) -> Option<&Plan> {
    plans.iter().find(|plan| plan.kind == kind)
}

/// The same check where no consent is asked for.
fn first_mended(check: Check) -> Check {
    let why = check.why.map(|why| match why {
        WhyNot::QuestionOpen => WhyNot::QuestionFirst,
        WhyNot::CopyDiffers => WhyNot::CompareFirst,
        why => why,
    });
    Check { why, ..check }
}
