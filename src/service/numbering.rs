//! Numbers that must never be given twice: where one goes on when the backup starts, and which ones may have been given out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::counter::OnStart;

/// How a number stands, as the mirror has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CounterStatus {
    /// What it is called.
    pub name: String,
    /// The last one in the mirror; none where it could not be read.
    pub last: Option<u64>,
    /// Why it could not be read last.
    pub error: Option<String>,
    /// When it was read last.
    pub read_at: Option<Timestamp>,
    /// Where it would go on, if the backup started now; none where a person must say that.
    pub next: Option<Next>,
    /// A person is to say, or to confirm, where it goes on.
    pub asks: bool,
}

/// Where a number goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// Behind this one.
    Behind(u64),
    /// In another series.
    Series(String),
}

impl Next {
    /// The same, and never before `least`.
    #[must_use]
    pub fn at_least(self, least: u64) -> Self {
        match self {
            Self::Behind(next) => Self::Behind(next.max(least)),
            Self::Series(_) => self,
        }
    }

    /// The same, at the start of `epoch`: a series that is called by it is another one each time.
    #[must_use]
    pub fn in_epoch(self, epoch: u64) -> Self {
        match self {
            Self::Series(series) => Self::Series(series.replace("{epoch}", &epoch.to_string())),
            Self::Behind(_) => self,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Behind(number) => number.to_string(),
            Self::Series(series) => series.clone(),
        }
    }
}

/// A number that was set when the backup started.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Numbered {
    /// What it is called.
    pub name: String,
    /// The epoch that began with it.
    pub epoch: u64,
    /// When.
    pub at: Timestamp,
    /// The last one in the mirror.
    pub last: Option<u64>,
    /// Where it goes on.
    pub next: Next,
    /// The first of those that may have been given out and are not in the mirror, and the last, where that is known.
    pub suspect: Option<(u64, Option<u64>)>,
    /// Who said so, where it was a person.
    #[serde(default)]
    pub by: Option<String>,
    /// The last one that the dead main had given out, as it held it when it came back; none where that is not known yet.
    #[serde(default)]
    pub found: Option<u64>,
    /// The last one that a terminal had seen confirmed.
    #[serde(default)]
    pub seen: Option<u64>,
}

/// How far a number went on a machine that was the server, and came back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Found {
    /// What it is called.
    pub name: String,
    /// The last epoch in which that machine was the server.
    pub served: u64,
    /// The last one that it held alone; none where it held no more than the other machine.
    pub last: Option<u64>,
}

/// What became of the numbers that may have been given out: each range with its first and its last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Given out by the main; what it held of them was set aside.
    pub recovered: Option<(u64, u64)>,
    /// Given out by the main, and by the backup again.
    pub twice: Option<(u64, u64)>,
    /// Seen by a terminal, and in no data.
    pub lost: Option<(u64, u64)>,
    /// Never given out.
    pub never: Option<(u64, u64)>,
}

impl Numbered {
    /// What became of them; none where nobody knows yet.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        let ((first, end), found) = (self.suspect?, self.found?);
        let given = found.max(first.saturating_sub(1));
        let range = |from: u64, to: u64| (from <= to).then_some((from, to));
        let seen = self.seen.unwrap_or(0).max(given);
        // What was given behind that, the backup has given again.
        let behind = match self.next {
            Next::Behind(next) => next,
            Next::Series(_) => u64::MAX,
        };
        Some(Report {
            recovered: range(first, given),
            twice: range(behind.saturating_add(1), seen),
            lost: range(given.saturating_add(1), seen),
            never: end.and_then(|end| range(seen.saturating_add(1), end)),
        })
    }
}

/// Where a number goes on whose last one in the mirror is this: never less than the computed gap behind it.
#[must_use]
pub fn next(on_start: &OnStart, last: Option<u64>, computed: u64) -> Option<Next> {
    match on_start {
        OnStart::Series(series) => Some(Next::Series(series.clone())),
        OnStart::Gap(gap) => last.map(|last| Next::Behind(last.saturating_add(computed.max(*gap)))),
        // What is proposed.
        OnStart::Ask => last.map(|last| Next::Behind(last.saturating_add(computed.max(PROPOSED)))),
    }
}

/// Where a number goes on as a person said; none where more was given out since that was asked, as the data say, or a terminal.
#[must_use]
pub fn as_said(said: Option<u64>, last: Option<u64>, shown: u64) -> Option<Next> {
    said.filter(|said| *said >= last.unwrap_or(0).max(shown)).map(Next::Behind)
}

/// The gap that is proposed at the least.
const PROPOSED: u64 = 50;

/// From where one is counted on whose last one in the mirror is `last`: what was set at an earlier start may stand where nothing reads it,
/// and what was given since then is in no copy perhaps.
#[must_use]
pub fn behind_set(last: u64, set: Option<&Numbered>) -> u64 {
    match set {
        Some(Numbered { next: Next::Behind(to), last: was, .. })
            if was.is_none_or(|was| was <= last) && last <= *to =>
        {
            *to
        }
        _ => last,
    }
}

/// The numbers that may have been given out and are not in the mirror.
#[must_use]
pub fn suspect(last: Option<u64>, next: &Next) -> Option<(u64, Option<u64>)> {
    let first = last?.saturating_add(1);
    match next {
        Next::Behind(to) => (*to >= first).then_some((first, Some(*to))),
        // In the old series nothing is given any more: how far it went nobody knows.
        Next::Series(_) => Some((first, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn what_a_terminal_has_shown_was_given() {
        let next = Next::Behind(1000).at_least(1092).at_least(0);
        let set = |next: Next, seen| Numbered {
            name: "receipt".to_owned(),
            epoch: 2,
            at: at(0),
            last: Some(1042),
            suspect: suspect(Some(1042), &next),
            next,
            by: None,
            found: Some(1050),
            seen: Some(seen),
        };
        // A person has said where it goes on, and did not look at the tills.
        let report = set(next.clone(), 1100).report().unwrap();
        assert_eq!(report.recovered, Some((1043, 1050)));
        assert_eq!((report.lost, report.twice), (Some((1051, 1100)), Some((1093, 1100))));
        let report = set(next, 1060).report().unwrap();
        assert_eq!((report.lost, report.twice, report.never), (Some((1051, 1060)), None, Some((1061, 1092))));
        assert_eq!(set(Next::Series("B".to_owned()), 1100).report().unwrap().lost, Some((1051, 1100)));
    }

    /// Found by reading: what a person had said was set, though the copy had gone on since the question.
    #[test]
    fn what_a_person_said_counts_where_nothing_went_on_behind_it() {
        assert_eq!(as_said(Some(1050), Some(1042), 0), Some(Next::Behind(1050)));
        assert_eq!(as_said(Some(1050), None, 1050), Some(Next::Behind(1050)));
        assert_eq!(as_said(Some(1050), Some(1060), 0), None);
        assert_eq!(as_said(Some(1050), Some(1042), 1051), None);
        assert_eq!(as_said(None, Some(1042), 0), None);
    }

    #[test]
    fn a_series_may_be_called_by_the_epoch() {
        assert_eq!(Next::Series("B{epoch}".to_owned()).in_epoch(4).value(), "B4");
        assert_eq!(Next::Behind(1092).in_epoch(4), Next::Behind(1092));
    }

    #[test]
    fn what_became_of_the_numbers_is_told_when_the_main_is_back() {
        let set = |suspect, next, found, seen| Numbered {
            name: "receipt".to_owned(),
            epoch: 2,
            at: Timestamp::UNIX_EPOCH,
            last: Some(1042),
            next,
            suspect,
            by: None,
            found,
            seen,
        };
        let gap = |found, seen| set(Some((1043, Some(1092))), Next::Behind(1092), found, seen).report();
        assert_eq!(gap(None, None), None, "nobody knows yet");
        let all = |recovered, twice, lost, never| Some(Report { recovered, twice, lost, never });
        assert_eq!(gap(Some(1042), None), all(None, None, None, Some((1043, 1092))));
        assert_eq!(gap(Some(1045), None), all(Some((1043, 1045)), None, None, Some((1046, 1092))));
        assert_eq!(gap(Some(1045), Some(1047)), all(Some((1043, 1045)), None, Some((1046, 1047)), Some((1048, 1092))));
        assert_eq!(gap(Some(1095), None), all(Some((1043, 1095)), Some((1093, 1095)), None, None));
        let series = set(Some((1043, None)), Next::Series("B".to_owned()), Some(1044), None).report();
        assert_eq!(series, all(Some((1043, 1044)), None, None, None));
        assert_eq!(set(None, Next::Behind(7), Some(9), None).report(), None, "nothing was suspect");
    }
}
