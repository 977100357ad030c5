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

use crate::os;

/// The time between two looks at something that tells nothing by itself.
pub(super) const LOOK: Duration = Duration::from_millis(20);

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
        end_all(&self.home);
        if let Some(mut running) = self.running.take() {
            let _ = running.wait();
        }
    }
}

/// Ends at once all that runs of the program with that home: first the program, which would start again what it has begun.
pub(super) fn end_all(home: &Path) {
    let variable = [VARIABLE.as_bytes(), b"=", home.as_os_str().as_bytes()].concat();
    while let Some(leader) = os::leader_with(&variable) {
        os::signal_group(leader, Signal::KILL);
        while !os::group(leader).is_empty() {
            std::thread::yield_now();
        }
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
