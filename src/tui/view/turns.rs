//! What can be done about who serves: key, name, and what happens then, or why it cannot be done now. And what came of the last.

use super::Seen;
use super::answer::Problem;
use super::machines::{backup_name, main_name, own_name};
use super::mirror::Action;
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{Consent, Operation, OperationState, PeerState, Plan, Step, Verdict};
use crate::tui::app::App;
use crate::tui::intent::{Intent, Scope};
use crate::tui::theme::Mark;
use crate::tui::turn::{self, Turn, Which};
use crate::words::answer::other;
use crate::words::short::{busy, short};
use crate::words::{figures, operation};

/// Start the server here, and give the place to the machine that does not serve; none where there is no store.
#[must_use]
pub fn turns(seen: &Seen<'_>, app: &App, status: &Status, scope: Scope) -> Vec<Action> {
    if status.machines.is_none() {
        return vec![];
    }
    let is_all_well = scope == Scope::Mirror && status.holder == Node::Main && serves_main(status);
    let other = if is_all_well { Which::Switch } else { Which::Return };
    let mut all = [Which::Start, other].map(|which| action(seen, app, status, which, scope));
    // It is possible before, and takes longer then.
    for back in all.iter_mut().filter(|action| action.intent == Some(Intent::ReturnToMain)) {
        back.is_next = status.can_take_over.yes;
    }
    all.to_vec()
}

/// One change of server.
#[must_use]
pub fn action(seen: &Seen<'_>, app: &App, status: &Status, which: Which, scope: Scope) -> Action {
    let stands = app.turn(which, seen.now.timestamp());
    let intent = which.intent();
    Action {
        keys: seen.options.keymap.hint(scope, intent).unwrap_or_default(),
        label: seen.words.say(label(status, which)),
        note: note(seen, status, which, stands),
        intent: matches!(stands, Turn::Offered(_) | Turn::Cancellable(_)).then_some(intent),
        is_next: false,
    }
}

/// The first of the keys that mean `intent` at `scope`.
#[must_use]
pub fn key(seen: &Seen<'_>, scope: Scope, intent: Intent) -> String {
    seen.options.keymap.keys(scope, intent).into_iter().next().unwrap_or_default()
}

fn label(status: &Status, which: Which) -> &'static str {
    let starts_here = turn::start_plan(status).is_some() && status.node == Node::Main;
    match which {
        Which::Start if starts_here => "action-start-main",
        Which::Start => "action-start-backup",
        Which::Return => "action-return",
        Which::Switch => "action-switch",
        Which::Cancel => "action-cancel-return",
    }
}

fn note(seen: &Seen<'_>, status: &Status, which: Which, stands: Turn<'_>) -> String {
    let words = seen.words;
    let not_now = |why: String| words.with("turn-not-now", &[("why", why.into())]);
    let serves = |name: &str| not_now(words.with("turn-serves", &[("name", name.into())]));
    match stands {
        Turn::Offered(_) if which != Which::Start => words.say("turn-return-note"),
        Turn::Offered(_) => words.say("turn-start-note"),
        Turn::Cancellable(running) => {
            words.with("turn-cancel-note", &[("step", hand_over_step(running).to_string().into())])
        }
        Turn::Hindered(plan) => not_now(stands_against(seen, status, plan)),
        Turn::WatchOnly => words.say("watches-only"),
        Turn::Asked => words.say("turn-asked"),
        Turn::Runs => words.say("turn-runs"),
        Turn::Busy(kind) => not_now(busy(words, kind)),
        Turn::TooLate => words.with("turn-not-any-more", &[("why", words.say("short-too-late").into())]),
        Turn::ServesHere => serves(own_name(status).unwrap_or_default()),
        Turn::ServesThere => serves(other(status)),
        Turn::NothingToReturn if serves_main(status) => not_now(words.say("short-main-serves")),
        Turn::NothingToReturn => {
            let name = backup_name(status).unwrap_or_default();
            not_now(words.with("turn-serves-not", &[("name", name.into())]))
        }
        Turn::Unknown => not_now(words.say("turn-unknown")),
    }
}

/// Whether the main is known to serve.
fn serves_main(status: &Status) -> bool {
    match status.node {
        Node::Main => status.duty == Duty::Serving,
        Node::Backup => {
            let heard = matches!(status.peer.state, PeerState::Healthy | PeerState::Late);
            heard && status.verdict != Verdict::ServerStopped
        }
    }
}

/// The step up to which a return can be cancelled, as people count.
fn hand_over_step(running: &Operation) -> usize {
    running.kind.steps().iter().position(|step| *step == Step::HandOver).unwrap_or(0) + 1
}

/// The first thing that stands against a plan, and that no consent answers.
#[must_use]
pub fn stands_against(seen: &Seen<'_>, status: &Status, plan: &Plan) -> String {
    let against = plan.against(&[Consent::Yes, Consent::AcceptLoss]);
    against.first().map_or_else(|| seen.words.say("short-other"), |why| short(seen.words, why, other(status)))
}

/// What came of the last change of server, for so long as it is news.
#[must_use]
pub fn ended(seen: &Seen<'_>, status: &Status) -> Option<Problem> {
    let last = turn::ended(status, seen.now.timestamp())?;
    let words = seen.words;
    let at = figures::day(words, last.ended_at.unwrap_or(last.started_at), seen.now);
    let args = [
        ("what", operation::kind(words, last.kind).into()),
        ("at", at.into()),
        ("took", operation::took(words, last, seen.now.timestamp()).into()),
    ];
    let (mark, key) = match last.state {
        OperationState::Done | OperationState::Running => (Mark::Ok, "result-done"),
        OperationState::Refused => (Mark::Warn, "result-refused"),
        OperationState::Failed => (Mark::Alarm, "result-failed"),
    };
    Some(Problem { mark, what: words.with(key, &args), todo: operation::sentences(words, last) })
}

/// Since when the backup serves; none where nobody knows.
#[must_use]
pub fn serves_since(status: &Status) -> Option<jiff::Timestamp> {
    let all = status.history.iter().chain(&status.operation);
    let done = all.filter(|one| one.kind.taker() == Some(Node::Backup) && one.state == OperationState::Done);
    done.max_by_key(|one| one.started_at).map(|one| one.ended_at.unwrap_or(one.started_at))
}

/// What the two machines are called, the one of `node` first.
#[must_use]
pub fn names(status: &Status, node: Node) -> (&str, &str) {
    let (main, backup) = (main_name(status).unwrap_or_default(), backup_name(status).unwrap_or_default());
    match node {
        Node::Main => (main, backup),
        Node::Backup => (backup, main),
    }
}
