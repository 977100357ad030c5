//! The practice shop in a terminal: it sells, a key cuts the main's power, and all of it goes with the screen.

use std::fs;

use super::ESC;
use super::common::until;
use super::terminal::Terminal;

#[test]
fn a_key_cuts_the_power_and_what_was_confirmed_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("shop");
    let mut terminal = Terminal::run(&folder.path().join("home"), &["demo", "--dir", dir.to_str().unwrap()]);
    terminal.see("could take over now").see("p Cut main's power").see("missing 0 · double 0 · numbers twice 0");
    terminal.wait("something is sold", |terminal| !terminal.text().contains("confirmed 0 "));
    terminal.press("p");
    terminal.see("p Switch main on").see("is silent").see("[!!]");
    terminal.press("p");
    terminal.see("p Cut main's power").see("Nothing to do");
    // The pages lie above the strip, and it goes on below them.
    terminal.press("7");
    terminal.see("What was done here").see("confirmed ");
    terminal.press(ESC);
    terminal.see("Nothing to do");
    terminal.press("c");
    terminal.see("c Plug cable in");
    terminal.press(ESC);
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
    let said = terminal.text();
    assert!(said.contains("is kept in"), "{said}");
    let shop = dir.to_str().unwrap().as_bytes().to_vec();
    until("all of it has ended", || {
        let numbers = fs::read_dir("/proc").unwrap().map(|one| one.unwrap().path().join("cmdline"));
        let mut words = numbers.filter_map(|path| fs::read(path).ok());
        !words.any(|words| words.windows(shop.len()).any(|part| part == shop))
    });
}
