//! Round after round: the shop sells, the main's power or the cable is cut at any moment, the backup serves, the main comes
//! back and has its place again. After each round every sale that was confirmed is in the data once, or was set aside once.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::park_timeout;
use std::time::Duration;

use espejo::demo::order::Sale;

use crate::common::network::Network;
use crate::common::place::{output, told};
use crate::common::random::{Random, seed};
use crate::common::two::{Machine, Two};
use crate::common::{is_full, needs, tree, until};

/// The port of the POS server on each machine.
const PORT: u16 = 9000;

/// What becomes of the main.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cut {
    /// Its power goes.
    Power,
    /// Its cable goes: it sells on to who is on its side.
    Cable,
}

/// A cashier on one side, and where it writes down what was confirmed to it.
struct Cashier {
    program: Child,
    book: PathBuf,
}

impl Cashier {
    fn begin(network: &Network, machine: Machine, round: u64, folder: &Path) -> Self {
        let name = format!("{}{round}", if machine == Machine::Main { "M" } else { "B" });
        let book = folder.join(format!("cashier {name}"));
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &network.spaces[machine as usize], "python3"]);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pair/cashier.py"));
        command.arg(name).arg(PORT.to_string()).arg(&book).stdin(Stdio::piped());
        Self { program: command.spawn().unwrap(), book }
    }

    /// Orders that were confirmed to it so far.
    fn sold(&self) -> Vec<String> {
        let book = fs::read_to_string(&self.book).unwrap_or_default();
        book.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
    }

    /// Sends it home.
    fn end(mut self) -> Vec<String> {
        drop(self.program.stdin.take());
        assert!(self.program.wait().unwrap().success());
        self.sold()
    }
}

/// How often each order stands in a queue.
fn orders(queue: &Path) -> HashMap<String, usize> {
    let mut all = HashMap::new();
    for sale in Sale::all(&fs::read_to_string(queue).unwrap_or_default()) {
        *all.entry(sale.order.id).or_default() += 1;
    }
    all
}

/// How often each order was set aside.
fn aside(two: &Two) -> HashMap<String, usize> {
    let mut all = HashMap::new();
    let folders = [two.path().join(".pos.espejo/rescue"), two.home(Machine::Backup).join(".RUNDIR.espejo/rescue")];
    for kept in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten() {
        for (id, times) in orders(&kept.unwrap().path().join("ORDER.QUE")) {
            *all.entry(id).or_default() += times;
        }
    }
    all
}

/// Every confirmed sale is in the data once, or was set aside once.
fn accounted(two: &Two, confirmed: &[String], when: &str) {
    let (data, aside) = (orders(&two.data.join("ORDER.QUE")), aside(two));
    let times = |id: &String| (data.get(id).copied().unwrap_or(0), aside.get(id).copied().unwrap_or(0));
    for id in confirmed {
        let (there, kept) = times(id);
        assert!(there == 1 || (there, kept) == (0, 1), "{when}: {id} is {there} times in the data, {kept} times aside");
    }
    let lost = confirmed.iter().filter(|id| times(id).0 == 0).count();
    eprintln!("{when}: {} confirmed, {lost} of them set aside", confirmed.len());
}

fn done(two: &Two, machine: Machine, verb: &[&str], when: &str) {
    let said = output(&mut two.espejo(machine, verb));
    assert_eq!(said.status.code(), Some(0), "{when}: {verb:?}: {}", told(&said));
}

fn serves(two: &Two, machine: Machine) -> bool {
    two.status(machine).is_some_and(|status| status["duty"] == "serving")
}

#[test]
fn whatever_is_cut_every_confirmed_sale_is_there_once() {
    needs!("python3");
    let Some(network) = Network::new("whatever_is_cut_every_confirmed_sale_is_there_once") else { return };
    let mut random = Random::new(seed());
    let mut two = network.two("interval = \"300ms\"");
    let program = env!("CARGO_BIN_EXE_espejo");
    two.set(
        "server",
        &format!(
            "command = [\"{program}\", \"demo-pos\", \"--data\", \"{{data}}\", \"--port\", \"{PORT}\"]\n\
            ready = {{ tcp = \"127.0.0.1:{PORT}\", send = \"PING\\n\", expect = \"PONG\" }}\n\
            stop = {{ signal = \"TERM\", timeout = \"5s\" }}"
        ),
    );
    two.meet();
    let mut confirmed = vec![];
    for round in 1..=if is_full() { 50 } else { 3 } {
        let cut = if random.below(2) == 0 { Cut::Power } else { Cut::Cable };
        let when = format!("round {round}, {cut:?}");
        two.until(Machine::Main, "the shop is open", |status| status["server"] == "ready");
        two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
        let at_main = Cashier::begin(&network, Machine::Main, round, two.path());
        until("something is sold", || at_main.sold().len() > 3);
        park_timeout(Duration::from_millis(random.below(1500)));
        match cut {
            Cut::Power => two.cut_power(Machine::Main),
            Cut::Cable => network.cable("down"),
        }
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"], &when);
        let at_backup = Cashier::begin(&network, Machine::Backup, round, two.path());
        until("the backup sells", || at_backup.sold().len() > 3);
        park_timeout(Duration::from_millis(random.below(1500)));
        match cut {
            Cut::Power => two.start(Machine::Main),
            Cut::Cable => network.cable("up"),
        }
        two.until(Machine::Main, "the main follows", |status| {
            status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string() && status["strays"] == false
        });
        assert!(!serves(&two, Machine::Main) && serves(&two, Machine::Backup), "{when}: one server");
        done(&two, if random.below(2) == 0 { Machine::Main } else { Machine::Backup }, &["return", "--yes"], &when);
        two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving");
        two.until(Machine::Backup, "the backup follows", |status| status["duty"] == "mirroring");
        assert!(serves(&two, Machine::Main) && !serves(&two, Machine::Backup), "{when}: one server");
        confirmed.extend(at_main.end());
        confirmed.extend(at_backup.end());
        until("both hold the same", || tree::are_same(&two.data, &two.mirror()));
        accounted(&two, &confirmed, &when);
    }
}
