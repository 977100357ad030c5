//! Made-up statuses of the two machines of a store, one for each thing that can be seen.

use espejo::pair::{Duty, Node};
use espejo::replica::{Grade, Position};
use espejo::service::Status;
use espejo::service::event::{Event, What};
use espejo::service::status::{
    Copying, Dataset, Down, Licence, LicenceState, LicenceTrouble, Machines, Mirror, Peer, PeerState, Phase, Pos,
    Server, Support, Trouble, Unmet, Verdict,
};

use jiff::SignedDuration;

use super::statuses::{alarm, at, cannot, copied, dataset, healthy, now};

const HOUR_MS: u64 = 3_600_000;
const FAR: &str = "192.168.1.10:7410";

/// A backup that follows its main.
pub fn backup() -> Status {
    let status = healthy();
    Status {
        store: "Centro".into(),
        peer: Peer {
            duty: Some(Duty::Serving),
            history: [vec![5; 40], vec![4, 5, 5, 2, 5], vec![5; 15]].concat(),
            ..status.peer
        },
        verdict: Verdict::Healthy,
        machines: Some(Machines { main: "SERVIDOR".into(), backup: "CAJA-3".into() }),
        support: Some(Support { name: Some("Mesa de ayuda".into()), telephone: Some("55 1234 5678".into()) }),
        folders: None,
        licence: licence(LicenceState::Ready, 240),
        datasets: vec![
            dataset("orders", Grade::Exact, 1, 81_920, "10:42:06"),
            dataset("pos", Grade::Steady, 6, 222_298_112, "10:41:58"),
        ],
        ..status
    }
}

fn licence(state: LicenceState, hours: u64) -> Licence {
    Licence { state, remaining_ms: hours * HOUR_MS, ends_at: None, whole_ms: Some(240 * HOUR_MS) }
}

/// A backup whose days run: so many hours, or so many seconds, are left.
pub fn days_run(hours: u64, seconds: u64) -> Status {
    let mut status = lost();
    status.licence = licence(LicenceState::Running, hours);
    status.licence.remaining_ms += seconds * 1000;
    let left = SignedDuration::from_millis(i64::try_from(status.licence.remaining_ms).unwrap());
    status.licence.ends_at = Some(now() + left);
    if status.licence.remaining_ms <= 120 * HOUR_MS {
        let left_ms = status.licence.remaining_ms;
        status.alarms.push(alarm(Trouble::Licence(LicenceTrouble::Ends { left_ms })));
    }
    status
}

/// A backup whose days are over while it serves.
pub fn days_over() -> Status {
    let mut status = lost();
    status.licence = licence(LicenceState::Expired, 0);
    status.licence.ends_at = Some(at("10:12:00"));
    status.alarms.push(alarm(Trouble::Licence(LicenceTrouble::Over { vendor: true })));
    status
}

/// A backup for which its vendor has not issued a licence yet.
pub fn no_licence() -> Status {
    let mut status = cannot(backup(), "licence", "missing", "valid", "install-licence");
    status.licence = Licence { whole_ms: None, ..licence(LicenceState::Missing, 0) };
    status.alarms.push(alarm(Trouble::Licence(LicenceTrouble::Missing)));
    status
}

/// A backup whose main has stopped to be heard.
pub fn lost() -> Status {
    let mut status = silent(backup(), 42_000, Trouble::Silent { why: Some(Unmet::NoAnswer { address: FAR.into() }) });
    status.events = vec![copied("10:40:58", 9040, 6, 0, 4_194_304), copied("10:41:24", 9041, 1, 0, 200)];
    let silent = status.alarms[0].trouble.clone();
    status.events.push(Event { at: at("10:41:28"), what: What::Trouble(silent) });
    status.mirror.as_of = Some(at("10:41:24"));
    for dataset in &mut status.datasets {
        dataset.changed_at = Some(at("10:41:24"));
    }
    status
}

fn silent(mut status: Status, ms: u64, trouble: Trouble) -> Status {
    let seconds = usize::try_from(ms / 1000).unwrap().min(60);
    status.peer = Peer {
        state: PeerState::Lost,
        heard_ago_ms: Some(ms),
        history: [vec![5; 60 - seconds], vec![0; seconds]].concat(),
        ..status.peer
    };
    status.verdict = Verdict::Unknown;
    status.mirror.behind_ms = ms;
    status.mirror.behind_at_least = true;
    status.mirror.phase = Phase::Stopped;
    status.alarms.push(espejo::service::status::Alarm { since: at("10:41:28"), ..alarm(trouble) });
    status
}

/// A backup that its main has forgotten.
pub fn forgotten() -> Status {
    let why = Unmet::TurnedAway { address: FAR.into() };
    let mut status = silent(backup(), 42_000, Trouble::Silent { why: Some(why.clone()) });
    status.peer.unmet = Some(why);
    status.mirror.as_of = Some(at("10:41:24"));
    status
}

/// A backup that makes its first copy.
pub fn first_copy() -> Status {
    let mut status = cannot(backup(), "first-copy", "none", "one", "wait");
    status.mirror = Mirror {
        position: Position::default(),
        phase: Phase::FirstCopy,
        behind_ms: 83_000,
        behind_bytes: 1_610_612_736,
        behind_files: 1204,
        grade: None,
        verified_at: None,
        as_of: None,
        caught_up: false,
        copying: Some(Copying {
            number: 5,
            file: "POS-Q.Seq".into(),
            done_bytes: 12_582_912,
            total_bytes: 20_971_520,
            files: 0,
        }),
        ..status.mirror
    };
    status.datasets =
        vec![Dataset { grade: None, changed_at: None, ..dataset("pos", Grade::Steady, 4, 629_145_600, "10:41:00") }];
    status.events = vec![Event { at: at("10:40:44"), what: What::FirstCopy { found: 0 } }];
    status
}

/// A backup that has joined and has not met its main yet.
pub fn unmet(why: Unmet) -> Status {
    let mut status = first_copy();
    status.mirror.copying = None;
    (status.mirror.behind_ms, status.mirror.behind_bytes) = (0, 0);
    status.datasets[0] = Dataset { files: 0, bytes: 0, ..status.datasets[0].clone() };
    status.peer = Peer {
        state: PeerState::Unknown,
        heard_ago_ms: None,
        round_trip_ms: None,
        duty: None,
        unmet: Some(why.clone()),
        history: vec![],
        ..status.peer
    };
    status.verdict = Verdict::Unknown;
    status.alarms.push(alarm(Trouble::Silent { why: Some(why) }));
    status
}

/// A main that serves, with its mirror behind it.
pub fn main() -> Status {
    let mut status = backup();
    (status.node, status.duty, status.peer.duty) = (Node::Main, Duty::Serving, Some(Duty::Mirroring));
    status
}

/// The same with a POS server that is ready.
pub fn with_pos(mut status: Status) -> Status {
    status.pos = Some(Pos { since: at("08:02:11"), lines: vec![] });
    let (own, far) =
        if status.duty == Duty::Serving { (Server::Ready, Server::Stopped) } else { (Server::Stopped, Server::Ready) };
    (status.server, status.peer.server) = (own, Some(far));
    status
}

/// A main whose POS server has ended by itself.
pub fn main_pos_down() -> Status {
    let mut status = with_pos(main());
    status.server = Server::Stopped;
    status.pos = Some(Pos { since: at("10:41:58"), lines: vec!["listening".into(), "no paper".into()] });
    status.alarms.push(alarm(Trouble::ServerDown { here: true, why: Some(Down::Ended { code: Some(3) }) }));
    status
}

/// The backup of a main whose POS server does not answer.
pub fn backup_pos_down() -> Status {
    let mut status = with_pos(backup());
    (status.peer.server, status.verdict) = (Some(Server::Failing), Verdict::ServerStopped);
    status.alarms.push(alarm(Trouble::ServerDown { here: false, why: None }));
    status
}

/// A main whose mirror has stopped to be heard.
pub fn main_alone() -> Status {
    let status = silent(main(), 42_000, Trouble::Silent { why: None });
    let mut status = cannot(status, "other-machine", "silent", "heard", "look-at-other-machine");
    status.mirror.as_of = Some(at("10:41:24"));
    status
}

/// A main that was just set up.
pub fn main_new() -> Status {
    let mut status = unmet(Unmet::NobodyJoined);
    (status.node, status.duty) = (Node::Main, Duty::Serving);
    status.mirror.phase = Phase::Opening;
    status.licence = Licence { whole_ms: None, ..licence(LicenceState::Missing, 0) };
    status.alarms.clear();
    status.events.clear();
    cannot(status, "other-machine", "silent", "heard", "look-at-other-machine")
}

/// Two versions, and little room.
pub fn hints() -> Status {
    let mut status = backup();
    status.alarms.push(alarm(Trouble::Versions { ours: "0.1.0".into(), theirs: "0.2.0".into() }));
    status.alarms.push(alarm(Trouble::DiskLow { free_bytes: 1_288_490_188 }));
    status
}

/// A copy that is older than it may be, though the main is heard.
pub fn old() -> Status {
    let mut status = cannot(backup(), "copy-age", "12 min", "10 min", "wait");
    status.mirror.behind_ms = 725_000;
    (status.mirror.behind_bytes, status.mirror.behind_files) = (52_428_800, 17);
    status.mirror.as_of = Some(at("10:30:02"));
    status.alarms.push(alarm(Trouble::CopyOld { age_ms: 725_000, limit_ms: 600_000 }));
    status
}

/// A main that has been silent for longer than a copy may be old.
pub fn lost_and_old() -> Status {
    let why = Some(Unmet::NoAnswer { address: FAR.into() });
    let mut status = silent(cannot(backup(), "copy-age", "12 min", "10 min", "wait"), 725_000, Trouble::Silent { why });
    status.mirror.as_of = Some(at("10:30:01"));
    status.alarms[0].since = at("10:30:05");
    status.alarms.push(alarm(Trouble::CopyOld { age_ms: 725_000, limit_ms: 600_000 }));
    status
}
