//! What was read of a number that must never be given twice, or counted, and how often such numbers are given.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::numbering::{CounterStatus, Next, Numbered, behind_set, next};
use crate::config::counter::OnStart;
use crate::disk::ask::NoAnswer;

/// So long a number that went down is taken for a fault of its reading.
const DOUBT: Duration = Duration::from_secs(600);

/// The rate of so long counts.
const DAY: Duration = Duration::from_secs(86_400);

/// So long what stood in an earlier state may be asked to the second.
const HOUR: Duration = Duration::from_secs(3600);

/// Between two that are remembered for that.
const SOON: Duration = Duration::from_secs(1);

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
    /// Those of the last hour, about a second apart: what stood in an earlier state.
    #[serde(skip)]
    lately: VecDeque<(Timestamp, u64)>,
    /// The mirror was stepped back from then to then: what was read between stands in no state any more.
    #[serde(default)]
    gone: Vec<(Timestamp, Timestamp)>,
    /// When it was set for a start: nobody has given out what it skipped then.
    #[serde(default)]
    leaps: Vec<Timestamp>,
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
                self.keep_lately(now, value);
            }
        }
    }

    fn keep_lately(&mut self, now: Timestamp, value: u64) {
        while self.lately.front().is_some_and(|(at, _)| since(*at, now) > HOUR) {
            self.lately.pop_front();
        }
        while self.lately.back().is_some_and(|(at, _)| *at > now) {
            self.lately.pop_back();
        }
        self.gone.retain(|(_, to)| since(*to, now) <= DAY);
        self.leaps.retain(|at| since(*at, now) <= DAY);
        if let Some([(before, _), (last, _)]) = self.lately.make_contiguous().last_chunk()
            && since(*before, *last) < SOON
        {
            self.lately.pop_back();
        }
        self.lately.push_back((now, value));
    }

    /// It was set for a start.
    pub fn leaps(&mut self, now: Timestamp) {
        self.leaps.push(now);
    }

    /// The mirror was stepped back to what it was at `to`.
    pub fn stepped_back(&mut self, to: Timestamp, now: Timestamp) {
        self.gone.push((to, now));
    }

    /// The last one: the highest of the last ten minutes, for what goes down may be a fault.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        let (newest, _) = self.known.back()?;
        self.known.iter().filter(|(at, _)| since(*at, *newest) <= DOUBT).map(|(_, value)| *value).max()
    }

    /// The last one before `time`: what has come since is more rather than less.
    #[must_use]
    pub fn before(&self, time: Timestamp) -> Option<u64> {
        let is_gone = |at: Timestamp| self.gone.iter().any(|(from, to)| (*from..*to).contains(&at));
        let last = |all: &VecDeque<(Timestamp, u64)>| all.iter().rfind(|(at, _)| *at < time && !is_gone(*at)).copied();
        let newer = last(&self.lately).into_iter().chain(last(&self.known)).max_by_key(|(at, _)| *at);
        newer.map(|(_, value)| value)
    }

    /// The highest rate of the last day over a minute or more, in numbers given in an hour. Of a few seconds nothing follows: three
    /// tills may ring at once.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let rate = |(place, (to, high)): (usize, &(Timestamp, u64))| {
            let is_minute = |(from, _): &&(Timestamp, u64)| since(*from, *to) >= APART;
            let leap = self.leaps.iter().filter(|leap| *leap <= to).max();
            let first = self.known.iter().position(|(at, _)| leap.is_none_or(|leap| at > leap))?;
            let before = || self.known.range(first..place.max(first));
            let (from, low) = before().rev().find(is_minute).or(before().next())?;
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

    /// How many there may be at the most that a copy of this age has not; none where too little was read to know, or none were given
    /// in all that time: of that nothing follows for today. What comes at random,
    /// so many on an average, is hardly ever more than that and three times its root, and some more where it is few.
    #[must_use]
    pub fn most(&self, age: Duration) -> Option<u64> {
        let ((first, _), (last, _)) = (self.known.front()?, self.known.back()?);
        let given = self.given(age, 1);
        let most = given.saturating_add(3 * (given.isqrt() + 1));
        let is_known = since(*first, *last) >= APART && self.rate() > 0;
        if age.is_zero() { Some(0) } else { is_known.then_some(most) }
    }

    /// For so long it could not be read. Where only nothing stood there, as in a queue that was begun anew, nothing was given either.
    fn unread(&self) -> Duration {
        let fails = self.error.as_ref().is_some_and(|error| *error != NoAnswer::Nothing.to_string());
        let times = self.known.back().map(|(at, _)| *at).zip(self.read_at).filter(|_| fails);
        times.map(|(newest, last)| since(newest, last)).unwrap_or_default()
    }

    /// How it stands, where the mirror is so old, this is to be done when the backup starts, and that was set at the start before.
    #[must_use]
    pub fn status(&self, name: &str, on_start: &OnStart, age: Duration, set: Option<&Numbered>) -> CounterStatus {
        let unread = self.unread();
        let from = self.last().map(|last| behind_set(last, set));
        let next = next(on_start, from, self.gap(age + unread));
        let is_series = matches!(next, Some(Next::Series(_)));
        let asks = *on_start == OnStart::Ask || next.is_none() || unread > DOUBT && !is_series;
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

fn since(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::numbering::suspect;

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
        let before = |second| readings.before(at(second));
        assert_eq!([before(0), before(1), before(120), before(121 * 60)], [None, Some(0), Some(2), Some(268)]);
        let gap = |least| next(&OnStart::Gap(least), readings.last(), readings.gap(Duration::from_secs(120)));
        assert_eq!((gap(50), gap(1000)), (Some(Next::Behind(868)), Some(Next::Behind(1268))));
        assert_eq!(suspect(Some(268), &Next::Behind(868)), Some((269, Some(868))));
        // A day later nobody remembers that minute.
        readings.take(Ok(300), at(130 * 60 + 86_400));
        assert!(readings.rate() < 60, "{}", readings.rate());
    }

    /// Found by use: of each state of a minute was said what stood in the first, and of one that was stepped back to what came after it.
    #[test]
    fn what_stood_in_an_earlier_state_is_known_to_the_second_and_not_of_what_was_stepped_back() {
        let mut readings = Readings::default();
        (0..120).for_each(|second| readings.take(Ok(1000 + u64::try_from(second).unwrap()), at(second)));
        assert_eq!([45, 90].map(|second| readings.before(at(second))), [Some(1044), Some(1089)]);
        readings.stepped_back(at(60), at(150));
        assert_eq!(
            [45, 61, 90, 200].map(|second| readings.before(at(second))),
            [Some(1044), Some(1059), Some(1059), Some(1059)]
        );
        assert_eq!(readings.last(), Some(1119), "it was given out all the same");
        readings.take(Ok(1062), at(151));
        assert_eq!(readings.before(at(200)), Some(1062));
    }

    /// Found by use: each start left out more numbers than the one before, since what it skipped counted as given within a minute.
    #[test]
    fn what_was_skipped_at_a_start_was_given_by_nobody() {
        let mut readings = Readings::default();
        (0..10_u32).for_each(|minute| readings.take(Ok(1000 + u64::from(minute)), at(i64::from(minute) * 61)));
        readings.leaps(at(600));
        (10..20_u32).for_each(|minute| readings.take(Ok(9000 + u64::from(minute)), at(i64::from(minute) * 61)));
        assert!((1..=60).contains(&readings.rate()), "one a minute: {}", readings.rate());
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
    fn of_a_day_on_which_none_were_given_nothing_follows() {
        let mut readings = Readings::default();
        (0..60).for_each(|minute| readings.take(Ok(7), at(minute * 60)));
        assert_eq!([0, 1].map(|second| readings.most(Duration::from_secs(second))), [Some(0), None]);
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
        let status = readings.status("receipt", &OnStart::Gap(50), Duration::ZERO, None);
        assert_eq!((status.last, status.next, status.asks), (Some(5), Some(Next::Behind(55)), false));
        assert_eq!(status.error.as_deref(), Some("no such table"));
    }

    #[test]
    fn what_nobody_could_read_is_asked_about() {
        let status = Readings::default().status("receipt", &OnStart::Gap(50), Duration::ZERO, None);
        assert_eq!((status.next, status.asks), (None, true));
        assert!(
            Readings::default().status("folio", &OnStart::Series("B".to_owned()), Duration::ZERO, None).next.is_some()
        );
        assert!(Readings::default().status("folio", &OnStart::Ask, Duration::ZERO, None).asks);
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
    fn what_could_not_be_read_for_hours_went_on_meanwhile_and_a_person_is_asked() {
        let mut readings = Readings::default();
        (0..60).for_each(|minute| readings.take(Ok(1000 + u64::try_from(minute).unwrap() * 2), at(minute * 60)));
        let stands = |readings: &Readings| readings.status("receipt", &OnStart::Gap(50), Duration::ZERO, None);
        readings.take(Err("no such column".to_owned()), at(59 * 60 + 300));
        let soon = stands(&readings);
        assert_eq!((soon.next, soon.asks), (Some(Next::Behind(1118 + 100)), false));
        readings.take(Err("no such column".to_owned()), at(3 * 3600));
        let late = stands(&readings);
        assert!(late.asks && matches!(late.next, Some(Next::Behind(next)) if next > 1118 + 2 * 120), "{late:?}");
        let series = readings.status("receipt", &OnStart::Series("B".to_owned()), Duration::ZERO, None);
        assert!(!series.asks, "in another series nothing was given");
        // A queue that was begun anew, in a shop that has not opened yet.
        readings.take(Err(NoAnswer::Nothing.to_string()), at(9 * 3600));
        assert_eq!((stands(&readings).next, stands(&readings).asks), (Some(Next::Behind(1168)), false));
    }

    #[test]
    fn what_was_set_before_is_counted_on_from() {
        let mut readings = Readings::default();
        readings.take(Ok(1042), at(0));
        let next = Next::Behind(1092);
        let set = Numbered {
            name: "receipt".to_owned(),
            epoch: 2,
            at: at(1),
            last: Some(1042),
            suspect: suspect(Some(1042), &next),
            next,
            by: None,
            found: None,
            seen: None,
        };
        let next = |readings: &Readings| readings.status("receipt", &OnStart::Gap(50), Duration::ZERO, Some(&set)).next;
        assert_eq!(
            next(&readings),
            Some(Next::Behind(1142)),
            "nothing was sold since, and what was set stands elsewhere"
        );
        readings.take(Ok(1095), at(100));
        assert_eq!(next(&readings), Some(Next::Behind(1145)));
        let mut anew = Readings::default();
        anew.take(Ok(3), at(200));
        assert_eq!(next(&anew), Some(Next::Behind(53)), "it was begun anew");
    }
}
