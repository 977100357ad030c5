//! What is held while it is read: not for longer than those who write may wait.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use espejo::disk::hold::{Holder, LockKind};
use espejo::replica::Grade;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};

use crate::common::{needs, place::Place, until};
use crate::database::{Mirrored, Shop};
use crate::source::dirty;

#[test]
fn nobody_waits_for_what_is_held_longer_than_is_said() {
    let place = Place::new();
    let (shop, prices) = (place.source.join("shop.db"), place.source.join("PRICES.DAT"));
    let writer = Connection::open(&shop).unwrap();
    writer.execute_batch("CREATE TABLE sales (what TEXT)").unwrap();
    let file = File::create(&prices).unwrap();
    let mut holder = Holder::new(Some(env!("CARGO_BIN_EXE_espejo").into()));
    assert!(holder.may_read(&shop));
    holder.read(&shop).unwrap();
    holder.lock([(prices, LockKind::Flock)]).unwrap();
    // Whoever asked for it does nothing any more. A shop's program does not wait for ever.
    writer.busy_timeout(Duration::from_secs(5)).unwrap();
    writer.execute_batch("INSERT INTO sales VALUES ('coffee')").unwrap();
    until("it is unlocked", || flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
    assert!(!holder.release(&shop), "what was read then is no state of the shop");
    assert!(!holder.may_read(&shop), "its writers are left alone for a while");
    assert!(holder.may_read(&place.source.join("other.db")));
    // A busy computer may have been the reason: once it is tried again soon.
    until("nobody had to wait", || {
        until("it is tried again", || holder.may_read(&shop));
        holder.read(&shop).unwrap();
        holder.release(&shop)
    });
    assert!(holder.may_read(&shop));
}

/// Found by reading: while anything else moved, a file was locked for one look after the other, and who only tries never got it.
#[test]
fn what_was_locked_for_a_look_is_left_alone_for_a_while() {
    let place = Place::new();
    let prices = place.source.join("PRICES.DAT");
    let file = File::create(&prices).unwrap();
    let mut holder = Holder::new(Some(env!("CARGO_BIN_EXE_espejo").into()));
    assert!(holder.may_lock());
    holder.lock([(prices, LockKind::Flock)]).unwrap();
    assert!(flock(&file, FlockOperation::NonBlockingLockExclusive).is_err());
    holder.unlock();
    assert!(!holder.may_lock() && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
    until("it may be locked again", || holder.may_lock());
}

/// It keeps no log, is written all the time, and cannot be read while its program may wait.
#[test]
fn a_database_that_is_too_large_to_be_held_is_mirrored_as_it_is_and_said() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &["PRAGMA synchronous = OFF", "PRAGMA busy_timeout = 60000"]);
    let large = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300) \
        INSERT INTO sales SELECT -i, 0, randomblob(1000000) FROM n";
    let mut mirror = Mirrored::begin(&place);
    assert_eq!(mirror.source.grade(), Grade::Exact);
    // All of it is new, and has to be kept while it is read.
    shop.does(large);
    let closes = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (mut shop, closes) = (shop, &closes);
        scope.spawn(move || {
            let mut number = 0;
            while !closes.load(Ordering::Relaxed) {
                shop.sells(number..number + 1);
                number += 1;
            }
        });
        mirror.goes(dirty(&["shop.db"]));
        closes.store(true, Ordering::Relaxed);
    });
    assert_eq!(mirror.source.grade(), Grade::Unsteady);
    let said: Vec<_> = mirror.source.plain().values().collect();
    assert!(said[..].iter().any(|why| why.contains("than its program may wait")), "{said:?}");
    mirror.goes(dirty(&["shop.db"]));
    assert!(mirror.source.plain().is_empty() && mirror.source.grade() == Grade::Exact, "when nobody writes");
}

/// It needs no lock to be read where its program does nothing; that nobody else may read it is no reason to call it a file.
#[test]
fn a_database_without_a_log_that_its_program_locks_for_itself_goes_when_it_holds_still() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &["PRAGMA locking_mode = EXCLUSIVE"]);
    shop.sells(0..10);
    let mut mirror = Mirrored::begin(&place);
    let other = Connection::open(place.source.join("shop.db")).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    assert!(other.query_row("SELECT count(*) FROM sales", [], |_| Ok(())).is_err(), "nobody else may read it");
    assert_eq!(mirror.last(), 9);
    shop.sells(10..20);
    assert!(mirror.goes(dirty(&["shop.db", "shop.db-journal"])));
    assert_eq!(mirror.last(), 19);
    assert!(mirror.source.plain().is_empty() && mirror.source.grade() == Grade::Exact);
}
