//! Earlier states of the copy: which there are, and which one somebody means.

use std::io::{self, Write};
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::exit::{Exit, Failure};
use super::status::connect;
use super::{Around, by, rescue};
use crate::disk::apply::journal_folder;
use crate::disk::journal::index::Index;
use crate::replica::Grade;
use crate::service::{Command, Reply};
use crate::words::grade;

/// Between two looks whether they are gone, and how long that is waited for.
const LOOK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);

/// A state of a dataset.
struct State {
    at: Timestamp,
    seq: u64,
    grade: Grade,
}

/// Lists the states that the copy here can be stepped back to, the newest first.
pub fn list(around: &Around, json: bool) -> Result<Exit, Failure> {
    print(around, &states(around)?, json).map_err(Into::into)
}

/// The oldest state to which all datasets here can be stepped back; none where one has none.
pub fn oldest(around: &Around) -> Result<Option<Timestamp>, Failure> {
    let all = states(around)?;
    let oldest: Option<Vec<Timestamp>> = all.iter().map(|(_, states)| Some(states.last()?.at)).collect();
    Ok(oldest.and_then(|oldest| oldest.into_iter().max()))
}

/// Has the states deleted to which the copy here can be stepped back.
pub async fn forget(around: &Around) -> Result<Exit, Failure> {
    let before = states(around)?;
    let newest = |name: &str| {
        before.iter().find(|(dataset, _)| dataset == name).and_then(|(_, states)| Some(states.first()?.seq))
    };
    let reply = connect(around).await?.ask(&Command::ForgetHistory { by: by() }).await?;
    if let Reply::Refused { why } = reply {
        return Err(Failure::not_done(&around.words, &why));
    }
    // They go when what is being applied is; the state as it is now stays.
    let end = Instant::now() + PATIENCE;
    let is_left = |(name, states): &(String, Vec<State>)| states.iter().any(|one| Some(one.seq) < newest(name));
    while states(around)?.iter().any(is_left) {
        if Instant::now() >= end {
            return Err(Failure::failed(around.words.say("cli-copies-not-yet")));
        }
        sleep(LOOK).await;
    }
    writeln!(io::stdout(), "{}", around.words.say("cli-copies-forgotten"))?;
    Ok(Exit::Done)
}

/// The states of each dataset here, the newest first.
fn states(around: &Around) -> Result<Vec<(String, Vec<State>)>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let mut all = vec![];
    for (dataset, folder) in rescue::folders(around)? {
        let index = Index::left(&journal_folder(&folder).join("index.db")).map_err(|error| failed(&error))?;
        let states = index.map_or(Ok(vec![]), |index| index.generations()).map_err(|error| failed(&error))?;
        let states = states
            .into_iter()
            .rev()
            .filter_map(|one| Some(State { at: one.as_of.timestamp()?, seq: one.seq, grade: one.grade }));
        all.push((dataset, states.collect::<Vec<_>>()));
    }
    Ok(all)
}

fn print(around: &Around, all: &[(String, Vec<State>)], json: bool) -> io::Result<Exit> {
    let mut out = io::stdout().lock();
    if json {
        let state = |one: &State| json!({ "at": one.at, "seq": one.seq, "grade": one.grade });
        let states = |states: &[State]| states.iter().map(state).collect::<Vec<_>>();
        let all: Vec<_> = all.iter().map(|(name, of)| json!({ "dataset": name, "states": states(of) })).collect();
        serde_json::to_writer(&mut out, &all)?;
        writeln!(out)?;
        return Ok(Exit::Done);
    }
    for (dataset, states) in all {
        writeln!(out, "{dataset}")?;
        if states.is_empty() {
            writeln!(out, "  {}", around.words.say("cli-copies-none"))?;
        }
        for State { at, grade, .. } in states {
            let time = at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S");
            writeln!(out, "  {time}  {}", grade::grade(&around.words, *grade))?;
        }
    }
    Ok(Exit::Done)
}

/// The instant that somebody means: "12:03", "12:03:20", "2026-11-14 12:03", or as computers write it. A time of day that has not come
/// today is one of yesterday.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    meant(text, &Zoned::now()).ok_or_else(|| format!("{text:?} is no time: 12:03, or 2026-11-14 12:03"))
}

fn meant(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let zoned = |date: DateTime| date.to_zoned(now.time_zone().clone()).ok();
    if let Some((date, clock)) = text.split_once([' ', 'T']) {
        let (date, clock): (Date, Clock) = (date.parse().ok()?, clock.trim().parse().ok()?);
        return Some(zoned(date.to_datetime(clock))?.timestamp());
    }
    let clock: Clock = text.contains(':').then(|| text.parse().ok()).flatten()?;
    let today = zoned(now.date().to_datetime(clock))?;
    let at = if today > *now { zoned(now.date().checked_sub(1.day()).ok()?.to_datetime(clock))? } else { today };
    Some(at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_understood_as_people_say_it() {
        let now: Zoned = "2026-11-14T10:42:00-06:00[America/Mexico_City]".parse().unwrap();
        let said = |text: &str| meant(text, &now).map(|at| at.to_string());
        assert_eq!(said("10:03").as_deref(), Some("2026-11-14T16:03:00Z"));
        assert_eq!(said("10:03:20").as_deref(), Some("2026-11-14T16:03:20Z"));
        assert_eq!(said("23:50").as_deref(), Some("2026-11-14T05:50:00Z"), "that of yesterday");
        assert_eq!(said("2026-11-13 12:03").as_deref(), Some("2026-11-13T18:03:00Z"));
        assert_eq!(said("2026-11-14T10:00:00Z").as_deref(), Some("2026-11-14T10:00:00Z"));
        for none in ["", "noon", "25:00", "12", "2026-11-31 10:00"] {
            assert_eq!(said(none), None, "{none}");
        }
    }
}
