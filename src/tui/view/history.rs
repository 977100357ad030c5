//! The page of the operations: what was done, by whom, and how it ended.

use super::{More, Seen};
use crate::service::status::{Operation, OperationState};
use crate::tui::app::App;
use crate::tui::intent::Scope;
use crate::tui::theme::{Mark, Tone};
use crate::words::{figures, operation};

/// The page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryView {
    /// Its name.
    pub label: String,
    /// That there is nothing yet; empty where there is something.
    pub nothing: String,
    /// The operations, the newest first.
    pub operations: Vec<OperationLine>,
    /// The line that is to be the first on the screen, from 0.
    pub top: usize,
    /// How the rest is seen.
    pub more: More,
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperationLine {
    /// How it ended, as a sign.
    pub mark: Mark,
    /// When it began, and when it ended.
    pub when: String,
    /// What it is.
    pub kind: String,
    /// How it ended, or that it runs.
    pub state: String,
    /// Whether that is well.
    pub tone: Tone,
    /// How long it took.
    pub took: String,
    /// Who asked for it.
    pub by: String,
    /// Why it was asked for, and why it did not end well; a sentence each.
    pub notes: Vec<String>,
}

/// The page.
#[must_use]
pub fn history(seen: &Seen<'_>, app: &App, top: usize) -> HistoryView {
    let words = seen.words;
    let mut known: Vec<&Operation> = app.status().map(|status| status.history.iter().collect()).unwrap_or_default();
    known.sort_by_key(|one| one.started_at);
    let nothing = match app.status() {
        None => words.say("answer-waiting"),
        Some(_) if known.is_empty() => words.say("history-nothing"),
        Some(_) => String::new(),
    };
    HistoryView {
        label: words.say("label-history"),
        nothing,
        operations: known.iter().rev().map(|one| line(seen, one)).collect(),
        top,
        more: More::of(seen, Scope::History),
    }
}

fn line(seen: &Seen<'_>, one: &Operation) -> OperationLine {
    let words = seen.words;
    let (mark, tone) = match one.state {
        OperationState::Running => (Mark::Busy, Tone::Busy),
        OperationState::Done => (Mark::Ok, Tone::Ok),
        OperationState::Refused | OperationState::Failed => (Mark::Warn, Tone::Warn),
    };
    let span = operation::took(words, one, seen.now.timestamp());
    let took = match (one.state, one.ended_at) {
        (OperationState::Refused, _) => String::new(),
        (_, Some(_)) => span,
        (_, None) => words.with("history-for", &[("span", span.into())]),
    };
    OperationLine {
        mark,
        when: when(seen, one),
        kind: operation::kind(words, one.kind),
        state: operation::state(words, one.state),
        tone,
        took,
        by: one.by.clone(),
        notes: one.reason.iter().cloned().chain(operation::why_not(words, one)).collect(),
    }
}

/// From when until when; the day stands there once where it is the same.
fn when(seen: &Seen<'_>, one: &Operation) -> String {
    let start = figures::moment(seen.words, one.started_at, seen.now);
    let Some(end) = one.ended_at.filter(|_| one.state != OperationState::Refused) else { return start };
    let zone = seen.now.time_zone();
    let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).date();
    let same = day(one.started_at) == day(end);
    let end = if same { figures::time(end, zone) } else { figures::moment(seen.words, end, seen.now) };
    seen.words.with("history-when", &[("start", start.into()), ("end", end.into())])
}
