//! Cashiers: they sell through their terminals, ask again until an order is booked, and remember every order that was confirmed to them.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::order::{GOODS, Order, Sale};
use super::random::Random;
use crate::pair::Node;

/// The time between two orders of one of them, in milliseconds.
const PAUSE_MS: (u64, u64) = (150, 850);
/// So long a cashier waits for an answer before the order is sent again.
const PATIENCE: Duration = Duration::from_secs(2);
/// The time between two tries.
const AGAIN: Duration = Duration::from_millis(100);

/// An order that was confirmed, and by which machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmed {
    /// The order and its receipt, as the cashier was told.
    pub sale: Sale,
    /// Who told.
    pub by: Node,
}

/// Where a cashier works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desk {
    /// The terminal.
    pub name: &'static str,
    /// Where it takes the POS program in.
    pub at: SocketAddr,
    /// Where the last receipt is noted that was confirmed.
    pub last_receipt: PathBuf,
}

/// A cashier, with an open line to the POS server where there is one.
struct Cashier {
    desk: Desk,
    line: Option<BufReader<TcpStream>>,
    random: Random,
}

/// Has one sell at each of `desks`, until they are dropped. `told` hears of each order that was confirmed.
#[must_use]
pub fn sell(desks: Vec<Desk>, seed: u64, told: &mpsc::UnboundedSender<Confirmed>) -> JoinSet<()> {
    let (mut all, many) = (JoinSet::new(), desks.len() as u64);
    for (number, desk) in (1..).zip(desks) {
        let random = Random::new(seed.wrapping_mul(many).wrapping_add(number));
        all.spawn(Cashier { desk, line: None, random }.work(told.clone()));
    }
    all
}

impl Cashier {
    async fn work(mut self, told: mpsc::UnboundedSender<Confirmed>) {
        for number in 1u64.. {
            sleep(Duration::from_millis(self.random.between(PAUSE_MS.0, PAUSE_MS.1))).await;
            let goods = usize::try_from(self.random.any()).unwrap_or(0) % GOODS.len();
            let id = format!("{}-{number}", self.desk.name);
            let order = Order { terminal: self.desk.name.to_owned(), id, cents: GOODS[goods].1 };
            let (receipt, by) = self.book(&order).await;
            // What the terminal tells of it is for a question of the night: nothing hangs on it.
            let _ = std::fs::write(&self.desk.last_receipt, format!("{receipt}\n"));
            if told.send(Confirmed { sale: Sale { order, receipt }, by }).is_err() {
                return;
            }
        }
    }

    /// Has an order booked, however long it takes.
    async fn book(&mut self, order: &Order) -> (u64, Node) {
        loop {
            if let Ok(Ok(booked)) = timeout(PATIENCE, self.ask(order)).await {
                return booked;
            }
            // The order keeps its name: where it is booked already, it is known.
            self.line = None;
            sleep(AGAIN).await;
        }
    }

    async fn ask(&mut self, order: &Order) -> io::Result<(u64, Node)> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => BufReader::new(TcpStream::connect(self.desk.at).await?),
        };
        line.get_mut().write_all(order.line().as_bytes()).await?;
        let mut answer = String::new();
        line.read_line(&mut answer).await?;
        let booked = booked(&answer).ok_or(io::ErrorKind::InvalidData)?;
        self.line = Some(line);
        Ok(booked)
    }
}

/// The receipt that the POS server of a machine has given, and which machine that is.
fn booked(answer: &str) -> Option<(u64, Node)> {
    let (receipt, by) = answer.strip_prefix("OK ")?.strip_suffix('\n')?.split_once(' ')?;
    let by = match by {
        "main" => Node::Main,
        "backup" => Node::Backup,
        _ => return None,
    };
    Some((receipt.parse().ok()?, by))
}
