//! The screen of a machine that misses the server and might take its place: what to do first, and what a start would mean.

use jiff::SignedDuration;

use super::Seen;
use super::answer::{Answer, Problem, problems, silent_since};
use super::copying::{self, Events, Fact};
use super::mirror::Action;
use super::{tills, turns};
use crate::service::Status;
use crate::service::status::{Consent, Loss, Plan, Trouble, Verdict};
use crate::tui::app::{App, SHORT_BREAK};
use crate::tui::intent::{Intent, Scope};
use crate::tui::theme::Mark;
use crate::words::answer::other;
use crate::words::refusal::refusal;
use crate::words::{figures, licence, numbers, plan as told, short};

/// The screen of a machine that misses the server.
#[derive(Clone, PartialEq, Debug)]
pub struct AlarmView {
    /// What is missed, and whether this machine could take over.
    pub answer: Answer,
    /// What came of the last change of server.
    pub ended: Option<Problem>,
    /// What to do first, in this order.
    pub steps: Vec<String>,
    /// The name of what follows.
    pub if_label: String,
    /// What a start would mean now.
    pub facts: Vec<Fact>,
    /// What stands against it, or is not as it should be: what was examined, and why.
    pub stands: Vec<(Mark, String)>,
    /// What else is wrong.
    pub problems: Vec<Problem>,
    /// What can be done, and what not now and why.
    pub actions: Vec<Action>,
    /// What happened.
    pub events: Events,
}

/// The screen of a machine that misses the server.
#[must_use]
pub fn alarm(seen: &Seen<'_>, app: &App, status: &Status, plan: &Plan) -> AlarmView {
    AlarmView {
        answer: answer(seen, app, status, plan),
        ended: turns::ended(seen, status),
        steps: steps(seen, status, plan),
        if_label: seen.words.say("alarm-if"),
        facts: facts(seen, status, plan),
        stands: stands(seen, status, plan),
        problems: problems(seen, status, |trouble| !is_told(trouble)),
        actions: actions(seen, app, status),
        events: copying::events(seen, status),
    }
}

/// The first lines say it.
fn is_told(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Silent { .. } | Trouble::CopyOld { .. } | Trouble::ServerDown { here: false, .. })
}

/// The machine answers, and its POS server does not.
fn is_stopped(status: &Status) -> bool {
    status.verdict == Verdict::ServerStopped
}

fn answer(seen: &Seen<'_>, app: &App, status: &Status, plan: &Plan) -> Answer {
    let words = seen.words;
    let wait = app.waits(seen.now.timestamp());
    let key = match (status.verdict, wait.is_some()) {
        (Verdict::ServerStopped, false) => "alarm-stopped",
        (Verdict::ServerStopped, true) => "alarm-stopped-wait",
        (Verdict::MainDown, false) => "alarm-down",
        (Verdict::MainDown, true) => "alarm-down-wait",
        (_, false) => "alarm-silent",
        (_, true) => "alarm-silent-wait",
    };
    let left = wait.map(|left| countdown(seen, left)).unwrap_or_default();
    let missed = words.with(key, &[("name", other(status).into()), ("left", left.into())]);
    let mut doubts = plan.checks.iter().filter_map(|check| check.why.as_ref());
    let doubt = doubts.find(|why| why.consent() == Some(Consent::AcceptLoss));
    let could = match (plan.is_offered(), doubt) {
        (true, None) => words.say("alarm-yes"),
        (true, Some(why)) => words.with("alarm-yes-but", &[("why", short::short(words, why, other(status)).into())]),
        (false, _) => words.with("alarm-no", &[("why", turns::stands_against(seen, status, plan).into())]),
    };
    let since = match silent_since(seen, status) {
        _ if is_stopped(status) => stopped_since(seen, status),
        Some(at) => Some(words.with("alarm-since", &[("at", at.into())])),
        None => Some(words.say("alarm-since-unknown")),
    };
    let proven = match status.mirror.verified_at {
        Some(at) => words.with("answer-proven", &[("at", figures::day(words, at, seen.now).into())]),
        None => words.say("answer-not-proven"),
    };
    Answer {
        mark: if wait.is_some() { Mark::Busy } else { Mark::Alarm },
        sentence: format!("{missed} {could}"),
        details: vec![
            since.into_iter().chain(tills::agree(seen, status)).chain([proven]).collect::<Vec<_>>().join(" "),
        ],
    }
}

fn stopped_since(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let down = status.alarms.iter().find(|alarm| matches!(alarm.trouble, Trouble::ServerDown { here: false, .. }))?;
    let at = figures::moment(seen.words, down.since, seen.now);
    Some(seen.words.with("alarm-since-stopped", &[("at", at.into())]))
}

/// What to do before anything is started.
fn steps(seen: &Seen<'_>, status: &Status, plan: &Plan) -> Vec<String> {
    let words = seen.words;
    let name = ("name", other(status).into());
    let key = turns::key(seen, Scope::Alarm, Intent::StartServer);
    let look = match status.verdict {
        Verdict::ServerStopped => "alarm-step-screen",
        Verdict::OnlyThisLink | Verdict::Isolated => "alarm-step-cable",
        Verdict::Healthy | Verdict::MainDown | Verdict::Unknown => "alarm-step-look",
    };
    let last = match (plan.is_offered(), is_stopped(status)) {
        (true, false) => words.with("alarm-step-start", &[("key", key.into())]),
        (true, true) => words.with("alarm-step-still", &[("key", key.into())]),
        (false, _) => words.say("alarm-step-mend"),
    };
    let all = [words.say("alarm-step-keep"), words.with(look, &[name]), last];
    let lettered = |(letter, what): (char, String)| {
        words.with("alarm-step", &[("letter", letter.to_string().into()), ("what", what.into())])
    };
    ('a'..).zip(all).map(lettered).collect()
}

fn facts(seen: &Seen<'_>, status: &Status, plan: &Plan) -> Vec<Fact> {
    let words = seen.words;
    let fact = |label: &str, value: String| Fact { label: words.say(label), value };
    let mut facts = vec![];
    if let Some(at) = plan.loss.and_then(|loss| loss.as_of).or(status.mirror.as_of) {
        let age = seen.now.timestamp().duration_since(at).as_millis();
        let age = figures::countdown(words, u64::try_from(age).unwrap_or(0));
        let at = figures::moment(words, at, seen.now);
        facts.push(fact("label-last-copy", words.with("last-copy", &[("at", at.into()), ("age", age.into())])));
        facts.push(fact("label-missing", missing(seen, status, plan.loss)));
        // In the shop's own words, where it is known.
        let lacks = plan.lacks.iter().filter(|lack| lack.at_most != Some(0));
        facts.extend(lacks.map(|lack| told::lack(words, lack)).map(|line| Fact { label: String::new(), value: line }));
    }
    for (place, number) in plan.numbers.iter().enumerate() {
        let label = if place == 0 { words.say("label-numbers") } else { String::new() };
        facts.push(Fact { label, value: numbers::goes_on(words, number) });
    }
    if let Some(end) = plan.licence_ends_at {
        facts.push(fact("label-licence", days(seen, status, end)));
    }
    facts.push(fact("label-checks", checks(seen, status, plan)));
    facts
}

/// The days that a start would begin.
fn days(seen: &Seen<'_>, status: &Status, end: jiff::Timestamp) -> String {
    let left = licence::days(seen.words, status.licence.remaining_ms);
    let end = figures::date(seen.words, end, seen.now.time_zone());
    seen.words.with("licence-if-started", &[("days", left.into()), ("end", end.into())])
}

/// That the days of the licence run from a start on, and how long.
#[must_use]
pub fn runs_from_now(seen: &Seen<'_>, status: &Status, end: jiff::Timestamp) -> String {
    seen.words.with("confirm-promote-days", &[("days", days(seen, status, end).into())])
}

/// What the copy may lack.
fn missing(seen: &Seen<'_>, status: &Status, loss: Option<Loss>) -> String {
    let name = ("name", other(status).into());
    match loss {
        Some(loss) if loss.behind_bytes + loss.behind_files > 0 => {
            let bytes = figures::bytes_in(seen.words, loss.behind_bytes, loss.behind_files);
            seen.words.with("missing-since-bytes", &[name, ("bytes", bytes.into())])
        }
        Some(loss) if loss.is_any() => seen.words.with("missing-since", &[name]),
        _ => seen.words.say("missing-nothing"),
    }
}

/// How many of the checks are passed. That a person must look is no fault of anything.
fn checks(seen: &Seen<'_>, status: &Status, plan: &Plan) -> String {
    let passed = plan.checks.iter().filter(|check| check.why.is_none()).count();
    let key = if plan.asks().contains(&Consent::Yes) { "checks-passed-yours" } else { "checks-passed" };
    let args = [("passed", passed.into()), ("all", plan.checks.len().into()), ("name", other(status).into())];
    seen.words.with(key, &args)
}

fn stands(seen: &Seen<'_>, status: &Status, plan: &Plan) -> Vec<(Mark, String)> {
    let words = seen.words;
    let line = |check: &crate::service::status::Check| {
        let why = check.why.as_ref()?;
        let (mark, why) = match why.consent() {
            Some(Consent::Yes) => return None,
            // What is proposed is confirmed with the start.
            Some(Consent::Numbers) if why.is_proposed() => return None,
            Some(Consent::AcceptLoss) => (Mark::Warn, short::short(words, why, other(status))),
            // What no consent answers must be mended: at length, with what to do.
            None | Some(Consent::Unlock | Consent::Numbers) => (Mark::Alarm, refusal(words, why)),
        };
        let check = told::check(words, check.check);
        Some((mark, words.with("check-stands", &[("check", check.into()), ("why", why.into())])))
    };
    plan.checks.iter().filter_map(line).collect()
}

fn actions(seen: &Seen<'_>, app: &App, status: &Status) -> Vec<Action> {
    let words = seen.words;
    let wait = app.waits(seen.now.timestamp());
    let left = countdown(seen, wait.unwrap_or(SHORT_BREAK));
    let mut all = vec![Action {
        keys: seen.options.keymap.hint(Scope::Alarm, Intent::NotYet).unwrap_or_default(),
        label: words.say("action-not-yet"),
        note: words.with("not-yet-note", &[("left", left.into())]),
        intent: wait.is_none().then_some(Intent::NotYet),
        is_next: false,
    }];
    all.extend(turns::turns(seen, app, status, Scope::Alarm));
    let next = if is_short(seen, status) { Intent::NotYet } else { Intent::StartServer };
    for action in all.iter_mut().filter(|action| wait.is_none() && action.intent == Some(next)) {
        action.is_next = true;
    }
    all
}

/// Whether it is missed for so short a time only that it may well be a short break.
fn is_short(seen: &Seen<'_>, status: &Status) -> bool {
    let now = seen.now.timestamp();
    let since = status.alarms.iter().find(|alarm| is_told(&alarm.trouble)).map(|alarm| now.duration_since(alarm.since));
    // The silence has grown since it was said.
    let silent = status.peer.heard_ago_ms.and_then(|ago| i64::try_from(ago).ok()).map(SignedDuration::from_millis);
    let silent = silent.map(|ago| ago.saturating_add(now.duration_since(status.at))).filter(|_| !is_stopped(status));
    silent.or(since).is_none_or(|missed| missed < SHORT_BREAK)
}

/// Whole seconds, the last of them included.
fn countdown(seen: &Seen<'_>, left: SignedDuration) -> String {
    let seconds = u64::try_from((left.as_millis() + 999) / 1000).unwrap_or(0);
    figures::countdown(seen.words, seconds * 1000)
}
