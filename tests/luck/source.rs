//! What moves while the source is looked at: with nothing between the test and the capture.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Command, Stdio};
use std::time::Duration;

use espejo::disk::capture::candidates::Dirty;
use espejo::disk::capture::guard::Consent;
use espejo::disk::capture::outgoing::{self, Outgoing};
use espejo::disk::capture::rules::Rules;
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Captured, Options, Outcome, Source, Stop};
use espejo::replica::{Grade, Part, Position, RelPath};
use rustix::fs::{AtFlags, Timespec, Timestamps, utimensat};

use crate::common::passed_over;
use crate::common::place::Place;

fn path(name: &str) -> RelPath {
    RelPath::new(name.as_bytes()).unwrap()
}

pub fn dirty(names: &[&str]) -> Dirty {
    Dirty { paths: names.iter().map(|name| path(name)).collect(), ..Dirty::default() }
}

/// The source of `place`, all of which the mirror is known to hold.
pub fn known(place: &Place) -> Source {
    known_for(place, Duration::from_secs(2))
}

/// The same, where what becomes empty may be written for so long.
pub fn known_for(place: &Place, empty_patience: Duration) -> Source {
    known_by(place, empty_patience, Rules::default())
}

/// The same, where this is said of the files.
pub fn known_by(place: &Place, empty_patience: Duration, rules: Rules) -> Source {
    opened(place, (Duration::from_secs(3), empty_patience), rules)
}

/// The same, where an instant is looked for only so long.
pub fn known_within(place: &Place, patience: Duration) -> Source {
    opened(place, (patience, Duration::from_secs(2)), Rules::default())
}

fn opened(place: &Place, (patience, empty_patience): (Duration, Duration), rules: Rules) -> Source {
    let options = Options {
        empty_patience,
        patience,
        consent: Consent::Ask,
        own: place.path().to_owned(),
        rules,
        quiet: None,
        holder: None,
    };
    let mut source = Source::open(&place.source, options).unwrap();
    let captured = captures(&mut source, Dirty { everything: true, ..Dirty::default() });
    source.commit(captured);
    source
}

/// Captures `dirty` while nothing moves.
pub fn captures(source: &mut Source, dirty: Dirty) -> Captured {
    match source.capture(dirty, Moves::Follow, &mut |_| Some(Dirty::default())).unwrap() {
        Outcome::Captured(captured) => captured,
        other => panic!("{other:?}"),
    }
}

/// Captures `dirty` while the first wait is used for `act`. What the watch says of it is `heard`; none where nobody tells of
/// changes.
pub fn captures_while(source: &mut Source, dirty: Dirty, heard: Option<&[&str]>, act: impl FnOnce()) -> Outcome {
    let mut act = Some(act);
    let mut wait = |_| {
        let is_first = act.take().map(|act| act()).is_some();
        heard.map(|names| if is_first { self::dirty(names) } else { Dirty::default() })
    };
    source.capture(dirty, Moves::Follow, &mut wait).unwrap()
}

/// What is said of each name: none that it is gone, else the bytes that travel.
pub fn said(captured: &Captured) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut said = BTreeMap::new();
    let mut open = String::new();
    let mut out = |part| {
        match part {
            Part::Gone(path) => {
                said.insert(path.to_string(), None);
            }
            Part::Put(put) => {
                open = put.path.to_string();
                said.insert(open.clone(), Some(vec![]));
            }
            Part::Data(data) => said.get_mut(&open).unwrap().as_mut().unwrap().extend_from_slice(&data.bytes),
            Part::Begin(_) | Part::Zero { .. } | Part::End(_) => {}
        }
        Ok(())
    };
    let begin = outgoing::step(1, Position::default(), captured);
    let mut outgoing = Outgoing::begin(begin, &mut out).unwrap();
    outgoing.captured(captured).unwrap();
    outgoing.end(Grade::Steady).unwrap();
    said.remove(&RelPath::root().to_string());
    said
}

pub fn files(said: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<Vec<u8>>> {
    said.iter().map(|(name, text)| ((*name).to_owned(), text.map(|text| text.as_bytes().to_vec()))).collect()
}

#[test]
fn what_changed_while_a_file_had_become_empty_is_looked_at_afterwards() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    fs::write(at("counter"), "0000417\n").unwrap();
    fs::write(at("stock"), "before").unwrap();
    let mut source = known(&place);
    File::create(at("counter")).unwrap();
    let outcome = captures_while(&mut source, dirty(&["counter"]), Some(&["stock"]), || {
        fs::write(at("stock"), "sold").unwrap();
    });
    let Outcome::Wait { dirty, .. } = outcome else { panic!("{outcome:?}") };
    // Its program writes it after all: it is heard of, and so must be what was heard of before.
    fs::write(at("counter"), "0000418\n").unwrap();
    let captured = captures(&mut source, dirty);
    assert_eq!(said(&captured), files(&[("counter", Some("0000418\n")), ("stock", Some("sold"))]));
}

#[test]
fn what_changed_while_most_files_were_gone_is_looked_at_afterwards() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    for name in ["a", "b", "c", "stock"] {
        fs::write(at(name), name).unwrap();
    }
    let mut source = known(&place);
    for name in ["a", "b", "c"] {
        fs::remove_file(at(name)).unwrap();
    }
    let outcome = captures_while(&mut source, dirty(&["a", "b", "c"]), Some(&["stock"]), || {
        fs::write(at("stock"), "sold").unwrap();
    });
    let Outcome::Stopped { dirty, why: Stop::Removals(removals) } = outcome else { panic!("{outcome:?}") };
    assert_eq!((removals.gone, removals.of), (3, 4));
    source.guard().accept_removals();
    let captured = captures(&mut source, dirty);
    assert_eq!(said(&captured), files(&[("a", None), ("b", None), ("c", None), ("stock", Some("sold"))]));
}

#[test]
fn where_nobody_tells_of_changes_one_sale_in_two_files_is_taken_whole() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    for name in ["cash", "stock", "receipts"] {
        fs::write(at(name), "before").unwrap();
    }
    let mut source = known(&place);
    fs::write(at("cash"), "begun").unwrap();
    let outcome = captures_while(&mut source, dirty(&["cash"]), None, || {
        fs::write(at("stock"), "one less").unwrap();
        fs::write(at("cash"), "one more, paid").unwrap();
        fs::write(at("new"), "came").unwrap();
        fs::remove_file(at("receipts")).unwrap();
    });
    let Outcome::Captured(captured) = outcome else { panic!("{outcome:?}") };
    let whole =
        [("cash", Some("one more, paid")), ("new", Some("came")), ("receipts", None), ("stock", Some("one less"))];
    assert_eq!(said(&captured), files(&whole));
    assert_eq!(source.grade_with(&captured), Grade::Steady);
    assert!(captured.dirty.is_empty(), "{:?}", captured.dirty);
}

#[test]
fn where_nobody_tells_of_changes_a_file_beside_the_one_that_changed_is_seen() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    for name in ["cash", "stock"] {
        fs::write(at(name), "before").unwrap();
    }
    let mut source = known(&place);
    // What was looked at holds still: only a look at everything shows the other.
    fs::write(at("cash"), "one more").unwrap();
    let outcome = captures_while(&mut source, dirty(&["cash"]), None, || {
        fs::write(at("stock"), "one less").unwrap();
    });
    let Outcome::Captured(captured) = outcome else { panic!("{outcome:?}") };
    assert_eq!(said(&captured), files(&[("cash", Some("one more")), ("stock", Some("one less"))]));
}

#[test]
fn a_file_that_is_renamed_does_not_travel_again() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    fs::write(at("a"), "of the shop".repeat(100_000)).unwrap();
    fs::write(at("b"), "another".repeat(100_000)).unwrap();
    let mut source = known(&place);
    fs::rename(at("a"), at("between")).unwrap();
    fs::rename(at("b"), at("a")).unwrap();
    fs::rename(at("between"), at("b")).unwrap();
    let captured = captures(&mut source, dirty(&["a", "b", "between"]));
    assert_eq!(said(&captured), files(&[("a", Some("")), ("b", Some(""))]));
}

#[test]
fn what_is_stored_through_a_map_between_the_looks_shows_in_the_second() {
    let place = Place::new();
    fs::write(place.source.join("mapped"), "nobody sold").unwrap();
    let mut source = known(&place);
    let script = "import mmap,sys\nf=open(sys.argv[1],'r+b')\nm=mmap.mmap(f.fileno(),0)\n\
                  for what in (b'first ', b'second'):\n m[0:6]=what\n print(flush=True)\n sys.stdin.readline()\n";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(place.source.join("mapped")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut python) = python.spawn() else {
        let test = "what_is_stored_through_a_map_between_the_looks_shows_in_the_second";
        return passed_over(test, "there is no python3 to map a file with");
    };
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    // The page is written by now: what is stored in it next changes no time.
    let outcome = captures_while(&mut source, dirty(&["mapped"]), Some(&[]), || {
        python.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        lines.next().unwrap().unwrap();
    });
    let Outcome::Captured(captured) = outcome else { panic!("{outcome:?}") };
    assert_eq!(said(&captured), files(&[("mapped", Some("second sold"))]));
    drop(python.stdin.take());
    python.wait().unwrap();
}

#[test]
fn a_link_that_points_elsewhere_with_the_time_that_it_had_is_seen() {
    let place = Place::new();
    let link = place.source.join("today");
    symlink("monday", &link).unwrap();
    let mut source = known(&place);
    let time = |of: &Metadata| Timespec { tv_sec: of.mtime(), tv_nsec: of.mtime_nsec() };
    let was = time(&link.symlink_metadata().unwrap());
    fs::remove_file(&link).unwrap();
    symlink("friday", &link).unwrap();
    let times = Timestamps { last_access: was, last_modification: was };
    utimensat(rustix::fs::CWD, &link, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    let captured = captures(&mut source, dirty(&["today"]));
    assert!(said(&captured).contains_key("today"));
}
