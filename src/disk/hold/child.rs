//! The process that holds. It touches nothing but what it is asked for, and ends with who asks.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::io::Errno;

use super::{Answer, Ask, HOLD_MAX, Held, LockKind, NotHeld};
use crate::replica::naming::Inode;

/// How long another program is waited for that holds a database: it writes a commit, which is soon done.
const BUSY: Duration = Duration::from_millis(50);

/// Between two tries to lock a file.
const SOON: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Holds {
    /// Its transaction is open. With it open, too, its program does not close the database as the last one: the log would stay.
    reading: Option<Connection>,
    /// When that is given up, where those wait for it who write.
    read_until: Option<Instant>,
    /// Each is locked for as long as it is open.
    locked: Vec<File>,
    /// When they are unlocked.
    locked_until: Option<Instant>,
}

/// What is held, and that it has changed.
type Shared = Arc<(Mutex<Holds>, Condvar)>;

/// Answers each line of `input`, until there is none any more.
pub fn serve(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let shared = Shared::default();
    let watched = Arc::clone(&shared);
    std::thread::Builder::new().name("hold".to_owned()).spawn(move || give_up_in_time(&watched))?;
    for line in input.lines() {
        let ask = serde_json::from_str(&line?)?;
        let answer = match lock(&shared.0).answer(ask) {
            Ok(held) => Answer::Done(held),
            Err(why) => Answer::Not(why),
        };
        shared.1.notify_all();
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

/// Whoever asked may read for long, or be stopped: those who wait for what is held wait no longer than is said.
fn give_up_in_time((holds, changed): &(Mutex<Holds>, Condvar)) {
    let mut held = lock(holds);
    loop {
        let now = Instant::now();
        held = match held.give_up(now) {
            Some(until) => changed.wait_timeout(held, until - now).map_or_else(|e| e.into_inner().0, |(held, _)| held),
            None => changed.wait(held).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

fn lock(holds: &Mutex<Holds>) -> MutexGuard<'_, Holds> {
    holds.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Holds {
    fn answer(&mut self, ask: Ask) -> Result<Held, NotHeld> {
        match ask {
            Ask::Read(path) => self.read(Path::new(OsStr::from_bytes(&path))),
            Ask::Lock(files) => {
                // Whoever closes one of them later would give up the new lock, too.
                self.locked.clear();
                let end = Instant::now() + BUSY;
                // All of them or none: who waits for one keeps no other.
                self.locked = files.iter().map(|(path, kind)| locked(path, *kind, end)).collect::<Result<_, _>>()?;
                self.locked_until = Some(Instant::now() + HOLD_MAX);
                Ok(Held::default())
            }
            Ask::Unlock => {
                (self.locked, self.locked_until) = (vec![], None);
                Ok(Held::default())
            }
            Ask::Release => {
                // It may be over, and not given up yet.
                self.give_up(Instant::now());
                let was_held = self.reading.is_some();
                self.release();
                if was_held { Ok(Held::default()) } else { Err(NotHeld::Over) }
            }
        }
    }

    fn release(&mut self) {
        (self.reading, self.read_until) = (None, None);
    }

    /// Gives up what is over at `now`. Returns when the next is.
    fn give_up(&mut self, now: Instant) -> Option<Instant> {
        if self.read_until.is_some_and(|until| until <= now) {
            self.release();
        }
        if self.locked_until.is_some_and(|until| until <= now) {
            (self.locked, self.locked_until) = (vec![], None);
        }
        self.read_until.into_iter().chain(self.locked_until).min()
    }

    fn read(&mut self, path: &Path) -> Result<Held, NotHeld> {
        self.release();
        let inode = inode_of(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).map_err(refused)?;
        database.busy_timeout(BUSY).map_err(refused)?;
        // A bare BEGIN locks nothing: only what is read then is held.
        database.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1").map_err(refused)?;
        // Another file may have come in its place.
        if inode_of(path)? != inode {
            return Err(NotHeld::Busy);
        }
        // Nobody waits for who reads one with a log.
        let mode: String = database.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(refused)?;
        let is_waited_for = mode != "wal";
        self.read_until = is_waited_for.then(|| Instant::now() + HOLD_MAX);
        self.reading = Some(database);
        Ok(Held { inode, is_waited_for })
    }
}

/// Locks a file, as those do who read it. Its program is waited for up to `end`: it writes a record, which is soon done.
fn locked(path: &[u8], kind: LockKind, end: Instant) -> Result<File, NotHeld> {
    let file = File::open(OsStr::from_bytes(path)).map_err(|error| NotHeld::No(error.to_string()))?;
    loop {
        let done = match kind {
            LockKind::Flock => flock(&file, FlockOperation::NonBlockingLockShared),
            LockKind::Fcntl => fcntl_lock(&file, FlockOperation::NonBlockingLockShared),
        };
        match done {
            Ok(()) => return Ok(file),
            Err(Errno::AGAIN | Errno::ACCESS) if Instant::now() < end => std::thread::park_timeout(SOON),
            Err(Errno::AGAIN | Errno::ACCESS) => return Err(NotHeld::Busy),
            Err(error) => return Err(NotHeld::No(error.to_string())),
        }
    }
}

fn inode_of(path: &Path) -> Result<Inode, NotHeld> {
    let meta = path.metadata().map_err(|error| NotHeld::No(error.to_string()))?;
    Ok((meta.dev(), meta.ino()))
}

#[allow(clippy::needless_pass_by_value)]
fn refused(error: rusqlite::Error) -> NotHeld {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => NotHeld::Busy,
        _ => NotHeld::No(error.to_string()),
    }
}
