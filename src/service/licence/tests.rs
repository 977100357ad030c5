//! A made-up machine that serves, is restarted, and whose files are damaged.

use std::time::Duration;

use jiff::SignedDuration;
use tempfile::TempDir;

use super::grace::QUIET;
use super::*;
use crate::licence::key::SecretKey;
use crate::licence::terms::DAY_MS;
use crate::licence::token::{Claims, OPTION, sign};
use crate::licence::{Per, Terms};
use crate::pair::{Node, Pair};
use crate::service::book::Book;
use crate::service::status::Folders;

const STORE: &str = "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
    [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n";
const MACHINE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const HOUR_MS: u64 = DAY_MS / 24;

/// A home, and the time there.
struct Shop {
    home: TempDir,
    store: String,
    now: Moment,
}

impl Shop {
    fn new(licence: &str) -> Self {
        let now = Moment { boot: "a".to_owned(), up_ms: 1000, wall: "2026-11-14T16:42:07Z".parse().unwrap() };
        Self { home: tempfile::tempdir().unwrap(), store: format!("{STORE}{licence}"), now }
    }

    fn pass(&mut self, ms: u64) -> &Moment {
        self.now.up_ms += ms;
        self.now.wall += SignedDuration::from_millis(i64::try_from(ms).unwrap());
        &self.now
    }

    fn load(&self, has_served: bool) -> Licensing {
        let holder = Holder::new(&Store::parse(&self.store).unwrap(), MACHINE.to_owned());
        Licensing::load(self.home.path(), holder, has_served, &self.now).unwrap()
    }

    /// Serves for so long, in steps of half a minute. What was last given out to be written is.
    fn serve(&mut self, licensing: &mut Licensing, ms: u64) {
        let mut last = None;
        for _ in 0..ms / 30_000 {
            let now = self.pass(30_000).clone();
            last = licensing.tick(true, &now).or(last);
        }
        last.map(|save| save.write()).transpose().unwrap();
    }

    fn status(&self, licensing: &mut Licensing) -> Status {
        let pair = Pair::new(Node::Backup);
        let mut status = Book::new("pos", Folders::default()).status(&pair, self.now.wall);
        status.can_take_over.reasons.clear();
        licensing.complete(&mut status, self.now.wall);
        status
    }

    fn left(&self, licensing: &mut Licensing) -> (LicenceState, u64) {
        let licence = self.status(licensing).licence;
        (licence.state, licence.remaining_ms)
    }

    fn issue(&self, key: &SecretKey, terms: Terms) -> String {
        let (store, machine, option) = ("Centro".to_owned(), MACHINE.to_owned(), OPTION.to_owned());
        sign(&Claims { store, machine, option, terms, issued: self.now.wall }, key).unwrap()
    }
}

fn codes(status: &Status) -> Vec<&str> {
    status.alarms.iter().map(|alarm| alarm.code.as_str()).collect()
}

#[test]
fn built_in_days_run_while_the_backup_serves_and_survive_a_restart() {
    let mut shop = Shop::new("");
    let mut licensing = shop.load(false);
    assert_eq!(shop.left(&mut licensing), (LicenceState::Ready, 10 * DAY_MS));
    assert!(licensing.tick(false, &shop.now).is_some(), "from the first look on there is a ledger");
    shop.serve(&mut licensing, HOUR_MS);
    assert_eq!(shop.left(&mut licensing), (LicenceState::Running, 10 * DAY_MS - HOUR_MS + 30_000));
    // Killed: what was not written is not lost, since the machine itself went on.
    drop(licensing);
    shop.pass(2 * HOUR_MS);
    let mut licensing = shop.load(true);
    shop.serve(&mut licensing, 30_000);
    let (state, left) = shop.left(&mut licensing);
    assert_eq!((state, left), (LicenceState::Running, 10 * DAY_MS - 3 * HOUR_MS));
    let ends = shop.status(&mut licensing).licence.ends_at.unwrap();
    assert_eq!(ends.duration_since(shop.now.wall).as_secs(), i64::try_from(left / 1000).unwrap());
    licensing.returned(&shop.now).write().unwrap();
    assert_eq!(shop.left(&mut licensing), (LicenceState::Ready, 10 * DAY_MS));
    assert_eq!(shop.left(&mut shop.load(true)), (LicenceState::Ready, 10 * DAY_MS));
}

#[test]
fn what_runs_out_is_said_before_and_is_an_alarm_at_the_end() {
    let mut shop = Shop::new("[licence]\ndays = 6\n");
    let mut licensing = shop.load(false);
    licensing.begin(&shop.now).write().unwrap();
    shop.serve(&mut licensing, DAY_MS - 60_000);
    assert!(codes(&shop.status(&mut licensing)).is_empty());
    shop.serve(&mut licensing, 60_000);
    assert_eq!(codes(&shop.status(&mut licensing)), ["LIC-102"]);
    shop.serve(&mut licensing, 5 * DAY_MS);
    let status = shop.status(&mut licensing);
    assert_eq!((status.licence.state, status.licence.remaining_ms), (LicenceState::Expired, 0));
    assert_eq!(codes(&status), ["LIC-101"]);
    assert!(!status.alarms[0].trouble.is_hint());
    let said = |event: &Event| match event.what {
        What::Licence(LicenceNews::Left { left_ms }) => Some(left_ms),
        _ => None,
    };
    assert_eq!(status.events.iter().filter_map(said).collect::<Vec<_>>(), warning::AT_MS);
    assert!(licensing.may_start(shop.now.wall).is_ok(), "days that are only counted keep nobody back");
    assert!(status.can_take_over.reasons.is_empty());
}

#[test]
fn a_clock_that_is_set_changes_nothing_and_is_said() {
    let mut shop = Shop::new("");
    let mut licensing = shop.load(false);
    licensing.begin(&shop.now).write().unwrap();
    shop.serve(&mut licensing, HOUR_MS);
    shop.now.wall -= SignedDuration::from_hours(90);
    shop.serve(&mut licensing, HOUR_MS);
    shop.now.wall += SignedDuration::from_hours(900);
    shop.serve(&mut licensing, HOUR_MS);
    assert_eq!(shop.left(&mut licensing), (LicenceState::Running, 10 * DAY_MS - 3 * HOUR_MS));
    let events = shop.status(&mut licensing).events;
    let said = |event: &Event| match event.what {
        What::Licence(LicenceNews::ClockSet { by_ms }) => Some(by_ms / 3_600_000),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(said).collect::<Vec<_>>(), [-90, 900]);
}

#[test]
fn a_vendor_that_is_named_has_to_have_signed_and_what_he_signed_is_stopped_in_time() {
    let key = SecretKey::generate().unwrap();
    let vendor = format!("[licence]\nvendor_key = \"{}\"\n", key.public().unwrap().text());
    let mut shop = Shop::new(&vendor);
    let mut licensing = shop.load(false);
    let status = shop.status(&mut licensing);
    assert_eq!((status.licence.state, codes(&status)), (LicenceState::Missing, vec!["LIC-104"]));
    assert_eq!(status.can_take_over.reasons[0].check, "licence");
    assert_eq!(licensing.may_start(shop.now.wall), Err(WhyNot::NoLicence));
    let terms = Terms { days: 2, per: Per::Total, grace_hours: Some(24) };
    install(shop.home.path(), "v4.public.nothing").unwrap();
    assert_eq!(licensing.tick(false, &shop.now).map(|_| ()), Some(()));
    assert_eq!(codes(&shop.status(&mut licensing)), ["LIC-105"]);
    // It counts from when it is there, without a restart.
    install(shop.home.path(), &shop.issue(&key, terms)).unwrap();
    assert!(licensing.tick(false, &shop.now).is_none());
    assert_eq!(shop.left(&mut licensing), (LicenceState::Ready, 2 * DAY_MS));
    licensing.begin(&shop.now).write().unwrap();
    shop.serve(&mut licensing, 2 * DAY_MS + HOUR_MS);
    let now = shop.now.wall;
    let stop = licensing.stop_by(now).unwrap();
    assert_eq!(stop.duration_since(now).as_secs(), 23 * 3600);
    licensing.returned(&shop.now).write().unwrap();
    assert_eq!(licensing.may_start(now), Err(WhyNot::LicenceOver), "in total a return gives nothing back");
    assert_eq!(licensing.stop_by(now), None);
    shop.pass(1000);
    install(shop.home.path(), &shop.issue(&key, terms)).unwrap();
    let _ = licensing.tick(false, &shop.now);
    assert_eq!(shop.left(&mut licensing), (LicenceState::Ready, 2 * DAY_MS), "a newer one has days of its own");
}

/// A vendor's licence of two days with a grace of a day, whose days are over in an hour.
fn almost_over() -> (Shop, Licensing, SecretKey, Terms) {
    let key = SecretKey::generate().unwrap();
    let mut shop = Shop::new(&format!("[licence]\nvendor_key = \"{}\"\n", key.public().unwrap().text()));
    let terms = Terms { days: 2, per: Per::Activation, grace_hours: Some(24) };
    install(shop.home.path(), &shop.issue(&key, terms)).unwrap();
    let mut licensing = shop.load(false);
    licensing.begin(&shop.now).write().unwrap();
    shop.serve(&mut licensing, 2 * DAY_MS - HOUR_MS);
    (shop, licensing, key, terms)
}

const NOT: Duration = Duration::ZERO;

#[test]
fn in_the_grace_a_quiet_moment_is_waited_for_and_at_its_end_none() {
    let (mut shop, mut licensing, ..) = almost_over();
    assert!(!licensing.is_to_stop(QUIET, shop.now.wall), "the days are not over");
    let before = shop.status(&mut licensing).alarms.remove(0);
    assert!(before.trouble.is_hint() && before.code == "LIC-102", "{before:?}");
    assert_eq!(before.trouble, Trouble::Licence(LicenceTrouble::Stops { left_ms: HOUR_MS, stop_ms: HOUR_MS + DAY_MS }));
    shop.serve(&mut licensing, 3 * HOUR_MS);
    let over = shop.status(&mut licensing).alarms.remove(0);
    assert!(!over.trouble.is_hint() && over.code == "LIC-101", "{over:?}");
    assert_eq!(over.trouble, Trouble::Licence(LicenceTrouble::OverStops { stop_ms: 22 * HOUR_MS }));
    assert!(!licensing.is_to_stop(QUIET * 99 / 100, shop.now.wall), "somebody is sold to");
    assert!(licensing.is_to_stop(QUIET, shop.now.wall));
    assert!(!licensing.holds(shop.now.wall), "a restart within the grace starts it again");
    shop.now.wall -= SignedDuration::from_hours(700);
    shop.serve(&mut licensing, 22 * HOUR_MS - 30_000);
    assert!(!licensing.is_to_stop(NOT, shop.now.wall), "whatever the wall clock says");
    shop.serve(&mut licensing, 30_000);
    assert!(licensing.is_to_stop(NOT, shop.now.wall) && licensing.holds(shop.now.wall));
    let mut again = shop.load(true);
    again.begin(&shop.now).write().unwrap();
    assert!(again.holds(shop.now.wall), "also for who begins only now");
}

#[test]
fn what_was_stopped_is_not_started_again_before_there_are_days() {
    let (mut shop, mut licensing, key, terms) = almost_over();
    shop.serve(&mut licensing, 2 * HOUR_MS);
    licensing.hold(&shop.now).write().unwrap();
    shop.serve(&mut licensing, HOUR_MS);
    let status = shop.status(&mut licensing);
    assert_eq!(codes(&status), ["LIC-106"]);
    assert!(!status.alarms[0].trouble.is_hint());
    let stopped = status.events.iter().filter(|event| event.what == What::Licence(LicenceNews::Stopped)).count();
    assert_eq!(stopped, 1);
    drop(licensing);
    let mut licensing = shop.load(true);
    licensing.begin(&shop.now).write().unwrap();
    assert!(licensing.holds(shop.now.wall), "not after a restart");
    shop.pass(1000);
    install(shop.home.path(), &shop.issue(&key, terms)).unwrap();
    let _ = licensing.tick(true, &shop.now);
    assert!(!licensing.holds(shop.now.wall) && !licensing.is_to_stop(QUIET, shop.now.wall), "a new one has days");
    shop.serve(&mut licensing, 2 * DAY_MS + HOUR_MS);
    licensing.hold(&shop.now).write().unwrap();
    licensing.returned(&shop.now).write().unwrap();
    licensing.begin(&shop.now).write().unwrap();
    assert!(!licensing.holds(shop.now.wall), "a return gives the days back");
}

#[test]
fn days_that_are_only_counted_stop_nobody() {
    let mut shop = Shop::new("[licence]\ndays = 1\n");
    let mut licensing = shop.load(false);
    licensing.begin(&shop.now).write().unwrap();
    shop.serve(&mut licensing, 9 * DAY_MS);
    assert_eq!(codes(&shop.status(&mut licensing)), ["LIC-101"]);
    assert!(!licensing.is_to_stop(QUIET * 1000, shop.now.wall) && !licensing.holds(shop.now.wall));
}

#[test]
fn a_ledger_that_is_removed_or_damaged_gives_no_days() {
    let used = || {
        let mut shop = Shop::new("");
        let mut licensing = shop.load(false);
        licensing.begin(&shop.now).write().unwrap();
        shop.serve(&mut licensing, HOUR_MS);
        licensing.end(&shop.now).write().unwrap();
        shop
    };
    for at in 0..2 {
        for damage in [None, Some("nothing"), Some("")] {
            let shop = used();
            let path = &ledger_paths(shop.home.path())[at];
            damage.map_or_else(|| fs::remove_file(path), |text| fs::write(path, text)).unwrap();
            let mut licensing = shop.load(true);
            assert_eq!(shop.left(&mut licensing).1, 10 * DAY_MS - HOUR_MS, "{at} {damage:?}");
            licensing.tick(false, &shop.now).unwrap().write().unwrap();
            assert_eq!(ledger(shop.home.path(), MACHINE, true, shop.now.wall).unwrap().remarks.len(), 1);
        }
    }
    let shop = used();
    for path in ledger_paths(shop.home.path()) {
        fs::remove_file(path).unwrap();
    }
    let mut licensing = shop.load(true);
    assert_eq!(shop.left(&mut licensing), (LicenceState::Expired, 0));
    assert_eq!(codes(&shop.status(&mut licensing)), ["LIC-103", "LIC-201"]);
}
