//! Two machines of a store on one computer: two homes, joined over loopback.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::place::{output, told};
use super::random::Random;
use super::{DEADLINE, tree, until, until_some};

/// A POS server that only runs.
pub const RUNS: &str = "command = [\"tail\", \"-f\", \"/dev/null\"]\nstop = { signal = \"TERM\", timeout = \"2s\" }";

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Machine {
    Main,
    Backup,
}

/// Two machines that have not met yet.
pub struct Two {
    dir: TempDir,
    pub data: PathBuf,
    addresses: [String; 2],
    /// Where each machine runs, if not here.
    spaces: Option<[String; 2]>,
    /// What each machine finds in its environment.
    around: [Vec<(String, String)>; 2],
    /// As which user they run, if not as this one.
    user: Option<u32>,
    running: [Option<Child>; 2],
    /// The program of each machine.
    programs: [PathBuf; 2],
}

impl Two {
    /// A folder of data, and two homes with nothing in them.
    pub fn new() -> Self {
        let main = free_port();
        let backup = until_some("another port", || Some(free_port()).filter(|port| *port != main));
        Self::at([main, backup].map(|port| format!("127.0.0.1:{port}")), None)
    }

    /// The same with these addresses, in these network namespaces.
    pub fn at(addresses: [String; 2], spaces: Option<[String; 2]>) -> Self {
        let dir = tempfile::Builder::new().prefix("espejo-two-").tempdir().unwrap();
        let data = dir.path().join("pos");
        fs::create_dir(&data).unwrap();
        let programs = [(); 2].map(|()| PathBuf::from(env!("CARGO_BIN_EXE_espejo")));
        Self { dir, data, addresses, spaces, around: [vec![], vec![]], user: None, running: [None, None], programs }
    }

    /// Both run as this user from now on, to whom all that there is belongs.
    pub fn run_as(&mut self, user: u32) {
        for path in [self.path(), &self.data] {
            std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
        }
        self.user = Some(user);
    }

    /// A machine finds this in its environment from now on.
    pub fn around(&mut self, machine: Machine, name: &str, value: &str) {
        self.around[machine as usize].push((name.to_owned(), value.to_owned()));
    }

    /// A machine has another build of the program from now on.
    pub fn install(&mut self, machine: Machine, program: &Path) {
        program.clone_into(&mut self.programs[machine as usize]);
    }

    /// Nothing more is added to the environment of a machine.
    pub fn nothing_around(&mut self, machine: Machine) {
        self.around[machine as usize].clear();
    }

    /// Two machines that mirror: set up with the commands of the README.
    pub fn joined() -> Self {
        let mut two = Self::new();
        two.init();
        two.meet();
        two
    }

    /// Joins the two and starts both.
    pub fn meet(&mut self) {
        self.introduce();
        self.start(Machine::Backup);
    }

    /// Starts the main, and joins the backup to it.
    pub fn introduce(&mut self) {
        self.start(Machine::Main);
        let code = self.invite();
        let joined = self.join(&code);
        assert!(joined.status.success(), "{}", told(&joined));
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn home(&self, machine: Machine) -> PathBuf {
        self.path().join(match machine {
            Machine::Main => "main",
            Machine::Backup => "backup",
        })
    }

    /// Where the mirror is.
    pub fn mirror(&self) -> PathBuf {
        self.home(Machine::Backup).join("RUNDIR")
    }

    pub fn address(&self, machine: Machine) -> String {
        self.addresses[machine as usize].clone()
    }

    /// The program on one of the machines.
    pub fn espejo(&self, machine: Machine, args: &[&str]) -> Command {
        let program = &self.programs[machine as usize];
        let mut command = match &self.spaces {
            None => Command::new(program),
            Some(spaces) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &spaces[machine as usize]]).arg(program);
                command
            }
        };
        command.arg("--home").arg(self.home(machine)).args(["--lang", "en"]).args(args);
        command.env_remove("FAILPOINTS").env_remove("ESPEJO_HOME").stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.envs(self.around[machine as usize].iter().map(|(name, value)| (name, value)));
        command
    }

    /// Sets the store up on the main.
    pub fn init(&self) {
        let (main, backup) = (self.address(Machine::Main), self.address(Machine::Backup));
        let mut init = self.espejo(Machine::Main, &["init", "--store", "Centro", "--main", &main, "--backup", &backup]);
        let done = output(init.arg("--data").arg(&self.data));
        assert!(done.status.success(), "{}", told(&done));
    }

    /// Sets something more in a table of the main's `store.toml`.
    pub fn set(&self, table: &str, line: &str) {
        let path = self.home(Machine::Main).join("store.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replacen("[[dataset]]", &format!("[{table}]\n{line}\n[[dataset]]"), 1)).unwrap();
    }

    /// A code for the backup.
    pub fn invite(&self) -> String {
        let said = until_some("the main gives a code", || {
            let said = output(&mut self.espejo(Machine::Main, &["invite", "backup"]));
            said.status.success().then_some(said)
        });
        String::from_utf8(said.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// Has the backup join.
    pub fn join(&self, code: &str) -> Output {
        output(&mut self.espejo(Machine::Backup, &["join", code, &self.address(Machine::Main)]))
    }

    /// Starts the service of a machine.
    pub fn start(&mut self, machine: Machine) {
        let log = self.path().join(format!("{machine:?}.out"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = self.espejo(machine, &["run"]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.running[machine as usize] = Some(child);
    }

    /// The number of the process that is the service of a machine.
    pub fn number(&self, machine: Machine) -> u32 {
        self.running[machine as usize].as_ref().unwrap().id()
    }

    /// Whether a service of the machine was started, and not stopped since.
    pub fn is_started(&self, machine: Machine) -> bool {
        self.running[machine as usize].is_some()
    }

    /// Whether the service of a machine runs.
    pub fn runs(&mut self, machine: Machine) -> bool {
        self.running[machine as usize].as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// The service of a machine is not there any more, however it ended.
    pub fn forget(&mut self, machine: Machine) {
        if let Some(mut child) = self.running[machine as usize].take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Stops the service of a machine dead.
    pub fn kill(&mut self, machine: Machine) {
        let mut child = self.running[machine as usize].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits until the service of a machine has stopped dead by itself.
    pub fn until_killed(&mut self, machine: Machine) {
        let mut child = self.running[machine as usize].take().unwrap();
        let status = until_some("the service is stopped dead", || child.try_wait().unwrap());
        assert!(super::place::was_killed(status), "{status}: {}", self.printed(machine));
    }

    /// Asks the service of a machine to end, and makes sure that it does, in order.
    pub fn stop(&mut self, machine: Machine) {
        let mut child = self.running[machine as usize].take().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = until_some("the service ends", || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{}", self.printed(machine));
    }

    /// What a service has printed.
    pub fn printed(&self, machine: Machine) -> String {
        fs::read_to_string(self.path().join(format!("{machine:?}.out"))).unwrap_or_default()
    }

    /// The most memory that a service has taken since it began, in bytes.
    pub fn most_memory(&self, machine: Machine) -> u64 {
        let pid = self.running[machine as usize].as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// In how many lines of its log a machine has said `what`.
    pub fn logged(&self, machine: Machine, what: &str) -> usize {
        let logs = fs::read_dir(self.home(machine).join("log")).unwrap();
        let text = |log: fs::DirEntry| String::from_utf8_lossy(&fs::read(log.path()).unwrap()).into_owned();
        logs.map(|log| text(log.unwrap()).lines().filter(|line| line.contains(what)).count()).sum()
    }

    /// What a machine said last, for who looks into a test that failed.
    fn print_log(&self, machine: Machine) {
        let said = fs::read_to_string(self.path().join(format!("{machine:?}.out"))).unwrap_or_default();
        let logs = fs::read_dir(self.home(machine).join("log")).into_iter().flatten().flatten();
        let logs = logs.map(|log| String::from_utf8_lossy(&fs::read(log.path()).unwrap_or_default()).into_owned());
        for text in logs.chain([said]) {
            let lines = text.lines().collect::<Vec<_>>();
            eprintln!("{machine:?} said at last:\n{}\n", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }

    /// How it stands, if a service says so.
    pub fn status(&self, machine: Machine) -> Option<Value> {
        let said = output(&mut self.espejo(machine, &["status", "--json"]));
        serde_json::from_slice(&said.stdout).ok()
    }

    /// Waits until the status of a machine is as `holds` wants it.
    pub fn until(&self, machine: Machine, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            last = self.status(machine).or(last);
            if let Some(status) = last.take_if(|status| holds(status)) {
                return status;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let printed = self.printed(machine);
        panic!("{machine:?}, waited in vain: {what}; last it was {}\n{printed}", last.unwrap_or_default());
    }

    /// Waits until the mirror holds what the main has.
    pub fn until_same(&self, when: &str) {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            if tree::are_same(&self.data, &self.mirror()) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let status = self.status(Machine::Backup).map(|status| status.to_string()).unwrap_or_default();
        tree::assert_same(&tree::tree(&self.data), &tree::tree(&self.mirror()), &format!("{when} {status}"));
    }

    /// The time now, when the mirror has all that there is and nothing is under way to it. A state has the time at which its capture began,
    /// which may have read what was written later.
    pub fn quiet(&self) -> Timestamp {
        let now = Timestamp::now();
        self.until(Machine::Backup, "nothing is under way", |status| {
            status["mirror"]["as_of"].as_str().and_then(|at| at.parse::<Timestamp>().ok()) > Some(now)
        });
        Timestamp::now()
    }

    /// Waits until a change of server is possible, as far as this machine knows: it has heard that from the other one.
    pub fn until_it_may(&self, machine: Machine, verb: &str) {
        until(&format!("it may {verb}"), || output(&mut self.espejo(machine, &[verb, "--plan"])).status.success());
    }

    /// Sets a POS server that only runs.
    pub fn set_pos(&mut self) {
        self.set("server", RUNS);
    }

    /// The power of a machine is cut: its service and its POS server are gone at once.
    pub fn cut_power(&mut self, machine: Machine) {
        self.kill(machine);
        self.kill_pos(machine);
    }

    /// Ends the POS server of a machine, if one runs.
    pub fn kill_pos(&self, machine: Machine) {
        if let Some(record) = espejo::server::record::Record::load(&self.home(machine)) {
            espejo::os::signal_group(record.mark.pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for machine in [Machine::Main, Machine::Backup] {
                self.print_log(machine);
            }
        }
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for machine in [Machine::Main, Machine::Backup] {
            self.kill_pos(machine);
        }
    }
}

/// Has the backup compare every byte: it must find both sides equal.
pub fn verified(two: &Two, when: &str) {
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(verified.status.code(), Some(0), "{when}: {}", told(&verified));
}

/// A port that nobody has, neither for connections nor for datagrams; and that no system gives away by itself.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    until_some("a free port", || {
        // Tests of other processes look elsewhere, so that no two take the same one before it is used.
        let mixed =
            Random::new(u64::from(std::process::id())).next() + u64::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + mixed % 12_000).unwrap();
        (!is_taken(port)).then_some(port)
    })
}

/// Whether somebody has this port. It is asked of the system, not tried: a child that another test begins at that instant would have
/// the socket too, and keep the port a while longer than this process.
fn is_taken(port: u16) -> bool {
    let here = format!(":{port:04X}");
    ["tcp", "tcp6", "udp", "udp6"].iter().any(|table| {
        let table = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        table.lines().any(|line| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&here)))
    })
}
