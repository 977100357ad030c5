//! What the mirroring half is asked.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::replica::Time;

/// Something that it can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Listen to the server: its epoch is saved.
    Follow {
        /// Which one that is.
        epoch: u64,
    },
    /// Compare every byte of both sides.
    Compare,
    /// Take the copy anew. What stands there is set aside where it differs.
    Reseed,
    /// A person says: what is gone, is meant to be.
    AcceptRemovals,
    /// A person says: what is empty, is meant to be.
    AcceptEmptied,
    /// A person says: the source is to be taken over though it is older.
    AcceptOlder,
    /// Drop all steps back.
    ForgetHistory,
    /// Another dataset keeps its state of then: keep that of this one, too.
    KeepFor {
        /// Its name.
        dataset: String,
        /// When that was.
        from: Time,
    },
    /// Copy the mirror for a drill.
    Duplicate,
    /// End in order.
    Stop,
}

/// What it was asked, in that order.
#[derive(Debug)]
pub struct Orders {
    /// What came before the mirror was open.
    early: VecDeque<Order>,
    later: mpsc::UnboundedReceiver<Order>,
}

impl Orders {
    /// Those that come there.
    #[must_use]
    pub fn new(orders: mpsc::UnboundedReceiver<Order>) -> Self {
        Self { early: VecDeque::new(), later: orders }
    }

    /// The next one. Where nobody is left who could ask for anything, that is to end.
    pub async fn next(&mut self) -> Order {
        match self.early.pop_front() {
            Some(order) => order,
            None => self.later.recv().await.unwrap_or(Order::Stop),
        }
    }

    /// Waits for so long. Returns whether the half is to end; what else it is asked meanwhile is for later.
    pub async fn stop_within(&mut self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while let Ok(order) = timeout_at(end, self.later.recv()).await {
            match order {
                None | Some(Order::Stop) => return true,
                Some(order) => self.early.push_back(order),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_while_the_mirror_waits_to_be_opened_is_not_forgotten() {
        let (ask, orders) = mpsc::unbounded_channel();
        let mut orders = Orders::new(orders);
        for order in [Order::Follow { epoch: 3 }, Order::Compare] {
            ask.send(order).unwrap();
        }
        assert!(!orders.stop_within(Duration::from_secs(1)).await);
        ask.send(Order::AcceptOlder).unwrap();
        let all = [orders.next().await, orders.next().await, orders.next().await];
        assert_eq!(all, [Order::Follow { epoch: 3 }, Order::Compare, Order::AcceptOlder]);
        ask.send(Order::Stop).unwrap();
        assert!(orders.stop_within(Duration::from_secs(1)).await);
        drop(ask);
        assert_eq!(orders.next().await, Order::Stop);
    }
}
