//! Rule (g) of databases: whoever opens one first creates the files beside it; they must be its program's.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use espejo::disk::hold::Holder;
use rusqlite::Connection;

use crate::common::{passed_over, place::Place};

/// Somebody who is not the superuser.
const POS: u32 = 65534;

#[test]
fn what_is_created_beside_a_database_belongs_to_its_owner() {
    if !rustix::process::geteuid().is_root() {
        return passed_over(
            "what_is_created_beside_a_database",
            "only the superuser reads what belongs to somebody else",
        );
    }
    let place = Place::new();
    let shop = place.source.join("shop.db");
    let pos = Connection::open(&shop).unwrap();
    pos.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE sales (what TEXT)").unwrap();
    drop(pos);
    for path in [&place.source, &shop] {
        chown(path, Some(POS), Some(POS)).unwrap();
    }
    let beside =
        || ["shop.db-wal", "shop.db-shm"].map(|name| fs::metadata(place.source.join(name)).map(|of| of.uid()).ok());
    assert_eq!(beside(), [None, None], "its program is not running");
    let mut holder = Holder::new(Some(env!("CARGO_BIN_EXE_espejo").into()));
    holder.read(&shop).unwrap();
    assert_eq!(beside(), [Some(POS), Some(POS)], "its program could not write, else");
    assert!(holder.release(&shop));
}
