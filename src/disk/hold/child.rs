//! The process that holds. It touches nothing but what it is asked for, and ends with who asks.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::io::Errno;

use super::{Answer, Ask, Held, LockKind, NotHeld};
use crate::replica::naming::Inode;

/// How long another program is waited for that holds a database: it writes a commit, which is soon done.
const BUSY: Duration = Duration::from_millis(50);

/// Between two tries to lock a file.
const SOON: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Holds {
    /// Its transaction is open. With it open, too, its program does not close the database as the last one: the log would stay.
    reading: Option<Connection>,
    /// Each is locked for as long as it is open.
    locked: Vec<File>,
}

/// Answers each line of `input`, until there is none any more.
pub fn serve(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut holds = Holds::default();
    for line in input.lines() {
        let answer = match holds.answer(serde_json::from_str(&line?)?) {
            Ok(held) => Answer::Done(held),
            Err(why) => Answer::Not(why),
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
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
                Ok(Held::default())
            }
            Ask::Unlock => {
                self.locked.clear();
                Ok(Held::default())
            }
            Ask::Release => {
                self.release();
                Ok(Held::default())
            }
        }
    }

    fn release(&mut self) {
        self.reading = None;
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
        self.reading = Some(database);
        Ok(Held { inode })
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
