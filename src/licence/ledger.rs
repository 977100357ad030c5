//! The days that are used: what each activation of the backup has taken, and since when the present one runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::terms::{Grant, Per};

/// Remarks that are kept.
const REMARKS: usize = 50;

/// The days that are used.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Activations that are over, the oldest first.
    pub past: Vec<Activation>,
    /// The one that was begun last, until a return completes it or another licence counts.
    pub present: Option<Activation>,
    /// Up to when the days are counted; none while they do not run.
    pub counted: Option<Moment>,
    /// Since when nobody knows what was used: no licence that was issued before has days left.
    pub lost: Option<Timestamp>,
    /// What a person who looks into it should know, the oldest first.
    pub remarks: Vec<Remark>,
}

/// One time that the backup was the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Activation {
    /// The licence whose days it takes.
    pub licence: String,
    /// When it began.
    pub began: Timestamp,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How long the backup has served.
    pub used_ms: u64,
    /// How much of that only the wall clock knows of.
    pub estimated_ms: u64,
    /// Since when the server is stopped, since its days were over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Timestamp>,
}

/// Something that a person who looks into the ledger should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Remark {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Noted,
}

/// What is remarked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "noted")]
pub enum Noted {
    /// The wall clock was set while the days ran; the count does not follow it.
    ClockSet {
        /// By so many milliseconds; less than 0 is back.
        by_ms: i64,
    },
    /// For some of the time only the wall clock knows whether the backup served.
    Estimated {
        /// So many milliseconds.
        ms: u64,
    },
    /// One of the two copies of the ledger was gone or damaged. The other was taken.
    CopyLost,
    /// Both were.
    Lost,
}

impl Ledger {
    /// A ledger in the place of one that nobody can read any more.
    #[must_use]
    pub fn of_lost(now: Timestamp) -> Self {
        let mut ledger = Self { lost: Some(now), ..Self::default() };
        ledger.remark(now, Noted::Lost);
        ledger
    }

    /// Whether the days run.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.counted.is_some()
    }

    /// The backup begins to serve on `grant`. Where it does already, that is no new beginning.
    pub fn begin(&mut self, grant: &Grant, now: &Moment) {
        self.count(now);
        self.take_from(grant, now);
        self.counted.get_or_insert_with(|| now.clone());
    }

    /// From now on the days of `grant` are taken.
    fn take_from(&mut self, grant: &Grant, now: &Moment) {
        if self.present.as_ref().is_none_or(|present| present.licence != grant.id) {
            self.close(now);
            self.present = Some(Activation {
                licence: grant.id.clone(),
                began: now.wall,
                ended: None,
                used_ms: 0,
                estimated_ms: 0,
                stopped: None,
            });
        }
    }

    /// The backup does not serve any more; without a completed return it may go on where it was.
    pub fn end(&mut self, now: &Moment) {
        self.count(now);
        self.counted = None;
    }

    /// The server is stopped, since the days of the present activation are over.
    pub fn stop(&mut self, now: &Moment) {
        if let Some(present) = &mut self.present {
            present.stopped.get_or_insert(now.wall);
        }
    }

    /// Whether it is.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.present.as_ref().is_some_and(|present| present.stopped.is_some())
    }

    /// A return is completed: the backup does not serve any more, and what comes next is a new activation.
    pub fn returned(&mut self, grant: Option<&Grant>, now: &Moment) {
        self.end(now);
        if self.close(now) && grant.is_some_and(|grant| grant.terms.per == Per::Activation) {
            self.lost = None;
        }
    }

    /// Time has passed: counts it, if the days run. Where another licence counts than before, what follows is taken from that.
    /// Returns what was remarked.
    pub fn tick(&mut self, grant: Option<&Grant>, now: &Moment) -> Vec<Noted> {
        let noted = self.count(now);
        if let Some(grant) = grant.filter(|_| self.is_running()) {
            self.take_from(grant, now);
        }
        noted
    }

    fn count(&mut self, now: &Moment) -> Vec<Noted> {
        let Some(before) = self.counted.clone() else { return vec![] };
        self.counted = Some(now.clone());
        let passed = now.since(&before);
        if let Some(present) = &mut self.present {
            present.used_ms = present.used_ms.saturating_add(passed.ms);
            present.estimated_ms = present.estimated_ms.saturating_add(passed.estimated_ms);
        }
        let estimated = (passed.estimated_ms > 0).then_some(Noted::Estimated { ms: passed.estimated_ms });
        let set = passed.set_by_ms.map(|by_ms| Noted::ClockSet { by_ms });
        let noted: Vec<Noted> = estimated.into_iter().chain(set).collect();
        for what in &noted {
            self.remark(now.wall, what.clone());
        }
        noted
    }

    /// What of the terms of `grant` is used, in milliseconds.
    #[must_use]
    pub fn used_ms(&self, grant: &Grant) -> u64 {
        if self.lost.is_some_and(|lost| grant.issued.is_none_or(|issued| issued <= lost)) {
            return grant.terms.all_ms().max(self.present.as_ref().map_or(0, |present| present.used_ms));
        }
        let of = |activation: &&Activation| activation.licence == grant.id;
        let now = self.present.as_ref().filter(of).map_or(0, |present| present.used_ms);
        match grant.terms.per {
            Per::Activation => now,
            Per::Total => self.past.iter().filter(of).fold(now, |sum, past| sum.saturating_add(past.used_ms)),
        }
    }

    /// Notes something for a person who looks into it.
    pub fn remark(&mut self, at: Timestamp, what: Noted) {
        self.remarks.push(Remark { at, what });
        let over = self.remarks.len().saturating_sub(REMARKS);
        self.remarks.drain(..over);
    }

    /// How far it has come: of two copies the one that has come further is the newer one.
    #[must_use]
    pub fn weight(&self) -> (usize, u64, usize) {
        let all = self.past.iter().chain(&self.present);
        let used = all.fold(0_u64, |sum, activation| sum.saturating_add(activation.used_ms));
        (self.past.len() + usize::from(self.present.is_some()), used, self.remarks.len())
    }

    /// Closes the present activation; whether there was one.
    fn close(&mut self, now: &Moment) -> bool {
        let Some(present) = self.present.take() else { return false };
        self.past.push(Activation { ended: Some(now.wall), ..present });
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::licence::moment::MOST_ESTIMATED_MS;
    use crate::licence::standing::{State, standing};
    use crate::licence::terms::{DAY_MS, Terms};

    fn grant(id: &str, per: Per) -> Grant {
        let terms = Terms { days: 10, per, grace_hours: None };
        Grant { id: id.to_owned(), terms, issued: Timestamp::from_second(1000).ok() }
    }

    fn at(ms: u64) -> Moment {
        let wall = Timestamp::from_millisecond(1_800_000_000_000 + i64::try_from(ms).unwrap()).unwrap();
        Moment { boot: "a".to_owned(), up_ms: ms, wall }
    }

    fn left(ledger: &Ledger, grant: &Grant, ms: u64) -> (State, u64) {
        let standing = standing(ledger, Some(grant), at(ms).wall);
        (standing.state, standing.remaining_ms)
    }

    #[test]
    fn the_days_run_only_while_the_backup_serves() {
        let mut ledger = Ledger::default();
        let (grant, hour) = (grant("x", Per::Activation), 3_600_000);
        assert_eq!(left(&ledger, &grant, 0), (State::Ready, 10 * DAY_MS));
        ledger.begin(&grant, &at(0));
        ledger.tick(Some(&grant), &at(hour));
        assert_eq!(left(&ledger, &grant, hour), (State::Running, 10 * DAY_MS - hour));
        ledger.begin(&grant, &at(2 * hour));
        ledger.end(&at(3 * hour));
        ledger.tick(Some(&grant), &at(9 * hour));
        assert_eq!(left(&ledger, &grant, 9 * hour), (State::Ready, 10 * DAY_MS - 3 * hour), "it was begun once");
        ledger.begin(&grant, &at(10 * hour));
        ledger.returned(Some(&grant), &at(11 * hour));
        assert_eq!(left(&ledger, &grant, 11 * hour), (State::Ready, 10 * DAY_MS), "a return gives them back");
        assert_eq!((ledger.past.len(), ledger.past[0].used_ms), (1, 4 * hour));
    }

    #[test]
    fn in_total_a_return_gives_nothing_back_and_another_licence_has_days_of_its_own() {
        let mut ledger = Ledger::default();
        let (old, new) = (grant("old", Per::Total), grant("new", Per::Total));
        ledger.begin(&old, &at(0));
        ledger.returned(Some(&old), &at(6 * DAY_MS));
        ledger.begin(&old, &at(7 * DAY_MS));
        ledger.tick(Some(&old), &at(12 * DAY_MS));
        assert_eq!(left(&ledger, &old, 12 * DAY_MS), (State::Expired, 0));
        ledger.tick(Some(&new), &at(13 * DAY_MS));
        ledger.tick(Some(&new), &at(14 * DAY_MS));
        assert_eq!(left(&ledger, &new, 14 * DAY_MS), (State::Running, 9 * DAY_MS));
        ledger.tick(Some(&old), &at(15 * DAY_MS));
        assert_eq!(left(&ledger, &old, 15 * DAY_MS), (State::Expired, 0), "the old one is as used as it was");
    }

    #[test]
    fn what_nobody_knows_gives_no_days() {
        let mut ledger = Ledger::of_lost(Timestamp::from_second(2000).unwrap());
        let old = grant("old", Per::Activation);
        let (new, built_in) = (Grant { issued: Timestamp::from_second(2001).ok(), ..old.clone() }, Grant::built_in(10));
        assert_eq!(left(&ledger, &old, 0).0, State::Expired);
        assert_eq!(left(&ledger, &built_in, 0).0, State::Expired);
        assert_eq!(left(&ledger, &new, 0), (State::Ready, 10 * DAY_MS), "a new one does");
        ledger.begin(&built_in, &at(0));
        ledger.returned(Some(&built_in), &at(1));
        assert_eq!(left(&ledger, &built_in, 2), (State::Ready, 10 * DAY_MS), "and so does a completed return");
    }

    /// What can happen to a machine that serves.
    #[derive(Clone, Debug)]
    enum Step {
        Pass(u64),
        SetClock(i64),
        Reboot { off_ms: u64, up_ms: u64 },
        Reload,
        Serve,
        Stop,
    }

    fn step() -> impl Strategy<Value = Step> {
        let day = i64::try_from(DAY_MS).unwrap();
        prop_oneof![
            4 => (0..DAY_MS).prop_map(Step::Pass),
            2 => (-900 * day..900 * day).prop_map(Step::SetClock),
            1 => (0..3 * DAY_MS, 0..DAY_MS).prop_map(|(off_ms, up_ms)| Step::Reboot { off_ms, up_ms }),
            1 => Just(Step::Reload),
            1 => Just(Step::Serve),
            1 => Just(Step::Stop),
        ]
    }

    proptest! {
        /// Whatever is done to clock, service and machine: the time that the machine was up and served is counted to the
        /// millisecond, and a start of it costs a day at the most.
        #[test]
        fn no_clock_gives_days_and_none_takes_more_than_one(steps in proptest::collection::vec(step(), 1..60)) {
            let (mut ledger, grant) = (Ledger::default(), grant("x", Per::Activation));
            let mut now = at(900 * DAY_MS);
            let (mut served, mut starts, mut last, mut boots) = (0, 0, 10 * DAY_MS, 0);
            for step in steps {
                let serves = ledger.is_running();
                match step {
                    Step::Pass(ms) => {
                        now.up_ms += ms;
                        now.wall += jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap());
                        served += if serves { ms } else { 0 };
                    }
                    Step::SetClock(by) => now.wall = (now.wall + jiff::SignedDuration::from_millis(by)).max(at(0).wall),
                    Step::Reboot { off_ms, up_ms } => {
                        boots += 1;
                        let wall = now.wall + jiff::SignedDuration::from_millis(i64::try_from(off_ms + up_ms).unwrap());
                        now = Moment { boot: boots.to_string(), up_ms, wall };
                        served += if serves { up_ms } else { 0 };
                        starts += u64::from(serves);
                    }
                    Step::Reload => ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap(),
                    Step::Serve => ledger.begin(&grant, &now),
                    Step::Stop => ledger.end(&now),
                }
                ledger.tick(Some(&grant), &now);
                let used = ledger.used_ms(&grant);
                prop_assert!(used >= served, "{used} counted of {served}");
                prop_assert!(used <= served + starts * MOST_ESTIMATED_MS, "{used} counted of {served}");
                let estimated = ledger.present.as_ref().map_or(0, |present| present.estimated_ms);
                prop_assert!(used - served <= estimated, "what is more is marked as estimated");
                let (_, remaining) = left(&ledger, &grant, 0);
                prop_assert_eq!(remaining, (10 * DAY_MS).saturating_sub(used));
                prop_assert!(remaining <= last, "nothing ever gives days back but a return");
                last = remaining;
            }
        }
    }
}
