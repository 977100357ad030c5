//! The process of a rehearsal, as the service sees it: begun, listened to, and ended by itself where nobody waits for it any more.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::os::ground::{self, spawn};
use crate::server::record::Record;
use crate::service::reading_back;
use crate::service::refusal::{NoDrill, WhyNot};
use crate::service::rehearsal::{self, Rehearsal, Told};

/// The time between two looks at what is left of one.
const LOOK: Duration = Duration::from_millis(50);

/// So many looks at a POS server that was killed.
const LOOKS: usize = 100;

/// What came of a rehearsal that went well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rehearsed {
    pub(super) ready_ms: u64,
    pub(super) sold: bool,
}

/// Ends what a rehearsal that was killed itself had begun and could not end: its POS server, or what reads a dump back for it.
pub(super) fn end_left(place: &Path) {
    let until = Instant::now() + LOOK * u32::try_from(LOOKS).unwrap_or(1);
    reading_back::end_left(&rehearsal::reads(place), || Instant::now() >= until);
    for _ in 0..LOOKS {
        let Some(left) = Record::load(place).or_else(|| Record::lost(place)) else { return };
        crate::os::signal_group(left.mark.pid, Signal::KILL);
        ground::pause(LOOK);
    }
}

/// Waits until no process of a rehearsal lives, not of one either that a service before this one began: what each complains of goes into
/// one file, which is locked as long as any has it open.
pub(super) async fn ended(home: &Path) -> io::Result<File> {
    let folder = home.join("log");
    std::fs::create_dir_all(&folder)?;
    let output = File::options().create(true).append(true).open(folder.join("drill.log"))?;
    loop {
        match output.try_lock() {
            Err(TryLockError::WouldBlock) => sleep(LOOK).await,
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => return Ok(output),
        }
    }
}

/// Holds a rehearsal apart from the rest of the machine; where that is not possible and not needed, beside it. Where nobody waits for that
/// any more, it may take `ending` to end what was begun.
pub(super) async fn hold(
    mut rehearsal: Rehearsal,
    (only_apart, sells): (bool, bool),
    ending: Duration,
) -> Result<Rehearsed, WhyNot> {
    let system = |error: io::Error| WhyNot::System { error: error.to_string() };
    std::fs::create_dir_all(&rehearsal.place).map_err(system)?;
    let output = ended(&rehearsal.home).await.map_err(system)?;
    output.set_len(0).map_err(system)?;
    let begun = match begin(&rehearsal, ending, &output).await {
        Err(_) if !only_apart => {
            rehearsal.apart = false;
            begin(&rehearsal, ending, &output).await
        }
        begun => begun,
    };
    let (mut process, mut lines) = begun.map_err(|error| {
        tracing::warn!(%error, "the drill cannot be held apart");
        WhyNot::Drill(NoDrill::NotApart)
    })?;
    let mut came = Rehearsed { ready_ms: 0, sold: false };
    let mut is_ready = false;
    while let Some(told) = next(&mut lines).await.map_err(system)? {
        match told {
            Told::Begun => {}
            Told::Ready { took_ms } => (came.ready_ms, is_ready) = (took_ms, true),
            Told::Sold => came.sold = true,
            Told::Failed { why } => return Err(why),
        }
    }
    process.ended().await;
    if is_ready && came.sold == sells { Ok(came) } else { Err(WhyNot::ServerDown { why: None }) }
}

/// The process of a rehearsal. Where nobody waits for it any more it ends what it began, and then itself; a kill would leave that.
struct Process {
    child: Option<Child>,
    ending: Duration,
}

impl Process {
    async fn ended(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = timeout(Duration::from_secs(1), child.wait()).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // By that it is told.
        drop(child.stdin.take());
        let ending = self.ending;
        spawn(async move {
            if timeout(ending, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        });
    }
}

/// Begins the process, and waits until it could begin.
async fn begin(
    rehearsal: &Rehearsal,
    ending: Duration,
    output: &File,
) -> io::Result<(Process, Lines<BufReader<ChildStdout>>)> {
    let mut command = rehearsal.command();
    command.stderr(output.try_clone()?);
    let mut child = Command::from(command).spawn()?;
    let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let process = Process { child: Some(child), ending };
    let mut lines = BufReader::new(out).lines();
    match next(&mut lines).await? {
        Some(Told::Begun) => Ok((process, lines)),
        _ => Err(io::Error::other("the process did not begin")),
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> io::Result<Option<Told>> {
    let Some(line) = lines.next_line().await? else { return Ok(None) };
    Ok(Some(serde_json::from_str(&line)?))
}
