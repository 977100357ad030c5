//! The page with everything about the copy.

use super::answer::{Answer, answer};
use super::copying::{self, DatasetLine, Events, Fact, Progress};
use super::machines;
use super::mirror::{self, Action};
use super::{More, Seen};
use crate::service::Status;
use crate::service::status::{Dataset, Phase};
use crate::tui::app::App;
use crate::tui::intent::Scope;
use crate::words::{figures, grade};

/// The page about the copy.
#[derive(Clone, PartialEq, Debug)]
pub struct CopyView {
    /// Could this copy take over now?
    pub answer: Answer,
    /// Figures.
    pub facts: Vec<Fact>,
    /// How far the mirror is behind.
    pub behind: String,
    /// What is copied or compared now.
    pub progress: Vec<Progress>,
    /// The datasets, each with every name that needs a look.
    pub datasets: Vec<(DatasetLine, Vec<Named>)>,
    /// What can be done, and what not now and why.
    pub actions: Vec<Action>,
    /// What happened.
    pub events: Events,
    /// The line that is to be the first on the screen, from 0.
    pub top: usize,
    /// How the rest is seen.
    pub more: More,
}

/// Names of which the same is to be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// What is to be said.
    pub label: String,
    /// The names.
    pub names: Vec<String>,
}

/// The page.
#[must_use]
pub fn copy(seen: &Seen<'_>, app: &App, top: usize) -> CopyView {
    let comparing = app.comparing(seen.now.timestamp());
    let status = app.status();
    let datasets = status.map_or_else(Vec::new, |status| {
        let names = status.datasets.iter().map(|dataset| named(seen, dataset));
        let lines = copying::datasets(seen, status).into_iter().map(|line| DatasetLine { notes: vec![], ..line });
        lines.zip(names).collect()
    });
    let running = mirror::compared(seen, comparing);
    CopyView {
        answer: answer(seen, status),
        facts: status.map_or_else(Vec::new, |status| facts(seen, status)),
        behind: status.map(|status| copying::behind(seen, status)).unwrap_or_default(),
        progress: status.map(|status| copying::copying(seen, status)).into_iter().chain(running).collect(),
        datasets,
        actions: status.map_or_else(Vec::new, |status| {
            let drill = mirror::drill(seen, status, app.place(), Scope::Copy);
            [mirror::compare(seen, status, comparing, Scope::Copy)].into_iter().chain(drill).collect()
        }),
        events: status.map(|status| copying::events(seen, status)).unwrap_or_default(),
        top,
        more: More::of(seen, Scope::Copy),
    }
}

fn facts(seen: &Seen<'_>, status: &Status) -> Vec<Fact> {
    let words = seen.words;
    let mirror = &status.mirror;
    let fact = |label: &str, value: String| Fact { label: words.say(label), value };
    let when =
        |at: Option<jiff::Timestamp>| at.map_or_else(|| words.say("never"), |at| figures::moment(words, at, seen.now));
    let mut facts = copying::folders(seen, status);
    facts.push(fact("label-phase", words.say(phase(mirror.phase))));
    facts.push(fact("label-as-of", when(mirror.as_of)));
    facts.push(fact("label-proven", when(mirror.verified_at)));
    if let Some(grade) = mirror.grade {
        facts.push(fact("label-grade", format!("{}: {}", grade::grade(words, grade), grade::meaning(words, grade))));
    }
    facts.push(fact("label-position", mirror.position.to_string()));
    facts.extend(machines::way(seen, status));
    facts
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Opening => "phase-opening",
        Phase::FirstCopy => "phase-first-copy",
        Phase::Following => "phase-following",
        Phase::Verifying => "phase-verifying",
        Phase::Stopped => "phase-stopped",
    }
}

fn named(seen: &Seen<'_>, dataset: &Dataset) -> Vec<Named> {
    let words = seen.words;
    let mut all = vec![];
    let mut add = |label: String, names: &[String]| {
        if !names.is_empty() {
            all.push(Named { label, names: names.to_vec() });
        }
    };
    add(words.say("names-unreadable"), &dataset.unreadable);
    add(words.say("names-plain"), &dataset.plain);
    add(words.say("names-special"), &dataset.special);
    if let Some(since) = dataset.unsteady_since {
        let since = figures::moment(words, since, seen.now);
        all.push(Named { label: words.with("note-unsteady", &[("at", since.into())]), names: vec![] });
    }
    all
}
