//! Numbers that must never be given twice: where one goes on when the backup starts, and which ones may have been given out.

use std::collections::VecDeque;
use std::time::Duration;

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

/// So long a number that went down is taken for a fault of its reading.
const DOUBT: Duration = Duration::from_secs(600);

/// The rate of so long counts.
const DAY: Duration = Duration::from_secs(86_400);

/// Between two that are remembered for the rate.
const APART: Duration = Duration::from_secs(60);

/// The gap is so many times what the highest rate gives.
const SURE: u64 = 10;

/// What was read of one number, and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Readings {
    /// The last answer.
    error: Option<String>,
    read_at: Option<Timestamp>,
    /// Values since a day, about a minute apart, and the last one.
    known: VecDeque<(Timestamp, u64)>,
}

impl Readings {
    /// Takes in an answer.
    pub fn take(&mut self, answer: Result<u64, String>, now: Timestamp) {
        self.read_at = Some(now);
        // What a clock that was ahead has noted may be of any time.
        self.known.retain(|(at, _)| *at <= now);
        match answer {
            Err(error) => self.error = Some(error),
            Ok(value) => {
                self.error = None;
                // The last one moves until it is far enough from the one before.
                if let Some([(before, _), (last, _)]) = self.known.make_contiguous().last_chunk()
                    && since(*before, *last) < APART
                {
                    self.known.pop_back();
                }
                self.known.push_back((now, value));
                while self.known.front().is_some_and(|(at, _)| since(*at, now) > DAY) {
                    self.known.pop_front();
                }
            }
        }
    }

    /// The last one: the highest of the last ten minutes, for what goes down may be a fault.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        let (newest, _) = self.known.back()?;
        self.known.iter().filter(|(at, _)| since(*at, *newest) <= DOUBT).map(|(_, value)| *value).max()
    }

    /// The highest rate of the last day over a minute or more, in numbers given in an hour. Of a few seconds nothing follows: three
    /// tills may ring at once.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let rate = |(place, (to, high)): (usize, &(Timestamp, u64))| {
            let is_minute = |(from, _): &&(Timestamp, u64)| since(*from, *to) >= APART;
            let (from, low) = self.known.iter().take(place).rev().find(is_minute).or(self.known.front())?;
            let span = since(*from, *to).max(APART);
            Some(high.saturating_sub(*low).saturating_mul(3600).div_ceil(span.as_secs()))
        };
        self.known.iter().enumerate().filter_map(rate).max().unwrap_or(0)
    }

    /// What the highest rate would have given since a copy of this age, so many times over.
    fn given(&self, age: Duration, times: u64) -> u64 {
        let ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        self.rate().saturating_mul(times).saturating_mul(ms).div_ceil(3_600_000)
    }

    /// What is left free behind a copy of this age, so that no number is given twice: ten times what the highest rate would have given.
    #[must_use]
    pub fn gap(&self, age: Duration) -> u64 {
        self.given(age, SURE)
    }

    /// How many there may be at the most that a copy of this age has not; none where too little was read to know. What comes at random,
    /// so many on an average, is hardly ever more than that and three times its root, and some more where it is few.
    #[must_use]
    pub fn most(&self, age: Duration) -> Option<u64> {
        let ((first, _), (last, _)) = (self.known.front()?, self.known.back()?);
        let given = self.given(age, 1);
        let most = if given == 0 { 0 } else { given.saturating_add(3 * (given.isqrt() + 1)) };
        (since(*first, *last) >= APART).then_some(most)
    }

    /// How it stands, where the mirror is so old and this is to be done when the backup starts.
    #[must_use]
    pub fn status(&self, name: &str, on_start: &OnStart, age: Duration) -> CounterStatus {
        let next = next(on_start, self.last(), self.gap(age));
        let asks = *on_start == OnStart::Ask || next.is_none();
        CounterStatus {
            name: name.to_owned(),
            last: self.last(),
            error: self.error.clone(),
            read_at: self.read_at,
            next,
            asks,
        }
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

/// The gap that is proposed at the least.
const PROPOSED: u64 = 50;

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

fn since(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn the_gap_is_ten_times_what_the_busiest_minute_would_give() {
        let mut readings = Readings::default();
        // Two a minute, and one minute with 30.
        for minute in 0..120 {
            readings.take(Ok(u64::try_from(minute).unwrap() * 2), at(minute * 60));
        }
        readings.take(Ok(238 + 30), at(120 * 60));
        assert_eq!((readings.last(), readings.rate()), (Some(268), 1800));
        assert_eq!(readings.gap(Duration::from_secs(120)), 600);
        let most = |seconds| readings.most(Duration::from_secs(seconds));
        assert_eq!([most(0), most(1), most(20), most(120)], [Some(0), Some(7), Some(22), Some(84)]);
        let gap = |least| next(&OnStart::Gap(least), readings.last(), readings.gap(Duration::from_secs(120)));
        assert_eq!((gap(50), gap(1000)), (Some(Next::Behind(868)), Some(Next::Behind(1268))));
        assert_eq!(suspect(Some(268), &Next::Behind(868)), Some((269, Some(868))));
        // A day later nobody remembers that minute.
        readings.take(Ok(300), at(130 * 60 + 86_400));
        assert!(readings.rate() < 60, "{}", readings.rate());
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

    #[test]
    fn what_a_clock_that_was_ahead_has_noted_is_forgotten() {
        let mut readings = Readings::default();
        readings.take(Ok(1000), at(365 * 86_400));
        (0..10_u32).for_each(|minute| readings.take(Ok(1000 + u64::from(minute)), at(i64::from(minute) * 61)));
        assert!(readings.rate() <= 60, "one a minute: {}", readings.rate());
        assert!(readings.most(Duration::from_secs(60)).is_some());
    }

    #[test]
    fn a_number_that_goes_down_is_not_believed_at_once() {
        let mut readings = Readings::default();
        readings.take(Ok(1042), at(0));
        readings.take(Ok(3), at(120));
        assert_eq!(readings.last(), Some(1042));
        readings.take(Ok(4), at(700));
        readings.take(Ok(5), at(900));
        assert_eq!(readings.last(), Some(5), "it was begun anew");
        readings.take(Err("no such table".to_owned()), at(901));
        let status = readings.status("receipt", &OnStart::Gap(50), Duration::ZERO);
        assert_eq!((status.last, status.next, status.asks), (Some(5), Some(Next::Behind(55)), false));
        assert_eq!(status.error.as_deref(), Some("no such table"));
    }

    #[test]
    fn what_nobody_could_read_is_asked_about() {
        let status = Readings::default().status("receipt", &OnStart::Gap(50), Duration::ZERO);
        assert_eq!((status.next, status.asks), (None, true));
        assert!(Readings::default().status("folio", &OnStart::Series("B".to_owned()), Duration::ZERO).next.is_some());
        assert!(Readings::default().status("folio", &OnStart::Ask, Duration::ZERO).asks);
    }

    #[test]
    fn many_readings_within_a_minute_are_one() {
        let mut readings = Readings::default();
        for second in 0..10_000 {
            readings.take(Ok(u64::try_from(second).unwrap()), at(second));
        }
        assert!(readings.known.len() < 180, "{}", readings.known.len());
        assert_eq!((readings.last(), readings.rate()), (Some(9999), 3600));
    }

    #[test]
    fn of_a_few_seconds_no_rate_follows() {
        let mut readings = Readings::default();
        for (second, value) in [(0, 0), (600, 10), (1200, 20), (1201, 23)] {
            readings.take(Ok(value), at(second));
        }
        assert_eq!(readings.rate(), 78, "13 in ten minutes, and not three in each second");
        let mut readings = Readings::default();
        readings.take(Ok(0), at(0));
        readings.take(Ok(20), at(3));
        assert_eq!(readings.rate(), 1200, "as many in the first minute");
        assert_eq!(readings.most(Duration::from_secs(20)), None, "nobody knows yet");
        // One busy minute of three, read each second.
        for second in 0..180 {
            readings.take(Ok(20 + second.clamp(60, 120) - 60), at(60 + i64::try_from(second).unwrap()));
        }
        assert!((3000..=3600).contains(&readings.rate()), "{}", readings.rate());
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
