//! The log of a database, whatever becomes of it: begun anew, cut off, removed, damaged; before a look at it, and during one.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use espejo::replica::{Grade, RelPath};

use crate::common::random::{Random, seed};
use crate::common::{needs, place::Place, until};
use crate::database::{BY_HAND, Mirrored, Shop, WAL};
use crate::source::dirty;

const SUM: &str = "SELECT sum(cents) FROM sales";

fn summed(mirror: &Mirrored<'_>) -> i64 {
    mirror.opens().query_row(SUM, [], |row| row.get(0)).unwrap()
}

/// A sale is made void, in one commit.
fn voids(shop: &mut Shop, number: u64) {
    shop.does("BEGIN IMMEDIATE");
    for table in ["sales", "cash"] {
        shop.does(&format!("UPDATE {table} SET cents = 0 WHERE number = {number}"));
    }
    shop.does("COMMIT");
}

/// Rule (d): what stood in the log is in the database once that log was begun anew.
#[test]
fn what_stood_in_a_log_that_was_begun_anew_is_taken_from_the_database() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..500);
    let mut mirror = Mirrored::begin(&place);
    for round in 1..6 {
        let from = round * 500;
        shop.sells(from..from + 100);
        assert!(mirror.follows());
        shop.does("PRAGMA wal_checkpoint(FULL)");
        shop.sells(from + 100..from + 103);
        mirror.follows();
        assert_eq!(mirror.last(), i64::try_from(from).unwrap() + 102);
        // Nobody saw these before the log is begun anew.
        shop.sells(from + 103..from + 400);
        shop.does("PRAGMA wal_checkpoint(FULL)");
        shop.sells(from + 400..from + 402);
        mirror.follows();
        assert_eq!(mirror.last(), i64::try_from(from).unwrap() + 401);
        // Nor these, and the new log has come so far that nothing tells of the old one.
        shop.sells(from + 402..from + 404);
        shop.does("PRAGMA wal_checkpoint(FULL)");
        shop.sells(from + 404..from + 500);
        mirror.follows();
        assert_eq!(mirror.last(), i64::try_from(from).unwrap() + 499);
    }
}

/// Found by reading: a second commit within the tick of the clock that stamped the first was heard of, and taken for nothing.
#[test]
fn a_log_that_was_read_within_the_tick_of_the_clock_that_stamped_it_is_read_again_when_it_is_heard_of() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..50);
    let mut mirror = Mirrored::begin(&place);
    let log = RelPath::new(b"shop.db-wal").unwrap();
    let is_young = |mirror: &Mirrored<'_>| mirror.source.tree().get(&log).is_some_and(|known| known.young);
    let in_time = (50..250).any(|number| {
        shop.sells(number..number + 1);
        assert!(mirror.follows());
        is_young(&mirror)
    });
    assert!(in_time, "no clock ticks so fast");
    until("its stamp can be trusted", || !mirror.follows() && !is_young(&mirror));
}

#[test]
fn a_log_that_was_cut_off_or_removed_or_begun_anew_twice_loses_nothing() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..300);
    let mut mirror = Mirrored::begin(&place);
    shop.sells(300..310);
    shop.does("PRAGMA wal_checkpoint(TRUNCATE)");
    mirror.follows();
    assert_eq!(mirror.last(), 309);
    shop.sells(310..320);
    mirror.follows();
    shop.sells(320..330);
    shop.does("PRAGMA wal_checkpoint(RESTART)");
    shop.sells(330..331);
    shop.does("PRAGMA wal_checkpoint(RESTART)");
    shop.sells(331..332);
    mirror.follows();
    assert_eq!(mirror.last(), 331);
    shop.sells(332..340);
    shop.does("close");
    mirror.follows();
    assert_eq!(mirror.last(), 339);
    shop.does("open shop.db");
    shop.sells(340..341);
    mirror.follows();
    assert_eq!(mirror.last(), 340);
}

#[test]
fn a_flipped_bit_in_the_log_ends_it_there() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..10);
    let log = place.source.join("shop.db-wal");
    let at = fs::metadata(&log).unwrap().len() - 10_000;
    File::options().write(true).open(log).unwrap().write_all_at(b"\xff", at).unwrap();
    let mirror = Mirrored::begin(&place);
    let last = mirror.last();
    assert!((0..9).contains(&last), "{last}");
}

/// Found at random: what a log held that nobody read was lost where the next one came to the same length.
#[test]
fn a_log_that_was_cut_off_and_comes_to_the_length_that_it_had_hides_nothing() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..300);
    let mut mirror = Mirrored::begin(&place);
    let log = place.source.join("shop.db-wal");
    let (mut sold, mut same) = (300, 0);
    for more in 20..32 {
        shop.does("PRAGMA wal_checkpoint(TRUNCATE)");
        shop.sells(sold..sold + 2);
        mirror.follows();
        let was = fs::metadata(&log).unwrap().len();
        // Nobody looks while these stand in the log: new pages are begun, and older ones name them.
        shop.sells(sold + 2..sold + more);
        shop.does("PRAGMA wal_checkpoint(TRUNCATE)");
        shop.sells(sold + more..sold + more + 2);
        sold += more + 2;
        same += u32::from(fs::metadata(&log).unwrap().len() == was);
        assert!(mirror.follows());
        assert_eq!(mirror.last(), i64::try_from(sold).unwrap() - 1);
    }
    assert!(same > 3, "of the logs so many were of one length: {same}");
}

/// Where a log is cut to a length at each new beginning, the end of what stood in it before is gone.
#[test]
fn a_log_that_is_cut_to_a_length_when_it_is_begun_anew_hides_nothing() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND, "PRAGMA journal_size_limit = 60000"]);
    shop.sells(0..300);
    shop.does("PRAGMA wal_checkpoint(RESTART)");
    let mut sold = 300;
    let mut mirror = Mirrored::begin(&place);
    for more in 1..30 {
        shop.sells(sold..sold + 2);
        assert!(mirror.follows());
        let unseen = sold + 2 + more;
        shop.sells(sold + 2..unseen);
        // A sale of long ago is made void as the last of what nobody sees.
        voids(&mut shop, 5 * more);
        shop.does("PRAGMA wal_checkpoint(RESTART)");
        shop.sells(unseen..unseen + 1);
        sold = unseen + 1;
        assert!(mirror.follows());
        assert_eq!(mirror.last(), i64::try_from(sold).unwrap() - 1);
        assert_eq!(shop.tell("shop", SUM)[0][0], summed(&mirror), "{more} went unseen, and a void");
    }
}

/// After a power cut the last commits may be gone from a log that goes on with the same beginning.
#[test]
fn a_log_that_lost_its_end_and_went_on_is_sent_from_its_beginning() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..20);
    let mut mirror = Mirrored::begin(&place);
    assert_eq!(mirror.last(), 19);
    drop(shop);
    let log = place.source.join("shop.db-wal");
    let kept = fs::metadata(&log).unwrap().len() - 20 * 4120;
    File::options().write(true).open(log).unwrap().set_len(kept).unwrap();
    let mut shop = Shop::open(&place);
    for what in ["open shop.db", BY_HAND] {
        shop.does(what);
    }
    // Others have their numbers, and more follow: there is more in the log than there was.
    voids(&mut shop, 5);
    let left = shop.tell("shop", "SELECT count(*) FROM sales")[0][0].as_u64().unwrap();
    assert!((6..15).contains(&left), "{left}");
    shop.sells(left..30);
    assert!(mirror.follows());
    assert_eq!(mirror.last(), 29);
    assert_eq!(shop.tell("shop", SUM)[0][0], summed(&mirror));
}

/// What becomes of a log while nobody looks at it.
type Fate<'f> = &'f dyn Fn(&Place, &mut Shop);

#[test]
fn commits_that_are_gone_with_the_log_are_set_aside_when_the_source_is_looked_through_anew() {
    needs!("python3");
    let cut = |place: &Place, by: u64| {
        let log = place.source.join("shop.db-wal");
        let length = fs::metadata(&log).unwrap().len();
        File::options().write(true).open(log).unwrap().set_len(length.saturating_sub(by)).unwrap();
    };
    let ends: [(&str, bool, Fate<'_>); 8] = [
        ("a power cut took all of it", true, &|place, _| cut(place, u64::MAX)),
        ("a power cut took the file", true, &|place, _| fs::remove_file(place.source.join("shop.db-wal")).unwrap()),
        ("a power cut took its end", true, &|place, _| cut(place, 20 * 4120)),
        ("a power cut took all but the first page", true, &|place, _| cut(place, 44 * 4120)),
        ("it went on", false, &|_, shop| shop.sells(40..42)),
        ("its program has ended", false, &|_, shop| shop.does("close")),
        ("it was begun anew", false, &|_, shop| {
            shop.tell("shop", "PRAGMA wal_checkpoint(RESTART)");
            shop.sells(40..42);
        }),
        ("it was cut off", false, &|_, shop| drop(shop.tell("shop", "PRAGMA wal_checkpoint(TRUNCATE)"))),
    ];
    for (what, is_lost, happens) in ends {
        let place = Place::new();
        let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
        shop.sells(0..40);
        let mut mirror = Mirrored::begin(&place);
        assert_eq!(mirror.last(), 39);
        mirror.source.guard().begin_anew();
        happens(&place, &mut shop);
        assert!(mirror.follows(), "{what}");
        assert_eq!(mirror.copy.aside, is_lost, "{what}");
    }
}

#[test]
fn what_comes_and_goes_beside_a_database_keeps_nobody_from_its_commits() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..3);
    let mut mirror = Mirrored::begin(&place);
    for name in ["work.tmp", "not there"] {
        let (mut rounds, last) = (0, mirror.last());
        shop.sells(last.unsigned_abs() + 1..last.unsigned_abs() + 3);
        mirror.goes_while(dirty(&["shop.db", "shop.db-wal", "shop.db-shm"]), &mut || {
            rounds += 1;
            assert!(rounds < 20, "{name}: it looks again and again");
            if name == "work.tmp" {
                fs::write(place.source.join(name), "").unwrap();
                fs::remove_file(place.source.join(name)).unwrap();
            }
            dirty(&[name])
        });
        assert_eq!((mirror.last(), mirror.source.grade()), (last + 2, Grade::Exact), "{name}");
    }
}

/// What may have changed in a shop that also keeps a file that holds still for nobody.
const ALL: [&str; 4] = ["shop.db", "shop.db-wal", "shop.db-shm", "TILL.DAT"];

/// Rules (b) to (d) while the copy is looked at, for each of the things that a shop's program does to its log.
#[test]
fn a_log_that_is_begun_anew_cut_off_or_removed_during_a_look_gives_a_state_of_one_commit() {
    needs!("python3");
    let seed = seed();
    let mut random = Random::new(seed);
    println!("seed {seed}");
    let place = Place::new();
    let length = format!("PRAGMA journal_size_limit = {}", [-1, 0, 30_000, 60_000][random.index(4)]);
    let pragmas = [WAL, BY_HAND, "PRAGMA busy_timeout = 0", &length];
    let mut shop = Shop::begins(&place, &pragmas);
    let mut sold = 100;
    shop.sells(0..sold);
    fs::write(place.source.join("TILL.DAT"), "0").unwrap();
    let mut mirror = Mirrored::begin(&place);
    for round in 0..40 {
        shop.sells(sold..sold + 3);
        sold += 3;
        fs::write(place.source.join("TILL.DAT"), format!("{round}")).unwrap();
        let mut acts = 1 + random.below(3);
        let before = mirror.last();
        mirror.goes_while(dirty(&ALL), &mut || {
            if acts == 0 {
                return dirty(&[]);
            }
            acts -= 1;
            shop.sells(sold..sold + 2);
            match random.below(4) {
                0 => drop(shop.tell("shop", "PRAGMA wal_checkpoint(TRUNCATE)")),
                1 => drop(shop.tell("shop", "PRAGMA wal_checkpoint(RESTART)")),
                2 => drop(shop.tell("shop", "VACUUM")),
                _ => {
                    // Whoever closes it as the last one removes the log.
                    shop.does("close");
                    shop.does("open shop.db");
                    for pragma in pragmas {
                        shop.does(pragma);
                    }
                }
            }
            let more = 4 + random.below(12);
            shop.sells(sold + 2..sold + more);
            sold += more;
            voids(&mut shop, random.below(sold));
            fs::write(place.source.join("TILL.DAT"), format!("{round}.{acts}, and more")).unwrap();
            dirty(&ALL)
        });
        let last = mirror.last();
        assert!(last >= before, "seed {seed}, round {round}: {last} after {before}");
        mirror.settles();
        assert_eq!(mirror.last(), i64::try_from(sold).unwrap() - 1, "seed {seed}, round {round}: all that is sold");
        assert_eq!(shop.tell("shop", SUM)[0][0], summed(&mirror), "seed {seed}, round {round}: every void");
    }
}
