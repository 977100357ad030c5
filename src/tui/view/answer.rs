//! Could this copy take over now? And what stands in the way.

use super::{Seen, turns};
use crate::service::Status;
use crate::service::status::{Alarm, Maintenance, Plan, Reason, Trouble, Unmet};
use crate::tui::intent::{Intent, Scope};
use crate::tui::theme::Mark;
use crate::words::answer::{Stance, other, refuses, sentence, stance};
use crate::words::unmet::unmet;
use crate::words::{against, figures, told};

/// The one sentence that is always there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// How it stands.
    pub mark: Mark,
    /// The sentence.
    pub sentence: String,
    /// Why, and how sure; a sentence each.
    pub details: Vec<String>,
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// How bad it is.
    pub mark: Mark,
    /// What it is, and its code for the support desk.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// The answer.
#[must_use]
pub fn answer(seen: &Seen<'_>, status: Option<&Status>) -> Answer {
    let words = seen.words;
    let Some(status) = status else {
        let home = [("home", seen.options.home.as_str().into())];
        return Answer {
            mark: Mark::Busy,
            sentence: words.say("answer-waiting"),
            details: vec![words.with("answer-waiting-for", &home)],
        };
    };
    let wrong = status.alarms.iter().any(|alarm| !alarm.trouble.is_hint()) || !status.questions.is_empty();
    let stance = stance(status);
    let mark = match stance {
        Stance::Yes | Stance::ServesLevel if wrong => Mark::Warn,
        Stance::Yes | Stance::ServesLevel => Mark::Ok,
        Stance::Follows if status.can_take_over.yes && !wrong => Mark::Ok,
        Stance::Opening | Stance::FirstCopy | Stance::NotMet | Stance::Follows | Stance::ServesCopying if !wrong => {
            Mark::Busy
        }
        Stance::NobodyJoined
        | Stance::ServesBare
        | Stance::ServesFollowed
        | Stance::ServesCopying
        | Stance::Follows => Mark::Warn,
        _ => Mark::Alarm,
    };
    let sentence = match turns::serves_since(status).filter(|_| stance == Stance::Follows) {
        Some(at) => {
            let args = [("name", other(status).into()), ("at", figures::moment(words, at, seen.now).into())];
            words.with("follows-since", &args)
        }
        None => sentence(words, status),
    };
    Answer { mark, sentence, details: details(seen, status, stance, wrong) }
}

/// Why, and how sure; what to do where nothing that is wrong says so below.
fn details(seen: &Seen<'_>, status: &Status, stance: Stance, wrong: bool) -> Vec<String> {
    let words = seen.words;
    let name = || ("name", other(status).into());
    // Where the main may have died.
    let keep = || (!refuses(status)).then(|| words.say("answer-keep"));
    let copy = status.mirror.as_of.map(|_| complete(seen, status));
    match stance {
        Stance::Yes => vec![complete(seen, status)],
        Stance::NotMet if wrong => vec![],
        Stance::Opening | Stance::NotMet => vec![words.say("answer-opening-wait")],
        Stance::FirstCopy | Stance::FirstCopyAlone => vec![so_far(seen, status)],
        Stance::NobodyJoined => vec![unmet(words, &Unmet::NobodyJoined).todo],
        Stance::Bare => [words.with("answer-bare-serves", &[name()])].into_iter().chain(copy).collect(),
        Stance::ServesBare => {
            let since = silent_since(seen, status);
            let key = if since.is_some() { "serving-silent" } else { "serving-unheard" };
            vec![words.with(key, &[name(), ("at", since.unwrap_or_default().into())])]
        }
        Stance::ServesCopying | Stance::ServesFollowed | Stance::ServesLevel => {
            let since = turns::serves_since(status).map(|at| figures::moment(words, at, seen.now));
            since.map(|at| words.with("serving-since", &[("at", at.into())])).into_iter().collect()
        }
        Stance::Follows if status.can_take_over.yes => {
            let at = status.mirror.as_of.map(|at| figures::moment(words, at, seen.now));
            at.map(|at| words.with("follows-level", &[("at", at.into())])).into_iter().collect()
        }
        Stance::Follows => vec![words.say("follows-copying")],
        Stance::Waits => {
            let key = turns::key(seen, Scope::Mirror, Intent::StartServer);
            let offered = status.plans.iter().any(Plan::is_offered);
            let other = offered.then(|| words.with("morning-else", &[name(), ("key", key.into())]));
            let all = ["morning-why", "morning-todo"].map(|key| words.with(key, &[name()]));
            all.into_iter().chain(other).collect()
        }
        Stance::YesAlone => silent(seen, status).into_iter().chain(copy).chain(keep()).collect(),
        Stance::OldAlone => {
            let age = status.can_take_over.reasons.iter().map(|reason| against::reason(words, reason).what);
            silent(seen, status).into_iter().chain(age).chain(copy).chain(keep()).collect()
        }
        Stance::Old | Stance::No | Stance::NoAlone => {
            // What to do is said below, by what is wrong: two advices for one thing would be one too many.
            let said = |reason: &Reason| {
                let told = against::reason(words, reason);
                let is_below = wrong || reason.check == "licence";
                if is_below { told.what } else { format!("{} {}", told.what, told.todo) }
            };
            status.can_take_over.reasons.iter().map(said).chain(copy).collect()
        }
    }
}

/// Since when the main is silent, and what follows from that.
fn silent(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let since = silent_since(seen, status)?;
    let key = if refuses(status) { "answer-apart" } else { "answer-silent" };
    Some(seen.words.with(key, &[("at", since.into())]))
}

/// Since when the other machine is silent; none where it was never heard.
#[must_use]
pub fn silent_since(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let ago = i64::try_from(status.peer.heard_ago_ms?).ok()?;
    let since = status.at.checked_sub(jiff::SignedDuration::from_millis(ago)).ok()?;
    Some(figures::moment(seen.words, since, seen.now))
}

/// As of when the copy is whole, and when that was proven.
fn complete(seen: &Seen<'_>, status: &Status) -> String {
    let words = seen.words;
    let as_of = status.mirror.as_of.map(|at| figures::moment(words, at, seen.now));
    let whole = as_of.map(|at| words.with("answer-complete", &[("at", at.into())]));
    let proven = match status.mirror.verified_at {
        Some(at) => words.with("answer-proven", &[("at", figures::day(words, at, seen.now).into())]),
        None => words.say("answer-not-proven"),
    };
    whole.into_iter().chain([proven]).collect::<Vec<_>>().join(" ")
}

/// How far the first copy is.
fn so_far(seen: &Seen<'_>, status: &Status) -> String {
    let words = seen.words;
    let files: u64 = status.datasets.iter().map(|dataset| dataset.files).sum();
    let bytes: u64 = status.datasets.iter().map(|dataset| dataset.bytes).sum();
    let size = |bytes| figures::bytes(words, bytes);
    let done = words.with("answer-so-far", &[("files", files.into()), ("bytes", size(bytes).into())]);
    match status.mirror.behind_bytes {
        0 => done,
        left => format!("{done} {}", words.with("answer-left", &[("bytes", size(left).into())])),
    }
}

/// What is wrong and not told elsewhere, the worst first. A question that waits stands for the alarm that says that it waits, the silence of the
/// other machine for the age of the copy.
#[must_use]
pub fn problems(seen: &Seen<'_>, status: &Status, is_told: impl Fn(&Trouble) -> bool) -> Vec<Problem> {
    let asked = !status.questions.is_empty();
    let silent = status.alarms.iter().any(|alarm| matches!(alarm.trouble, Trouble::Silent { .. }));
    let told_apart = |alarm: &&Alarm| match alarm.trouble {
        Trouble::Held { .. } => !asked,
        Trouble::CopyOld { .. } => !silent,
        _ => true,
    };
    let alarms = status.alarms.iter().filter(told_apart).filter(|alarm| is_told(&alarm.trouble));
    status.maintained.iter().map(|said| banner(seen, said)).chain(alarms.map(|alarm| problem(seen, alarm))).collect()
}

/// That nobody is called.
fn banner(seen: &Seen<'_>, said: &Maintenance) -> Problem {
    let until = figures::moment(seen.words, said.until, seen.now);
    Problem {
        mark: Mark::Warn,
        what: seen.words.with("banner-maintenance", &[("until", until.into())]),
        todo: seen.words.with("banner-maintenance-do", &[("by", said.by.as_str().into())]),
    }
}

fn problem(seen: &Seen<'_>, alarm: &Alarm) -> Problem {
    let told = told::trouble(seen.words, &alarm.trouble);
    let mark = if alarm.trouble.is_hint() { Mark::Warn } else { Mark::Alarm };
    let since = figures::moment(seen.words, alarm.since, seen.now);
    let since = seen.words.with("since", &[("at", since.into())]);
    Problem { mark, what: format!("{} {}", alarm.code, told.what), todo: format!("{} {since}", told.todo) }
}
