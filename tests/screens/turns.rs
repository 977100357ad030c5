//! Made-up statuses of changes of server, one for each thing that can be seen.

use espejo::pair::{Duty, Node};
use espejo::service::Status;
use espejo::service::refusal::WhyNot;
use espejo::service::status::{
    Alarm, Check, Checked, Copying, Device, Doubt, Down, Drilled, LicenceState, Loss, Next, Numbered, Operation,
    OperationKind, OperationState, PeerState, Phase, Plan, Pos, Server, Terminal, Trouble, Verdict,
};
use jiff::{SignedDuration, Timestamp};

use super::statuses::{alarm, at, cannot, now};
use super::store::{backup, days_run, lost, main, main_alone, with_pos};

/// The nine things that are examined before a start; what stands against each, where something does.
fn checks(stands: &[(Checked, WhyNot)]) -> Vec<Check> {
    let all = [
        Checked::Duty,
        Checked::Verdict,
        Checked::Copy,
        Checked::CopyAge,
        Checked::Questions,
        Checked::Proven,
        Checked::Licence,
        Checked::Server,
        Checked::Free,
    ];
    let why = |check| stands.iter().find(|(stood, _)| *stood == check).map(|(_, why)| why.clone());
    let more = stands.iter().map(|(check, _)| *check).filter(|check| !all.contains(check));
    all.into_iter().chain(more).map(|check| Check::of(check, why(check))).collect()
}

fn promote(status: &mut Status, stands: &[(Checked, WhyNot)]) {
    let mirror = &status.mirror;
    let loss = Loss {
        as_of: mirror.as_of,
        behind_ms: mirror.behind_ms,
        behind_at_least: mirror.behind_at_least,
        behind_bytes: mirror.behind_bytes,
        behind_files: mirror.behind_files,
    };
    status.plans = vec![Plan {
        loss: Some(loss).filter(|loss| loss.behind_ms > 0),
        licence_ends_at: Some(now() + SignedDuration::from_hours(240)),
        ..Plan::of(OperationKind::Promote, checks(stands))
    }];
    give_back(status, &[(Checked::Duty, WhyNot::MainServes)]);
}

fn give_back(status: &mut Status, stands: &[(Checked, WhyNot)]) {
    give(status, OperationKind::Return, stands);
}

fn give(status: &mut Status, kind: OperationKind, stands: &[(Checked, WhyNot)]) {
    status.plans.retain(|plan| plan.kind != kind);
    let days = (kind == OperationKind::Switch).then(|| now() + SignedDuration::from_hours(240));
    let plan = Plan::of(kind, checks(stands));
    status.plans.push(Plan { licence_ends_at: days, limit_ms: Some(80_000), ..plan });
}

/// A backup on an ordinary day.
pub fn calm() -> Status {
    let mut status = with_pos(backup());
    promote(&mut status, &[(Checked::Verdict, WhyNot::OtherHealthy)]);
    give(&mut status, OperationKind::Switch, &[]);
    status
}

/// The main is about to have its place back by itself.
pub fn serving_alone() -> Status {
    Status { returns_in_ms: Some(42_000), ..serving_level() }
}

/// A backup that misses its main for so many seconds.
pub fn missed(seconds: u64) -> Status {
    let mut status = with_pos(lost());
    status.peer.heard_ago_ms = Some(seconds * 1000);
    promote(&mut status, &[(Checked::Verdict, WhyNot::NobodyKnows)]);
    status
}

/// The same, and the terminals say that the main is down.
pub fn down() -> Status {
    let mut status = missed(42);
    status.verdict = Verdict::MainDown;
    (status.mirror.behind_bytes, status.mirror.behind_files) = (2150, 2);
    promote(&mut status, &[]);
    status
}

/// The same with a copy that is too old, and little room on its disk.
pub fn down_and_old() -> Status {
    let mut status = missed(725);
    status.mirror.as_of = Some(at("10:30:01"));
    let old = WhyNot::CopyOld { age_ms: 725_000, limit_ms: 600_000 };
    status.alarms.push(alarm(Trouble::DiskLow { free_bytes: 1_288_490_188 }));
    promote(&mut status, &[(Checked::Verdict, WhyNot::NobodyKnows), (Checked::CopyAge, old)]);
    status
}

/// A backup that misses its main, and has no licence to take its place.
pub fn forbidden() -> Status {
    let mut status = missed(42);
    promote(&mut status, &[(Checked::Verdict, WhyNot::NobodyKnows), (Checked::Licence, WhyNot::NoLicence)]);
    status.plans[0].licence_ends_at = None;
    status
}

/// A main that answers, and its POS server does not.
pub fn stopped() -> Status {
    let mut status = calm();
    (status.peer.server, status.verdict) = (Some(Server::Failing), Verdict::ServerStopped);
    status.alarms.push(alarm(Trouble::ServerDown { here: false, why: None }));
    promote(&mut status, &[]);
    status
}

fn operation(kind: OperationKind, state: OperationState, from: Timestamp, until: Option<Timestamp>) -> Operation {
    Operation { state, ended_at: until, node: Some(Node::Backup), ..Operation::begun(9, kind, "ana (console)", from) }
}

/// The backup serves since Saturday, and the main is silent.
pub fn serving() -> Status {
    let mut status = days_run(208, 0);
    (status.duty, status.holder, status.epoch) = (Duty::Serving, Node::Backup, 2);
    status.at = now();
    status = cannot(status, "other-machine", "silent", "heard", "look-at-other-machine");
    status.server = Server::Ready;
    status.pos = Some(Pos { since: yesterday("10:42:51"), lines: vec![] });
    status.peer.heard_ago_ms = Some(86_400_000);
    let done = Some(yesterday("10:42:51"));
    status.history = vec![operation(OperationKind::Promote, OperationState::Done, yesterday("10:42:19"), done)];
    give_back(&mut status, &[(Checked::Line, WhyNot::Unheard)]);
    status
}

fn yesterday(clock: &str) -> Timestamp {
    at(clock) - SignedDuration::from_hours(24)
}

/// The same with terminals, one of which is missing.
pub fn serving_terminals() -> Status {
    let mut status = serving();
    status.terminals = terminals(Node::Backup, &[Node::Backup], &[9]);
    status
}

/// Fourteen terminals, which work with `uses` and reach these machines; of some nothing is heard.
fn terminals(uses: Node, reaches: &[Node], missing: &[u32]) -> Vec<Terminal> {
    let terminal = |number: u32| {
        let is_here = !missing.contains(&number);
        Terminal {
            name: format!("CAJA-{number}"),
            reaches: if is_here { reaches.to_vec() } else { vec![] },
            uses: is_here.then_some(uses),
            heard_ago_ms: Some(300),
            is_here,
            works: is_here,
            ..Terminal::default()
        }
    };
    (1..15).map(terminal).collect()
}

/// All is well, and two terminals are missing.
pub fn calm_terminals() -> Status {
    let mut status = calm();
    status.terminals = terminals(Node::Main, &[Node::Main, Node::Backup], &[4, 11]);
    status
}

/// The backup has just become the server: not all terminals are back, and not all is well with them and the printers.
pub fn board() -> Status {
    let mut status = serving_terminals();
    status.pos = Some(Pos { since: at("10:41:55"), lines: vec![] });
    status.terminals.sort_by_key(|one| one.is_here);
    for (number, one) in (0..).zip(&mut status.terminals) {
        one.took_ms = one.is_here.then_some(180 + number * 23);
        one.round_trip_us = one.is_here.then_some(640 + number * 90);
        one.version = Some("0.1.0".into());
    }
    let terminals = &mut status.terminals;
    (terminals[0].heard_ago_ms, terminals[2].works, terminals[3].shut) = (Some(252_000), false, vec![9000]);
    (terminals[1].receipt, terminals[1].receipt_at) = (Some("1044".into()), Some(at("10:41:20")));
    let device =
        |name: &str, address: &str, main, backup| Device { name: name.into(), address: address.into(), main, backup };
    status.devices =
        vec![device("KITCHEN", "192.168.1.40:9100", None, Some(true)), device("BAR", "bar:9100", None, Some(false))];
    status
}

/// The same when all are back.
pub fn all_back() -> Status {
    let mut status = board();
    for one in &mut status.terminals {
        (one.is_here, one.works, one.uses, one.reaches) = (true, true, Some(Node::Backup), vec![Node::Backup]);
        (one.heard_ago_ms, one.took_ms, one.shut) = (Some(300), Some(410), vec![]);
    }
    status
}

/// The main is down, as all terminals say that are heard.
pub fn down_terminals() -> Status {
    let mut status = down();
    status.terminals = terminals(Node::Main, &[Node::Backup], &[4, 11]);
    status
}

/// The backup's own cable is cut: no terminal reaches it.
pub fn cut_off() -> Status {
    let mut status = missed(42);
    status.verdict = Verdict::Isolated;
    status.terminals = terminals(Node::Main, &[], &(1..15).collect::<Vec<_>>());
    promote(&mut status, &[(Checked::Verdict, WhyNot::Isolated { all: 14 })]);
    status
}

/// The main lives, and only the backup does not hear it.
pub fn only_this_link() -> Status {
    let mut status = missed(42);
    status.verdict = Verdict::OnlyThisLink;
    status.terminals = terminals(Node::Main, &[Node::Main, Node::Backup], &[4, 11]);
    promote(&mut status, &[(Checked::Verdict, WhyNot::OnlyThisLink { saw: 12, all: 14 })]);
    status
}

/// The main is back and is given everything.
pub fn serving_copying() -> Status {
    let mut status = serving();
    status.alarms.clear();
    status.can_take_over.reasons.clear();
    status = cannot(status, "first-copy", "none", "one", "wait");
    status.peer.state = PeerState::Healthy;
    (status.peer.heard_ago_ms, status.peer.duty) = (Some(212), Some(Duty::Mirroring));
    (status.mirror.phase, status.mirror.as_of) = (Phase::FirstCopy, None);
    status.mirror.behind_at_least = false;
    (status.mirror.behind_ms, status.mirror.behind_bytes) = (86_000, 52_428_800);
    status.mirror.copying = Some(copying());
    give_back(&mut status, &[]);
    status
}

fn copying() -> Copying {
    Copying { number: 5, file: "POS-Q.Seq".into(), done_bytes: 12_582_912, total_bytes: 20_971_520, files: 7 }
}

/// Numbers may have been given out that are in no copy.
pub fn serving_numbers() -> Status {
    let mut status = serving_terminals();
    status.numbered = vec![Numbered {
        name: "receipt".to_owned(),
        epoch: 2,
        at: at("10:42:06"),
        last: Some(1042),
        next: Next::Behind(1092),
        suspect: Some((1043, Some(1092))),
        by: None,
        found: None,
        seen: None,
    }];
    status
}

/// The main follows, and could have its place back.
pub fn serving_level() -> Status {
    let mut status = serving_copying();
    (status.can_take_over.yes, status.can_take_over.reasons) = (true, vec![]);
    (status.mirror.phase, status.mirror.as_of, status.mirror.copying) = (Phase::Following, Some(at("10:42:06")), None);
    (status.mirror.behind_ms, status.mirror.behind_bytes) = (0, 0);
    give_back(&mut status, &[]);
    status
}

/// The main, which follows the backup, sees the same.
pub fn follows(level: bool) -> Status {
    let there = if level { serving_level() } else { serving_copying() };
    let mut status = main();
    (status.node, status.duty, status.holder, status.epoch) = (Node::Main, Duty::Mirroring, Node::Backup, 2);
    status.peer.duty = Some(Duty::Serving);
    (status.mirror, status.can_take_over) = (there.mirror, there.can_take_over);
    (status.licence, status.history, status.plans) = (there.licence, there.history, there.plans);
    status
}

/// The main in the morning: it was the server, and waits for word from the backup.
pub fn morning() -> Status {
    let mut status = main_alone();
    status.duty = Duty::Waiting;
    (status.server, status.peer.state, status.peer.heard_ago_ms) = (Server::Stopped, PeerState::Unknown, None);
    status.plans = vec![Plan { ..Plan::of(OperationKind::Start, checks(&[(Checked::Verdict, WhyNot::NobodyKnows)])) }];
    status
}

/// A return in its fifth step.
pub fn returning() -> Status {
    let mut status = serving_level();
    let ended = ["10:33:40", "10:33:41", "10:41:58", "10:42:05"];
    status.mirror.copying = Some(copying());
    status.operation = Some(Operation {
        step: 5,
        steps_at: ended.into_iter().map(at).collect(),
        limit_ms: Some(80_000),
        can_cancel: true,
        ..operation(OperationKind::Return, OperationState::Running, at("10:33:38"), None)
    });
    status
}

/// The same in another step.
pub fn returning_in(step: u32) -> Status {
    let mut status = returning();
    let running = status.operation.as_mut().unwrap();
    let known = running.steps_at.len();
    running.step = step;
    running.steps_at.resize(usize::try_from(step).unwrap() - 1, at("10:42:06"));
    running.steps_at.truncate(known.max(usize::try_from(step).unwrap() - 1));
    running.can_cancel = step < 7;
    if step > 5 {
        status.mirror.copying = None;
    }
    if step == 6 {
        let running = status.operation.as_mut().unwrap();
        (running.done_bytes, running.total_bytes) = (104_857_600, 222_298_112);
    }
    status
}

/// The same, as the main sees it.
pub fn returning_at_main() -> Status {
    let mut status = follows(true);
    status.operation = returning().operation;
    status.mirror.copying = Some(copying());
    status
}

/// A start in its third step.
pub fn starting() -> Status {
    let mut status = missed(48);
    status.server = Server::Starting;
    status.operation = Some(Operation {
        step: 3,
        steps_at: vec![at("10:42:04"), at("10:42:05")],
        ..operation(OperationKind::Promote, OperationState::Running, at("10:42:03"), None)
    });
    status
}

/// The start of the POS server was tried in a drill a few days ago.
pub fn drilled(why_not: Option<WhyNot>) -> Status {
    let mut status = calm();
    let at = at("09:12:00") - SignedDuration::from_hours(72);
    let ready_ms = why_not.is_none().then_some(4200);
    status.drilled = Some(Drilled { at, ready_ms, sold: true, why_not: why_not.clone() });
    if let Some(why) = why_not {
        status.alarms.push(alarm(Trouble::Doubt(Doubt::DrillFailed { at, why })));
    }
    status
}

/// A return that has ended well a while ago.
pub fn returned() -> Status {
    let mut status = calm();
    let mut done = operation(OperationKind::Return, OperationState::Done, at("10:22:02"), Some(at("10:31:05")));
    done.limit_ms = Some(80_000);
    status.history.push(done.clone());
    status.operation = Some(done);
    status
}

/// A start that has failed.
pub fn start_failed() -> Status {
    let mut status = missed(95);
    let mut failed = operation(OperationKind::Promote, OperationState::Failed, at("10:41:20"), Some(at("10:42:01")));
    let why = WhyNot::ServerDown { why: Some(Down::Ended { code: Some(3) }) };
    failed.why_not = vec![serde_json::to_string(&why).unwrap()];
    status.operation = Some(failed);
    status
}

/// The backup serves, the main is silent, and what else is wrong is the POS server here.
pub fn serving_pos_down() -> Status {
    let mut status = serving();
    status.server = Server::Stopped;
    status.pos = Some(Pos { since: at("10:41:58"), lines: vec!["listening".into(), "no paper".into()] });
    let down = Trouble::ServerDown { here: true, why: Some(Down::Ended { code: Some(3) }) };
    status.alarms.push(Alarm { since: at("10:41:58"), ..alarm(down) });
    status
}

/// Days of a licence that has run out, while the backup serves.
pub fn serving_over() -> Status {
    let mut status = serving();
    status.licence.state = LicenceState::Expired;
    status.licence.remaining_ms = 0;
    status.licence.ends_at = Some(at("10:12:00"));
    status.alarms.push(alarm(Trouble::Licence(espejo::service::status::LicenceTrouble::Over { vendor: true })));
    status
}
