//! The real program with one home: its service or agent, and what somebody types there, as processes of their own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use crate::os::{self, ground};

/// The time between two looks at something that tells nothing by itself.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// The time in which what was killed ends, and what was begun is there.
const END: Duration = Duration::from_millis(5);

/// What all that runs of it finds in its environment: the home.
const VARIABLE: &str = "ESPEJO_PRACTICE";

/// The program with one home. What runs of it is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Program {
    /// Its home.
    pub(super) home: PathBuf,
    lang: Option<String>,
    env: Vec<(&'static str, OsString)>,
    running: Option<Child>,
}

impl Program {
    /// One that does not run yet.
    pub(super) fn new(home: PathBuf, lang: Option<String>, env: Vec<(&'static str, OsString)>) -> Self {
        Self { home, lang, env, running: None }
    }

    /// What it has printed.
    pub(super) fn log(&self) -> PathBuf {
        self.home.with_extension("out")
    }

    fn command(&self, words: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--home").arg(&self.home).args(self.lang.iter().flat_map(|lang| ["--lang", lang])).args(words);
        command.env_remove("ESPEJO_HOME").envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env(VARIABLE, &self.home);
        // What is typed into this terminal is for the screen alone, Ctrl-C too.
        command.stdin(Stdio::null()).process_group(0);
        Ok(command)
    }

    /// Has it do something, and waits for it. It is killed when nobody waits any more.
    pub(super) async fn does(&self, words: &[&str]) -> io::Result<Output> {
        let (out, err) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
        let child = self.command(words)?.stdout(out.reopen()?).stderr(err.reopen()?).spawn()?;
        let mut child = Killed(child);
        let status = loop {
            if let Some(status) = child.0.try_wait()? {
                break status;
            }
            sleep(LOOK).await;
        };
        Ok(Output { status, stdout: fs::read(out.path())?, stderr: fs::read(err.path())? })
    }

    /// Starts it, if it does not run.
    pub(super) fn start(&mut self, verb: &str) -> io::Result<()> {
        if self.running.is_none() {
            let log = File::options().create(true).append(true).open(self.log())?;
            self.running = Some(self.command(&[verb])?.stdout(log.try_clone()?).stderr(log).spawn()?);
        }
        Ok(())
    }

    /// Whether it was started.
    pub(super) fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// How it has ended, if it has by itself.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let ended = self.running.as_mut()?.try_wait().ok()??;
        self.running = None;
        Some(ended)
    }

    /// It is gone at once, with all that it has begun.
    pub(super) fn kill(&mut self) {
        // First the program itself, which would start again what it has begun.
        if let Some(mut running) = self.running.take() {
            if let Ok(group) = i32::try_from(running.id()) {
                os::signal_group(group, Signal::KILL);
            }
            let _ = running.wait();
        }
        end_all(&self.home);
    }
}

/// Ends at once all that was begun with that home, or with one in that folder.
pub(super) fn end_all(path: &Path) {
    let variable = [VARIABLE.as_bytes(), b"=", path.as_os_str().as_bytes()].concat();
    let is_it = |one: &[u8]| one.strip_prefix(&*variable).is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
    // What is not there at a second look either was not just being started at the first.
    for _ in 0..2 {
        while let Some(leader) = os::leader_with(is_it) {
            os::signal_group(leader, Signal::KILL);
            ground::pause(END);
        }
        ground::pause(END);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that is killed when nobody waits for it any more.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
