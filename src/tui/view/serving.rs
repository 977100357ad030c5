//! The screen of the backup while it is the server.

use super::Seen;
use super::answer::{Answer, Problem, answer, problems};
use super::copying::{self, Events, Fact, Progress};
use super::licence::{LicenceView, licence};
use super::machines::{backup_name, main_name};
use super::mirror::{Action, Asking, questions};
use super::{machines, tills, turns};
use crate::service::Status;
use crate::service::status::Trouble;
use crate::tui::Place;
use crate::tui::app::App;
use crate::tui::intent::{Intent, Scope};
use crate::tui::turn::{Turn, Which};
use crate::words::answer::{Stance, stance};
use crate::words::{figures, numbers};

/// The screen of the backup while it is the server.
#[derive(Clone, PartialEq, Debug)]
pub struct ServingView {
    /// That it is, and what stands behind it.
    pub answer: Answer,
    /// What came of the last change of server.
    pub ended: Option<Problem>,
    /// What is asked.
    pub questions: Vec<Asking>,
    /// What else is wrong.
    pub problems: Vec<Problem>,
    /// The days that run.
    pub licence: Option<LicenceView>,
    /// The POS server, the terminals, the copy.
    pub facts: Vec<Fact>,
    /// What is copied to the main now.
    pub copying: Option<Progress>,
    /// How far the main is behind.
    pub behind: String,
    /// What not to do.
    pub keep: String,
    /// The one next step.
    pub next: String,
    /// What can be done about who serves, and what not now and why.
    pub turns: Vec<Action>,
    /// What happened.
    pub events: Events,
}

/// The screen of the backup while it is the server.
#[must_use]
pub fn serving(seen: &Seen<'_>, app: &App, status: &Status) -> ServingView {
    let words = seen.words;
    let bare = stance(status) == Stance::ServesBare;
    let level = status.mirror.behind_ms == 0 && status.mirror.behind_bytes == 0;
    let fact = |label: &str, value: String| Fact { label: words.say(label), value };
    let pos = machines::pos(seen, status).map(|pos| fact("label-pos-server", pos.value));
    let terminals = tills::here(seen, status).map(|said| fact("label-terminals", said));
    let numbers = numbers::doubtful(words, &status.numbered).map(|said| fact("label-numbers", said));
    let backup = backup_name(status).unwrap_or_default();
    let keep = match app.place() {
        Place::Embedded => "serving-keep-open",
        Place::Attached | Place::WatchOnly => "serving-keep-on",
    };
    ServingView {
        answer: answer(seen, Some(status)),
        ended: turns::ended(seen, status),
        questions: questions(seen, app, status, Scope::Mirror),
        // That the main is silent stands in the first lines.
        problems: problems(seen, status, |trouble| !is_silence(trouble)),
        licence: licence(seen, status),
        facts: pos
            .into_iter()
            .chain(terminals)
            .chain([fact("label-copy", copy(seen, status))])
            .chain(numbers)
            .collect(),
        copying: status.mirror.copying.as_ref().filter(|_| !bare).map(|_| copying::copying(seen, status)),
        behind: if bare || level { String::new() } else { copying::behind(seen, status) },
        keep: words.with(keep, &[("name", backup.into())]),
        next: next(seen, app, status),
        turns: turns::turns(seen, app, status, Scope::Mirror),
        events: copying::events(seen, status),
    }
}

fn is_silence(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Silent { .. } | Trouble::CopyOld { .. })
}

fn copy(seen: &Seen<'_>, status: &Status) -> String {
    let name = ("name", main_name(status).unwrap_or_default().into());
    match (stance(status), status.mirror.as_of) {
        (Stance::ServesBare, _) => seen.words.with("copy-none", &[name]),
        (Stance::ServesCopying, _) | (_, None) => seen.words.with("copy-first", &[name]),
        (_, Some(at)) => {
            let at = figures::moment(seen.words, at, seen.now);
            seen.words.with("copy-level", &[name, ("at", at.into())])
        }
    }
}

/// The one next step while the backup serves; nothing where somebody has taken it.
#[must_use]
pub fn next(seen: &Seen<'_>, app: &App, status: &Status) -> String {
    let key = turns::key(seen, Scope::Mirror, Intent::ReturnToMain);
    let main = main_name(status).unwrap_or_default();
    let said = match (app.turn(Which::Return, seen.now.timestamp()), stance(status)) {
        (Turn::Asked | Turn::Runs | Turn::Busy(_), _) => return String::new(),
        (Turn::Offered(_) | Turn::WatchOnly, _) if status.returns_in_ms.is_some() => "next-return-alone",
        (Turn::Offered(_), _) if status.can_take_over.yes => "next-return",
        (Turn::Offered(_), _) => "next-return-later",
        (_, Stance::ServesBare) => "next-repair",
        (Turn::Hindered(_), Stance::ServesLevel | Stance::ServesFollowed) => "next-see",
        _ => "next-wait",
    };
    let left = figures::countdown(seen.words, status.returns_in_ms.unwrap_or(0));
    seen.words.with(said, &[("name", main.into()), ("key", key.into()), ("left", left.into())])
}
