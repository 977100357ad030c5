//! A network of the test's own: two namespaces with a cable between them, or with a line as bad as it is asked for.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::passed_over;
use super::random::seed;
use super::two::{Machine, Two};

/// The addresses of main and backup, where it does not matter which.
const ADDRESSES: [&str; 2] = ["10.77.0.1", "10.77.0.2"];

static NETWORKS: AtomicU32 = AtomicU32::new(0);

/// Two namespaces, and what joins them. All of it goes with this.
pub struct Network {
    pub spaces: [String; 2],
    pub addresses: [String; 2],
    wire: Option<Wire>,
}

/// The program between the two ends of a line.
struct Wire {
    program: Child,
    tell: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Network {
    /// With a cable. None, and one line that says why, where that cannot be made.
    pub fn new(test: &str) -> Option<Self> {
        Self::at(test, ADDRESSES)
    }

    /// The same with these two addresses.
    pub fn at(test: &str, addresses: [&str; 2]) -> Option<Self> {
        let network = Self::spaces(test, addresses)?;
        let [main, backup] = &network.spaces;
        if !ip(&["link", "add", "cable", "netns", main, "type", "veth", "peer", "name", "cable", "netns", backup]) {
            passed_over(test, "no cable between two namespaces can be made here");
            return None;
        }
        network.switch_on();
        Some(network)
    }

    /// With a line that does to frames what `how` says, in the words of `wire.py`; *near* is the main.
    pub fn with_line(test: &str, how: &str) -> Option<Self> {
        let mut network = Self::spaces(test, ADDRESSES)?;
        let names = ["m", "b"].map(|side| format!("w{}-{}{side}", std::process::id(), network.number()));
        let Some(wire) = Wire::new(&names, how) else {
            passed_over(test, "no TAP device can be made here, or there is no python3");
            return None;
        };
        network.wire = Some(wire);
        for (name, space) in names.iter().zip(&network.spaces) {
            assert!(ip(&["link", "set", name, "netns", space, "name", "cable"]));
        }
        network.switch_on();
        Some(network)
    }

    fn spaces(test: &str, addresses: [&str; 2]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            passed_over(test, "only root can make networks");
            return None;
        }
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let spaces = ["m", "b"].map(|side| format!("esp{}-{number}{side}", std::process::id()));
        let addresses = addresses.map(|address| format!("{address}:7410"));
        let network = Self { spaces, addresses, wire: None };
        if !network.spaces.iter().all(|space| ip(&["netns", "add", space])) {
            passed_over(test, "no network namespace can be made here");
            return None;
        }
        Some(network)
    }

    fn number(&self) -> &str {
        self.spaces[0].split(['-', 'm']).nth(1).unwrap()
    }

    fn switch_on(&self) {
        for (space, address) in self.spaces.iter().zip(&self.addresses) {
            let address = address.replace(":7410", "/24");
            assert!(ip(&["-n", space, "addr", "add", &address, "dev", "cable"]));
            assert!(ip(&["-n", space, "link", "set", "cable", "up"]));
            assert!(ip(&["-n", space, "link", "set", "lo", "up"]));
            // Whatever this machine prefers: this one is everywhere, and takes losses the hardest.
            let reno = "echo reno > /proc/sys/net/ipv4/tcp_congestion_control";
            assert!(ip(&["netns", "exec", space, "sh", "-c", reno]));
        }
    }

    /// Two machines of a store in it, with `more` in the settings of the mirror.
    pub fn two(&self, more: &str) -> Two {
        let two = Two::at(self.addresses.clone(), Some(self.spaces.clone()));
        two.init();
        let path = two.home(Machine::Main).join("store.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("[[dataset]]", &format!("[mirror]\n{more}\n[[dataset]]"))).unwrap();
        two
    }

    /// Pulls the cable, or puts it in again.
    pub fn cable(&self, state: &str) {
        assert!(ip(&["-n", &self.spaces[0], "link", "set", "cable", state]));
    }

    /// Bytes that a machine has sent over the cable.
    pub fn sent(&self, machine: Machine) -> u64 {
        let mut count = Command::new("ip");
        let space = &self.spaces[machine as usize];
        count.args(["netns", "exec", space, "cat", "/sys/class/net/cable/statistics/tx_bytes"]);
        String::from_utf8(count.output().unwrap().stdout).unwrap().trim().parse().unwrap()
    }

    /// From now on the line does to frames what `how` says.
    pub fn line(&mut self, how: &str) {
        self.wire.as_mut().unwrap().set(how);
    }

    /// So many bits a second go through the cable from now on, each way.
    pub fn throttle(&self, bits: &str) {
        for space in &self.spaces {
            let queue = ["dev", "cable", "root", "tbf", "rate", bits, "burst", "32kbit", "latency", "50ms"];
            let tc = Command::new("tc").args(["-n", space, "qdisc", "add"]).args(queue).status();
            assert!(tc.is_ok_and(|status| status.success()), "this system throttles no cable");
        }
    }

    /// Bytes of the longest packet.
    pub fn longest_packet(&self, bytes: u32) {
        for space in &self.spaces {
            assert!(ip(&["-n", space, "link", "set", "cable", "mtu", &bytes.to_string()]));
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The devices go first: what they are in would take them from under the program.
        self.wire = None;
        for space in &self.spaces {
            ip(&["netns", "del", space]);
        }
    }
}

impl Wire {
    fn new(names: &[String; 2], how: &str) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/wire.py");
        let mut python = Command::new("python3");
        python.arg(script).arg(seed().to_string()).args(names).args(how.split_whitespace());
        let mut program = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (tell, said) = (program.stdin.take(), BufReader::new(program.stdout.take()?));
        let mut wire = Self { program, tell, said };
        wire.heard().then_some(wire)
    }

    fn set(&mut self, how: &str) {
        writeln!(self.tell.as_mut().unwrap(), "{how}").unwrap();
        assert!(self.heard(), "the line has ended");
    }

    /// Waits for the next line that it says.
    fn heard(&mut self) -> bool {
        let mut line = String::new();
        let heard = self.said.read_line(&mut line).is_ok_and(|bytes| bytes > 0);
        eprint!("the line: {line}");
        heard
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.tell = None;
        self.heard();
        let _ = self.program.wait();
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
