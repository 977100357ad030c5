//! Cables: pulled, lossy, slow, narrow. Each test makes its own network, in namespaces that go with it.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use crate::common::edits::Editor;
use crate::common::place::{output, told};
use crate::common::random::{Random, seed};
use crate::common::two::{Machine, Two};
use crate::common::{is_full, passed_over};

static NETWORKS: AtomicU32 = AtomicU32::new(0);

/// Two namespaces with a cable between them.
pub struct Network {
    pub spaces: [String; 2],
    pub addresses: [String; 2],
}

impl Network {
    fn new(test: &str) -> Option<Self> {
        Self::at(test, ["10.77.0.1", "10.77.0.2"])
    }

    /// With these two addresses.
    pub fn at(test: &str, addresses: [&str; 2]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            passed_over(test, "only root can make networks");
            return None;
        }
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let name = |side: &str| format!("esp{}-{number}{side}", std::process::id());
        let network =
            Self { spaces: [name("m"), name("b")], addresses: addresses.map(|address| format!("{address}:7410")) };
        let [main, backup] = &network.spaces;
        let made = ["add"].iter().all(|verb| ip(&["netns", verb, main]) && ip(&["netns", verb, backup]));
        if !made
            || !ip(&["link", "add", "cable", "netns", main, "type", "veth", "peer", "name", "cable", "netns", backup])
        {
            passed_over(test, "no network namespace can be made here");
            return None;
        }
        for (space, address) in [main, backup].into_iter().zip(addresses) {
            assert!(ip(&["-n", space, "addr", "add", &format!("{address}/24"), "dev", "cable"]));
            assert!(ip(&["-n", space, "link", "set", "cable", "up"]));
            assert!(ip(&["-n", space, "link", "set", "lo", "up"]));
        }
        Some(network)
    }

    /// Two machines of a store in it, with `more` in the settings of the mirror.
    fn two(&self, more: &str) -> Two {
        let two = Two::at(self.addresses.clone(), Some(self.spaces.clone()));
        two.init();
        let path = two.home(Machine::Main).join("store.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("[[dataset]]", &format!("[mirror]\n{more}\n[[dataset]]"))).unwrap();
        two
    }

    fn cable(&self, state: &str) {
        assert!(ip(&["-n", &self.spaces[0], "link", "set", "cable", state]));
    }

    /// Makes the line as `how` says, both ways. Returns whether this system can.
    fn line(&self, how: &[&str]) -> bool {
        self.spaces.iter().all(|space| {
            let mut tc = Command::new("tc");
            tc.args(["-n", space, "qdisc", "replace", "dev", "cable", "root", "netem"]).args(how);
            tc.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for space in &self.spaces {
            ip(&["netns", "del", space]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

fn verified(two: &Two, when: &str) {
    let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(verified.status.code(), Some(0), "{when}: {}", told(&verified));
}

#[test]
fn a_cable_pulled_during_a_first_copy_and_after_it() {
    let Some(network) = Network::new("a_cable_pulled_during_a_first_copy_and_after_it") else { return };
    let mut two = network.two("max_rate = \"4MB\"");
    let mut random = Random::new(seed());
    for number in 0..12 {
        fs::write(two.data.join(format!("file {number}")), random.bytes(1_000_000)).unwrap();
    }
    two.meet();
    two.until(Machine::Backup, "the first copy goes on", |status| status["mirror"]["copying"].is_object());
    // As long as a person needs to put it in again; longer than a connection bears, when all is asked for.
    for seconds in if is_full() { vec![1, 10, 600] } else { vec![1, 4] } {
        network.cable("down");
        park_timeout(Duration::from_secs(seconds));
        network.cable("up");
        two.until(Machine::Backup, "the main is heard again", |status| status["peer"]["state"] == "healthy");
    }
    two.until_same("the first copy");
    for seconds in if is_full() { vec![1, 10, 600] } else { vec![3] } {
        network.cable("down");
        fs::write(two.data.join("file 3"), format!("changed while it was out for {seconds} s")).unwrap();
        two.until(Machine::Backup, "it is missed", |status| status["peer"]["state"] == "lost");
        park_timeout(Duration::from_secs(seconds));
        network.cable("up");
        two.until_same("after the cable is in again");
    }
    verified(&two, "in the end");
}

#[test]
fn a_cable_pulled_at_random_while_the_shop_sells() {
    let Some(network) = Network::new("a_cable_pulled_at_random_while_the_shop_sells") else { return };
    let seed = seed();
    let mut random = Random::new(seed);
    let mut two = network.two("");
    let mut editor = Editor::new(&two.data, random.clone());
    (0..40).for_each(|_| editor.append_or_write());
    two.meet();
    two.until_same("before");
    let end = Instant::now() + Duration::from_secs(if is_full() { 300 } else { 12 });
    while Instant::now() < end {
        network.cable("down");
        for _ in 0..random.below(20) {
            editor.append_or_write();
            park_timeout(Duration::from_millis(random.below(150)));
        }
        network.cable("up");
        for _ in 0..random.below(20) {
            editor.append_or_write();
            park_timeout(Duration::from_millis(random.below(150)));
        }
    }
    two.until_same(&format!("seed {seed}"));
    verified(&two, &format!("seed {seed}"));
}

#[test]
fn on_a_bad_line_nobody_is_missed_and_all_arrives() {
    let test = "on_a_bad_line_nobody_is_missed_and_all_arrives";
    let Some(network) = Network::new(test) else { return };
    if !network.line(&["delay", "200ms", "100ms", "loss", "20%"]) {
        passed_over(test, "this system has no netem");
        return;
    }
    let mut two = network.two("");
    two.meet();
    two.until(Machine::Backup, "the main is heard", |status| status["peer"]["state"] == "healthy");
    let end = Instant::now() + Duration::from_secs(if is_full() { 600 } else { 15 });
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        fs::write(two.data.join("POS-Q.Seq"), format!("{number}\n")).unwrap();
        park_timeout(Duration::from_millis(500));
        for machine in [Machine::Main, Machine::Backup] {
            let status = two.status(machine).unwrap();
            let missed = status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-301");
            assert!(!missed, "a false alarm at {machine:?}: {status}");
        }
    }
    two.until_same("in the end");
}

#[test]
fn damage_disorder_and_small_packets_are_no_matter() {
    let test = "damage_disorder_and_small_packets_are_no_matter";
    let Some(network) = Network::new(test) else { return };
    if !network.line(&["delay", "5ms", "corrupt", "1%", "reorder", "25%", "50%"]) {
        passed_over(test, "this system has no netem");
        return;
    }
    for space in &network.spaces {
        assert!(ip(&["-n", space, "link", "set", "cable", "mtu", "576"]));
    }
    let mut two = network.two("");
    let mut random = Random::new(9);
    for number in 0..5 {
        fs::write(two.data.join(format!("file {number}")), random.bytes(300_000)).unwrap();
    }
    two.meet();
    two.until_same("the first copy");
    fs::write(two.data.join("file 2"), random.bytes(100_000)).unwrap();
    two.until_same("a change");
    verified(&two, "in the end");
}
