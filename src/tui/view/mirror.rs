//! The home screen of a mirror.

use super::Seen;
use super::answer::{Answer, Problem, answer, problems};
use super::copying::{self, DatasetLine, Events, Fact, Progress};
use super::licence::{LicenceView, licence};
use super::{machines, serving, turns};
use crate::service::Status;
use crate::service::status::{Operation, OperationState, Question};
use crate::tui::Place;
use crate::tui::able::{self, Comparing, Drilling};
use crate::tui::app::App;
use crate::tui::intent::{Intent, Scope};
use crate::tui::theme::Mark;
use crate::words::answer::{Stance, stance};
use crate::words::{figures, short, told};

/// The home screen of a mirror.
#[derive(Clone, PartialEq, Debug)]
pub struct MirrorView {
    /// Could this copy take over now?
    pub answer: Answer,
    /// What is asked, and the key that answers it.
    pub questions: Vec<Asking>,
    /// What came of the last change of server.
    pub ended: Option<Problem>,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// The source and the mirror.
    pub folders: Vec<Fact>,
    /// What is copied now.
    pub copying: Option<Progress>,
    /// How far the mirror is behind.
    pub behind: String,
    /// A comparison that runs.
    pub comparing: Option<Progress>,
    /// The datasets.
    pub datasets: Vec<DatasetLine>,
    /// The backup licence.
    pub licence: Option<LicenceView>,
    /// The one next step, or that there is nothing to do; empty where what is wrong says it.
    pub nothing: String,
    /// What can be done about who serves, and what not now and why.
    pub turns: Vec<Action>,
    /// What else can be done, and what not now and why.
    pub actions: Vec<Action>,
    /// What happened.
    pub events: Events,
}

/// A question, and the key that answers it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asking {
    /// How pressing it is.
    pub mark: Mark,
    /// What happened.
    pub what: String,
    /// The one next step; none where another question comes first.
    pub answer: Option<Action>,
}

/// Something that can be done, or cannot now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// The keys; empty when none is bound.
    pub keys: String,
    /// What it does.
    pub label: String,
    /// What to know of it; why it cannot be done.
    pub note: String,
    /// What a click does; none when it cannot be done now.
    pub intent: Option<Intent>,
    /// It is the one next step.
    pub is_next: bool,
}

/// The home screen.
#[must_use]
pub fn mirror(seen: &Seen<'_>, app: &App) -> MirrorView {
    let words = seen.words;
    let answer = answer(seen, app.status());
    let comparing = app.comparing(seen.now.timestamp());
    let Some(status) = app.status() else {
        return MirrorView {
            answer,
            questions: vec![],
            ended: None,
            problems: vec![],
            folders: vec![],
            copying: None,
            behind: String::new(),
            comparing: None,
            datasets: vec![],
            licence: None,
            nothing: String::new(),
            turns: vec![],
            actions: vec![],
            events: Events::default(),
        };
    };
    let (questions, problems) = (questions(seen, app, status, Scope::Mirror), problems(seen, status, |_| true));
    let follows = stance(status) == Stance::Follows;
    let calm =
        questions.is_empty() && problems.is_empty() && !matches!(stance(status), Stance::NobodyJoined | Stance::Waits);
    let nothing = match (follows, calm) {
        (true, _) => serving::next(seen, app, status),
        (false, true) => words.say("nothing-to-do"),
        (false, false) => String::new(),
    };
    MirrorView {
        answer,
        questions,
        ended: turns::ended(seen, status),
        problems,
        folders: [copying::folders(seen, status), machines::machines(seen, status)].concat(),
        copying: Some(copying::copying(seen, status)),
        behind: copying::behind(seen, status),
        comparing: compared(seen, comparing),
        datasets: copying::datasets(seen, status),
        licence: licence(seen, status),
        nothing,
        turns: turns::turns(seen, app, status, Scope::Mirror),
        actions: vec![compare(seen, status, comparing, Scope::Mirror)],
        events: copying::events(seen, status),
    }
}

/// What is asked. Only the first has its key: one obvious next step.
#[must_use]
pub fn questions(seen: &Seen<'_>, app: &App, status: &Status, scope: Scope) -> Vec<Asking> {
    let words = seen.words;
    let can = able::question(Some(status), app.place()).map(|question| question.id);
    let first = status.questions.first().map(|question| question.id);
    let asking = |question: &Question| {
        let since = figures::moment(words, question.since, seen.now);
        let note = match can {
            Some(_) => words.with("action-answer-note", &[("at", since.into())]),
            None => words.say("watches-only"),
        };
        let answer = || Action {
            keys: seen.options.keymap.hint(scope, Intent::Answer).unwrap_or_default(),
            label: words.say("action-answer"),
            note,
            intent: can.map(|_| Intent::Answer),
            is_next: false,
        };
        Asking {
            mark: Mark::Alarm,
            what: told::question(words, &question.ask).what,
            answer: (first == Some(question.id)).then(answer),
        }
    };
    status.questions.iter().map(asking).collect()
}

/// Compare every byte: whether it can be done now, and how it ended last.
#[must_use]
pub fn compare(seen: &Seen<'_>, status: &Status, comparing: Comparing<'_>, scope: Scope) -> Action {
    let words = seen.words;
    let note = match comparing {
        Comparing::Possible(last) => {
            last.and_then(|last| badly_ended(seen, last)).unwrap_or_else(|| last_proven(seen, status))
        }
        Comparing::WatchOnly => words.say("watches-only"),
        Comparing::NotYet => words.say("compare-not-yet"),
        Comparing::Stopped => words.say("compare-stopped"),
        Comparing::Asked => words.say("compare-asked"),
        Comparing::Runs(_) => words.say("compare-runs"),
    };
    Action {
        keys: seen.options.keymap.hint(scope, Intent::Compare).unwrap_or_default(),
        label: words.say("action-compare"),
        note,
        intent: matches!(comparing, Comparing::Possible(_)).then_some(Intent::Compare),
        is_next: false,
    }
}

/// A drill: whether one can be held now, and how the last one ended; none where this machine starts no POS server.
#[must_use]
pub fn drill(seen: &Seen<'_>, status: &Status, place: Place, scope: Scope) -> Option<Action> {
    let words = seen.words;
    let can = able::drilling(Some(status), place);
    let note = match can {
        Drilling::NotHere => return None,
        Drilling::WatchOnly => words.say("watches-only"),
        Drilling::Runs => words.say("drill-runs"),
        Drilling::Busy(kind) => short::busy(words, kind),
        Drilling::Possible => match &status.drilled {
            None => words.say("drill-never"),
            Some(last) => {
                let at = ("at", figures::day(words, last.at, seen.now).into());
                words.with(if last.why_not.is_some() { "drill-last-failed" } else { "drill-last" }, &[at])
            }
        },
    };
    Some(Action {
        keys: seen.options.keymap.hint(scope, Intent::Drill).unwrap_or_default(),
        label: words.say("action-drill"),
        note,
        intent: (can == Drilling::Possible).then_some(Intent::Drill),
        is_next: false,
    })
}

fn last_proven(seen: &Seen<'_>, status: &Status) -> String {
    match status.mirror.verified_at {
        Some(at) => {
            let at = figures::day(seen.words, at, seen.now);
            seen.words.with("compare-last", &[("at", at.into())])
        }
        None => seen.words.say("compare-never"),
    }
}

fn badly_ended(seen: &Seen<'_>, last: &Operation) -> Option<String> {
    let why = ("why", last.why_not.join("; ").into());
    match last.state {
        OperationState::Refused => Some(seen.words.with("compare-refused", &[why])),
        OperationState::Failed => Some(seen.words.with("compare-failed", &[why])),
        OperationState::Running | OperationState::Done => None,
    }
}

/// The comparison that runs.
#[must_use]
pub fn compared(seen: &Seen<'_>, comparing: Comparing<'_>) -> Option<Progress> {
    let Comparing::Runs(running) = comparing else { return None };
    let words = seen.words;
    let size = |bytes| figures::bytes(words, bytes);
    let of = words
        .with("compared-of", &[("done", size(running.done_bytes).into()), ("total", size(running.total_bytes).into())]);
    // Before the first look nobody knows how much there is.
    let permille = (running.total_bytes > 0).then(|| copying::permille(running.done_bytes, running.total_bytes));
    let figures = permille.map_or_else(String::new, |permille| {
        let percent = words.with("percent", &[("n", (permille / 10).into())]);
        format!("{}  {of}", crate::tui::widgets::fit::pad_left(&percent, 5))
    });
    Some(Progress { label: words.say("label-comparing"), what: words.say("comparing-all"), permille, figures })
}
