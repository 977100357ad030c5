//! A program of the shop's that runs while this one goes on: waited for on a thread of its own, and ended when nobody wants it
//! any more.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::ask;

/// So long is waited at the most until a program that is ended has. One that hangs in the system keeps nobody up.
const PARTING: Duration = Duration::from_millis(200);
/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(2);

/// A thread that runs programs. What it runs is killed when this goes.
#[derive(Debug)]
pub struct Beside {
    until: Option<Sender<()>>,
    thread: JoinHandle<()>,
}

/// What such a thread asks whether it is to go on.
#[derive(Debug)]
pub struct Wanted(Receiver<()>);

impl Beside {
    /// Begins to `run` on a thread called `name`.
    pub fn begin(name: &str, run: impl FnOnce(&Wanted) + Send + 'static) -> io::Result<Self> {
        let (until, wanted) = channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&Wanted(wanted)))?;
        Ok(Self { until: Some(until), thread })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.until = None;
        let end = Instant::now() + PARTING;
        while !self.thread.is_finished() && Instant::now() < end {
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Wanted {
    /// Runs a program that reads `input`; whether it ends with 0 within `limit`. What does not, or is not wanted any more, is
    /// killed with all that it began.
    pub fn run(&self, command: &mut Command, input: Stdio, limit: Duration) -> io::Result<bool> {
        self.until_over(command.stdin(input).stdout(Stdio::null()), limit)
    }

    /// The same of a program that reads nothing; what it prints goes into a file.
    pub fn say(&self, command: &mut Command, into: File, limit: Duration) -> io::Result<bool> {
        self.until_over(command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(into), limit)
    }

    fn until_over(&self, command: &mut Command, limit: Duration) -> io::Result<bool> {
        let end = Instant::now() + limit;
        let is_over = || Instant::now() >= end || self.0.try_recv() == Err(TryRecvError::Disconnected);
        ask::run_until(command, is_over)
    }

    /// Waits for so long. Whether it is to go on.
    #[must_use]
    pub fn after(&self, pause: Duration) -> bool {
        self.0.recv_timeout(pause) != Err(RecvTimeoutError::Disconnected)
    }
}
