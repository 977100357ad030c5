//! Holds what a shop's program honours while its files are read: read transactions of `SQLite`, and locks.
//!
//! A process of its own holds them. The system gives up a process's locks on a file as soon as that process closes the file anywhere,
//! and this one opens and closes all the time; and whatever hangs there can be ended with it, so that no program of the shop waits
//! longer than is said.
//!
//! - [`child`]: that process

pub mod child;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::replica::naming::Inode;

/// The word by which the program is told to be that process.
pub const VERB: &str = "hold-files";

/// A writer waits for what is held here no longer than this: then that process gives it up by itself, whatever becomes of who asked.
pub const HOLD_MAX: Duration = Duration::from_millis(200);

/// What could not be read in that time is not held again for so long: a busy computer may have kept this program from it, once.
const PAUSE: Duration = Duration::from_secs(1);

/// The same where that was so the last time, too: there is too much of it.
const REST: Duration = Duration::from_secs(10);

/// After files were locked, none is for so many times as long.
const LOCK_REST: u32 = 3;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the process is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Ask {
    /// Begin to read this database.
    Read(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Give up what was begun to be read.
    Release,
    /// Lock these files, so that nobody writes them who honours that.
    Lock(Vec<(ByteBuf, LockKind)>),
    /// Unlock them.
    Unlock,
}

/// A lock that a program honours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LockKind {
    /// `flock(2)`, of the whole file.
    Flock,
    /// `fcntl(2)`, of any part of it.
    Fcntl,
}

/// What it answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Answer {
    /// It is done.
    Done(Held),
    /// It is not.
    Not(NotHeld),
}

/// What is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Held {
    /// The file: another one may stand under the name by now.
    pub inode: Inode,
    /// Others wait for it: it is given up in time.
    pub is_waited_for: bool,
}

/// Why something cannot be held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum NotHeld {
    /// Its program holds it just now.
    #[error("its program holds it")]
    Busy,
    /// It cannot be read as what it should be: encrypted, say.
    #[error("{0}")]
    No(String),
    /// It was held for as long as may be, and given up.
    #[error("it takes longer to read than its program may wait ({} ms)", HOLD_MAX.as_millis())]
    Over,
    /// There is nobody to hold anything.
    #[error("nobody can hold it: {0}")]
    Nobody(String),
}

/// Has things held.
#[derive(Debug, Default)]
pub struct Holder {
    program: Option<PathBuf>,
    process: Option<Process>,
    /// Files may be locked since then.
    locks: Option<Instant>,
    /// None is locked before then.
    no_lock_before: Option<Instant>,
    /// What could not be read the last time while it was held, and until when it is not held again.
    rests: HashMap<PathBuf, Instant>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Holder {
    /// What is to be held is held by a process of `program`; without one, nothing can be.
    #[must_use]
    pub fn new(program: Option<PathBuf>) -> Self {
        Self { program, process: None, locks: None, no_lock_before: None, rests: HashMap::new() }
    }

    /// Whether there is anybody to hold anything.
    #[must_use]
    pub fn can_hold(&self) -> bool {
        self.program.is_some()
    }

    /// Whether the database at `path` may be held: its program was not kept waiting by that in vain, not long ago.
    #[must_use]
    pub fn may_read(&self, path: &Path) -> bool {
        self.can_hold() && self.rests.get(path).is_none_or(|until| Instant::now() >= *until)
    }

    /// Begins to read the database at `path`, and holds on to its state until [`Holder::release`].
    pub fn read(&mut self, path: &Path) -> Result<Held, NotHeld> {
        self.ask(&Ask::Read(path.as_os_str().as_bytes().to_vec()))
    }

    /// Whether files may be locked: in the long run they are for a quarter of the time at the most, whatever else moves and is looked at.
    #[must_use]
    pub fn may_lock(&self) -> bool {
        self.can_hold() && self.no_lock_before.is_none_or(|at| Instant::now() >= at)
    }

    /// Locks files, so that nobody writes them who honours that, until [`Holder::unlock`].
    pub fn lock(&mut self, files: impl IntoIterator<Item = (PathBuf, LockKind)>) -> Result<(), NotHeld> {
        let bytes = |path: PathBuf| ByteBuf::from(path.as_os_str().as_bytes().to_vec());
        let files = files.into_iter().map(|(path, kind)| (bytes(path), kind)).collect();
        self.locks = Some(Instant::now());
        self.ask(&Ask::Lock(files)).map(drop)
    }

    /// Unlocks them. They are unlocked when this returns, whatever the process does.
    pub fn unlock(&mut self) {
        let Some(since) = self.locks.take() else { return };
        if self.process.is_some() && self.ask(&Ask::Unlock).is_err() {
            self.end();
        }
        self.no_lock_before = Some(Instant::now() + since.elapsed() * LOCK_REST);
    }

    /// Gives up the database at `path` that was begun to be read: it is given up when this returns, whatever the process does. Returns
    /// whether it was held until now.
    pub fn release(&mut self, path: &Path) -> bool {
        match self.process.is_some().then(|| self.ask(&Ask::Release)) {
            Some(Ok(_)) => {
                self.rests.remove(path);
                true
            }
            Some(Err(NotHeld::Over)) => {
                let now = Instant::now();
                // What was in vain so long ago says nothing about this time.
                self.rests.retain(|_, until| now < *until + REST);
                let rest = if self.rests.contains_key(path) { REST } else { PAUSE };
                self.rests.insert(path.to_owned(), now + rest);
                false
            }
            _ => {
                self.end();
                false
            }
        }
    }

    fn ask(&mut self, ask: &Ask) -> Result<Held, NotHeld> {
        let nobody = |error: io::Error| NotHeld::Nobody(error.to_string());
        let process = if let Some(process) = &mut self.process {
            process
        } else {
            let Some(program) = &self.program else { return Err(NotHeld::Nobody(String::new())) };
            self.process.insert(Process::begin(program).map_err(nobody)?)
        };
        match process.ask(ask) {
            Ok(Answer::Done(held)) => Ok(held),
            Ok(Answer::Not(why)) => Err(why),
            Err(error) => {
                // It hangs, or is gone: with it goes all that it held.
                self.end();
                Err(nobody(error))
            }
        }
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.end();
    }
}

impl Process {
    fn begin(program: &Path) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg(VERB).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // What stops this program in a test is not meant for that one.
        command.env_remove("FAILPOINTS");
        let mut child = command.spawn()?;
        let (Some(ask), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self { child, ask, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, ask: &Ask) -> io::Result<Answer> {
        let mut line = serde_json::to_vec(ask)?;
        line.push(b'\n');
        self.ask.write_all(&line)?;
        let patience = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        let mut ready = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
        if poll(&mut ready, Some(&patience))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        line.clear();
        if self.answers.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&line)?)
    }
}
