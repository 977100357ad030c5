//! Cashiers: they sell, ask again until an order is booked, and remember every order that was confirmed to them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::order::{GOODS, Order, Sale};
use super::random::Random;
use crate::pair::Node;

/// How many there are.
pub const CASHIERS: u64 = 4;
/// The time between two orders of one of them, in milliseconds.
const PAUSE_MS: (u64, u64) = (150, 850);
/// So long a cashier waits for an answer before the order is sent again, elsewhere.
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

/// A cashier, with an open line to a POS server where there is one.
struct Cashier {
    name: String,
    places: [(Node, SocketAddr); 2],
    /// The one that took the last order.
    at: usize,
    line: Option<BufReader<TcpStream>>,
    random: Random,
}

/// Has them sell at `places`, the first of which is tried first, until they are dropped. `told` hears of each order that was
/// confirmed.
#[must_use]
pub fn sell(places: [(Node, SocketAddr); 2], seed: u64, told: &mpsc::UnboundedSender<Confirmed>) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for number in 1..=CASHIERS {
        let random = Random::new(seed.wrapping_mul(CASHIERS).wrapping_add(number));
        let cashier = Cashier { name: format!("CAJA-{number}"), places, at: 0, line: None, random };
        all.spawn(cashier.work(told.clone()));
    }
    all
}

impl Cashier {
    async fn work(mut self, told: mpsc::UnboundedSender<Confirmed>) {
        for number in 1u64.. {
            sleep(Duration::from_millis(self.random.between(PAUSE_MS.0, PAUSE_MS.1))).await;
            let goods = usize::try_from(self.random.any()).unwrap_or(0) % GOODS.len();
            let id = format!("{}-{number}", self.name);
            let order = Order { terminal: self.name.clone(), id, cents: GOODS[goods].1 };
            let receipt = self.book(&order).await;
            let by = self.places[self.at].0;
            if told.send(Confirmed { sale: Sale { order, receipt }, by }).is_err() {
                return;
            }
        }
    }

    /// Has an order booked, wherever that is possible, however long it takes.
    async fn book(&mut self, order: &Order) -> u64 {
        loop {
            if let Ok(Ok(receipt)) = timeout(PATIENCE, self.ask(order)).await {
                return receipt;
            }
            // The order keeps its name: where it is booked already, it is known.
            self.line = None;
            self.at = (self.at + 1) % self.places.len();
            sleep(AGAIN).await;
        }
    }

    async fn ask(&mut self, order: &Order) -> io::Result<u64> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => BufReader::new(TcpStream::connect(self.places[self.at].1).await?),
        };
        line.get_mut().write_all(order.line().as_bytes()).await?;
        let mut answer = String::new();
        line.read_line(&mut answer).await?;
        let receipt = answer.strip_prefix("OK ").and_then(|rest| rest.strip_suffix('\n')?.parse().ok());
        let receipt = receipt.ok_or(io::ErrorKind::InvalidData)?;
        self.line = Some(line);
        Ok(receipt)
    }
}
