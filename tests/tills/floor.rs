//! A shop floor: two switches with a cable between, the main and half the tills on the one, the backup and the others on the
//! other. Each machine is a network namespace; every cable can be pulled.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::{lacks, passed_over, until, until_some};

static FLOORS: AtomicU32 = AtomicU32::new(0);

const SELLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/till.py");
const BUYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tills/cashier.py");

/// A shop with tills.
pub struct Floor {
    pub two: Two,
    tills: Vec<Till>,
    /// Who buys at the backup machine.
    own_buyer: Option<Child>,
    census: NamedTempFile,
    spaces: Spaces,
}

/// A till: its agent, and whoever buys there.
struct Till {
    name: String,
    agent: Option<Child>,
    buyer: Option<Child>,
}

/// The namespaces, which go with this.
struct Spaces {
    name: String,
    all: Vec<String>,
}

impl Drop for Spaces {
    fn drop(&mut self) {
        for space in &self.all {
            ip(&["netns", "del", space]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Spaces {
    fn new(test: &str, tills: usize) -> Option<Self> {
        if lacks("python3") {
            return None;
        }
        if !rustix::process::geteuid().is_root() {
            passed_over(test, "only root can make networks");
            return None;
        }
        let name = format!("fl{}-{}", std::process::id(), FLOORS.fetch_add(1, Ordering::Relaxed));
        let mut spaces = Self { name, all: vec![] };
        let switches = ["1", "2"].map(|number| spaces.space(number));
        for switch in &switches {
            if !ip(&["netns", "add", switch]) {
                passed_over(test, "no network namespace can be made here");
                return None;
            }
            assert!(ip(&["-n", switch, "link", "add", "switch", "type", "bridge"]));
            assert!(ip(&["-n", switch, "link", "set", "switch", "up"]));
            spaces.all.push(switch.clone());
        }
        let [one, two] = &switches;
        assert!(ip(&["link", "add", "trunk", "netns", one, "type", "veth", "peer", "name", "trunk", "netns", two]));
        for switch in &switches {
            assert!(ip(&["-n", switch, "link", "set", "dev", "trunk", "master", "switch", "up"]));
        }
        let machines = [("m".to_owned(), 1, one), ("b".to_owned(), 2, two)].into_iter();
        let tills = (1..=tills).map(|number| (format!("t{number}"), 10 + number, &switches[(number + 1) % 2]));
        for (who, host, switch) in machines.chain(tills) {
            let space = spaces.space(&who);
            assert!(ip(&["netns", "add", &space]));
            spaces.all.push(space.clone());
            assert!(ip(&[
                "link", "add", "cable", "netns", &space, "type", "veth", "peer", "name", &who, "netns", switch
            ]));
            assert!(ip(&["-n", switch, "link", "set", "dev", &who, "master", "switch", "up"]));
            assert!(ip(&["-n", &space, "addr", "add", &format!("10.78.0.{host}/24"), "dev", "cable"]));
            assert!(ip(&["-n", &space, "link", "set", "cable", "up"]));
            assert!(ip(&["-n", &space, "link", "set", "lo", "up"]));
        }
        Some(spaces)
    }

    fn space(&self, who: &str) -> String {
        format!("{}{who}", self.name)
    }
}

impl Floor {
    /// A shop that is open: both machines mirror, and every till has joined. None, and one line that says why, where no networks can
    /// be made.
    pub fn open(test: &str, tills: usize) -> Option<Self> {
        Self::open_with(test, tills, |set| set)
    }

    /// The same with what `edit` makes of the settings of the POS server and the terminals.
    pub fn open_with(test: &str, tills: usize, edit: impl Fn(String) -> String) -> Option<Self> {
        let spaces = Spaces::new(test, tills)?;
        let addresses = ["1", "2"].map(|host| format!("10.78.0.{host}:7410"));
        let two = Two::at(addresses, Some(["m", "b"].map(|who| spaces.space(who))));
        let census = NamedTempFile::new().unwrap();
        two.init();
        two.set("mirror", "interval = \"300ms\"");
        let pos = format!(
            "command = [\"python3\", \"{SELLS}\", \"9000\", \"{{data}}\", \"{}\", \"0.0.0.0\"]\n\
            ready = {{ tcp = \"127.0.0.1:9000\", send = \"PING\\n\", expect = \"PONG\" }}\n\
            stop = {{ signal = \"TERM\", timeout = \"5s\" }}\n[terminals]\nports = [9000]\n",
            census.path().display()
        );
        two.set("server", &edit(pos));
        let mut floor = Self { two, tills: vec![], own_buyer: None, census, spaces };
        floor.two.meet();
        floor.two.until(Machine::Backup, "the copy is whole", |status| {
            status["duty"] == "mirroring"
                && status["mirror"]["as_of"].is_string()
                && status["peer"]["server"] == "ready"
        });
        for number in 1..=tills {
            floor.join(number);
        }
        for number in 1..=tills {
            floor.start(number);
        }
        for machine in [Machine::Main, Machine::Backup] {
            floor.until_all_work(machine, "main", "the shop opens");
        }
        Some(floor)
    }

    fn till(&self, number: usize) -> &Till {
        &self.tills[number - 1]
    }

    pub fn home(&self, number: usize) -> PathBuf {
        self.two.path().join(format!("till{number}"))
    }

    /// The program on a till.
    pub fn espejo(&self, number: usize, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.spaces.space(&format!("t{number}"))]).arg(env!("CARGO_BIN_EXE_espejo"));
        command.arg("--home").arg(self.home(number)).args(["--lang", "en"]).args(args).stdin(Stdio::null());
        command
    }

    /// A code for a till.
    pub fn invite(&self, number: usize) -> String {
        let name = format!("CAJA-{number}");
        let said = output(&mut self.two.espejo(Machine::Main, &["invite", "terminal", &name]));
        assert!(said.status.success(), "{}", told(&said));
        String::from_utf8(said.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    fn join(&mut self, number: usize) {
        let code = self.invite(number);
        let said = output(&mut self.espejo(number, &["join", &code, &self.two.address(Machine::Main)]));
        assert!(said.status.success(), "{}", told(&said));
        self.tills.push(Till { name: format!("CAJA-{number}"), agent: None, buyer: None });
    }

    /// Starts the agent of a till.
    pub fn start(&mut self, number: usize) {
        let log = File::options().create(true).append(true).open(self.printed_at(number)).unwrap();
        let mut agent = self.espejo(number, &["terminal"]);
        self.tills[number - 1].agent = Some(agent.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// Starts it with a clock that is off by so much.
    pub fn start_at(&mut self, number: usize, off: &str) {
        let log = File::options().create(true).append(true).open(self.printed_at(number)).unwrap();
        let mut agent = self.at(&format!("t{number}"), "faketime");
        // What turns the clock stays beside it: the agent goes with that.
        agent.args(["-f", off, "setpriv", "--pdeathsig", "KILL", env!("CARGO_BIN_EXE_espejo"), "--home"]);
        agent.arg(self.home(number));
        agent.args(["--lang", "en", "terminal"]).stdout(log.try_clone().unwrap()).stderr(log);
        self.tills[number - 1].agent = Some(agent.spawn().unwrap());
    }

    /// Stops the agent of a till dead.
    pub fn kill(&mut self, number: usize) {
        if let Some(mut agent) = self.tills[number - 1].agent.take() {
            agent.kill().unwrap();
            agent.wait().unwrap();
        }
    }

    /// Sends a signal to the agent of a till, or to whoever started it there.
    pub fn signal(&self, number: usize, signal: Signal) {
        let agent = self.till(number).agent.as_ref().unwrap();
        rustix::process::kill_process(Pid::from_child(agent), signal).unwrap();
    }

    fn printed_at(&self, number: usize) -> PathBuf {
        self.two.path().join(format!("till{number}.out"))
    }

    /// What the agent of a till has printed.
    pub fn printed(&self, number: usize) -> String {
        fs::read_to_string(self.printed_at(number)).unwrap_or_default()
    }

    /// Somebody buys at every till from now on.
    pub fn buy(&mut self) {
        for number in 1..=self.tills.len() {
            let (space, book) = (self.spaces.space(&format!("t{number}")), self.book(number));
            let mut buyer = Command::new("ip");
            buyer.args(["netns", "exec", &space, "python3", BUYS, "9000", &self.till(number).name]).arg(book);
            self.tills[number - 1].buyer = Some(buyer.spawn().unwrap());
        }
        self.until_all_sell("the shop has opened");
    }

    /// Somebody buys at the backup machine, which is a till, too.
    pub fn buy_at_backup(&mut self) {
        let mut buyer = self.at("b", "python3");
        buyer.args([BUYS, "9000", "CAJA-B"]).arg(self.own_book());
        self.own_buyer = Some(buyer.spawn().unwrap());
    }

    fn own_book(&self) -> PathBuf {
        self.two.path().join("backup.book")
    }

    /// What was confirmed at the backup machine.
    pub fn confirmed_at_backup(&self) -> Vec<(String, u64)> {
        entries(&self.own_book())
    }

    /// Waits until the backup machine has sold two things more.
    pub fn until_backup_sells(&self, when: &str) {
        let before = self.confirmed_at_backup().len();
        until(&format!("{when}: the backup sells as a till"), || self.confirmed_at_backup().len() > before + 1);
    }

    /// A program on the machine called `who` (`m`, `b`, `t1` …).
    pub fn at(&self, who: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.spaces.space(who), program]).stdin(Stdio::null());
        command
    }

    /// Nobody buys any more.
    pub fn close(&mut self) {
        let own = self.own_buyer.take();
        for buyer in self.tills.iter_mut().filter_map(|till| till.buyer.take()).chain(own) {
            ended(buyer);
        }
    }

    fn book(&self, number: usize) -> PathBuf {
        self.two.path().join(format!("till{number}.book"))
    }

    /// What was confirmed at a till, and when, in milliseconds.
    pub fn confirmed(&self, number: usize) -> Vec<(String, u64)> {
        entries(&self.book(number))
    }

    /// Waits until every till has sold two things more.
    pub fn until_all_sell(&self, when: &str) {
        let before: Vec<usize> = (1..=self.tills.len()).map(|number| self.confirmed(number).len()).collect();
        for (number, before) in (1..).zip(before) {
            until(&format!("{when}: CAJA-{number} sells"), || self.confirmed(number).len() > before + 1);
        }
    }

    /// Waits until a machine says that every till is there, and works with the machine that has this role.
    pub fn until_all_work(&self, machine: Machine, uses: &str, when: &str) -> Value {
        self.two.until(machine, &format!("{when}: all work with the {uses}"), |status| {
            let all = status["terminals"].as_array().unwrap();
            all.len() == self.tills.len() && all.iter().all(|till| till["uses"] == uses && till["works"] == true)
        })
    }

    /// Waits until nothing stands against a return any more.
    pub fn until_return_possible(&self) {
        let is_free = |plan: &Value| plan["checks"].as_array().unwrap().iter().all(|check| check["why"].is_null());
        self.two.until(Machine::Backup, "a return is possible", |status| {
            status["plans"].as_array().unwrap().iter().any(|plan| plan["kind"] == "return" && is_free(plan))
        });
    }

    /// Waits until a machine has this verdict.
    pub fn until_verdict(&self, machine: Machine, verdict: &str, when: &str) -> Value {
        self.two.until(machine, &format!("{when}: {verdict}"), |status| status["verdict"] == verdict)
    }

    /// Pulls the cable of a machine (`m`, `b`, `t1` …) or that between the two switches (`trunk`), or puts it in again.
    pub fn cable(&self, who: &str, state: &str) {
        let number: usize = who.strip_prefix('t').and_then(|number| number.parse().ok()).unwrap_or(0);
        let switch = if who == "b" || number > 0 && number.is_multiple_of(2) { "2" } else { "1" };
        assert!(ip(&["-n", &self.spaces.space(switch), "link", "set", "dev", who, state]), "{who} {state}");
    }

    /// Every confirmed sale is in the data of this machine once, and there was never more than one server.
    pub fn accounted(&self, machine: Machine, when: &str) {
        let census = fs::read_to_string(&self.census).unwrap();
        assert!(!census.contains("TWICE"), "{when}: two POS servers at once:\n{census}");
        let data = if machine == Machine::Main { self.two.data.clone() } else { self.two.mirror() };
        let mut booked: HashMap<String, usize> = HashMap::new();
        for line in fs::read_to_string(data.join("ORDER.QUE")).unwrap().lines() {
            *booked.entry(line.to_owned()).or_default() += 1;
        }
        let all = (1..=self.tills.len()).flat_map(|number| self.confirmed(number)).chain(self.confirmed_at_backup());
        for (order, _) in all {
            assert_eq!(booked.get(&order), Some(&1), "{when}: {order}");
        }
    }

    /// Prints for each till how long it could not sell at the most.
    pub fn print_pauses(&self, when: &str) {
        for number in 1..=self.tills.len() {
            let times = self.confirmed(number).into_iter().map(|(_, at)| at).collect::<Vec<_>>();
            let pause = times.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(0);
            println!("{when}: CAJA-{number} could not sell for {pause} ms at the most");
        }
    }
}

/// What somebody who buys has written down.
fn entries(book: &Path) -> Vec<(String, u64)> {
    let text = fs::read_to_string(book).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |line: &str| line.split_once(' ').map(|(order, at)| (order.to_owned(), at.parse().unwrap()));
    whole.lines().filter_map(line).collect()
}

fn ended(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

impl Drop for Floor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for number in 1..=self.tills.len() {
                eprintln!("CAJA-{number} printed:\n{}", self.printed(number));
            }
        }
        self.own_buyer.take().into_iter().for_each(ended);
        for till in &mut self.tills {
            [till.agent.take(), till.buyer.take()].into_iter().flatten().for_each(ended);
        }
    }
}

/// What a verb of a machine says, when it has ended with 0.
pub fn done(floor: &Floor, machine: Machine, verb: &[&str]) -> String {
    let said = output(&mut floor.two.espejo(machine, verb));
    assert_eq!(said.status.code(), Some(0), "{verb:?}: {}", told(&said));
    String::from_utf8(said.stdout).unwrap()
}

/// What it says, when it is refused.
pub fn refused(floor: &Floor, machine: Machine, verb: &[&str]) -> String {
    let said = output(&mut floor.two.espejo(machine, verb));
    assert_eq!(said.status.code(), Some(3), "{verb:?}: {}", told(&said));
    told(&said)
}

/// Waits until a file holds what `holds` wants.
pub fn until_file(path: &std::path::Path, what: &str, holds: impl Fn(&str) -> bool) -> String {
    until_some(what, || fs::read_to_string(path).ok().filter(|text| holds(text)))
}
