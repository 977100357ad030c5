//! A shop in which one change of server after the other is played, and something befalls a machine in the midst of each.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::place::{output, told};
use crate::common::shop::{BOTH, Shop};
use crate::common::small_disk::SmallDisk;
use crate::common::two::{Machine, Two};
use crate::common::{DEADLINE, until, until_some};
use crate::points::set;
use crate::rounds::{Change, Fate, Round};

/// So often is looked what else comes of a full disk, once a person is told.
const LOOKS: u32 = 60;

/// A shop in which one is played after the other.
pub struct Stage {
    shop: Shop,
    /// The disks of the two machines, where they are small, and the programs that fill them.
    disks: Option<([SmallDisk; 2], [PathBuf; 2], TempDir)>,
    /// How often a machine passes a point while it begins, before each change.
    begins: HashMap<(Change, Machine, String), u32>,
}

impl Stage {
    pub fn set() -> Self {
        Self { shop: Shop::new().open(), disks: None, begins: HashMap::new() }
    }

    /// The same on small disks. None where there are none to be had: then `test` says so.
    pub fn on_small_disks(test: &str) -> Option<Self> {
        let two = Two::new();
        let main = SmallDisk::over(two.path(), "256m", test)?;
        let disks = [main, SmallDisk::over(&two.home(Machine::Backup), "256m", test)?];
        let programs = tempfile::tempdir().unwrap();
        let fillers = ["main", "backup"].map(|name| programs.path().join(name));
        disks.iter().zip(&fillers).for_each(|(disk, filler)| disk.filler(filler));
        fs::create_dir(&two.data).unwrap();
        Some(Self { shop: Shop::at(two).open(), disks: Some((disks, fillers, programs)), begins: HashMap::new() })
    }

    /// Plays a round, and has all as it was before: the main serves, and the backup has a whole copy.
    pub fn play(&mut self, round: &Round) {
        let when = format!("{round:?}");
        self.prepare(round.change, &when);
        let pressed = self.act(round);
        let came = self.until_there_or_over(round, pressed.as_ref());
        // Some are passed once more on some days: when a record is saved for what was heard meanwhile.
        assert!(came || round.passed > 0, "{when}: the point is not reached");
        match round.fate {
            Fate::Full(full) if came => self.bear(round, full, pressed.as_ref()),
            Fate::Service | Fate::Power if came => self.shop.two.until_killed(round.machine),
            Fate::Full(_) => {
                // Nothing is to fill its disk later.
                self.shop.two.kill(round.machine);
                self.disarm(round);
            }
            Fate::Service | Fate::Power => self.shop.two.kill(round.machine),
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
            self.shop.two.around(machine, "FAILPOINTS", &set(&round.point, passed, &self.happens(round)));
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
            until(&format!("{round:?}: nothing stands against it"), || {
                self.is_there(round) || BOTH.into_iter().all(|machine| self.done(machine, &plan))
            });
            if self.is_there(round) {
                // It came there on its own, for something else.
                self.shop.two.forget(round.machine);
                self.disarm(round);
                return self.act(round);
            }
        }
        let mut verb = self.shop.two.espejo(at, change.verb());
        Some(std::thread::spawn(move || output(&mut verb)))
    }

    /// Has the machine begin again so that it comes to the point in the change, not while it begins.
    fn arm(&mut self, round: &Round) {
        let server = match round.change {
            Change::Promote | Change::Switch => Machine::Main,
            Change::Return | Change::Adopt | Change::Comeback => Machine::Backup,
        };
        let key = (round.change, round.machine, round.point.clone());
        loop {
            let begins = *self.begins.entry(key.clone()).or_default();
            self.shop.two.kill(round.machine);
            let set = set(&round.point, begins + round.passed, &self.happens(round));
            self.shop.two.around(round.machine, "FAILPOINTS", &set);
            self.shop.two.start(round.machine);
            until(&format!("{round:?}: it has begun"), || self.is_there(round) || self.is_level(server));
            if !self.is_there(round) {
                return;
            }
            self.shop.two.forget(round.machine);
            self.begins.insert(key.clone(), begins + 1);
            assert!(begins < 50, "{round:?}: it never begins");
            self.disarm(round);
        }
    }

    /// What happens at the point.
    fn happens(&self, round: &Round) -> String {
        match round.fate {
            Fate::Service | Fate::Power => "return".to_owned(),
            Fate::Full(full) => format!("return({})", self.disks.as_ref().unwrap().1[full as usize].display()),
        }
    }

    /// Whether the machine has come to the point.
    fn is_there(&mut self, round: &Round) -> bool {
        match round.fate {
            Fate::Service | Fate::Power => !self.shop.two.runs(round.machine),
            Fate::Full(full) => SmallDisk::filled(&self.disks.as_ref().unwrap().1[full as usize]).exists(),
        }
    }

    /// Waits until the machine has come to the point. Returns whether it has: else the change has come to its end.
    fn until_there_or_over(&mut self, round: &Round, pressed: Option<&JoinHandle<Output>>) -> bool {
        until(&format!("{round:?}: it comes to the point, or all is over"), || {
            let is_done = match round.change {
                Change::Promote => self.serves_alone(),
                // Both are level before, too: until the main has begun again as the backup nothing is over.
                Change::Adopt => self.is_adopted() && self.is_level(round.change.server()),
                change => self.is_level(change.server()),
            };
            is_done && pressed.is_none_or(JoinHandle::is_finished) || self.is_there(round)
        });
        self.is_there(round)
    }

    /// A disk is full while the change goes on, until that is over, a service has ended, or a person is told and nothing more comes
    /// of it. Then there is room.
    fn bear(&mut self, round: &Round, full: Machine, pressed: Option<&JoinHandle<Output>>) {
        let (mut looks, when) = (0, format!("{round:?}: somebody is told"));
        until(&when, || {
            let is_over = pressed.is_some_and(JoinHandle::is_finished)
                || BOTH.into_iter().any(|machine| self.shop.two.is_started(machine) && !self.shop.two.runs(machine))
                || self.is_level(round.change.server());
            let status = self.shop.two.status(full).unwrap_or_default();
            let is_told = status["alarms"].as_array().is_some_and(|alarms| !alarms.is_empty());
            looks += u32::from(is_told);
            is_over || looks >= LOOKS
        });
        self.make_room(full);
    }

    /// Starts the machine, to which nothing is to happen now.
    fn disarm(&mut self, round: &Round) {
        if let Fate::Full(full) = round.fate
            && self.disks.as_ref().unwrap().0[full as usize].is_being_filled()
        {
            until("it is filled", || self.is_there(round));
            self.make_room(full);
        }
        self.shop.two.around(round.machine, "FAILPOINTS", "");
        self.shop.two.start(round.machine);
    }

    fn make_room(&self, full: Machine) {
        let (disks, fillers, _) = self.disks.as_ref().unwrap();
        disks[full as usize].clear();
        fs::remove_file(SmallDisk::filled(&fillers[full as usize])).unwrap();
    }

    /// Every machine that is to run does so, and nothing happens to it any more.
    fn revive(&mut self, round: &Round) {
        let two = &mut self.shop.two;
        two.around(round.machine, "FAILPOINTS", "");
        if let Fate::Full(_) = round.fate {
            for machine in BOTH {
                if two.is_started(machine) && !two.runs(machine) {
                    two.forget(machine);
                    two.start(machine);
                }
            }
            return;
        }
        if round.fate == Fate::Power {
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
        if server != round.change.server() || round.change == Change::Adopt && !self.is(Machine::Backup, "main") {
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

    /// The machine that was the backup is the main, and the other one knows.
    fn is_adopted(&self) -> bool {
        self.is(Machine::Backup, "main") && self.is(Machine::Main, "backup")
    }

    fn is(&self, machine: Machine, role: &str) -> bool {
        self.shop.two.status(machine).is_some_and(|status| status["node"] == role)
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
