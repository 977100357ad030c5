//! A source, a mirror and a home that go when the test ends, and the real program on them.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use espejo::disk::apply::Mirror;
use espejo::disk::apply::open::{Found, Opening, Others};
use espejo::disk::journal::undo::Limits;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::{tree, until, until_some};

/// A source, a mirror and a home.
pub struct Place {
    dir: TempDir,
    pub source: PathBuf,
    pub dest: PathBuf,
    pub home: PathBuf,
}

impl Place {
    /// An empty source, and no mirror yet.
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// One in `folder`.
    pub fn within(folder: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("espejo-test-").tempdir_in(folder).unwrap();
        let path = dir.path().to_owned();
        fs::create_dir(path.join("source")).unwrap();
        Self { dir, source: path.join("source"), dest: path.join("mirror"), home: path.join("home") }
    }

    /// A place that is as `other` is now, to the last time of a file.
    pub fn copy_of(other: &Self) -> Self {
        let dir = tempfile::Builder::new().prefix("espejo-test-").tempdir().unwrap();
        let from = other.path().join(".");
        let copied = Command::new("cp").arg("-a").arg(from).arg(dir.path()).status().unwrap();
        assert!(copied.success());
        let path = dir.path().to_owned();
        Self { dir, source: path.join("source"), dest: path.join("mirror"), home: path.join("home") }
    }

    /// Where all of it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The folder of what belongs to the mirror.
    pub fn journal(&self) -> PathBuf {
        self.path().join(".mirror.espejo")
    }

    /// The program with this home.
    pub fn espejo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_espejo"));
        command.arg("--home").arg(&self.home).args(["--lang", "en"]).args(args);
        command.env_remove("FAILPOINTS").env_remove("ESPEJO_HOME").stdin(Stdio::null());
        command
    }

    /// `espejo mirror` of the two folders.
    pub fn mirror(&self, args: &[&str]) -> Command {
        let mut command = self.espejo(&["mirror"]);
        command.arg(&self.source).arg(&self.dest).args(["--interval", "100ms"]).args(args);
        command
    }

    /// Copies what differs, compares, ends.
    pub fn once(&self, args: &[&str]) -> Output {
        output(self.mirror(&["--once"]).args(args))
    }

    /// Copies what differs; it must work, and both folders must be the same then.
    pub fn must_copy(&self, args: &[&str], when: &str) {
        let output = self.once(args);
        assert!(output.status.success(), "{when}: {}", told(&output));
        tree::assert_same(&tree::tree(&self.source), &tree::tree(&self.dest), when);
    }

    /// Runs `espejo mirror --once` with a fail point armed. Returns whether the program was stopped dead there.
    pub fn dies_at(&self, point: &str, args: &[&str]) -> bool {
        let output = output(self.mirror(&["--once", "--accept-removals"]).args(args).env("FAILPOINTS", point));
        was_killed(output.status) || {
            assert!(output.status.success(), "{point}: {}", told(&output));
            false
        }
    }

    /// Opens the mirror as the program does, which puts in order what a crash left.
    pub fn open(&self) -> (Mirror, Found) {
        open(&self.dest)
    }

    /// Starts mirroring without a screen.
    pub fn start(&self, args: &[&str]) -> Running<'_> {
        self.start_with(self.mirror(&["--no-screen"]).args(args))
    }

    /// Starts `command`, which is `espejo mirror` in some form.
    pub fn start_with(&self, command: &mut Command) -> Running<'_> {
        let log = self.path().join("output");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Running { place: self, child, log }
    }

    /// How it stands, if a service says so.
    pub fn status(&self) -> Option<Value> {
        let output = output(&mut self.espejo(&["status", "--json"]));
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Waits until the status is as `holds` wants it, and returns it.
    pub fn until_status(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        let end = std::time::Instant::now() + super::DEADLINE;
        while std::time::Instant::now() < end {
            last = self.status().or(last);
            if let Some(status) = last.take_if(|status| holds(status)) {
                return status;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        panic!("waited in vain: {what}; last it was {}", last.unwrap_or_default());
    }

    /// Waits until both folders are the same.
    pub fn until_same(&self, when: &str) {
        let end = std::time::Instant::now() + super::DEADLINE;
        while std::time::Instant::now() < end {
            if tree::are_same(&self.source, &self.dest) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let status = self.status().map(|status| status.to_string()).unwrap_or_default();
        tree::assert_same(&tree::tree(&self.source), &tree::tree(&self.dest), &format!("{when} {status}"));
    }

    /// Compares every byte of both sides.
    pub fn verify(&self) -> Output {
        output(&mut self.espejo(&["verify"]))
    }
}

/// The program while it mirrors. It ends with the test.
pub struct Running<'p> {
    place: &'p Place,
    child: Child,
    log: PathBuf,
}

impl Running<'_> {
    /// Its number, to send it signals.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal. One that stops it is waited for: a thread may run on for a moment.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
        if signal == Signal::STOP {
            super::until("every thread has stopped", || self.has_stopped());
        }
    }

    fn has_stopped(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid().as_raw_nonzero())).unwrap();
        tasks.filter_map(Result::ok).all(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|state| state.starts_with('T'))
        })
    }

    /// All that was printed at this place so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until everything that there was when it began is in the mirror.
    pub fn caught_up(self) -> Self {
        let what = format!("caught up; printed: {}", self.printed());
        self.place.until_status(&what, |status| status["mirror"]["caught_up"] == true);
        self
    }

    /// Stops it dead.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        let child = &mut self.child;
        until_some("the end of the program", || child.try_wait().unwrap())
    }

    /// Asks it to end in order, and makes sure that it does.
    pub fn stop(self) {
        self.signal(Signal::TERM);
        let printed = self.printed();
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{printed}");
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Opens the mirror at `dest` as the program does.
pub fn open(dest: &Path) -> (Mirror, Found) {
    let history = Limits { age: Duration::from_secs(3600), bytes: 1024 * 1024 * 1024 };
    Mirror::open(dest, Opening { others: Others::Refuse, history }, 1).unwrap()
}

/// Runs `command` to its end, which must come.
pub fn output(command: &mut Command) -> Output {
    output_within(command, super::DEADLINE)
}

/// The same, which must come so soon.
pub fn output_within(command: &mut Command, limit: Duration) -> Output {
    let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let mut child = command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap()).spawn().unwrap();
    let end = std::time::Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if std::time::Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it never ends: {command:?}");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    let read = |file: &mut File| {
        let mut bytes = vec![];
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).unwrap();
        bytes
    };
    Output { status, stdout: read(&mut out), stderr: read(&mut err) }
}

/// Whether a process ended by SIGKILL.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

/// What a process printed and how it ended.
pub fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Waits until nothing is at `path`.
pub fn until_gone(path: &Path) {
    until(&format!("{} goes", path.display()), || !path.exists());
}
