//! The question before a change of server, in words. What changes nothing is the first button, and has the focus.

use jiff::Timestamp;

use super::{Seen, alarm, ask, turns};
use crate::pair::Node;
use crate::service::Status;
use crate::service::status::{Consent, Operation, OperationKind, Plan};
use crate::tui::app::App;
use crate::tui::confirm::{Confirm, Spot, Sum};
use crate::tui::intent::{Intent, Scope};
use crate::tui::turn::{Turn, Which};
use crate::tui::widgets::boxed::{Dialog, Field};
use crate::words::{figures, numbers, plan as plan_words, short::short};

/// The question; none where it cannot be asked any more.
#[must_use]
pub fn confirm(seen: &Seen<'_>, app: &App, confirm: &Confirm) -> Option<Dialog> {
    let status = app.status()?;
    let (title, text) = match (confirm.which, app.turn(confirm.which, seen.now.timestamp())) {
        (Which::Start, Turn::Offered(plan)) => start(seen, app, status, (plan, confirm.as_of)),
        (Which::Return, Turn::Offered(plan)) => give(seen, app, status, (plan, Node::Backup)),
        (Which::Switch, Turn::Offered(plan)) => give(seen, app, status, (plan, Node::Main)),
        (Which::Cancel, Turn::Cancellable(running)) => cancel(seen, status, running),
        _ => return None,
    };
    Some(Dialog {
        title,
        text,
        field: confirm.sum.map(|sum| field(seen, status, &sum)),
        buttons: buttons(seen, status, confirm),
        focus: confirm.spot.number(),
        keys: ask::keys(seen),
    })
}

/// The names of this machine and of the other one.
fn here(status: &Status) -> [(&'static str, crate::words::FluentValue<'_>); 2] {
    let (name, other) = turns::names(status, status.node);
    [("name", name.into()), ("other", other.into())]
}

fn start(
    seen: &Seen<'_>,
    app: &App,
    status: &Status,
    (plan, chosen): (&Plan, Option<Timestamp>),
) -> (String, Vec<String>) {
    let words = seen.words;
    let [name, other] = here(status);
    let by = ("by", app.by().into());
    if plan.kind == OperationKind::Start {
        let text = vec![
            words.with("confirm-start-does", &[name.clone(), by]),
            words.with("confirm-start-loses", std::slice::from_ref(&other)),
        ];
        return (words.with("confirm-start", &[name, other]), text);
    }
    let earlier_plan = chosen.map(|at| plan.clone().from_earlier(at, seen.now.timestamp()));
    let plan = earlier_plan.as_ref().unwrap_or(plan);
    let as_of = chosen.or(plan.loss.and_then(|loss| loss.as_of)).or(status.mirror.as_of);
    let at = as_of.map(|at| figures::moment(words, at, seen.now)).unwrap_or_default();
    let lost = plan.loss.is_some_and(|loss| loss.is_any());
    let loses = if lost || chosen.is_some() {
        words.with("confirm-promote-loses", &[other])
    } else {
        words.say("confirm-promote-nothing")
    };
    let mut text = vec![words.with("confirm-promote-does", &[name.clone(), by, ("at", at.into())]), loses];
    text.extend(earlier(seen, status, chosen));
    text.extend(accepts(seen, status, plan));
    text.extend(plan.lacks.iter().map(|one| plan_words::lack(seen.words, one)).map(|line| format!("{line}.")));
    text.extend(plan.numbers.iter().filter_map(|one| numbers::confirmed(seen.words, one)));
    text.extend(plan.licence_ends_at.map(|end| alarm::runs_from_now(seen, status, end)));
    (words.with("confirm-promote", &[name]), text)
}

/// From which state of the copy it starts, and how another one is chosen; nothing where there is no other.
fn earlier(seen: &Seen<'_>, status: &Status, chosen: Option<Timestamp>) -> Option<String> {
    status.states.first()?;
    let words = seen.words;
    let key = |intent| turns::key(seen, Scope::Confirm, intent);
    let keys = [("earlier", key(Intent::Earlier).into()), ("later", key(Intent::Later).into())];
    Some(match chosen {
        None => words.with("confirm-as-of-last", &keys),
        Some(at) => {
            let at = ("at", figures::moment(words, at, seen.now).into());
            words.with("confirm-as-of", &[keys[0].clone(), keys[1].clone(), at])
        }
    })
}

/// What a person also accepts, in a line of its own.
fn accepts(seen: &Seen<'_>, status: &Status, plan: &Plan) -> Option<String> {
    let (_, other) = turns::names(status, status.node);
    let whys = plan.checks.iter().filter_map(|check| check.why.as_ref());
    let whys: Vec<_> = whys
        .filter(|why| why.consent() == Some(Consent::AcceptLoss))
        .map(|why| short(seen.words, why, other))
        .collect();
    (!whys.is_empty()).then(|| seen.words.with("confirm-loss", &[("why", whys.join("; ").into())]))
}

/// The machine `giver` gives its place to the other one.
fn give(seen: &Seen<'_>, app: &App, status: &Status, (plan, giver): (&Plan, Node)) -> (String, Vec<String>) {
    let words = seen.words;
    let (name, other) = turns::names(status, giver);
    let limit = plan.limit_ms.map(|limit| figures::countdown(words, limit));
    let pause = if limit.is_some() { "confirm-return-pause" } else { "confirm-return-pause-open" };
    let limit = ("limit", limit.unwrap_or_default().into());
    let args = [("name", name.into()), ("other", other.into()), ("by", app.by().into()), limit];
    let [title, does] = match giver {
        Node::Backup => ["confirm-return", "confirm-return-does"],
        Node::Main => ["confirm-switch", "confirm-switch-does"],
    };
    let mut text = [does, pause, "confirm-return-by"].map(|key| words.with(key, &args)).to_vec();
    text.extend(plan.licence_ends_at.map(|end| alarm::runs_from_now(seen, status, end)));
    (words.with(title, &args), text)
}

fn cancel(seen: &Seen<'_>, status: &Status, running: &Operation) -> (String, Vec<String>) {
    let giver = if running.kind == OperationKind::Switch { Node::Main } else { Node::Backup };
    let (name, other) = turns::names(status, giver);
    let args = [("name", name.into()), ("other", other.into())];
    (seen.words.with("confirm-cancel", &args), vec![seen.words.with("confirm-cancel-does", &args)])
}

fn field(seen: &Seen<'_>, status: &Status, sum: &Sum) -> Field {
    let [_, other] = here(status);
    let key = if sum.wrong == 0 { "confirm-sum" } else { "confirm-sum-wrong" };
    let args = [other, ("a", sum.a.to_string().into()), ("b", sum.b.to_string().into())];
    Field { label: seen.words.with(key, &args), typed: sum.typed(), number: Spot::Field.number() }
}

fn buttons(seen: &Seen<'_>, status: &Status, confirm: &Confirm) -> Vec<String> {
    let words = seen.words;
    let [name, _] = here(status);
    let (main, backup) = turns::names(status, Node::Main);
    let (keep, go) = match confirm.which {
        Which::Start if confirm.loses => ("confirm-keep", words.with("confirm-go-loss", &[name])),
        Which::Start => ("confirm-keep", words.with("confirm-go-start", &[name])),
        Which::Return => ("confirm-keep", words.with("confirm-go-return", &[("other", main.into())])),
        Which::Switch => ("confirm-keep", words.with("confirm-go-switch", &[("other", backup.into())])),
        Which::Cancel => ("confirm-keep-return", words.say("confirm-go-cancel")),
    };
    vec![words.say(keep), go]
}
