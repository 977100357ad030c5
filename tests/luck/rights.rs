//! What the program may not read: it is named, what the mirror has of it stays, and the rest goes on.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::place::{Place, Running};
use crate::common::{copy_program, until};

/// A user who owns nothing else.
const NOBODY: u32 = 65_534;

/// `espejo mirror` as somebody whom rights bind; all that is at `place` by then is that user's.
fn bound(place: &Place, args: &[&str]) -> Command {
    let mirror = place.mirror(args);
    if !rustix::process::geteuid().is_root() {
        return mirror;
    }
    give(place.path());
    // The program may lie where others cannot look.
    let program = place.path().join("espejo");
    if !program.exists() {
        copy_program(Path::new(env!("CARGO_BIN_EXE_espejo")), &program);
        set_mode(&program, 0o755);
    }
    let mut command = Command::new(program);
    command.args(mirror.get_args()).current_dir(place.path()).env_remove("ESPEJO_HOME").uid(NOBODY).gid(NOBODY);
    command
}

/// Gives `path` and all in it to that user.
fn give(path: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.symlink_metadata().unwrap().is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    give(path);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn start(place: &Place) -> Running<'_> {
    place.start_with(&mut bound(place, &["--no-screen"])).caught_up()
}

fn until_named(place: &Place, names: &[&str]) -> Value {
    let named = place.until_status(&format!("{names:?} are named"), |status| {
        status["datasets"][0]["unreadable"] == json!(names) && status["mirror"]["behind_ms"] == 0
    });
    let grade = if names.is_empty() { "steady" } else { "incomplete" };
    assert_eq!(named["datasets"][0]["grade"], grade, "{named}");
    named
}

fn until_whole(place: &Place) {
    place.until_same("it can be read again");
    place.until_status("it is whole again", |status| {
        status["datasets"][0]["unreadable"] == json!([]) && status["datasets"][0]["grade"] != "incomplete"
    });
}

fn arrives(place: &Place, name: &str, text: &str) {
    until(&format!("{name} arrives"), || fs::read(place.dest.join(name)).is_ok_and(|now| now == text.as_bytes()));
}

#[test]
fn a_file_that_may_not_be_read_is_named_and_the_rest_goes_on() {
    let place = Place::new();
    for name in ["readable", "closed"] {
        write(&place.source.join(name), name);
    }
    set_mode(&place.source.join("closed"), 0o000);
    let running = start(&place);
    until_named(&place, &["closed"]);
    arrives(&place, "readable", "readable");
    write(&place.source.join("new"), "goes on");
    arrives(&place, "new", "goes on");
    set_mode(&place.source.join("closed"), 0o600);
    until_whole(&place);
    running.stop();
}

#[test]
fn a_file_that_is_closed_later_stays_in_the_mirror_as_it_was() {
    let place = Place::new();
    let file = place.source.join("prices");
    write(&file, "before");
    write(&place.source.join("other"), "x");
    let running = start(&place);
    place.until_same("before");
    set_mode(&file, 0o000);
    until_named(&place, &["prices"]);
    assert_eq!(fs::read(place.dest.join("prices")).unwrap(), b"before");
    set_mode(&file, 0o640);
    until_whole(&place);
    running.stop();
}

/// A shop with a folder that can be closed, and two files in it.
fn with_folder() -> Place {
    let place = Place::new();
    let inside = place.source.join("closed");
    fs::create_dir_all(inside.join("deeper")).unwrap();
    for path in [inside.join("first"), inside.join("deeper/second"), place.source.join("other")] {
        fs::write(path, "before").unwrap();
    }
    place
}

/// All that is in the mirror of the folder, read by who may read everything.
fn in_mirror(place: &Place) -> [Option<Vec<u8>>; 2] {
    let mode = place.dest.join("closed").metadata().unwrap().permissions();
    let root = rustix::process::geteuid().is_root();
    if !root {
        set_mode(&place.dest.join("closed"), 0o700);
    }
    let read = ["first", "deeper/second"].map(|name| fs::read(place.dest.join("closed").join(name)).ok());
    if !root {
        fs::set_permissions(place.dest.join("closed"), mode).unwrap();
    }
    read
}

#[test]
fn a_folder_that_cannot_be_listed_when_it_begins_keeps_what_the_mirror_has_of_it() {
    let place = with_folder();
    let closed = place.source.join("closed");
    place.must_copy(&[], "before");
    fs::write(closed.join("first"), "while nobody mirrored").unwrap();
    fs::remove_file(closed.join("deeper/second")).unwrap();
    set_mode(&closed, 0o000);
    let running = start(&place);
    until_named(&place, &["closed"]);
    write(&place.source.join("other"), "goes on");
    arrives(&place, "other", "goes on");
    until_named(&place, &["closed"]);
    let before = Some(b"before".to_vec());
    assert_eq!(in_mirror(&place), [before.clone(), before]);
    assert_eq!(place.status().unwrap()["alarms"].as_array().unwrap().len(), 1, "nothing else is wrong");
    set_mode(&closed, 0o755);
    until_whole(&place);
    write(&closed.join("deeper/third"), "and on");
    place.until_same("and on");
    running.stop();
}

#[test]
fn a_folder_that_is_closed_while_it_is_mirrored_is_named_and_followed_when_it_is_open_again() {
    let place = with_folder();
    let closed = place.source.join("closed");
    let running = start(&place);
    place.until_same("before");
    set_mode(&closed, 0o000);
    until_named(&place, &["closed"]);
    write(&place.source.join("other"), "goes on");
    arrives(&place, "other", "goes on");
    until_named(&place, &["closed"]);
    let before = Some(b"before".to_vec());
    assert_eq!(in_mirror(&place), [before.clone(), before]);
    set_mode(&closed, 0o750);
    until_whole(&place);
    write(&closed.join("first"), "and on");
    place.until_same("and on");
    running.stop();
}

#[test]
fn a_folder_that_comes_closed_is_followed_when_it_is_opened() {
    let place = with_folder();
    let running = start(&place);
    place.until_same("before");
    let came = place.source.join("came");
    // It is closed by the time that anyone can look.
    running.signal(Signal::STOP);
    fs::create_dir(&came).unwrap();
    fs::write(came.join("inside"), "it came along").unwrap();
    give(&came);
    set_mode(&came, 0o000);
    running.signal(Signal::CONT);
    until_named(&place, &["came"]);
    set_mode(&came, 0o755);
    until_whole(&place);
    write(&came.join("inside"), "and is followed");
    place.until_same("followed");
    running.stop();
}

#[test]
fn a_name_in_a_closed_folder_of_a_file_that_has_another_holds_up_nothing() {
    let place = with_folder();
    let (open, closed) = (place.source.join("open"), place.source.join("closed"));
    fs::hard_link(closed.join("first"), &open).unwrap();
    let running = start(&place);
    place.until_same("before");
    set_mode(&closed, 0o000);
    until_named(&place, &["closed"]);
    write(&open, "sold");
    write(&place.source.join("other"), "goes on");
    arrives(&place, "other", "goes on");
    arrives(&place, "open", "sold");
    set_mode(&closed, 0o750);
    until_whole(&place);
    running.stop();
}

#[test]
fn what_comes_along_with_a_closed_folder_is_followed() {
    let place = with_folder();
    let running = start(&place);
    place.until_same("before");
    // It comes with all that is in it at once.
    let (made, came) = (place.path().join("made"), place.source.join("came"));
    let sibling = |number: u32| format!("sibling {number}");
    (0..20).for_each(|number| fs::create_dir_all(made.join(sibling(number))).unwrap());
    let closed = made.join(sibling(10));
    give(&made);
    set_mode(&closed, 0o000);
    fs::rename(&made, &came).unwrap();
    until_named(&place, &["came/sibling 10"]);
    for number in (0..20).filter(|number| *number != 10) {
        let name = format!("came/{}/inside", sibling(number));
        write(&place.source.join(&name), "it came along");
        arrives(&place, &name, "it came along");
    }
    running.stop();
}
