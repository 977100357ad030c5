//! Numbers that must never be given twice.

use jiff::tz::TimeZone;

use super::{Words, figures};
use crate::service::status::{CounterStatus, Next, Numbered, Status};

/// What a start would do with a number; a line of the plan.
#[must_use]
pub fn planned(words: &Words, counter: &CounterStatus) -> String {
    let last = counter.last.map_or_else(|| words.say("number-unknown"), |last| last.to_string());
    let next = counter.next.as_ref().map_or_else(|| "N".to_owned(), Next::value);
    let first = counter.last.map_or(0, |last| last.saturating_add(1)).to_string();
    let args =
        [("name", counter.name.as_str().into()), ("last", last.into()), ("first", first.into()), ("next", next.into())];
    let key = match counter.next {
        _ if counter.asks => "plan-number-asked",
        Some(Next::Series(_)) => "plan-number-series",
        Some(Next::Behind(_)) | None => "plan-number",
    };
    words.with(key, &args)
}

/// The same, in the few words of the question before the start.
#[must_use]
pub fn confirmed(words: &Words, counter: &CounterStatus) -> Option<String> {
    let next = counter.next.as_ref()?;
    let args = [("name", counter.name.as_str().into()), ("next", next.value().into())];
    Some(words.with(if matches!(next, Next::Series(_)) { "confirm-series" } else { "confirm-number" }, &args))
}

/// Where a number goes on if the backup starts now, in a few words.
#[must_use]
pub fn goes_on(words: &Words, counter: &CounterStatus) -> String {
    let last = counter.last.map_or_else(|| words.say("number-unknown"), |last| last.to_string());
    let next = counter.next.as_ref().map(Next::value).unwrap_or_default();
    let args = [("name", counter.name.as_str().into()), ("last", last.into()), ("next", next.into())];
    words.with(
        match &counter.next {
            _ if counter.asks => "alarm-number-asks",
            Some(Next::Series(_)) => "alarm-number-series",
            _ => "alarm-number",
        },
        &args,
    )
}

/// How a number stands.
#[must_use]
pub fn stands(words: &Words, counter: &CounterStatus) -> String {
    let last = counter.last.map_or_else(|| words.say("number-unknown"), |last| last.to_string());
    let at = counter.read_at.map_or_else(String::new, |at| figures::date(words, at, &TimeZone::system()));
    let args = [("name", counter.name.as_str().into()), ("last", last.into()), ("at", at.into())];
    match (&counter.error, counter.read_at) {
        (Some(error), _) => words.with("counter-unread", &[&args[..], &[("why", error.as_str().into())]].concat()),
        (None, None) => words.with("counter-not-here", &args),
        (None, Some(_)) => words.with("counter-stands", &args),
    }
}

/// What was set when the backup started.
#[must_use]
pub fn was_set(words: &Words, one: &Numbered) -> String {
    let unknown = || words.say("number-unknown");
    let (first, end) = one.suspect.map_or((None, None), |(first, end)| (Some(first), end));
    let args = [
        ("at", figures::date(words, one.at, &TimeZone::system()).into()),
        ("name", one.name.as_str().into()),
        ("last", one.last.map_or_else(unknown, |last| last.to_string()).into()),
        ("next", one.next.value().into()),
        ("first", first.map_or_else(unknown, |first| first.to_string()).into()),
        ("end", end.map_or_else(unknown, |end| end.to_string()).into()),
        ("epoch", one.epoch.to_string().into()),
    ];
    let key = match (&one.next, first) {
        (Next::Series(_), Some(_)) => "counter-set-series",
        (Next::Series(_), None) => "counter-set-series-only",
        (Next::Behind(_), Some(_)) => "counter-set",
        (Next::Behind(_), None) => "counter-set-only",
    };
    words.with(key, &args)
}

/// The numbers that may have been given out before this machine began to serve, in the few words of its screen; none where there are none,
/// or what became of them is known.
#[must_use]
pub fn doubtful(words: &Words, set: &[Numbered]) -> Option<String> {
    let newest = set.iter().map(|one| one.epoch).max()?;
    let of = |one: &Numbered| {
        let (first, end) = one.suspect.filter(|_| one.epoch == newest && one.found.is_none())?;
        let args = [
            ("name", one.name.as_str().into()),
            ("first", first.to_string().into()),
            ("end", end.map_or_else(String::new, |end| end.to_string()).into()),
        ];
        Some(words.with(if end.is_some() { "serving-number" } else { "serving-number-series" }, &args))
    };
    let all: Vec<String> = set.iter().filter_map(of).collect();
    (!all.is_empty()).then(|| words.with("serving-numbers", &[("all", all.join(", ").into())]))
}

/// What became of the numbers that may have been given out, once that is known.
#[must_use]
pub fn became(words: &Words, one: &Numbered) -> Vec<String> {
    let Some(report) = one.report() else { return vec![] };
    let line = |key: &str, range: Option<(u64, u64)>| {
        let (first, end) = range?;
        let args =
            [("first", first.to_string().into()), ("end", end.to_string().into()), ("name", one.name.as_str().into())];
        Some(format!("  {}", words.with(key, &args)))
    };
    let all = [
        line("counter-recovered", report.recovered),
        line("counter-twice", report.twice),
        line("counter-lost", report.lost),
        line("counter-never", report.never),
    ];
    all.into_iter().flatten().collect()
}

/// A page for who asks later why numbers are missing.
#[must_use]
pub fn certificate(words: &Words, status: &Status) -> Vec<String> {
    let args = [
        ("store", status.store.as_str().into()),
        ("at", figures::date(words, status.at, &TimeZone::system()).into()),
        ("version", status.version.as_str().into()),
    ];
    let what = if status.numbered.is_empty() { "certificate-nothing" } else { "certificate-what" };
    let mut page = vec![words.with("certificate-title", &args), String::new(), words.with(what, &args), String::new()];
    for one in &status.numbered {
        page.push(was_set(words, one));
        page.extend(became(words, one));
    }
    page.extend([String::new(), words.with("certificate-end", &args), String::new(), words.say("certificate-sign")]);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_words() {
        let words = Words::load(Some("en"));
        let counter = |last, next, asks, error: Option<&str>| CounterStatus {
            name: "receipt".to_owned(),
            last,
            error: error.map(str::to_owned),
            read_at: last.map(|_| jiff::Timestamp::UNIX_EPOCH),
            next,
            asks,
        };
        let all = [
            counter(Some(1042), Some(Next::Behind(1092)), false, None),
            counter(Some(1042), Some(Next::Series("B".to_owned())), false, None),
            counter(None, None, true, Some("no such table")),
            counter(None, None, true, None),
        ];
        let told = all.iter().flat_map(|one| [planned(&words, one), stands(&words, one)]);
        let set = |suspect, next| Numbered {
            name: "receipt".to_owned(),
            epoch: 2,
            at: jiff::Timestamp::UNIX_EPOCH,
            last: Some(1042),
            next,
            suspect,
            by: None,
            found: Some(1095),
            seen: Some(1097),
        };
        let set = [
            set(Some((1043, Some(1092))), Next::Behind(1092)),
            set(Some((1043, None)), Next::Series("B".to_owned())),
            set(None, Next::Behind(7)),
        ];
        for said in told
            .chain(set.iter().map(|one| was_set(&words, one)))
            .chain(all.iter().filter_map(|one| confirmed(&words, one)))
        {
            assert!(said.contains("receipt") && !said.contains(['{', '}']), "{said}");
        }
        assert!(was_set(&words, &set[0]).contains("1043"));
        assert!(was_set(&words, &set[1]).contains("in series B"));
        assert_eq!(doubtful(&words, &set), None, "what became of them is known");
        let open = set.clone().map(|one| Numbered { found: None, ..one });
        let said = doubtful(&words, &open).unwrap();
        assert!(said.contains("receipt 1043-1092") && said.contains("receipt from 1043 on"), "{said}");
        let became = became(&words, &set[0]);
        assert_eq!(became.len(), 3, "{became:?}");
        assert!(became.iter().all(|line| line.contains("10") && !line.contains(['{', '}'])), "{became:?}");
    }
}
