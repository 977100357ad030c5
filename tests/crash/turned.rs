//! A machine is stopped dead at each step of each change of server, and begins again: there are never two servers, in the end there
//! is one, with a second press at the most; no confirmed sale is lost; and what was begun has its end in both diaries.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::process::Output;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::random::{Random, seed};
use crate::common::shop::{BOTH, Shop};
use crate::common::two::Machine;
use crate::common::{DEADLINE, is_full, until, until_some};
use crate::points::{armed, points};

/// The change of server, the machine that is stopped dead in it, the point, and how often that is passed.
const TABLE: &str = include_str!("turned.txt");

/// So many shops at once.
const SHOPS: usize = 3;

/// What is done while a machine is stopped dead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Change {
    /// The backup is started, since the main has died.
    Promote,
    /// The main that had died comes back, and follows.
    Comeback,
    Switch,
    Return,
    /// The backup that serves becomes the main.
    Adopt,
}

/// How a machine was stopped dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fell {
    /// Its service was: the POS server runs on.
    Service,
    /// All of it was: the next begin is after a power cut.
    Machine,
}

/// One change of server in which a machine is stopped dead.
#[derive(Clone, Debug)]
struct Round {
    change: Change,
    machine: Machine,
    point: String,
    /// How often the point is passed before, in this change.
    passed: u32,
    fell: Fell,
}

/// A shop in which one is played after the other.
struct Stage {
    shop: Shop,
    /// How often a machine passes a point while it begins, before each change.
    begins: HashMap<(Change, Machine, String), u32>,
}

impl Change {
    fn of(name: &str) -> Self {
        match name {
            "promote" => Self::Promote,
            "comeback" => Self::Comeback,
            "switch" => Self::Switch,
            "return" => Self::Return,
            "adopt" => Self::Adopt,
            other => panic!("{other} is no change of server"),
        }
    }

    /// What is typed for it.
    fn verb(self) -> &'static [&'static str] {
        match self {
            Self::Promote | Self::Comeback => &["promote", "--yes", "--accept-loss"],
            Self::Switch => &["switch", "--yes"],
            Self::Return => &["return", "--yes"],
            Self::Adopt => &["adopt", "--yes"],
        }
    }

    /// The server when it is done.
    fn server(self) -> Machine {
        if self == Self::Return { Machine::Main } else { Machine::Backup }
    }
}

/// Every round of the table, in which the service alone falls.
fn rounds() -> Vec<Round> {
    let mut all = vec![];
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let [change, machine, point, times] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let machine = if machine == "main" { Machine::Main } else { Machine::Backup };
        let (change, point) = (Change::of(change), point.to_owned());
        let times: u32 = times.parse().unwrap();
        all.extend((0..times).map(|passed| Round {
            change,
            machine,
            point: point.clone(),
            passed,
            fell: Fell::Service,
        }));
    }
    all
}

impl Stage {
    fn set() -> Self {
        Self { shop: Shop::new().open(), begins: HashMap::new() }
    }

    /// Plays a round, and has all as it was before: the main serves, and the backup has a whole copy.
    fn play(&mut self, round: &Round) {
        let when = format!("{round:?}");
        self.prepare(round.change, &when);
        let pressed = self.act(round);
        let died = self.until_dead_or_over(round, pressed.as_ref());
        // Some are passed once more on some days: when a record is saved for what was heard meanwhile.
        assert!(died || round.passed > 0, "{when}: the point is not reached");
        if died {
            self.shop.two.until_killed(round.machine);
        } else {
            self.shop.two.kill(round.machine);
        }
        self.revive(round);
        if let Some(pressed) = pressed {
            // Whoever asked for it is answered, whatever the answer is.
            pressed.join().unwrap_or_else(|_| panic!("{when}: who asked waits for ever"));
        }
        self.settle(round, &when);
        self.shop.was_one(&when);
        self.is_over(&when);
        self.restore(round.change, &when);
        self.shop.accounted(Machine::Main, &when);
        self.shop.was_one(&when);
    }

    fn prepare(&mut self, change: Change, when: &str) {
        match change {
            Change::Promote | Change::Switch => {}
            Change::Comeback => {
                self.lose_main();
                self.must(Machine::Backup, change.verb(), when);
                self.shop.until_sold();
            }
            Change::Return | Change::Adopt => {
                self.must(Machine::Main, Change::Switch.verb(), when);
                self.until_level(Machine::Backup, when);
            }
        }
    }

    fn lose_main(&mut self) {
        self.shop.two.cut_power(Machine::Main);
        self.shop.two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    }

    /// Arms the machine, and has the change begun. Returns who waits for its end.
    fn act(&mut self, round: &Round) -> Option<JoinHandle<Output>> {
        let Round { change, machine, passed, .. } = *round;
        if change == Change::Comeback {
            self.shop.two.around(machine, "FAILPOINTS", &armed(&round.point, passed));
            self.shop.two.start(machine);
            return None;
        }
        self.arm(round);
        let at = match change {
            Change::Promote => {
                self.lose_main();
                Machine::Backup
            }
            // At the one that will be there to the end.
            _ => BOTH[1 - machine as usize],
        };
        if change != Change::Promote {
            let plan = [change.verb(), &["--plan"]].concat();
            until("nothing stands against it", || BOTH.into_iter().all(|machine| self.done(machine, &plan)));
        }
        let mut verb = self.shop.two.espejo(at, change.verb());
        Some(std::thread::spawn(move || output(&mut verb)))
    }

    /// Has the machine begin again so that it is stopped dead when it passes the point in the change, not while it begins.
    fn arm(&mut self, round: &Round) {
        let server = match round.change {
            Change::Promote | Change::Switch => Machine::Main,
            Change::Return | Change::Adopt | Change::Comeback => Machine::Backup,
        };
        let key = (round.change, round.machine, round.point.clone());
        loop {
            let begins = *self.begins.entry(key.clone()).or_default();
            self.shop.two.kill(round.machine);
            self.shop.two.around(round.machine, "FAILPOINTS", &armed(&round.point, begins + round.passed));
            self.shop.two.start(round.machine);
            until("it has begun", || !self.shop.two.runs(round.machine) || self.is_level(server));
            if self.shop.two.runs(round.machine) {
                return;
            }
            self.begins.insert(key.clone(), begins + 1);
            assert!(begins < 50, "{round:?}: it never begins");
            self.shop.two.start(round.machine);
        }
    }

    /// Waits until the machine is stopped dead. Returns whether it was: else the change has come to its end.
    fn until_dead_or_over(&mut self, round: &Round, pressed: Option<&JoinHandle<Output>>) -> bool {
        until("it is stopped dead, or all is over", || {
            let is_done = match round.change {
                Change::Promote => self.serves_alone(),
                change => self.is_level(change.server()),
            };
            is_done && pressed.is_none_or(JoinHandle::is_finished) || !self.shop.two.runs(round.machine)
        });
        !self.shop.two.runs(round.machine)
    }

    fn revive(&mut self, round: &Round) {
        let two = &mut self.shop.two;
        two.around(round.machine, "FAILPOINTS", "");
        if round.fell == Fell::Machine {
            two.kill_pos(round.machine);
            fs::write(two.home(round.machine).join("running"), "another run of the machine").unwrap();
        }
        two.start(round.machine);
    }

    /// Waits until one machine serves and the other one, if it is there, follows; a person presses once more where that is offered.
    fn settle(&mut self, round: &Round, when: &str) {
        if round.change == Change::Promote {
            let pressed = until_some(&format!("{when}: the backup serves, or offers it"), || {
                if self.serves_alone() {
                    return Some(None);
                }
                self.shop.two.status(Machine::Backup).as_ref().and_then(next_press).map(Some)
            });
            if let Some(verb) = pressed {
                self.must(Machine::Backup, verb, when);
            }
            assert!(self.serves_alone(), "{when}: it does not serve");
            return;
        }
        let server = until_some(&format!("{when}: one serves, and the other one follows"), || {
            BOTH.into_iter().find(|server| self.is_level(*server))
        });
        let is_adopted = || self.shop.two.status(Machine::Backup).is_some_and(|status| status["node"] == "main");
        if server != round.change.server() || round.change == Change::Adopt && !is_adopted() {
            self.must(Machine::Backup, round.change.verb(), when);
        }
        self.until_level(round.change.server(), when);
    }

    /// What was begun has its end, the same in both diaries.
    fn is_over(&self, when: &str) {
        let known = |machine: Machine| -> Vec<(String, String, String)> {
            let said = output(&mut self.shop.two.espejo(machine, &["history", "--json"]));
            let said: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let operations = said["operations"].as_array().cloned().unwrap_or_default();
            operations.iter().map(|one| (text(&one["kind"]), text(&one["started_at"]), text(&one["state"]))).collect()
        };
        until(&format!("{when}: all has its end"), || {
            let mut all = BOTH.into_iter().filter(|machine| self.shop.two.is_started(*machine)).map(known);
            all.all(|known| known.iter().all(|(.., state)| state != "running"))
        });
    }

    /// Has the main serve again, and the backup follow it.
    fn restore(&mut self, change: Change, when: &str) {
        if change == Change::Promote {
            self.shop.two.start(Machine::Main);
        }
        let server = change.server();
        self.until_level(server, when);
        self.shop.accounted(server, when);
        if change == Change::Adopt {
            // The machine that was the main is the backup now: it takes over, and is adopted in its turn.
            self.must(Machine::Backup, Change::Switch.verb(), when);
            self.until_level(Machine::Main, when);
            self.must(Machine::Main, Change::Adopt.verb(), when);
        } else if server == Machine::Backup {
            self.must(Machine::Main, Change::Return.verb(), when);
        }
        self.until_level(Machine::Main, when);
        self.is_over(when);
        self.shop.until_sold();
    }

    /// `server` serves, and the other machine has a whole copy of all that it holds.
    fn is_level(&self, server: Machine) -> bool {
        let at = |machine| self.shop.two.status(machine);
        let serves = |status: Value| {
            let peer = &status["peer"];
            (&status["duty"], &status["server"]) == (&"serving".into(), &"ready".into())
                && (&peer["duty"], &peer["state"]) == (&"mirroring".into(), &"healthy".into())
                && status["operation"]["state"] != "running"
        };
        let follows = |status: Value| {
            status["duty"] == "mirroring"
                && status["mirror"]["as_of"].is_string()
                && status["mirror"]["caught_up"] == true
                && status["strays"] == false
                && status["peer"]["server"] == "ready"
        };
        at(server).is_some_and(serves) && at(BOTH[1 - server as usize]).is_some_and(follows)
    }

    /// The backup serves, and the main is not there.
    fn serves_alone(&self) -> bool {
        let status = self.shop.two.status(Machine::Backup).unwrap_or_default();
        status["server"] == "ready" && status["duty"] == "serving" && status["operation"]["state"] != "running"
    }

    fn until_level(&self, server: Machine, when: &str) {
        until(&format!("{when}: {server:?} serves, and the other one follows"), || self.is_level(server));
    }

    fn done(&self, machine: Machine, verb: &[&str]) -> bool {
        output(&mut self.shop.two.espejo(machine, verb)).status.success()
    }

    /// Has it done as soon as nothing stands against it.
    fn must(&self, machine: Machine, verb: &[&str], when: &str) {
        let end = Instant::now() + DEADLINE;
        loop {
            let said = output(&mut self.shop.two.espejo(machine, verb));
            if said.status.success() {
                return;
            }
            // What is refused is asked for again.
            let is_refused = said.status.code() == Some(3) && Instant::now() < end;
            assert!(is_refused, "{when}: {verb:?} at {machine:?}: {}", told(&said));
        }
    }
}

/// What a backup that stands so offers to be pressed.
fn next_press(status: &Value) -> Option<&'static [&'static str]> {
    let offers =
        |kind: &str| status["plans"].as_array().is_some_and(|plans| plans.iter().any(|plan| plan["kind"] == kind));
    match () {
        () if offers("start") => Some(&["start", "--yes"]),
        () if status["operation"]["state"] == "running" => None,
        () if offers("promote") => Some(Change::Promote.verb()),
        () => None,
    }
}

#[test]
fn stopped_dead_at_any_step_of_a_change_of_server_there_is_one_server_and_every_sale() {
    let seed = seed();
    let mut random = Random::new(seed);
    let mut left = rounds();
    for round in &mut left {
        if random.once_in(3) {
            round.fell = Fell::Machine;
        }
    }
    if !is_full() {
        // Those of the last third of a shuffled list.
        for at in (1..left.len()).rev() {
            left.swap(at, random.index(at + 1));
        }
        left.truncate(left.len().div_ceil(3));
    }
    let (count, left) = (left.len(), Mutex::new(left));
    std::thread::scope(|scope| {
        for _ in 0..SHOPS {
            scope.spawn(|| {
                let mut stage = Stage::set();
                let next = || left.lock().unwrap().pop();
                while let Some(round) = next() {
                    stage.play(&round);
                }
            });
        }
    });
    eprintln!("{count} rounds, seed {seed}");
}

#[test]
fn every_point_of_a_change_of_server_is_in_the_table() {
    let families = ["adopt.", "save.", "turn."];
    let all: BTreeSet<String> =
        points().into_iter().filter(|point| families.iter().any(|family| point.starts_with(family))).collect();
    let known: BTreeSet<String> = rounds().into_iter().map(|round| round.point).collect();
    assert_eq!(known, all);
}
