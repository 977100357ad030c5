//! Made-up statuses of a mirror, one for each thing that can be seen.

use espejo::pair::{Duty, Node};
use espejo::replica::{Checksum, Grade, Kind, Position};
use espejo::service::Status;
use espejo::service::event::{Event, What};
use espejo::service::status::{
    Alarm, Ask, Copying, Dataset, Folders, Licence, LicenceState, Mirror, Operation, OperationKind, OperationState,
    Peer, PeerState, Phase, Question, Reason, Server, TakeOver, Trouble, Verdict,
};
use jiff::Timestamp;

/// A moment of Saturday, 14 November 2026, six hours west of Greenwich.
pub fn at(clock: &str) -> Timestamp {
    format!("2026-11-14T{clock}-06:00").parse().unwrap()
}

pub fn now() -> Timestamp {
    at("10:42:07")
}

pub fn dataset(name: &str, grade: Grade, files: u64, bytes: u64, changed: &str) -> Dataset {
    Dataset {
        name: name.into(),
        kinds: vec![Kind::Queue, Kind::Files],
        grade: Some(grade),
        files,
        bytes,
        changed_at: Some(at(changed)),
        unreadable: vec![],
        special: vec![],
        unsteady_since: None,
        plain: vec![],
        dumped_at: None,
    }
}

pub fn copied(clock: &str, seq: u64, files: u64, gone: u64, bytes: u64) -> Event {
    let what = What::Generation { seq, files, gone, bytes, grade: Grade::Steady, took_ms: 340 };
    Event { at: at(clock), what }
}

pub fn events() -> Vec<Event> {
    let event = |clock, what| Event { at: at(clock), what };
    vec![
        event("04:09:58", What::Opened { redone: 0 }),
        event("04:10:31", What::Verified { files: 7, bytes: 222_380_032, differed: 0 }),
        copied("09:58:12", 9036, 1, 0, 200),
        copied("10:02:44", 9037, 3, 2, 81_920),
        event("10:12:00", What::Strange { file: "POS-R".into() }),
        copied("10:41:58", 9040, 6, 0, 4_194_304),
        copied("10:42:06", 9041, 1, 0, 200),
    ]
}

/// A mirror that follows, and of which every byte was compared this morning.
pub fn healthy() -> Status {
    Status {
        store: "pos".into(),
        node: Node::Backup,
        version: "0.1.0".into(),
        at: now(),
        duty: Duty::Mirroring,
        epoch: 1,
        holder: Node::Main,
        peer: Peer {
            state: PeerState::Healthy,
            heard_ago_ms: Some(212),
            round_trip_ms: Some(1),
            duty: Some(Duty::Serving),
            server: None,
            unmet: None,
            loss_percent: 0,
            history: vec![],
        },
        server: Server::Stopped,
        mirror: Mirror {
            position: Position { seq: 9041, checksum: Checksum([0xab; 32]) },
            behind_ms: 0,
            behind_bytes: 0,
            behind_files: 0,
            behind_at_least: false,
            grade: Some(Grade::Steady),
            copying: None,
            sign_ago_ms: Some(900),
            last_change_ago_ms: Some(80),
            verified_at: Some(at("04:10:31")),
            as_of: Some(at("10:42:06")),
            caught_up: true,
            phase: Phase::Following,
        },
        datasets: vec![dataset("pos", Grade::Steady, 7, 222_380_032, "10:42:06")],
        verdict: Verdict::Unknown,
        can_take_over: TakeOver { yes: true, since: at("04:10:31"), reasons: vec![] },
        licence: Licence { state: LicenceState::Missing, remaining_ms: 0, ends_at: None, whole_ms: None },
        terminals: vec![],
        operation: None,
        maintenance: false,
        alarms: vec![],
        questions: vec![],
        machines: None,
        support: None,
        folders: Some(Folders { source: "/srv/pos".into(), dest: "/var/mirror/pos".into() }),
        events: events(),
        pos: None,
        call: espejo::service::status::Call::default(),
        history: vec![],
        strays: false,
        plans: vec![],
        returns_in_ms: None,
        counters: vec![],
        numbered: vec![],
        found: vec![],
        drilled: None,
        states: vec![],
        starts_in_ms: None,
        devices: vec![],
        stalled: vec![],
        maintained: None,
    }
}

pub fn alarm(trouble: Trouble) -> Alarm {
    Alarm { code: trouble.code().into(), trouble, since: at("10:40:00") }
}

pub fn cannot(mut status: Status, check: &str, value: &str, limit: &str, remedy: &str) -> Status {
    status.can_take_over.yes = false;
    status.can_take_over.reasons.push(Reason {
        check: check.into(),
        value: value.into(),
        limit: limit.into(),
        remedy: remedy.into(),
    });
    status
}

pub fn copying() -> Status {
    let mut status = healthy();
    status.mirror.behind_ms = 400;
    (status.mirror.behind_bytes, status.mirror.behind_files) = (8_388_608, 3);
    status.mirror.copying = Some(Copying {
        number: 5,
        file: "POS-Q.Seq".into(),
        done_bytes: 12_582_912,
        total_bytes: 20_971_520,
        files: 7,
    });
    status.datasets.insert(0, dataset("orders", Grade::Exact, 1, 81_920, "10:42:06"));
    status
}

pub fn first_copy() -> Status {
    let mut status = cannot(copying(), "first-copy", "none", "one", "wait");
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
            number: 412,
            file: "images/2026/menu board.png".into(),
            done_bytes: 900_000,
            total_bytes: 1_200_000,
            files: 0,
        }),
        ..status.mirror
    };
    status.datasets =
        vec![Dataset { grade: None, changed_at: None, ..dataset("pos", Grade::Steady, 411, 629_145_600, "10:41:00") }];
    status.events = vec![Event { at: at("10:40:44"), what: What::FirstCopy { found: 0 } }];
    status
}

pub fn disk_full() -> Status {
    let status = cannot(healthy(), "copy-age", "12 min", "10 min", "wait");
    let mut status = cannot(status, "disk", "12582912 bytes free", "room", "make-room");
    status.mirror.phase = Phase::Stopped;
    status.mirror.behind_ms = 720_000;
    status.mirror.behind_bytes = 2_147_483_648;
    let full = Trouble::DiskFull { needed_bytes: 2_147_483_648, free_bytes: 12_582_912 };
    status.events.insert(5, Event { at: at("10:40:00"), what: What::Trouble(full.clone()) });
    status.alarms.push(alarm(full));
    status
}

pub fn source_gone() -> Status {
    let mut status = healthy();
    status.mirror.phase = Phase::Stopped;
    status.mirror.behind_ms = 127_000;
    status.mirror.behind_at_least = true;
    status.alarms.push(alarm(Trouble::SourceGone { error: "No such file or directory".into() }));
    status
}

pub fn removals() -> Status {
    let mut status = healthy();
    status.mirror.phase = Phase::Stopped;
    status.alarms.push(alarm(Trouble::Held { files: 812 }));
    let ask = Ask::Removals { gone: 812, of: 1000 };
    status.events.insert(6, Event { at: at("10:41:59"), what: What::Asked(ask.clone()) });
    status.questions.push(Question { id: 3, ask, since: at("10:41:59") });
    status
}

pub fn emptied() -> Status {
    let mut status = removals();
    let files = vec!["POS-Q.Seq".into(), "COUNT.DBF".into()];
    let ask = Ask::Emptied { files };
    status.events[6].what = What::Asked(ask.clone());
    status.questions = vec![Question { id: 4, ask, since: at("10:41:59") }];
    status
}

pub fn unreadable() -> Status {
    let mut status = cannot(healthy(), "unreadable-files", "5", "0", "give-right");
    let names = ["POS-R", "keys/private.pem", "DAY.JNL", "a b c.dbf", "z"];
    status.datasets[0].grade = Some(Grade::Incomplete);
    status.datasets[0].unreadable = names.map(String::from).to_vec();
    status.datasets[0].special = vec!["run/pos.sock".into()];
    status.datasets[0].unsteady_since = Some(at("10:30:00"));
    status.mirror.grade = Some(Grade::Incomplete);
    status.alarms.push(alarm(Trouble::Unreadable { files: 5, first: "POS-R".into() }));
    status.alarms.push(alarm(Trouble::WatchLimit { rescan_ms: 30_000 }));
    status
}

pub fn comparing() -> Status {
    let mut status = healthy();
    status.mirror.phase = Phase::Verifying;
    status.operation = Some(Operation {
        id: 12,
        kind: OperationKind::Verify,
        state: OperationState::Running,
        step: 1,
        steps: 1,
        started_at: now(),
        by: "ana (console)".into(),
        reason: None,
        why_not: vec![],
        done_bytes: 89_128_960,
        total_bytes: 222_380_032,
        ended_at: None,
        node: None,
        steps_at: vec![],
        limit_ms: None,
        can_cancel: false,
        ready_ms: None,
    });
    status
}

/// A machine on which things were done.
pub fn history() -> Status {
    use OperationKind::{Reseed, Verify};
    use OperationState::{Done, Failed, Refused, Running};
    let one = |id, kind, state, start: &str, end: Option<&str>, by: &str, why: &[&str]| Operation {
        id,
        kind,
        state,
        step: 1,
        steps: 1,
        started_at: start.parse().unwrap(),
        by: by.into(),
        reason: None,
        why_not: why.iter().map(|why| (*why).into()).collect(),
        done_bytes: 0,
        total_bytes: 0,
        ended_at: end.map(|end| end.parse().unwrap()),
        node: Some(Node::Backup),
        steps_at: vec![],
        limit_ms: None,
        can_cancel: false,
        ready_ms: None,
    };
    let mut status = healthy();
    let (nine, eight) = ("2026-11-09T04:10:00-06:00", "2026-11-08T04:10:00-06:00");
    let nightly =
        (0..12).map(|id| one(id + 1, Verify, Done, eight, Some("2026-11-08T04:10:31-06:00"), "root (console)", &[]));
    status.history = nightly.collect();
    status.history.extend([
        one(13, Verify, Failed, nine, Some("2026-11-09T04:12:05-06:00"), "root (console)", &["differed: 3"]),
        one(
            14,
            Reseed,
            Refused,
            "2026-11-09T09:31:00-06:00",
            Some("2026-11-09T09:31:00-06:00"),
            "ana (ssh)",
            &["all-there-is"],
        ),
        one(15, Reseed, Done, "2026-11-09T09:40:12-06:00", Some("2026-11-09T11:45:30-06:00"), "ana (ssh)", &[]),
        one(
            16,
            Verify,
            Failed,
            "2026-11-13T20:00:00-06:00",
            Some("2026-11-14T08:00:02-06:00"),
            "luz (console)",
            &["interrupted"],
        ),
        one(
            17,
            Verify,
            Done,
            "2026-11-14T10:10:02-06:00",
            Some("2026-11-14T10:10:31-06:00"),
            "María del Carmen Gutiérrez (console)",
            &[],
        ),
        one(18, Verify, Running, "2026-11-14T10:41:55-06:00", None, "ana (console)", &[]),
    ]);
    status
}

/// Names that are long, wide, of other scripts, or drive a terminal.
pub fn odd_names() -> Status {
    let mut status = copying();
    let path = "/srv/a folder with a very long name/and another one below it/that ends in/pos data of the year 2026";
    status.store = "会計データ・レストラン・グアダラハラ中央店・本館一階".into();
    status.folders = Some(Folders { source: path.into(), dest: format!("{path}/mirror") });
    status.datasets[0].name = "órdenes de la cocina y de la barra, turno de la noche".into();
    status.datasets[1].unreadable = vec!["caña\x1b[31m\n.dat".into(), "\u{202e}gnp.exe".into()];
    let copying = status.mirror.copying.as_mut().unwrap();
    copying.file = "informes/2026/noviembre/ventas del día por camarero y mesa (copia de seguridad).dbf".into();
    status
}
