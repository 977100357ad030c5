//! Keys in, whole screen out, with every style that is not plain; the status is made up, the clock is an argument.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as Input, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use espejo::pair::{Duty, Node};
use espejo::replica::{Checksum, Grade, Kind, Position};
use espejo::service::event::{Event, What};
use espejo::service::status::{
    Alarm, Ask, Copying, Dataset, Folders, Licence, LicenceState, Mirror, Operation, OperationKind, OperationState,
    Peer, PeerState, Phase, Question, Reason, Server, TakeOver, Trouble, Verdict,
};
use espejo::service::{Command, Status};
use espejo::tui::{
    App, Chosen, Effect, Face, FaultKind, First, Glyphs, Keymap, Left, Look, Message, Moment, Options, Palette, Place,
    Stage,
};
use espejo::words::Words;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Style};

const COLOUR: Look = Look { palette: Palette::Sixteen, glyphs: Glyphs::Unicode };
const PLAIN: Look = Look { palette: Palette::None, glyphs: Glyphs::Ascii };

// What is shown.

/// A moment of Saturday, 14 November 2026, six hours west of Greenwich.
fn at(clock: &str) -> Timestamp {
    format!("2026-11-14T{clock}-06:00").parse().unwrap()
}

fn now() -> Timestamp {
    at("10:42:07")
}

fn dataset(name: &str, grade: Grade, files: u64, bytes: u64, changed: &str) -> Dataset {
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
    }
}

fn copied(clock: &str, seq: u64, files: u64, gone: u64, bytes: u64) -> Event {
    let what = What::Generation { seq, files, gone, bytes, grade: Grade::Steady, took_ms: 340 };
    Event { at: at(clock), what }
}

fn events() -> Vec<Event> {
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
fn healthy() -> Status {
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
        },
        server: Server::Stopped,
        mirror: Mirror {
            position: Position { seq: 9041, checksum: Checksum([0xab; 32]) },
            behind_ms: 0,
            behind_bytes: 0,
            behind_at_least: false,
            grade: Some(Grade::Steady),
            copying: None,
            last_change_ago_ms: Some(80),
            verified_at: Some(at("04:10:31")),
            as_of: Some(at("10:42:06")),
            phase: Phase::Following,
        },
        datasets: vec![dataset("pos", Grade::Steady, 7, 222_380_032, "10:42:06")],
        verdict: Verdict::Unknown,
        can_take_over: TakeOver { yes: true, since: at("04:10:31"), reasons: vec![] },
        licence: Licence { state: LicenceState::Missing, remaining_ms: 0, ends_at: None },
        terminals: vec![],
        operation: None,
        maintenance: false,
        alarms: vec![],
        questions: vec![],
        folders: Some(Folders { source: "/srv/pos".into(), dest: "/var/mirror/pos".into() }),
        events: events(),
    }
}

fn alarm(trouble: Trouble) -> Alarm {
    Alarm { code: trouble.code().into(), trouble, since: at("10:40:00") }
}

fn cannot(mut status: Status, check: &str, value: &str, limit: &str, remedy: &str) -> Status {
    status.can_take_over.yes = false;
    status.can_take_over.reasons.push(Reason {
        check: check.into(),
        value: value.into(),
        limit: limit.into(),
        remedy: remedy.into(),
    });
    status
}

fn copying() -> Status {
    let mut status = healthy();
    status.mirror.behind_ms = 400;
    status.mirror.behind_bytes = 8_388_608;
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

fn first_copy() -> Status {
    let mut status = cannot(copying(), "first-copy", "none", "one", "wait");
    status.mirror = Mirror {
        position: Position::default(),
        phase: Phase::FirstCopy,
        behind_ms: 83_000,
        behind_bytes: 1_610_612_736,
        grade: None,
        verified_at: None,
        as_of: None,
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

fn disk_full() -> Status {
    let mut status = cannot(healthy(), "copy-age", "12 min", "10 min", "wait");
    status.mirror.phase = Phase::Stopped;
    status.mirror.behind_ms = 720_000;
    status.mirror.behind_bytes = 2_147_483_648;
    let full = Trouble::DiskFull { needed_bytes: 2_147_483_648, free_bytes: 12_582_912 };
    status.events.insert(5, Event { at: at("10:40:00"), what: What::Trouble(full.clone()) });
    status.alarms.push(alarm(full));
    status
}

fn source_gone() -> Status {
    let mut status = healthy();
    status.mirror.phase = Phase::Stopped;
    status.mirror.behind_ms = 127_000;
    status.mirror.behind_at_least = true;
    status.alarms.push(alarm(Trouble::SourceGone { error: "No such file or directory".into() }));
    status
}

fn removals() -> Status {
    let mut status = healthy();
    status.mirror.phase = Phase::Stopped;
    status.alarms.push(alarm(Trouble::Held { files: 812 }));
    let ask = Ask::Removals { gone: 812, of: 1000 };
    status.events.insert(6, Event { at: at("10:41:59"), what: What::Asked(ask.clone()) });
    status.questions.push(Question { id: 3, ask, since: at("10:41:59") });
    status
}

fn emptied() -> Status {
    let mut status = removals();
    let files = vec!["POS-Q.Seq".into(), "COUNT.DBF".into()];
    let ask = Ask::Emptied { files };
    status.events[6].what = What::Asked(ask.clone());
    status.questions = vec![Question { id: 4, ask, since: at("10:41:59") }];
    status
}

fn unreadable() -> Status {
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

fn comparing() -> Status {
    let mut status = healthy();
    status.mirror.phase = Phase::Verifying;
    status.operation = Some(Operation {
        id: 12,
        kind: OperationKind::Verify,
        state: OperationState::Running,
        step: 1,
        steps: 1,
        started_at: now(),
        by: "ana at the screen".into(),
        reason: None,
        why_not: vec![],
        done_bytes: 89_128_960,
        total_bytes: 222_380_032,
    });
    status
}

/// Names that are long, wide, of other scripts, or drive a terminal.
fn odd_names() -> Status {
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

// How it is shown.

fn options(place: Place, look: Look) -> Options {
    let words = Words::load(Some("en"));
    Options { words, keymap: Keymap::standard().unwrap(), place, look, home: "/var/lib/espejo".into() }
}

/// A screen in a test: what is pressed is a tenth of a second apart.
struct Shown<S: Stage> {
    face: Face<S>,
    options: Options,
    terminal: Terminal<TestBackend>,
    pressed: Duration,
    effects: Vec<Effect<S::End>>,
}

fn shown(status: Status, size: (u16, u16), look: Look, place: Place) -> Shown<App> {
    let mut app = App::new(place, "ana at the screen".into());
    app.update(now(), Message::Heard(Arc::new(status)));
    on(app, size, options(place, look))
}

fn on<S: Stage>(stage: S, (width, height): (u16, u16), options: Options) -> Shown<S> {
    let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    Shown { face: Face::new(stage), options, terminal, pressed: Duration::ZERO, effects: vec![] }.drawn()
}

impl<S: Stage> Shown<S> {
    fn moment(&self) -> Moment {
        Moment { since: self.pressed, at: now() }
    }

    fn drawn(mut self) -> Self {
        let zone = TimeZone::fixed(jiff::tz::offset(-6));
        let scene = self.face.stage().scene(&self.options, &now().to_zoned(zone));
        let (moment, face, options) = (self.moment(), &mut self.face, &self.options);
        self.terminal
            .draw(|frame| {
                let area = frame.area();
                face.draw(moment, &scene, options, area, frame.buffer_mut());
            })
            .unwrap();
        self
    }

    fn take(mut self, gap_ms: u64, input: &Input) -> Self {
        self.pressed += Duration::from_millis(gap_ms);
        let moment = self.moment();
        self.effects.extend(self.face.take(moment, &self.options, input));
        self
    }

    /// Presses keys one after the other, as a hand does.
    fn press(mut self, keys: &str) -> Self {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self = self.key(100, key);
            self.pressed += Duration::from_millis(50);
            let moment = self.moment();
            self.effects.extend(self.face.expire(moment, &self.options));
            self = self.drawn();
        }
        self
    }

    fn key(self, gap_ms: u64, key: &str) -> Self {
        let crokey::OneToThree::One(code) = crokey::parse(key).unwrap().codes else { panic!("{key}") };
        self.take(gap_ms, &Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn type_text(mut self, text: &str) -> Self {
        for c in text.chars() {
            self = self.take(100, &Input::Key(KeyEvent::new(crossterm::event::KeyCode::Char(c), KeyModifiers::NONE)));
        }
        self.press("").drawn()
    }

    fn click(self, on: &str) -> Self {
        let lines = text(self.terminal.backend().buffer());
        let (row, line) = lines.lines().enumerate().find(|(_, line)| line.contains(on)).unwrap();
        let column = line.split(on).next().unwrap().chars().count();
        let kind = MouseEventKind::Down(MouseButton::Left);
        let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        self.take(100, &Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })).drawn()
    }

    fn text(&self) -> String {
        text(self.terminal.backend().buffer())
    }

    fn is(&self, name: &str) {
        assert!(CASES.contains(&name), "{name} is not in the list of cases");
        let buffer = self.terminal.backend().buffer();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("screens");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, format!("{}\n{}", text(buffer), styles(buffer))));
    }
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
            }
            // The second cell of a wide sign is not drawn.
            skip = if skip > 0 { skip - 1 } else { unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1) };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The runs of cells of each line that are not plain: `line:from-to style`, all from 1.
fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    let of = |x, y| {
        let cell = &buffer[(x, y)];
        Style::new().fg(cell.fg).bg(cell.bg).add_modifier(cell.modifier)
    };
    let plain = Style::new().fg(Color::Reset).bg(Color::Reset);
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let (from, style) = (x, of(x, y));
            while x < buffer.area.width && of(x, y) == style {
                x += 1;
            }
            if style != plain {
                let named = |colour: Option<Color>, before: &str| {
                    let colour = colour.filter(|colour| *colour != Color::Reset);
                    colour.map_or_else(String::new, |colour| format!("{before}{colour}"))
                };
                let (colour, on) = (named(style.fg, " "), named(style.bg, " on "));
                writeln!(out, "{}:{}-{}{colour}{on} {:?}", y + 1, from + 1, x, style.add_modifier).unwrap();
            }
        }
    }
    out
}

/// Every snapshot there is to be: one that no case draws any more is found by its absence here.
const CASES: [&str; 29] = [
    "healthy_80x24",
    "healthy_200x60",
    "healthy_40x10",
    "healthy_no_colour_ascii",
    "waiting_80x24",
    "first_copy_80x24",
    "copying_80x24",
    "copying_40x10",
    "copying_ascii",
    "disk_full_80x24",
    "disk_full_40x10",
    "disk_full_200x60",
    "source_gone_80x24",
    "unreadable_80x24",
    "removals_80x24",
    "removals_dialog",
    "removals_dialog_no_colour",
    "removals_dialog_40x10",
    "emptied_dialog",
    "comparing_80x24",
    "quit_dialog",
    "help_80x24",
    "help_scrolled",
    "copy_page_80x24",
    "copy_page_unreadable_200x60",
    "odd_names_80x24",
    "watch_only_80x24",
    "first_page",
    "form",
];

#[test]
fn no_snapshot_is_dead() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let found: BTreeSet<_> = folder.read_dir().unwrap().map(|entry| name(entry.unwrap())).collect();
    let wanted: BTreeSet<_> = CASES.iter().map(|case| format!("{case}.snap")).collect();
    assert_eq!(found, wanted);
}

#[test]
fn home_at_every_size() {
    shown(healthy(), (80, 24), COLOUR, Place::Embedded).is("healthy_80x24");
    shown(healthy(), (200, 60), COLOUR, Place::Embedded).is("healthy_200x60");
    shown(healthy(), (40, 10), COLOUR, Place::Embedded).is("healthy_40x10");
    shown(healthy(), (80, 24), PLAIN, Place::Embedded).is("healthy_no_colour_ascii");
}

#[test]
fn the_copy_goes_on() {
    shown(first_copy(), (80, 24), COLOUR, Place::Embedded).is("first_copy_80x24");
    shown(copying(), (80, 24), COLOUR, Place::Embedded).is("copying_80x24");
    shown(copying(), (40, 10), COLOUR, Place::Embedded).is("copying_40x10");
    shown(copying(), (80, 24), PLAIN, Place::Embedded).is("copying_ascii");
    shown(comparing(), (80, 24), COLOUR, Place::Embedded).is("comparing_80x24");
}

#[test]
fn something_is_wrong() {
    shown(disk_full(), (80, 24), COLOUR, Place::Embedded).is("disk_full_80x24");
    shown(disk_full(), (40, 10), COLOUR, Place::Embedded).is("disk_full_40x10");
    shown(disk_full(), (200, 60), COLOUR, Place::Embedded).is("disk_full_200x60");
    shown(source_gone(), (80, 24), COLOUR, Place::Embedded).is("source_gone_80x24");
    shown(unreadable(), (80, 24), COLOUR, Place::Embedded).is("unreadable_80x24");
    shown(odd_names(), (80, 24), COLOUR, Place::Embedded).is("odd_names_80x24");
}

#[test]
fn a_service_that_was_not_heard_yet() {
    let screen = on(App::new(Place::Attached, "ana".into()), (80, 24), options(Place::Attached, COLOUR));
    screen.is("waiting_80x24");
    assert_eq!(screen.press("9 5 pageup end 8 esc esc").effects, [Effect::End(Left::Out)]);
}

#[test]
fn a_question_is_answered_with_keeping_in_focus() {
    let asked = || shown(removals(), (80, 24), COLOUR, Place::Embedded);
    asked().is("removals_80x24");
    asked().press("8").is("removals_dialog");
    shown(removals(), (80, 24), PLAIN, Place::Embedded).press("8 tab").is("removals_dialog_no_colour");
    shown(removals(), (40, 10), COLOUR, Place::Embedded).press("8").is("removals_dialog_40x10");
    shown(emptied(), (80, 24), COLOUR, Place::Embedded).press("f8").is("emptied_dialog");
    let answer = |accept| Effect::Send(Command::Answer { question: 3, accept, by: "ana at the screen".into() });
    assert_eq!(asked().press("8 enter").effects, [answer(false)]);
    assert_eq!(asked().press("8 tab enter").effects, [answer(true)]);
    assert_eq!(asked().press("f8 right left enter").effects, [answer(false)]);
    assert_eq!(asked().press("8 esc enter").effects, []);
    assert_eq!(asked().click("Answer the").click("Take it over").effects, [answer(true)]);
}

#[test]
fn a_question_that_is_over_closes_its_dialog() {
    let mut screen = shown(removals(), (80, 24), COLOUR, Place::Embedded).press("8");
    let moment = screen.moment();
    screen.face.tell(moment, Message::Heard(Arc::new(healthy())));
    assert!(!screen.drawn().text().contains("Take it over"));
}

#[test]
fn leaving_asks_only_where_the_mirror_would_stop() {
    let inside = || shown(healthy(), (80, 24), COLOUR, Place::Embedded);
    inside().press("esc").is("quit_dialog");
    assert_eq!(inside().press("esc enter esc esc").effects, []);
    assert_eq!(inside().press("esc tab enter").effects, [Effect::End(Left::Quit)]);
    for place in [Place::Attached, Place::WatchOnly] {
        assert_eq!(
            shown(healthy(), (80, 24), COLOUR, place).press("5 1 esc esc esc").effects,
            [Effect::End(Left::Out)]
        );
    }
}

#[test]
fn comparing_is_asked_for_once() {
    let verify = [Effect::Send(Command::Verify { by: "ana at the screen".into() })];
    assert_eq!(shown(healthy(), (80, 24), COLOUR, Place::Attached).press("9 f9 9").effects, verify);
    assert_eq!(shown(healthy(), (80, 24), COLOUR, Place::Attached).press("5").click("Compare").effects, verify);
    for not_now in [first_copy(), comparing(), disk_full()] {
        assert_eq!(shown(not_now, (80, 24), COLOUR, Place::Attached).press("9").click("Compare").effects, []);
    }
}

#[test]
fn who_only_watches_does_nothing() {
    let watching = || shown(removals(), (80, 24), COLOUR, Place::WatchOnly);
    watching().is("watch_only_80x24");
    assert_eq!(watching().press("9 8 tab enter 5 9 8 enter").effects, []);
}

#[test]
fn help_and_the_page_about_the_copy() {
    let screen = || shown(healthy(), (80, 24), COLOUR, Place::Embedded);
    screen().press("f1").is("help_80x24");
    screen().press("1 end").is("help_scrolled");
    screen().press("5").is("copy_page_80x24");
    shown(unreadable(), (200, 60), COLOUR, Place::Embedded).press("5").is("copy_page_unreadable_200x60");
    // Scrolling ends at the ends, and a click on a hint is its key.
    assert_eq!(screen().press("5 end down pagedown").text(), screen().press("5 end").text());
    assert_eq!(screen().press("5 end home").text(), screen().click("5 F5").text());
    assert_eq!(screen().press("5 end up down pageup home up").text(), screen().press("5").text());
    assert_eq!(screen().press("5 1 esc esc").text(), screen().text());
}

#[test]
fn the_first_page_names_two_folders() {
    let first = || on(First::default(), (80, 24), options(Place::Embedded, COLOUR));
    first().is("first_page");
    let form = first().press("2").type_text("/srv/pos").press("enter").type_text("/mnt/it's 1");
    form.is("form");
    let chosen = Chosen { source: "/srv/pos".into(), dest: "/mnt/it's 1".into() };
    assert_eq!(form.press("enter enter").effects, [Effect::End(Some(chosen))]);
    let nothing = first().press("2 tab tab enter");
    assert!(nothing.effects.is_empty() && nothing.text().contains("Name both folders."));
    let same = first().press("f2").take(100, &Input::Paste("/srv\n".into())).press("tab").type_text("/srv");
    let same = same.press("enter enter");
    assert!(same.effects.is_empty() && same.text().contains("cannot be the source itself"));
    assert_eq!(first().press("2 f1 esc esc esc").effects, [Effect::End(None)]);
}

/// A scanner in front of the till: its digits and Enter come within a few milliseconds.
#[test]
fn a_burst_is_no_decision() {
    let burst = |mut screen: Shown<App>, keys: &[&str]| {
        screen = screen.key(500, keys[0]);
        for key in &keys[1..] {
            screen = screen.key(3, key);
        }
        screen.press("insert")
    };
    let home = || shown(removals(), (80, 24), COLOUR, Place::Embedded);
    assert_eq!(burst(home(), &["8", "5", "9", "1", "enter"]).text(), home().text());
    assert_eq!(burst(home(), &["4", "0", "8", "enter"]).text(), home().text());
    let dialog = || home().press("8 tab");
    assert_eq!(burst(dialog(), &["7", "5", "0", "1", "0", "3", "enter"]).effects, []);
    assert_eq!(burst(dialog(), &["a", "b", "1", "enter"]).effects, []);
    // A hand is slower, and an impatient one presses two at once.
    assert_eq!(burst(dialog(), &["enter"]).effects.len(), 1);
    assert_eq!(burst(home(), &["8", "enter"]).effects.len(), 1);
}

#[test]
fn every_fault_of_a_keymap_at_once() {
    let text = "[everywhere]\n\"f99\" = \"help\"\n\"esc\" = \"fly\"\n[till]\n\"1\" = \"help\"\n[mirror]\n  \"2\" = \"page-down\"\n\"3\" = 3\n\n[confirm\n";
    let faults = Keymap::parse(text, "mine.toml").unwrap_err();
    let words = Words::load(Some("en"));
    let told: Vec<_> = faults.iter().map(|fault| fault.tell(&words)).collect();
    let begins = [
        "mine.toml:2:1: ",
        "mine.toml:3:9: ",
        "mine.toml:4:2: ",
        "mine.toml:7:9: ",
        "mine.toml:8:7: ",
        "mine.toml:10:",
    ];
    assert_eq!(told.len(), begins.len(), "{told:#?}");
    for (line, begin) in told.iter().zip(begins) {
        assert!(line.starts_with(begin) && !line.contains(['{', '}']), "{line}");
    }
    assert!(matches!(&faults[2].kind, FaultKind::UnknownPlace(place) if place == "till"));
    let twice = Keymap::parse("[mirror]\n\"5\" = \"page-copy\"\n\"5\" = \"compare\"\n", "mine.toml").unwrap_err();
    assert_eq!((twice.len(), twice[0].line), (1, 3), "{twice:?}");
    let trap = Keymap::parse("[everywhere]\n\"f1\" = \"help\"\n", "mine.toml").unwrap_err();
    assert!(trap.iter().any(|fault| fault.kind == FaultKind::NoWayOut), "{trap:?}");
}

/// Whatever the size, nothing ends, and the answer is there.
#[test]
fn no_size_is_too_small() {
    for (width, height) in [(0, 0), (1, 1), (2, 3), (5, 40), (13, 7), (300, 2), (20, 5), (39, 11), (500, 100)] {
        for status in [healthy(), odd_names(), unreadable(), removals(), first_copy()] {
            for keys in ["", "8", "1", "5 end", "esc"] {
                shown(status.clone(), (width, height), COLOUR, Place::Embedded).press(keys);
            }
        }
        on(First::default(), (width, height), options(Place::Embedded, PLAIN)).press("2 tab");
    }
    for (width, height) in [(40, 10), (60, 15), (80, 24), (129, 30), (130, 30), (200, 60)] {
        let screen = shown(odd_names(), (width, height), COLOUR, Place::Embedded);
        assert!(screen.text().contains("[OK] YES"), "{width}x{height}\n{}", screen.text());
        assert!(!screen.text().contains('\u{1b}'));
    }
}

/// What has not changed is not drawn again; what has is little.
#[test]
fn only_the_clock_moves_while_nothing_happens() {
    let zone = TimeZone::fixed(jiff::tz::offset(-6));
    let screen = shown(healthy(), (80, 24), COLOUR, Place::Embedded);
    let scene = |at: Timestamp| screen.face.stage().scene(&screen.options, &at.to_zoned(zone.clone()));
    let half = now() + SignedDuration::from_millis(500);
    assert!(scene(now()) == scene(half));
    let mut later = scene(now() + SignedDuration::from_secs(1));
    later.frame.clock = scene(now()).frame.clock;
    assert!(later == scene(now()));
}
