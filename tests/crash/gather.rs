//! What a machine alone holds is set aside before it follows another one: stopped dead anywhere in that, once and all of it.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use espejo::disk::apply::Mirror;
use espejo::disk::apply::gather::{Gather, Gathered};
use espejo::disk::apply::open::{Opening, Others};
use espejo::disk::journal::undo::Limits;
use espejo::disk::lone::{Against, List, Listed};
use espejo::replica::{BLOCK, Blocks, Body, RelPath, Sum};

use crate::common::place::{Place, told, was_killed};
use crate::common::tree::{Tree, assert_same, tree};
use crate::points::{armed, points};

/// Where the program tells the process of its own what it is to set aside.
const GATHER: &str = "ESPEJO_TEST_GATHER";

/// Opens the mirror at `dest` of a machine that was the server in epoch `served`.
fn open(dest: &Path, served: u64) -> Mirror {
    let history = Limits { age: Duration::from_secs(3600), bytes: 1024 * 1024 * 1024 };
    Mirror::open(dest, Opening { others: Others::SetAside { served }, history }, 1).unwrap().0
}

/// What stands at `path`, as the other machine would say it.
fn body(path: &Path) -> Option<Body> {
    let meta = path.symlink_metadata().unwrap();
    if meta.is_symlink() {
        let target = fs::read_link(path).unwrap().into_os_string().into_encoded_bytes();
        return Some(Body::Symlink { target: target.into() });
    }
    let bytes = meta.is_file().then(|| fs::read(path).unwrap())?;
    let sums = (0..).zip(bytes.chunks(BLOCK)).filter_map(|(number, block)| Some((number, Sum::of(block)?)));
    Some(Body::File { size: bytes.len() as u64, blocks: sums.collect::<Blocks>() })
}

/// Sets aside what the mirror of `place` holds and its source did not.
fn gather(path: &Path) -> Option<Gathered> {
    let mut mirror = open(&path.join("mirror"), 1);
    mirror.gathering()?;
    let (source, mut found) = (path.join("source"), Gather::default());
    for name in tree(&source).keys() {
        let name = RelPath::new(name).unwrap();
        if let Some(body) = body(&source.join(name.shown().as_ref())) {
            mirror.compare_start(&mut found, name, &body).unwrap();
        }
    }
    mirror.compare_rest(&mut found).unwrap();
    mirror.gather(&found, "pos", Against::Start).unwrap()
}

/// A source as the start state, and in the place of the mirror a machine that went on from there by itself.
fn stage() -> Place {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    fs::create_dir_all(at("day/one")).unwrap();
    for name in ["same", "cut", "day/one/deleted", "day/one/same", "other"] {
        fs::write(at(name), name.repeat(9000)).unwrap();
    }
    fs::write(at("ORDER.QUE"), "1;coffee, black\n".repeat(3000)).unwrap();
    fs::write(at("EDITED.QUE"), "1;coffee\n2;tea\n").unwrap();
    fs::write(at("WHOLE.QUE"), vec![b'\n'; 2 * BLOCK]).unwrap();
    symlink("same", at("points")).unwrap();
    symlink("same", at("points too")).unwrap();
    File::create(at("sparse")).unwrap().set_len(9_000_000).unwrap();
    assert!(Command::new("cp").arg("-a").arg(&place.source).arg(&place.dest).status().unwrap().success());
    let at = |name: &str| place.dest.join(name);
    let append = |name: &str, what: &str| {
        File::options().append(true).open(at(name)).unwrap().write_all(what.as_bytes()).unwrap();
    };
    append("ORDER.QUE", "2;tea\n3;cake\n4;milk\n");
    append("WHOLE.QUE", "a\nb");
    fs::write(at("EDITED.QUE"), "1;coffee\n2;rum\n3;gin\n").unwrap();
    fs::write(at("cut"), "cut".repeat(6000)).unwrap();
    File::options().write(true).open(at("other")).unwrap().write_all_at(b"!", 20_000).unwrap();
    File::options().write(true).open(at("sparse")).unwrap().write_all_at(b"!", 5_000_000).unwrap();
    fs::remove_file(at("day/one/deleted")).unwrap();
    fs::remove_file(at("points")).unwrap();
    symlink("other", at("points")).unwrap();
    fs::create_dir(at("new")).unwrap();
    fs::write(at("new/NEW.LOG"), "one\ntwo\n").unwrap();
    // Only touched.
    File::options().write(true).open(at("same")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    place
}

fn rescue(place: &Place) -> PathBuf {
    let folder = place.journal().join("rescue");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let [one] = &folders.collect::<Vec<_>>()[..] else { panic!("one folder") };
    one.clone()
}

/// Makes sure that all is set aside, and listed, and nothing else was touched.
fn check(place: &Place, before: &Tree, when: &str) {
    let (to, mut left) = (rescue(place), before.clone());
    let kept = tree(&to);
    let names: Vec<_> = kept.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let expected =
        ["", "EDITED.QUE", "ORDER.QUE", "WHOLE.QUE", "cut", "new", "new/NEW.LOG", "other", "points", "sparse"];
    assert_eq!(names, expected, "{when}");
    for name in expected.into_iter().filter(|name| !matches!(*name, "" | "new" | "points")) {
        assert_eq!(kept[name.as_bytes()].what, before[name.as_bytes()].what, "{when}: {name}");
        assert_eq!(kept[name.as_bytes()].mtime, before[name.as_bytes()].mtime, "{when}: {name}");
    }
    for moved in ["new/NEW.LOG", "points"] {
        left.remove(moved.as_bytes());
    }
    let mut now = tree(&place.dest);
    for folder in [&b""[..], b"new"] {
        // What was taken out of them has changed their times.
        left.get_mut(folder).unwrap().mtime = now.get_mut(folder).unwrap().mtime;
    }
    assert_same(&left, &now, when);
    let list = List::of(&to).unwrap().unwrap();
    assert_eq!((list.dataset.as_str(), list.epoch, list.against), ("pos", 1, Against::Start), "{when}");
    let say = |one: &Listed| {
        let Listed { file, bytes, there_bytes, same_bytes, exact, records } = one;
        let number = |number: &Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        let (bytes, there, records) = (number(bytes), number(there_bytes), number(records));
        format!("{file} {bytes} {there} {}{same_bytes} {records}", if *exact { "" } else { ">=" })
    };
    let said: Vec<String> = list.files.iter().map(say).collect();
    assert_eq!(
        said,
        [
            "EDITED.QUE 21 15 >=0 -",
            "ORDER.QUE 48020 48000 48000 3",
            "WHOLE.QUE 32771 32768 32768 2",
            "cut 18000 27000 >=16384 -",
            "day/one/deleted - 135000 0 -",
            "new/NEW.LOG 8 - 0 2",
            "other 45000 45000 >=16384 -",
            "points 0 0 >=0 -",
            "sparse 9000000 9000000 >=4997120 -",
        ],
        "{when}"
    );
    assert!(open(&place.dest, 1).gathering().is_none(), "{when}: it is over");
}

#[test]
fn what_is_gathered_in_a_process_of_its_own() {
    // Only with a mirror to do it to: `stopped_dead_anywhere_while_it_is_set_aside` begins this test as a process.
    let Some(path) = std::env::var_os(GATHER) else { return };
    let _points = fail::FailScenario::setup();
    gather(Path::new(&path));
}

#[test]
fn stopped_dead_anywhere_while_it_is_set_aside_it_is_all_there_once() {
    let ready = stage();
    let before = tree(&ready.dest);
    let place = Place::copy_of(&ready);
    assert!(gather(place.path()).is_some());
    check(&place, &before, "in one go");
    assert!(gather(place.path()).is_none(), "once");
    for point in points().into_iter().filter(|point| point.starts_with("gather.")) {
        let times: &[u32] = if point.contains("one-") { &[0, 3, 6, 7] } else { &[0] };
        for &passed in times {
            let place = Place::copy_of(&ready);
            let mut process = Command::new(std::env::current_exe().unwrap());
            process.args(["--exact", "gather::what_is_gathered_in_a_process_of_its_own", "--nocapture"]);
            let died = process.env(GATHER, place.path()).env("FAILPOINTS", armed(&point, passed)).output().unwrap();
            let when = format!("stopped at {point} after {passed} times");
            assert!(was_killed(died.status), "{when}: {}", told(&died));
            gather(place.path());
            check(&place, &before, &when);
        }
    }
}

#[test]
fn the_next_time_that_it_was_the_server_is_another_time() {
    let place = stage();
    assert!(gather(place.path()).is_some());
    assert!(open(&place.dest, 1).gathering().is_none());
    assert!(open(&place.dest, 3).gathering().is_some_and(|gathering| gathering.served == 3));
    let empty = Place::new();
    assert!(open(&empty.dest, 1).gathering().is_none(), "an empty folder holds nothing");
}
