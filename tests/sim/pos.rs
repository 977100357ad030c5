//! The POS server program of a machine: it is started, sells, and is stopped; it outlives a service that is stopped dead.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use espejo::os::ground::spawn;
use espejo::server::keeps::{Keeping, Keeps, Tell};
use espejo::server::{News, Order, Setup, Why};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::common::random::Random;

/// The queue of sales.
pub const QUEUE: &str = "ORDER.QUE";
/// A sale is not on disk for so long after it was made.
const UNSYNCED: Duration = Duration::from_secs(5);

/// The program of one machine.
#[derive(Clone)]
pub struct Pos(Arc<Mutex<State>>);

pub struct State {
    random: Random,
    pub data: PathBuf,
    /// It runs, in this epoch; and answers from then on, if it ever does.
    pub runs: Option<(u64, Instant)>,
    /// It does not begin to answer.
    pub sick: bool,
    /// What it has sold, and when.
    sold: Vec<(u64, Instant)>,
    /// The epochs in which it was started, and what it found then.
    pub started: Vec<(u64, BTreeSet<u64>)>,
}

impl Pos {
    pub fn new(data: PathBuf, random: Random) -> Self {
        Self(Arc::new(Mutex::new(State { random, data, runs: None, sick: false, sold: vec![], started: vec![] })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The epoch in which it sells.
    pub fn sells(&self) -> Option<u64> {
        let state = self.state();
        state.runs.filter(|(_, at)| Instant::now() >= *at && !state.sick).map(|(epoch, _)| epoch)
    }

    /// It sells something: what is confirmed stands in the queue, and in a file that is written in place.
    pub fn sell(&self, sale: u64) {
        let mut state = self.state();
        let mut queue = File::options().create(true).append(true).open(state.data.join(QUEUE)).unwrap();
        queue.write_all(line(sale).as_bytes()).unwrap();
        fs::write(state.data.join("STOCK.DAT"), format!("{sale:>4096}")).unwrap();
        state.sold.push((sale, Instant::now()));
    }

    /// The power is cut: of what was sold last the disk may have nothing. Returns what that is.
    pub fn fall(&self) -> Vec<u64> {
        let mut state = self.state();
        if state.runs.take().is_none() {
            return vec![];
        }
        let now = Instant::now();
        let young = state.sold.iter().rev().take_while(|(_, at)| now.duration_since(*at) < UNSYNCED).count();
        let lost = usize::try_from(state.random.below(young as u64 + 1)).unwrap();
        let kept = state.sold.len() - lost;
        let gone: Vec<u64> = state.sold.split_off(kept).into_iter().map(|(sale, _)| sale).collect();
        if !gone.is_empty() {
            let queue = state.data.join(QUEUE);
            let text = fs::read_to_string(&queue).unwrap();
            let lines = text.split_inclusive('\n').filter(|line| !sales(line).any(|sale| gone.contains(&sale)));
            fs::write(&queue, lines.collect::<String>()).unwrap();
        }
        gone
    }
}

/// A sale as it stands in the queue.
fn line(sale: u64) -> String {
    format!("sale {sale:>10} of the day, paid in cash\n")
}

/// The sales in a text.
pub fn sales(text: &str) -> impl Iterator<Item = u64> {
    text.lines().filter_map(|line| line.strip_prefix("sale ")?.get(..10)?.trim().parse().ok())
}

/// The sales in a file; none where there is none.
pub fn sales_in(path: &Path) -> BTreeSet<u64> {
    sales(&String::from_utf8_lossy(&fs::read(path).unwrap_or_default())).collect()
}

impl Keeping for Pos {
    fn begin(&self, _: Setup, tell: Tell) -> io::Result<Box<dyn Keeps>> {
        let (orders, taken) = mpsc::unbounded_channel();
        spawn(keep(self.clone(), taken, tell));
        Ok(Box::new(Hand(orders)))
    }

    fn found(&self, _: &Setup) -> Option<bool> {
        self.state().runs.map(|_| true)
    }
}

struct Hand(mpsc::UnboundedSender<Order>);

impl Keeps for Hand {
    fn say(&self, order: Order) {
        let _ = self.0.send(order);
    }
}

/// What is to become of the program, and when the next of it happens.
struct Keeper {
    pos: Pos,
    tell: Tell,
    wanted: Option<u64>,
    ends_at: Option<Instant>,
    said_ready: bool,
    said_failing: bool,
}

async fn keep(pos: Pos, mut orders: mpsc::UnboundedReceiver<Order>, tell: Tell) {
    let mut keeper = Keeper { pos, tell, wanted: None, ends_at: None, said_ready: false, said_failing: false };
    loop {
        let soon = Instant::now() + Duration::from_millis(100);
        match timeout_at(soon, orders.recv()).await {
            Ok(Some(Order::Start(occasion))) => keeper.start(occasion.epoch),
            Ok(Some(Order::Stop(_))) => keeper.stop(),
            Ok(Some(Order::Leave) | None) => return,
            Err(_) => keeper.look(),
        }
    }
}

impl Keeper {
    fn start(&mut self, epoch: u64) {
        let was_wanted = self.wanted.replace(epoch).is_some();
        if self.ends_at.is_none() && !was_wanted {
            self.begin(epoch);
        }
    }

    fn begin(&mut self, epoch: u64) {
        let mut state = self.pos.state();
        let found = sales_in(&state.data.join(QUEUE));
        let soon = Duration::from_millis(500 + state.random.below(3000));
        let at = state.runs.map_or(Instant::now() + soon, |(_, at)| at);
        state.runs = Some((epoch, at));
        state.started.push((epoch, found));
        drop(state);
        (self.said_ready, self.said_failing) = (false, false);
        (self.tell)(News::Starting);
    }

    fn stop(&mut self) {
        self.wanted = None;
        let mut state = self.pos.state();
        if state.runs.is_none() {
            drop(state);
            (self.tell)(News::Stopped { why: None, lines: vec![] });
        } else {
            let soon = Duration::from_millis(state.random.below(3000));
            self.ends_at.get_or_insert(Instant::now() + soon);
        }
    }

    fn look(&mut self) {
        let now = Instant::now();
        if self.ends_at.take_if(|at| *at <= now).is_some() {
            self.pos.state().runs = None;
            (self.tell)(News::Stopped { why: None, lines: vec![] });
            if let Some(epoch) = self.wanted {
                self.begin(epoch);
            }
            return;
        }
        let (runs, sick) = {
            let state = self.pos.state();
            (state.runs, state.sick)
        };
        match runs {
            // It ended by itself.
            None if self.wanted.is_some() && self.ends_at.is_none() => {
                (self.tell)(News::Stopped { why: Some(Why::Ended { code: Some(1) }), lines: vec![] });
                if let Some(epoch) = self.wanted {
                    self.begin(epoch);
                }
            }
            Some((_, at)) if now >= at && !sick && !self.said_ready => {
                (self.said_ready, self.said_failing) = (true, false);
                (self.tell)(News::Ready { took: Duration::from_secs(1) });
            }
            Some((_, at)) if now >= at + Duration::from_secs(10) && sick && !self.said_failing => {
                (self.said_ready, self.said_failing) = (false, true);
                (self.tell)(News::Failing(Why::NoAnswer));
            }
            _ => {}
        }
    }
}
