//! The practice shop in a terminal: it sells, keys cause incidents, the lesson goes from a healthy shop to a healthy shop, and all of it goes
//! with the screen.

use std::fs;
use std::path::Path;

use super::ESC;
use super::common::until;
use super::terminal::Terminal;

/// Opens the shop in `dir`.
fn opens(home: &Path, dir: &Path) -> Terminal {
    let mut terminal = Terminal::run(home, &["demo", "--dir", dir.to_str().unwrap()]);
    terminal.see("could take over now").see("p cut main's power").see("missing 0 · double 0 · numbers twice 0");
    terminal.wait("something is sold", |terminal| !terminal.text().contains("confirmed 0 "));
    terminal
}

#[track_caller]
fn nothing_is_left(dir: &Path) {
    let shop = dir.to_str().unwrap().as_bytes().to_vec();
    until("all of it has ended", || {
        let numbers = fs::read_dir("/proc").unwrap().map(|one| one.unwrap().path().join("cmdline"));
        let mut words = numbers.filter_map(|path| fs::read(path).ok());
        !words.any(|words| words.windows(shop.len()).any(|part| part == shop))
    });
}

#[test]
fn a_key_cuts_the_power_and_what_was_confirmed_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("shop");
    let mut terminal = opens(&folder.path().join("home"), &dir);
    terminal.press("l");
    terminal.see("l lesson");
    terminal.press("p");
    terminal.see("p switch main on").see("is silent").see("[!!]");
    terminal.press("p");
    terminal.see("p cut main's power").see("Nothing to do");
    // The pages lie above the strip, and it goes on below them.
    terminal.press("7");
    terminal.see("What was done here").see("confirmed ");
    terminal.press(ESC);
    terminal.see("Nothing to do");
    for (key, done) in [("c", "c plug its cable in"), ("t", "t plug this till's in"), ("f", "f free mirror's disk")] {
        terminal.press(key);
        terminal.see(done);
    }
    terminal.press(ESC);
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
    let said = terminal.text();
    assert!(said.contains("is kept in"), "{said}");
    nothing_is_left(&dir);
}

#[test]
fn the_lesson_goes_from_a_healthy_shop_to_a_healthy_shop() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("shop");
    let mut terminal = opens(&folder.path().join("home"), &dir);
    terminal.see("Lesson 1 of 8");
    terminal.press("p");
    terminal.see("Lesson 2 of 8").see("Lesson 3 of 8");
    terminal.press("2");
    terminal.see("Cancel");
    for key in ["\t", "\r"] {
        terminal.press(key);
    }
    terminal.see("Lesson 5 of 8");
    terminal.press("d");
    terminal.press("p");
    terminal.see("Lesson 7 of 8");
    terminal.press("3");
    terminal.see("Cancel");
    for key in ["\t", "\r"] {
        terminal.press(key);
    }
    terminal.see("Lesson 8 of 8").see("missing 0 · double 0").see("numbers twice 0");
    terminal.press(ESC);
    assert_eq!(terminal.end(), 0);
    nothing_is_left(&dir);
}
