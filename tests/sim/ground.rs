//! A simulated machine: its clocks, its power, and a disk that loses what was not made durable, and can be full.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use espejo::os::Room;
use espejo::os::ground::Ground;
use espejo::os::net::{Lines, Listens, Stream};
use espejo::pair::Record;
use jiff::{SignedDuration, Timestamp};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::net::Net;
use crate::common::random::Random;

/// When the simulation begins, by a clock that is right: 9 o'clock on a day in May.
const MORNING: i64 = 1_778_140_800;

/// A machine.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    number: usize,
    net: Net,
    began: Instant,
    state: Mutex<State>,
}

pub struct State {
    pub random: Random,
    /// Its clock less the right time.
    pub clock_off: SignedDuration,
    /// Which start of the machine, and of its service, this is.
    pub boots: u32,
    pub lives: u32,
    booted_at: Instant,
    pub full: bool,
    /// So many moments from now its power is cut.
    pub falls_after: Option<u32>,
    /// It has fallen in such a moment: whoever cuts the power does the rest.
    pub has_fallen: bool,
    powered: bool,
    tasks: Vec<AbortHandle>,
    /// What was stopped dead, and may not be gone yet.
    dying: Vec<AbortHandle>,
    /// Files that were removed, which is not durable yet, and what stood in them.
    removed: BTreeMap<PathBuf, Vec<u8>>,
    /// The records that were saved.
    pub records: Vec<Record>,
}

impl Host {
    pub fn new(number: usize, net: Net, random: Random) -> Self {
        let now = Instant::now();
        let state = State {
            random,
            clock_off: SignedDuration::ZERO,
            boots: 0,
            lives: 0,
            booted_at: now,
            full: false,
            falls_after: None,
            has_fallen: false,
            powered: false,
            tasks: vec![],
            dying: vec![],
            removed: BTreeMap::new(),
            records: vec![],
        };
        Self(Arc::new(Inner { number, net, began: now, state: Mutex::new(state) }))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// It has power again.
    pub fn boot(&self) {
        let mut state = self.state();
        state.boots += 1;
        state.powered = true;
        state.booted_at = Instant::now();
        (state.falls_after, state.has_fallen) = (None, false);
        drop(state);
        self.0.net.power(self.0.number, true);
    }

    /// Its power is cut: nothing of it goes on, and what was not durable may be as it was before.
    pub fn fall(&self) {
        self.0.net.power(self.0.number, false);
        self.state().powered = false;
        self.abort();
        let mut state = self.state();
        for (path, bytes) in std::mem::take(&mut state.removed) {
            if state.random.once_in(2) {
                fs::write(path, bytes).unwrap();
            }
        }
    }

    /// Its service is stopped dead.
    pub fn abort(&self) {
        let mut state = self.state();
        let tasks = std::mem::take(&mut state.tasks);
        tasks.iter().for_each(AbortHandle::abort);
        state.dying.extend(tasks);
    }

    /// Its disk has room, its clock is right, and its power stays.
    pub fn mend(&self) {
        let mut state = self.state();
        (state.full, state.falls_after, state.clock_off) = (false, None, SignedDuration::ZERO);
    }

    /// Waits until nothing of what was stopped is left.
    pub async fn is_still(&self) {
        while self.state().dying.iter().any(|task| !task.is_finished()) {
            tokio::task::yield_now().await;
        }
        self.state().dying.clear();
    }
}

impl Ground for Host {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.0.began.elapsed()).unwrap();
        Timestamp::from_second(MORNING).unwrap() + passed + self.state().clock_off
    }

    fn up(&self) -> (String, u64) {
        let state = self.state();
        (format!("boot {}", state.boots), u64::try_from(state.booted_at.elapsed().as_millis()).unwrap())
    }

    fn process(&self) -> u32 {
        self.state().lives * 2 + u32::try_from(self.0.number).unwrap()
    }

    fn begun(&self, task: AbortHandle) {
        let mut state = self.state();
        if !state.powered {
            task.abort();
        }
        if state.tasks.len() > 200 {
            state.tasks.retain(|task| !task.is_finished());
        }
        state.tasks.push(task);
    }

    fn moment(&self) -> Duration {
        let mut state = self.state();
        match &mut state.falls_after {
            Some(0) => {
                (state.falls_after, state.has_fallen) = (None, true);
                drop(state);
                self.fall();
                return Duration::from_secs(1);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Duration::from_millis(state.random.below(20))
    }

    fn save(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let beside = path.with_extension("new");
        fs::write(&beside, bytes)?;
        fs::rename(&beside, path)?;
        // With the name all that was done in the folder is durable.
        state.removed.retain(|removed, _| removed.parent() != path.parent());
        if path.ends_with("record.json") {
            state.records.push(serde_json::from_slice(bytes)?);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let bytes = fs::read(path)?;
        fs::remove_file(path)?;
        self.state().removed.insert(path.to_owned(), bytes);
        Ok(())
    }

    fn room(&self) -> Room {
        let all = 1 << 40;
        Room { free: if self.state().full { 0 } else { all / 2 }, all }
    }

    fn listen(&self, address: SocketAddr) -> io::Result<(Box<dyn Listens>, Box<dyn Lines>)> {
        Ok(self.0.net.listen(self.0.number, address))
    }

    fn connect(&self, to: SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>> {
        Box::pin(self.0.net.clone().call(self.0.number, to))
    }
}
