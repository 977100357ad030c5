//! What the README says about installing, typed line by line as it stands there: on two machines and a till, each with a network, folders and
//! a systemd of its own. Only that systemd is a stand-in, which starts what the unit says.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::common::{make_program, passed_over, until};

/// What is typed, and where.
struct Typed {
    at: usize,
    line: String,
}

/// The machines, in the order of [`Typed::at`]: the main, the backup, a till. Their addresses are those of the README.
const MACHINES: [&str; 3] = ["192.168.1.10", "192.168.1.13", "192.168.1.21"];

/// All lines of the section in fences, each with the machine that the sentence before it names.
fn typed() -> Vec<Typed> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split("## Installing it\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let (mut typed, mut at, mut is_code) = (vec![], 0, false);
    for line in section.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            typed.push(Typed { at, line: line.to_owned() });
        } else if let Some(named) =
            ["n the main", "n the backup", "n the till"].iter().position(|name| line.contains(name))
        {
            // The last one named counts: `For each other till, on the main`.
            at = named;
        }
    }
    typed
}

/// A machine: a shell in a network and with folders of its own.
struct Seat {
    space: String,
    shell: Child,
    keyboard: ChildStdin,
    screen: BufReader<ChildStdout>,
}

impl Seat {
    fn open(space: &str, tools: &Path) -> Self {
        let mut shell = Command::new("ip");
        shell.args(["netns", "exec", space, "unshare", "--mount", "sh"]);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keyboard, screen) = (shell.stdin.take().unwrap(), BufReader::new(shell.stdout.take().unwrap()));
        let mut seat = Self { space: space.to_owned(), shell, keyboard, screen };
        seat.types("exec 2>&1");
        for folder in ["/var/lib", "/srv", "/etc/systemd/system"] {
            seat.types(&format!("mkdir -p {folder} && mount -t tmpfs espejo-test {folder}"));
        }
        seat.types(&format!("mkdir -p /srv/pos; export PATH={}:$PATH LANG=C", tools.display()));
        seat
    }

    /// Types a line. Returns what is answered; it must have worked.
    #[track_caller]
    fn types(&mut self, line: &str) -> String {
        let (code, said) = self.tries(line);
        assert_eq!(code, "0", "{}: {line}\n{said}", self.space);
        said
    }

    fn tries(&mut self, line: &str) -> (String, String) {
        writeln!(self.keyboard, "{line}\necho \"<done $?>\"").unwrap();
        let mut said = String::new();
        loop {
            let mut line = String::new();
            assert!(self.screen.read_line(&mut line).unwrap() > 0, "{}: the shell has ended: {said}", self.space);
            if let Some(code) = line.strip_prefix("<done ").and_then(|rest| rest.trim_end().strip_suffix('>')) {
                return (code.to_owned(), said);
            }
            said.push_str(&line);
        }
    }

    fn status(&mut self) -> Value {
        serde_json::from_str(&self.tries("espejo status --json").1).unwrap_or_default()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // All that was started there, by its number.
        let pids = Command::new("ip").args(["netns", "pids", &self.space]).output().map(|output| output.stdout);
        let pids = String::from_utf8(pids.unwrap_or_default()).unwrap_or_default();
        for pid in pids.split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", pid]).output();
        }
        let _ = self.shell.wait();
        let _ = Command::new("ip").args(["netns", "del", &self.space]).output();
    }
}

fn ip(args: &[&str]) {
    assert!(Command::new("ip").args(args).status().unwrap().success(), "{args:?}");
}

/// A systemd that knows two verbs. As the real one does, it comes back from `enable --now` when the service has said that it is ready.
const SYSTEMD: &str = r#"#!/usr/bin/env python3
import os, re, shlex, socket, subprocess, sys
if sys.argv[1:] == ["daemon-reload"]:
    sys.exit(0)
assert sys.argv[1:] == ["enable", "--now", "espejo"], sys.argv
unit = open("/etc/systemd/system/espejo.service").read()
assert "Type=notify" in unit
run = shlex.split(re.search("^ExecStart=(.*)$", unit, re.M).group(1))
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind("/var/lib/notify")
heard.settimeout(30)
out = open("/var/lib/espejo.out", "ab")
subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                 env={**os.environ, "NOTIFY_SOCKET": "/var/lib/notify"})
while "READY=1" not in heard.recv(4096).decode().splitlines():
    pass
"#;

#[test]
fn what_the_readme_says_about_installing_is_typed_line_by_line() {
    let test = "what_the_readme_says_about_installing_is_typed_line_by_line";
    let made = |space: &str| Command::new("ip").args(["netns", "add", space]).output();
    let name = |who: &str| format!("in{}{who}", std::process::id());
    if !rustix::process::geteuid().is_root() || !made(&name("s")).is_ok_and(|output| output.status.success()) {
        return passed_over(test, "no network namespace can be made here");
    }
    let tools = tempfile::tempdir().unwrap();
    symlink(env!("CARGO_BIN_EXE_espejo"), tools.path().join("espejo")).unwrap();
    make_program(&tools.path().join("systemctl"), SYSTEMD);
    let switch = Seat::open(&name("s"), tools.path());
    ip(&["-n", &switch.space, "link", "add", "switch", "type", "bridge"]);
    ip(&["-n", &switch.space, "link", "set", "switch", "up"]);
    let mut seats: Vec<Seat> = vec![];
    for (number, address) in MACHINES.iter().enumerate() {
        let (space, port) = (name(&number.to_string()), format!("p{number}"));
        ip(&["netns", "add", &space]);
        let cable = ["link", "add", "cable", "netns", &space, "type", "veth", "peer", "name", &port];
        ip(&[&cable[..], &["netns", &switch.space]].concat());
        ip(&["-n", &switch.space, "link", "set", "dev", &port, "master", "switch", "up"]);
        ip(&["-n", &space, "addr", "add", &format!("{address}/24"), "dev", "cable"]);
        ip(&["-n", &space, "link", "set", "cable", "up"]);
        ip(&["-n", &space, "link", "set", "lo", "up"]);
        seats.push(Seat::open(&space, tools.path()));
    }
    seats[0].types("echo 'CAJA-1;a-1;1;350' > /srv/pos/ORDER.QUE");
    let mut code = String::new();
    for Typed { at, line } in typed() {
        // A code is what somebody reads from the other screen.
        let line = ["K7F-3QX", "M4T-9WD"].iter().fold(line, |line, shown| line.replace(shown, &code));
        if line == "espejo check" {
            until("the screen says that it could take over", || {
                let status = seats[1].status();
                status["can_take_over"]["yes"] == true && status["terminals"][0]["works"] == true
            });
        }
        let said = seats[at].types(&line);
        println!("{}$ {line}\n{said}", MACHINES[at]);
        if line.starts_with("espejo invite") {
            said.split_whitespace().next().unwrap().clone_into(&mut code);
        }
        if line.starts_with("espejo init") {
            // What the README has somebody write there by hand.
            let pos = env!("CARGO_BIN_EXE_espejo");
            let server = format!(
                "[server]\ncommand = [\"{pos}\", \"demo-pos\", \"--data\", \"{{data}}\", \"--host\", \"0.0.0.0\", \"--port\", \"9000\"]\n\
                 ready = {{ tcp = \"127.0.0.1:9000\", send = \"PING\\n\", expect = \"PONG\" }}\n[terminals]\nports = [9000]\n"
            );
            let text = tools.path().join("server.toml");
            fs::write(&text, server).unwrap();
            seats[0].types(&format!("cat {} >> /var/lib/espejo/store.toml", text.display()));
        }
    }
    let status = seats[1].status();
    assert!(status["drilled"]["at"].is_string() && status["drilled"]["why_not"].is_null(), "{status}");
    assert_eq!(seats[1].types("cat /var/lib/espejo/RUNDIR/ORDER.QUE"), "CAJA-1;a-1;1;350\n");
}
