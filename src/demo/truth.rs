//! The line of truth: what was confirmed to the cashiers, against what the data hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::cashier::Confirmed;
use super::order::{QUEUE, Sale};
use crate::disk::rescue;
use crate::pair::Node;
use crate::words::Words;

/// What became of the orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Truth {
    /// Orders that were confirmed to a cashier.
    pub confirmed: usize,
    /// Of these, those that the data of the server hold, as they were confirmed.
    pub in_the_data: usize,
    /// Of the others, those that were set aside: they are kept, and listed.
    pub set_aside: usize,
    /// Of the others, the rest.
    pub missing: usize,
    /// Orders that were booked more than once.
    pub double: usize,
    /// Receipts of which two orders have the same number.
    pub numbers_twice: usize,
}

/// Remembers what was confirmed, and compares.
#[derive(Debug)]
pub struct Witness {
    heard: mpsc::UnboundedReceiver<Confirmed>,
    confirmed: Vec<Confirmed>,
    /// The data of the main and of the backup.
    folders: [PathBuf; 2],
}

impl Witness {
    /// One that hears of what is `heard`, and looks into the data of the main and of the backup.
    #[must_use]
    pub fn new(heard: mpsc::UnboundedReceiver<Confirmed>, folders: [PathBuf; 2]) -> Self {
        Self { heard, confirmed: vec![], folders }
    }

    /// The truth as it is now. It reads files.
    pub fn look(&mut self) -> io::Result<Truth> {
        // First what was confirmed: that is in the data by now.
        while let Ok(confirmed) = self.heard.try_recv() {
            self.confirmed.push(confirmed);
        }
        // Who confirmed last is the server, or was.
        let server = self.confirmed.last().map_or(Node::Main, |last| last.by);
        let data = sales(&self.folders[usize::from(server == Node::Backup)].join(QUEUE))?;
        let mut aside = vec![];
        for folder in &self.folders {
            for kept in rescue::list(folder).map_err(io::Error::other)? {
                below(&kept.path, &mut aside)?;
            }
        }
        let confirmed: Vec<&Sale> = self.confirmed.iter().map(|confirmed| &confirmed.sale).collect();
        Ok(Truth::of(&confirmed, &data, &aside))
    }
}

/// The sales of the queue at `path`; none where there is no such file.
fn sales(path: &Path) -> io::Result<Vec<Sale>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Sale::all(&String::from_utf8_lossy(&bytes)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(error),
    }
}

/// The sales in all that was kept of a queue below `folder`.
fn below(folder: &Path, into: &mut Vec<Sale>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, into)?;
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(QUEUE)) {
            into.extend(sales(&path)?);
        }
    }
    Ok(())
}

impl Truth {
    /// What became of the orders that were `confirmed`, where the server holds `data` and `aside` was set aside.
    #[must_use]
    pub fn of(confirmed: &[&Sale], data: &[Sale], aside: &[Sale]) -> Self {
        let mut booked: HashMap<&str, usize> = HashMap::new();
        let mut numbers: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for sale in data {
            *booked.entry(&sale.order.id).or_default() += 1;
        }
        for sale in data.iter().chain(confirmed.iter().copied()) {
            numbers.entry(sale.receipt).or_default().insert(&sale.order.id);
        }
        let by_id = |sales: &'_ [Sale]| -> BTreeSet<String> { sales.iter().map(Sale::record).collect() };
        let (held, kept) = (by_id(data), by_id(aside));
        let mut truth = Self { confirmed: confirmed.len(), ..Self::default() };
        for record in confirmed.iter().map(|sale| sale.record()) {
            if held.contains(&record) {
                truth.in_the_data += 1;
            } else if kept.contains(&record) {
                truth.set_aside += 1;
            } else {
                truth.missing += 1;
            }
        }
        truth.double = booked.values().filter(|times| **times > 1).count();
        truth.numbers_twice = numbers.values().filter(|orders| orders.len() > 1).count();
        truth
    }

    /// Whether nothing is missing, double, or has a number twice.
    #[must_use]
    pub fn is_well(&self) -> bool {
        (self.missing, self.double, self.numbers_twice) == (0, 0, 0)
    }

    /// The line itself.
    #[must_use]
    pub fn line(&self, words: &Words) -> String {
        let of = |key: &str, n: usize| words.with(key, &[("n", n.into())]);
        let mut parts = vec![of("demo-confirmed", self.confirmed), of("demo-in-the-data", self.in_the_data)];
        if self.set_aside > 0 {
            parts.push(of("demo-set-aside", self.set_aside));
        }
        parts.push(of("demo-missing", self.missing));
        parts.push(of("demo-double", self.double));
        parts.push(of("demo-numbers-twice", self.numbers_twice));
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::order::Order;

    fn sale(id: &str, receipt: u64) -> Sale {
        Sale { order: Order { terminal: "a".into(), id: id.into(), cents: 5 }, receipt }
    }

    fn truth(confirmed: &[Sale], data: &[Sale], aside: &[Sale]) -> [usize; 6] {
        let Truth { confirmed, in_the_data, set_aside, missing, double, numbers_twice } =
            Truth::of(&confirmed.iter().collect::<Vec<_>>(), data, aside);
        [confirmed, in_the_data, set_aside, missing, double, numbers_twice]
    }

    #[test]
    fn every_confirmed_order_is_somewhere_or_is_missing() {
        let all = [sale("a-1", 1), sale("a-2", 2), sale("a-3", 3)];
        assert_eq!(truth(&all, &all, &[]), [3, 3, 0, 0, 0, 0]);
        assert_eq!(truth(&all, &all[..1], &all[..2]), [3, 1, 1, 1, 0, 0]);
        // One that nobody was told of yet is no fault.
        assert_eq!(truth(&all[..1], &all, &[]), [1, 1, 0, 0, 0, 0]);
        // In the data under another number, it is not what is printed on the receipt.
        assert_eq!(truth(&all[..1], &[sale("a-1", 9)], &[]), [1, 0, 0, 1, 0, 0]);
        assert_eq!(truth(&all[..1], &[sale("a-1", 1), sale("a-1", 1)], &[]), [1, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn a_number_that_two_orders_have_is_told_wherever_they_lie() {
        let both = [sale("a-1", 1), sale("b-1", 1)];
        let (one, other) = both.split_at(1);
        assert_eq!(truth(&[], &both, &[])[5], 1);
        // The first was confirmed by a main that died with it.
        assert_eq!(truth(&both, other, one), [2, 1, 1, 0, 0, 1]);
        // Nobody was ever given the receipt of the first.
        assert_eq!(truth(other, other, one)[5], 0);
    }
}
