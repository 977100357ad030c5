//! A change of server that runs: its steps, the one that runs now, and until when it can be cancelled.

use super::Seen;
use super::answer::{Answer, Problem, problems};
use super::copying::{self, Events, Progress, permille};
use super::licence::{LicenceView, licence};
use super::mirror::Action;
use super::turns;
use crate::pair::Node;
use crate::service::Status;
use crate::service::status::{Operation, OperationKind, Step, Trouble};
use crate::tui::app::App;
use crate::tui::intent::Scope;
use crate::tui::theme::Mark;
use crate::tui::turn::Which;
use crate::words::{figures, plan as told};

/// A change of server that runs.
#[derive(Clone, PartialEq, Debug)]
pub struct TurningView {
    /// What runs, which step it is in, and who is the server meanwhile.
    pub answer: Answer,
    /// The steps.
    pub steps: Vec<StepLine>,
    /// How long the terminals pause, what a fault would do, who asked for it; a sentence each.
    pub lines: Vec<String>,
    /// The days that run, where the backup is the server.
    pub licence: Option<LicenceView>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What can be done, and what not now and why.
    pub actions: Vec<Action>,
    /// What happened.
    pub events: Events,
}

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub struct StepLine {
    /// Done, running, or still to come.
    pub stands: Stands,
    /// The word for that.
    pub word: String,
    /// Its number and what it is.
    pub what: String,
    /// When it ended.
    pub at: String,
    /// How far it is, where it copies.
    pub progress: Option<Progress>,
}

/// How a step stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// It is done.
    Done,
    /// It runs.
    Now,
    /// It is still to come.
    Open,
}

/// A change of server that runs.
#[must_use]
pub fn turning(seen: &Seen<'_>, app: &App, status: &Status, running: &Operation) -> TurningView {
    let cancel = running.kind.gives().then(|| turns::action(seen, app, status, Which::Cancel, Scope::Turn));
    TurningView {
        answer: answer(seen, status, running),
        steps: steps(seen, status, running),
        lines: lines(seen, status, running),
        licence: licence(seen, status).filter(|licence| licence.matters).map(in_a_line),
        // While the server is started, that the other machine is silent is no news.
        problems: problems(seen, status, |trouble| {
            running.kind.gives() || !matches!(trouble, Trouble::Silent { .. } | Trouble::CopyOld { .. })
        }),
        actions: cancel.into_iter().chain(turns::turns(seen, app, status, Scope::Turn)).collect(),
        events: copying::events(seen, status),
    }
}

/// The days without their bar: the steps need the room.
fn in_a_line(mut view: LicenceView) -> LicenceView {
    if let Some((_, until)) = view.left.take() {
        view.says = format!("{}, {until}", view.says);
    }
    view
}

/// The machine that does it: the one that gives its place, where one does.
fn doer(status: &Status, running: &Operation) -> Node {
    match running.kind {
        OperationKind::Return => Node::Backup,
        OperationKind::Switch => Node::Main,
        _ => running.node.unwrap_or(status.node),
    }
}

/// The number of the step that runs, from 1.
fn number(running: &Operation) -> usize {
    usize::try_from(running.step).unwrap_or(1).clamp(1, running.kind.steps().len().max(1))
}

fn step_now(running: &Operation) -> Option<Step> {
    running.kind.steps().get(number(running) - 1).copied()
}

fn answer(seen: &Seen<'_>, status: &Status, running: &Operation) -> Answer {
    let words = seen.words;
    let node = doer(status, running);
    let (doer, other) = turns::names(status, node);
    let (key, name) = match running.kind {
        OperationKind::Start => ("turning-start", doer),
        OperationKind::Return if step_now(running) == Some(Step::HandOver) => ("turning-hand-over", other),
        OperationKind::Return if node == status.node => ("turning-return-here", doer),
        OperationKind::Return => ("turning-return", doer),
        OperationKind::Switch if step_now(running) == Some(Step::HandOver) => ("turning-change-over", other),
        OperationKind::Switch if node == status.node => ("turning-switch-here", doer),
        OperationKind::Switch => ("turning-switch", doer),
        OperationKind::Adopt => ("turning-adopt", doer),
        _ => ("turning-promote", doer),
    };
    let args = [
        ("step", number(running).to_string().into()),
        ("steps", running.kind.steps().len().to_string().into()),
        ("name", name.into()),
    ];
    let keep = match running.kind {
        OperationKind::Return | OperationKind::Switch => {
            words.with("turning-keep", &[("backup", doer.into()), ("main", other.into())])
        }
        _ => words.with("turning-keep-one", &[("name", doer.into())]),
    };
    Answer { mark: Mark::Busy, sentence: words.with(key, &args), details: vec![keep] }
}

fn steps(seen: &Seen<'_>, status: &Status, running: &Operation) -> Vec<StepLine> {
    let now = number(running);
    let (_, other) = turns::names(status, doer(status, running));
    let line = |(at, step): (usize, &Step)| {
        let (stands, word) = match (at + 1).cmp(&now) {
            std::cmp::Ordering::Less => (Stands::Done, seen.words.say("turning-done")),
            std::cmp::Ordering::Equal => (Stands::Now, seen.words.say("turning-now")),
            std::cmp::Ordering::Greater => (Stands::Open, String::new()),
        };
        let ended = running.steps_at.get(at).filter(|_| stands == Stands::Done);
        StepLine {
            stands,
            word,
            what: format!("{}  {}", at + 1, told::step(seen.words, *step, other)),
            at: ended.map(|ended| figures::moment(seen.words, *ended, seen.now)).unwrap_or_default(),
            progress: progress(seen, status, running, *step).filter(|_| stands == Stands::Now),
        }
    };
    running.kind.steps().iter().enumerate().map(line).collect()
}

/// How far a step is that moves or compares files.
fn progress(seen: &Seen<'_>, status: &Status, running: &Operation, step: Step) -> Option<Progress> {
    if !matches!(step, Step::CopyBack | Step::LastChanges | Step::Compare) {
        return None;
    }
    if status.mirror.copying.is_some() && step != Step::Compare {
        return Some(Progress { label: String::new(), ..copying::copying(seen, status) });
    }
    let of = |bytes| figures::bytes(seen.words, bytes);
    let figures = [("done", of(running.done_bytes).into()), ("total", of(running.total_bytes).into())];
    (running.total_bytes > 0).then(|| Progress {
        label: String::new(),
        what: String::new(),
        permille: Some(permille(running.done_bytes, running.total_bytes)),
        figures: seen.words.with("compared-of", &figures),
    })
}

fn lines(seen: &Seen<'_>, status: &Status, running: &Operation) -> Vec<String> {
    let words = seen.words;
    let span = |since: jiff::Timestamp| {
        let ms = seen.now.timestamp().duration_since(since).as_millis();
        figures::countdown(words, u64::try_from(ms).unwrap_or(0))
    };
    let place = |step: Step| running.kind.steps().iter().position(|one| *one == step);
    let mut lines = vec![];
    if let Some(pause) = place(Step::Pause)
        && number(running) > pause
        && let Some(since) = pause.checked_sub(1).and_then(|before| running.steps_at.get(before))
    {
        let limit = running.limit_ms.map(|limit| figures::countdown(words, limit));
        let key = if limit.is_some() { "turning-paused" } else { "turning-paused-open" };
        lines.push(words.with(key, &[("span", span(*since).into()), ("limit", limit.unwrap_or_default().into())]));
    }
    let (doer, _) = turns::names(status, doer(status, running));
    if let Some(hand_over) = place(Step::HandOver).filter(|last| number(running) <= *last) {
        let args = [("step", (hand_over + 1).to_string().into()), ("name", doer.into())];
        lines.push(words.with("turning-fault", &args));
    }
    let at = figures::moment(words, running.started_at, seen.now);
    let args = [("by", running.by.as_str().into()), ("at", at.into()), ("span", span(running.started_at).into())];
    lines.push(words.with("turning-by", &args));
    lines
}
