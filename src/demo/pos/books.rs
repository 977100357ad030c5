//! The books of the shop: the queue is the truth, the counter and the database follow it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::register::Register;
use crate::demo::order::{Order, QUEUE, Sale};

/// The last number that was given.
const COUNTER: &str = "POS-Q.Seq";
/// Who holds a lock on this file keeps the books as they are: each booking takes it, and so may who copies them.
const LOCK: &str = "POS.LCK";

/// The books, open.
#[derive(Debug)]
pub struct Books {
    queue: File,
    counter: File,
    lock: File,
    register: Register,
    last: u64,
    /// The number of each order that was ever booked.
    known: HashMap<String, u64>,
}

impl Books {
    /// Opens the books in `folder`, and puts in order what an end in the middle of a booking has left.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let open = |name: &str| File::options().create(true).append(true).read(true).open(folder.join(name));
        let (queue, lock) = (open(QUEUE)?, open(LOCK)?);
        flock(&lock, FlockOperation::LockExclusive)?;
        let sales = recover(folder, &queue)?;
        let register = Register::make(folder, &sales)?;
        let counter = File::options().create(true).truncate(false).write(true).open(folder.join(COUNTER))?;
        let counted = fs::read_to_string(folder.join(COUNTER))?.trim().parse().unwrap_or(0);
        let booked = sales.iter().map(|sale| sale.receipt).max().unwrap_or(0);
        let known = sales.into_iter().map(|sale| (sale.order.id, sale.receipt)).collect();
        let mut books = Self { queue, counter, lock, register, last: counted.max(booked), known };
        books.count()?;
        // The names are durable, too.
        File::open(folder)?.sync_all()?;
        flock(&books.lock, FlockOperation::Unlock)?;
        Ok(books)
    }

    /// Books an order, and returns the number of its receipt; of one that is booked already, the same as before. It is on
    /// disk then. After an error the books must be opened anew.
    pub fn sell(&mut self, order: &Order) -> io::Result<u64> {
        if let Some(receipt) = self.known.get(&order.id) {
            return Ok(*receipt);
        }
        flock(&self.lock, FlockOperation::LockExclusive)?;
        // The number first: one that is lost is only missing, one that is given twice is a wrong receipt.
        self.last += 1;
        self.count()?;
        let sale = Sale { order: order.clone(), receipt: self.last };
        self.queue.write_all(sale.record().as_bytes())?;
        self.queue.sync_data()?;
        self.register.add(&sale)?;
        flock(&self.lock, FlockOperation::Unlock)?;
        self.known.insert(sale.order.id, sale.receipt);
        Ok(sale.receipt)
    }

    /// Writes the counter, in its place and always as long.
    fn count(&mut self) -> io::Result<()> {
        self.counter.write_all_at(format!("{:010}\n", self.last).as_bytes(), 0)?;
        self.counter.sync_data()
    }
}

/// The sales in the queue. What stands behind its last whole record is cut off: it was never answered.
fn recover(folder: &Path, queue: &File) -> io::Result<Vec<Sale>> {
    let bytes = fs::read(folder.join(QUEUE))?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    if whole < bytes.len() {
        queue.set_len(whole as u64)?;
        queue.sync_data()?;
    }
    let text = std::str::from_utf8(&bytes[..whole]).map_err(io::Error::other)?;
    let read = |(index, record): (usize, &str)| {
        let wrong = || io::Error::other(format!("{QUEUE}:{}: this is no order: {record}", index + 1));
        Sale::read(record).ok_or_else(wrong)
    };
    text.lines().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str) -> Order {
        Order { terminal: "CAJA-1".into(), id: id.into(), cents: 350 }
    }

    #[test]
    fn an_order_is_booked_once_however_often_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let mut books = Books::open(folder.path()).unwrap();
        assert_eq!((books.sell(&order("a-1")).unwrap(), books.sell(&order("a-2")).unwrap()), (1, 2));
        assert_eq!(books.sell(&order("a-1")).unwrap(), 1);
        drop(books);
        let mut books = Books::open(folder.path()).unwrap();
        assert_eq!(
            (books.sell(&order("a-2")).unwrap(), books.sell(&order("a-3")).unwrap()),
            (2, 3),
            "after a start, too"
        );
        assert_eq!(fs::read_to_string(folder.path().join(QUEUE)).unwrap().lines().count(), 3);
        assert_eq!(fs::read_to_string(folder.path().join(COUNTER)).unwrap(), "0000000003\n");
    }

    #[test]
    fn the_queue_is_the_truth_after_an_end_at_any_point_of_a_booking() {
        let whole = "CAJA-1;a-1;1;350\nCAJA-1;a-2;2;350\n";
        for cut in 0..=whole.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            drop(Books::open(folder.path()).unwrap());
            fs::write(path(QUEUE), &whole[..cut]).unwrap();
            // The counter may be behind, or be gone; the database may be anything.
            fs::write(path(COUNTER), if cut % 2 == 0 { "" } else { "0000000001\n" }).unwrap();
            fs::write(path("POS-R"), "torn").unwrap();
            fs::write(path("POS-R-journal"), "torn").unwrap();
            let mut books = Books::open(folder.path()).unwrap();
            let booked = whole[..cut].matches('\n').count();
            assert_eq!(books.register.count().unwrap(), booked, "{cut}");
            let next = books.sell(&order("a-3")).unwrap();
            assert!(next > booked as u64 && (cut % 2 == 0 || next >= 2), "{cut}: {next}");
            let queue = fs::read_to_string(path(QUEUE)).unwrap();
            assert_eq!(Sale::all(&queue).count(), booked + 1, "{cut}: {queue}");
            assert!(queue.lines().all(|record| Sale::read(record).is_some()), "{queue}");
        }
    }

    #[test]
    fn while_somebody_copies_the_books_nothing_is_booked() {
        let folder = tempfile::tempdir().unwrap();
        let mut books = Books::open(folder.path()).unwrap();
        let lock = File::open(folder.path().join(LOCK)).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let selling = std::thread::spawn(move || books.sell(&order("a-1")).unwrap());
        assert_eq!(fs::read_to_string(folder.path().join(QUEUE)).unwrap(), "");
        flock(&lock, FlockOperation::Unlock).unwrap();
        assert_eq!(selling.join().unwrap(), 1);
    }

    #[test]
    fn a_queue_with_something_else_in_it_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(QUEUE), "CAJA-1;a-1;1;350\nhello\n").unwrap();
        let error = Books::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("ORDER.QUE:2") && error.contains("hello"), "{error}");
    }
}
