//! The POS server program: how it is started, asked, and stopped, on each machine.

use std::time::Duration;

use super::command::Command;
use super::fault::{FaultKind, Wanted};
use super::probe::Probe;
use super::reading::{Item, Seen, Table};

/// How long the program may take until it is ready: 60 seconds.
pub const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the program may take to answer later: 3 seconds.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the program may take to stop before it is killed: 20 seconds.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// The POS server program on each of the two machines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Servers {
    /// On the main.
    pub main: Server,
    /// On the backup.
    pub backup: Server,
}

/// The POS server program on one machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// How it is started.
    pub start: Start,
    /// When it is ready: as soon as it runs where `probe` is `None`.
    pub ready: Check,
    /// Whether it still works; asked as `ready` asks where nothing else is said.
    pub health: Check,
    /// How it is stopped. A unit is stopped by the system, with its own signal.
    pub stop: Stop,
    /// Prints its version, to be compared on both sides.
    pub version: Option<Command>,
    /// Units that are started before it and stopped after it, in this order.
    pub with: Vec<Unit>,
}

/// How the POS server program is started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// As a child of the service.
    Command(Command),
    /// By the system; nothing else may start it at boot.
    Unit(Unit),
}

/// The name of a unit of the system, with its ending: `pos.service`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit(String);

/// A question to the program, and how long it may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// The question; `None`: whether it runs.
    pub probe: Option<Probe>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// How the program is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// What asks it to.
    pub signal: Signal,
    /// How long it may take before it is killed.
    pub timeout: Duration,
}

/// A signal that asks a program to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// `TERM`, the usual one.
    Term,
    /// `INT`, as Ctrl-C.
    Int,
    /// `QUIT`.
    Quit,
    /// `HUP`.
    Hup,
    /// `USR1`.
    Usr1,
    /// `USR2`.
    Usr2,
    /// `KILL`, which leaves it no time to save.
    Kill,
}

const SIGNALS: [(&str, Signal); 7] = [
    ("TERM", Signal::Term),
    ("INT", Signal::Int),
    ("QUIT", Signal::Quit),
    ("HUP", Signal::Hup),
    ("USR1", Signal::Usr1),
    ("USR2", Signal::Usr2),
    ("KILL", Signal::Kill),
];

impl Unit {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        let ends = [".service", ".socket", ".target", ".mount", ".timer", ".path"];
        let is_unit = text.chars().all(is_part)
            && ends.iter().any(|end| text.strip_suffix(end).is_some_and(|name| !name.is_empty()));
        if is_unit { Some(Self(text.to_owned())) } else { item.wrong(FaultKind::NoUnit(text.to_owned())) }
    }
}

impl Servers {
    /// The longest time without a server when it changes: the one stops, the other becomes ready.
    #[must_use]
    pub fn longest_change(&self) -> Duration {
        self.main.stop.timeout.max(self.backup.stop.timeout) + self.main.ready.timeout.max(self.backup.ready.timeout)
    }

    /// Reads `[server]`, if there is one.
    pub(super) fn read(base: &Table<'_>) -> Option<Self> {
        let (main, backup) = (base.section("main"), base.section("backup"));
        if !base.is_there() {
            return None;
        }
        // Both machines read what is in the base: a fault there is found twice, and said once.
        let is_shared = !main.is_there() && !backup.is_there();
        let main = Layers { own: main, base, is_shared }.read();
        let backup = Layers { own: backup, base, is_shared }.read();
        Some(Self { main: main?, backup: backup? })
    }
}

/// What is said for one machine, above what is said for both.
struct Layers<'r, 'b> {
    own: Table<'r>,
    base: &'b Table<'r>,
    /// Neither machine has a table of its own.
    is_shared: bool,
}

impl<'r> Layers<'r, '_> {
    fn get(&self, key: &'static str) -> Option<Item<'r>> {
        let base = self.base.get(key);
        self.own.get(key).or(base)
    }

    fn read(&self) -> Option<Server> {
        let start = self.start();
        let ready = Check::read(self.get("ready").as_ref(), READY_TIMEOUT, None);
        let health = self.get("health");
        let usual = ready.as_ref().and_then(|ready| ready.probe.as_ref());
        let health = match &health {
            Some(_) => Check::read(health.as_ref(), HEALTH_TIMEOUT, usual),
            None => Some(Check { probe: usual.cloned(), timeout: HEALTH_TIMEOUT }),
        };
        let stop = self.stop(start.as_ref());
        let version = self.get("version").map(|item| Command::read(&item));
        let with = self.with(start.as_ref());
        Some(Server {
            start: start?,
            ready: ready?,
            health: health?,
            stop: stop?,
            version: version.map_or(Some(None), |version| version.map(Some))?,
            with: with?,
        })
    }

    /// How it is started: one machine may have a unit where the other has a command, but not both in one table.
    fn start(&self) -> Option<Start> {
        let keys = &["command", "unit"];
        let (own, base) = (self.own.present(keys), self.base.present(keys));
        let table = if own.is_empty() { self.base } else { &self.own };
        if own.is_empty() && base.is_empty() {
            (if self.is_shared { self.base } else { &self.own }).fault(FaultKind::NoneOf(keys));
            return None;
        }
        match table.only(keys)? {
            ("command", item) => Command::read(&item).map(Start::Command),
            (_, item) => Unit::read(&item).map(Start::Unit),
        }
    }

    fn stop(&self, start: Option<&Start>) -> Option<Stop> {
        let item = self.get("stop");
        let table = item.as_ref().map(Item::table);
        let Some(table) = table else { return Some(Stop { signal: Signal::Term, timeout: STOP_TIMEOUT }) };
        let table = table?;
        let signal = table.get("signal");
        // A signal for both machines is one for the machine that has a command.
        let is_own = self.own.get("stop").is_some() || self.own.present(&["unit", "command"]).is_empty();
        if let (Some(signal), Some(Start::Unit(_)), true) = (&signal, start, is_own) {
            signal.fault(FaultKind::NotBeside("unit"));
        }
        let word = signal.as_ref().map(|signal| signal.one_of(&SIGNALS));
        let timeout = table.span("timeout", STOP_TIMEOUT, Duration::ZERO..=Duration::from_secs(3600));
        Some(Stop { signal: word.unwrap_or(Some(Signal::Term))?, timeout })
    }

    fn with(&self, start: Option<&Start>) -> Option<Vec<Unit>> {
        let Some(item) = self.get("with") else { return Some(vec![]) };
        let (mut units, mut seen) = (vec![], Seen::default());
        for item in item.items(Wanted::Texts)? {
            let Some(unit) = Unit::read(&item) else { continue };
            if start.is_some_and(|start| *start == Start::Unit(unit.clone())) {
                item.fault(FaultKind::NotBeside("unit"));
            }
            seen.note(&item, unit.as_str());
            units.push(unit);
        }
        Some(units)
    }
}

impl Check {
    pub(super) fn read(item: Option<&Item<'_>>, timeout: Duration, usual: Option<&Probe>) -> Option<Self> {
        let Some(item) = item else { return Some(Self { probe: None, timeout }) };
        let table = item.table()?;
        let timeout = table.span("timeout", timeout, Duration::from_millis(10)..=Duration::from_secs(3600));
        Some(Self { probe: Some(Probe::read(&table, usual.and_then(Probe::address))?), timeout })
    }
}
