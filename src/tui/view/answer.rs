//! Could this copy take over now? And what stands in the way.

use super::Seen;
use crate::pair::Node;
use crate::service::Status;
use crate::service::status::{Alarm, Phase, Trouble};
use crate::tui::theme::Mark;
use crate::words::{figures, told};

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
    if status.can_take_over.yes {
        let mark = if wrong { Mark::Warn } else { Mark::Ok };
        return Answer { mark, sentence: words.say(yes(status)), details: vec![complete(seen, status)] };
    }
    let busy = if wrong { Mark::Alarm } else { Mark::Busy };
    match status.mirror.phase {
        Phase::Opening => Answer {
            mark: busy,
            sentence: words.say("answer-opening"),
            details: vec![words.say("answer-opening-wait")],
        },
        Phase::FirstCopy => {
            Answer { mark: busy, sentence: words.say("answer-first-copy"), details: vec![so_far(seen, status)] }
        }
        Phase::Following | Phase::Verifying | Phase::Stopped => {
            // What to do is said below, by what is wrong: two advices for one thing would be one too many.
            let reasons = status.can_take_over.reasons.iter().map(|reason| told::reason(words, reason));
            let said = |told: told::Told| if wrong { told.what } else { format!("{} {}", told.what, told.todo) };
            let mut details: Vec<_> = reasons.map(said).collect();
            if status.mirror.as_of.is_some() {
                details.push(complete(seen, status));
            }
            Answer { mark: Mark::Alarm, sentence: words.say(no(status)), details }
        }
    }
}

fn yes(status: &Status) -> &'static str {
    match (&status.machines, status.node) {
        (None, _) => "answer-yes",
        (Some(_), Node::Backup) => "answer-yes-this",
        (Some(_), Node::Main) => "answer-yes-backup",
    }
}

fn no(status: &Status) -> &'static str {
    match (&status.machines, status.node) {
        (None, _) => "answer-no",
        (Some(_), Node::Backup) => "answer-no-this",
        (Some(_), Node::Main) => "answer-no-backup",
    }
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

/// What is wrong, the worst first. A question that waits stands for the alarm that says that it waits.
#[must_use]
pub fn problems(seen: &Seen<'_>, status: &Status) -> Vec<Problem> {
    let asked = !status.questions.is_empty();
    let told_apart = |alarm: &&Alarm| !(asked && matches!(alarm.trouble, Trouble::Held { .. }));
    status.alarms.iter().filter(told_apart).map(|alarm| problem(seen, alarm)).collect()
}

fn problem(seen: &Seen<'_>, alarm: &Alarm) -> Problem {
    let told = told::trouble(seen.words, &alarm.trouble);
    let mark = if alarm.trouble.is_hint() { Mark::Warn } else { Mark::Alarm };
    let since = figures::moment(seen.words, alarm.since, seen.now);
    let since = seen.words.with("since", &[("at", since.into())]);
    Problem { mark, what: format!("{} {}", alarm.code, told.what), todo: format!("{} {since}", told.todo) }
}
