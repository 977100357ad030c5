//! The real program in a terminal: a few ways through it, waiting on what is seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod common;
#[path = "pty/demo.rs"]
mod demo;
#[path = "pty/store.rs"]
mod store;
#[path = "pty/terminal.rs"]
mod terminal;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use terminal::Terminal;

const ESC: &str = "\x1b";
const TAB: &str = "\t";
const ENTER: &str = "\r";
const F1: &str = "\x1bOP";
/// Bytes for one second of the clock, at the most: a few digits, and the way there and back.
const A_TICK: usize = 100;

/// A home, and a small shop's folder to mirror.
struct Shop {
    _folder: TempDir,
    home: PathBuf,
    source: PathBuf,
    dest: PathBuf,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (home, source, dest) = (at("home"), at("pos"), at("mirror"));
        fs::create_dir_all(source.join("day")).unwrap();
        fs::write(source.join("ORDER.QUE"), b"one\ntwo\n").unwrap();
        fs::write(source.join("day/POS-R"), vec![7; 100_000]).unwrap();
        Self { _folder: folder, home, source, dest }
    }

    fn run(&self, args: &[&str]) -> Terminal {
        Terminal::run(&self.home, args)
    }

    /// Runs `espejo mirror` with the screen until the copy is complete.
    fn mirroring(&self) -> Terminal {
        let mut terminal = self.run(&["mirror", self.source.to_str().unwrap(), self.dest.to_str().unwrap()]);
        terminal.see("[OK]").see("1 F1 Help");
        terminal
    }

    #[track_caller]
    fn is_mirrored(&self) {
        for file in ["ORDER.QUE", "day/POS-R"] {
            assert_eq!(fs::read(self.source.join(file)).unwrap(), fs::read(self.dest.join(file)).unwrap(), "{file}");
        }
    }

    /// A service without a screen, once it has opened the mirror.
    fn service(&self) -> Service {
        let mut child = Command::new(env!("CARGO_BIN_EXE_espejo"))
            .args(["mirror", "--no-screen", "--home"])
            .args([&self.home, &self.source, &self.dest])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the service did not begin");
        Service { child, _out: out }
    }

    fn answers(&self) -> bool {
        let asked =
            Command::new(env!("CARGO_BIN_EXE_espejo")).args(["status", "--json", "--home"]).arg(&self.home).output();
        String::from_utf8(asked.unwrap().stdout).unwrap().contains("\"can_take_over\"")
    }
}

struct Service {
    child: Child,
    // Held open, or what it prints next would end it.
    _out: BufReader<std::process::ChildStdout>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_newcomer_names_two_folders_and_they_are_mirrored() {
    let shop = Shop::new();
    let mut terminal = shop.run(&[]);
    terminal.see("Nothing is set up here yet.").see("2 F2").press("2");
    terminal.see("[  Begin  ]").paste(shop.source.to_str().unwrap());
    terminal.see("/pos").press(TAB);
    terminal.paste(shop.dest.to_str().unwrap());
    terminal.see("/mirror").press(TAB);
    terminal.see("[> Begin <]").press(ENTER);
    terminal.see("[OK]").see("mirror of");
    shop.is_mirrored();
}

#[test]
fn a_form_without_folders_says_so_and_the_first_page_is_left_with_esc() {
    let shop = Shop::new();
    let mut terminal = shop.run(&[]);
    terminal.see("Begin with:").press("2");
    terminal.see("[  Begin  ]").press("\t\t");
    terminal.see("[> Begin <]").press(ENTER);
    terminal.see("Name both folders.").press(ESC);
    terminal.see("Begin with:").press(ESC);
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
    assert!(!shop.dest.exists());
}

#[test]
fn a_folder_that_is_not_there_is_said_on_the_terminal_as_it_was() {
    let shop = Shop::new();
    let mut terminal = shop.run(&[]);
    terminal.see("Begin with:").press("2");
    terminal.see("[  Begin  ]").paste("/no/such/folder");
    terminal.see("/no/such").press(TAB);
    terminal.paste(shop.dest.to_str().unwrap());
    terminal.see("/mirror").press(TAB);
    terminal.see("[> Begin <]").press(ENTER);
    assert_eq!(terminal.end(), 2);
    terminal.is_given_back();
    assert!(terminal.text().contains("/no/such/folder: there is no such folder"), "{}", terminal.text());
    assert!(!shop.dest.exists());
}

#[test]
fn help_is_a_key_away_and_leaving_asks_first() {
    let shop = Shop::new();
    let mut terminal = shop.mirroring();
    shop.is_mirrored();
    for key in [F1, "1"] {
        terminal.press(key);
        terminal.see("this help").press(ESC);
        terminal.see_no_more("this help").see("[OK]");
    }
    terminal.press(ESC);
    // What has the focus changes nothing.
    terminal.see("The mirror stops when this screen is left.").see("[> Stay <]").press(ENTER);
    terminal.see_no_more("The mirror stops").see("[OK]").press(ESC);
    terminal.see("[> Stay <]").press(TAB);
    terminal.see("[> Stop the mirror <]").press(ENTER);
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
    assert!(!shop.answers(), "the service goes on without its screen");
}

#[test]
fn the_next_start_goes_on_with_what_was_mirrored_last() {
    let shop = Shop::new();
    let mut terminal = shop.mirroring();
    terminal.press(ESC);
    terminal.see("[> Stay <]").press(TAB);
    terminal.see("[> Stop the mirror <]").press(ENTER);
    assert_eq!(terminal.end(), 0);
    fs::write(shop.source.join("ORDER.QUE"), b"one\ntwo\nthree\n").unwrap();
    let mut terminal = shop.run(&[]);
    terminal.see("1 file copied").see("[OK]");
    shop.is_mirrored();
}

#[test]
fn a_second_screen_is_left_and_the_service_goes_on() {
    let shop = Shop::new();
    let _service = shop.service();
    let mut terminal = shop.run(&[]);
    terminal.see("[OK]").see("F9").press(ESC);
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
    assert!(shop.answers(), "the service ended with a screen that is not its own");
}

#[test]
fn a_screen_that_only_watches_says_so() {
    let shop = Shop::new();
    let mut terminal = shop.run(&["--watch"]);
    terminal.see("No service runs at");
    assert_eq!(terminal.end(), 4);
    let _service = shop.service();
    let mut terminal = shop.run(&["--watch"]);
    terminal.see("(watching only)").see("[OK]").see("not now: this screen only watches").press(ESC);
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
}

#[test]
fn a_screen_whose_service_dies_ends_and_says_so() {
    let shop = Shop::new();
    let service = shop.service();
    let mut terminal = shop.run(&[]);
    terminal.see("[OK]");
    drop(service);
    assert_eq!(terminal.end(), 4);
    terminal.is_given_back();
    assert!(terminal.text().contains("The service has ended."), "{}", terminal.text());
}

#[test]
fn any_size_is_drawn_whole() {
    let shop = Shop::new();
    let mut terminal = shop.mirroring();
    for (cols, rows) in [(40, 10), (200, 60), (1, 1), (80, 24)] {
        terminal.resize(cols, rows);
        if (cols, rows) == (1, 1) {
            continue;
        }
        let (width, last) = (usize::from(cols), usize::from(rows) - 1);
        // On a narrow one only the digits stand there.
        let help = if cols < 80 { "1 Help" } else { "1 F1 Help" };
        terminal.wait("the hints on the last line", |terminal| terminal.row(last).contains(help));
        terminal.wait("the clock at the right edge", |terminal| {
            terminal.clock().matches(':').count() == 2 && terminal.row(0).trim_end().chars().count() == width
        });
        terminal.see("[OK] YES, this copy could take over");
    }
}

#[test]
fn a_key_file_is_refused_with_all_its_faults() {
    let shop = Shop::new();
    fs::create_dir(&shop.home).unwrap();
    let faults =
        "[everywhere]\n\"esc\" = \"leave\"\n\"f99x\" = \"help\"\n\"f1\" = \"dance\"\n[nowhere]\n\"f2\" = \"help\"\n";
    fs::write(shop.home.join("keymap.toml"), faults).unwrap();
    let folders = [shop.source.to_str().unwrap(), shop.dest.to_str().unwrap()];
    for args in [&[][..], &["mirror", folders[0], folders[1]]] {
        let mut terminal = shop.run(args);
        terminal.resize(200, 60);
        assert_eq!(terminal.end(), 2);
        let text = terminal.text();
        for fault in ["keymap.toml:3:", "keymap.toml:4:", "keymap.toml:5:", "f99x", "dance", "[nowhere]"] {
            assert!(text.contains(fault), "{fault} is not told in\n{text}");
        }
        assert!(!terminal.took_screen);
        let homes: Vec<_> = fs::read_dir(&shop.home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!shop.dest.exists() && homes == ["keymap.toml"], "something was begun all the same: {homes:?}");
    }
}

#[test]
fn at_rest_nothing_but_the_clock_is_sent() {
    let shop = Shop::new();
    let mut terminal = shop.mirroring();
    terminal.see("nothing now").see("not behind");
    let mut ticks = 0;
    let mut last = terminal.clock();
    let mut next = |terminal: &mut Terminal| {
        terminal.wait("the next second", |terminal| terminal.clock() != last);
        last = terminal.clock();
    };
    // What the end of the copy still had to say is said by then.
    next(&mut terminal);
    next(&mut terminal);
    let before = terminal.received;
    while ticks < 3 {
        next(&mut terminal);
        ticks += 1;
    }
    let bytes = terminal.received - before;
    assert!(bytes <= ticks * A_TICK, "{bytes} bytes were sent in {ticks} seconds in which nothing happened");
}
