//! The database of the shop: the orders, and what is in stock. It is made of the queue at each start, so that it may be in
//! any state before.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use crate::demo::order::{GOODS, Sale};

/// The database.
const FILE: &str = "POS-R";
/// Pieces of each of the goods, before anything was sold.
const STOCK: u64 = 100_000;

/// The database, open.
#[derive(Debug)]
pub struct Register(Connection);

impl Register {
    /// Makes the database of what is sold. It is there wholly, or as before.
    pub fn make(folder: &Path, sales: &[Sale]) -> io::Result<Self> {
        let (file, beside) = (folder.join(FILE), folder.join(format!("{FILE}.tmp")));
        // A journal beside it is of the one that goes, and would be played back into this one.
        for old in [beside.clone(), folder.join(format!("{FILE}-journal")), folder.join(format!("{FILE}.tmp-journal"))]
        {
            match fs::remove_file(&old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Self::build(&beside, sales).map_err(io::Error::other)?;
        fs::rename(&beside, &file)?;
        fs::File::open(folder)?.sync_all()?;
        let open = || -> rusqlite::Result<Self> {
            let database = Connection::open(&file)?;
            database.pragma_update(None, "synchronous", "FULL")?;
            Ok(Self(database))
        };
        open().map_err(io::Error::other)
    }

    fn build(file: &Path, sales: &[Sale]) -> rusqlite::Result<()> {
        let mut database = Connection::open(file)?;
        let all = database.transaction()?;
        all.execute_batch(
            "CREATE TABLE orders (id TEXT PRIMARY KEY, terminal TEXT NOT NULL, receipt INTEGER NOT NULL UNIQUE, cents INTEGER NOT NULL);
             CREATE TABLE stock (goods TEXT PRIMARY KEY, pieces INTEGER NOT NULL);",
        )?;
        for (goods, _) in GOODS {
            all.execute("INSERT INTO stock VALUES (?1, ?2)", params![goods, STOCK])?;
        }
        for sale in sales {
            book(&all, sale)?;
        }
        all.commit()?;
        database.close().map_err(|(_, error)| error)
    }

    /// Books a sale. It is on disk then.
    pub fn add(&mut self, sale: &Sale) -> io::Result<()> {
        self.commit(sale).map_err(io::Error::other)
    }

    fn commit(&mut self, sale: &Sale) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        book(&transaction, sale)?;
        transaction.commit()
    }

    /// How many orders are in it.
    pub fn count(&self) -> io::Result<usize> {
        let count: rusqlite::Result<i64> = self.0.query_row("SELECT count(*) FROM orders", [], |row| row.get(0));
        count.map(|count| usize::try_from(count).unwrap_or(0)).map_err(io::Error::other)
    }
}

fn book(into: &Transaction<'_>, sale: &Sale) -> rusqlite::Result<()> {
    let order = &sale.order;
    // An order that stands twice in the queue shows there: the database is not what is counted.
    into.prepare_cached("INSERT OR IGNORE INTO orders VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        order.id,
        order.terminal,
        sale.receipt,
        order.cents
    ])?;
    if let Some((goods, _)) = GOODS.iter().find(|(_, cents)| *cents == order.cents) {
        into.prepare_cached("UPDATE stock SET pieces = pieces - 1 WHERE goods = ?1")?.execute([goods])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::order::Order;

    #[test]
    fn what_is_sold_is_no_longer_in_stock_and_both_ways_to_get_there_agree() {
        let sale = |n: u64| {
            let (_, cents) = GOODS[usize::try_from(n).unwrap() % 2];
            Sale { order: Order { terminal: "CAJA-1".into(), id: format!("a-{n}"), cents }, receipt: n }
        };
        let dump = |register: &Register| {
            let stock =
                "SELECT group_concat(goods || pieces || (SELECT group_concat(id || receipt) FROM orders)) FROM stock";
            register.0.query_row(stock, [], |row| row.get::<_, String>(0)).unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let sales: Vec<Sale> = (1..=5).map(sale).collect();
        let mut register = Register::make(folder.path(), &sales[..2]).unwrap();
        sales[2..].iter().for_each(|sale| register.add(sale).unwrap());
        assert_eq!(register.count().unwrap(), 5);
        let one_by_one = dump(&register);
        assert!(one_by_one.contains("coffee99998") && one_by_one.contains("tea99997"), "{one_by_one}");
        drop(register);
        assert_eq!(dump(&Register::make(folder.path(), &sales).unwrap()), one_by_one);
    }
}
