//! What can be wrong: each file of `wrong.txt` with all its faults, each with its place.

use std::fmt::Write as _;

use super::super::Store;
use super::LEAST;

const FILES: &str = include_str!("wrong.txt");

/// A file of the table: its title, its text, and what is behind the arrows.
fn split(case: &str) -> (&str, String, String) {
    let (title, rest) = case.split_once('\n').unwrap();
    let lines = |arrows: bool| {
        let lines = rest.lines().filter(move |line| line.starts_with("-> ") == arrows);
        lines.fold(String::new(), |text, line| text + line + "\n")
    };
    let before = if title.starts_with("behind: ") { LEAST } else { "" };
    (title, before.to_owned() + &lines(false), lines(true))
}

fn told(text: &str) -> String {
    let mut told = String::new();
    for fault in Store::parse(text).err().unwrap_or_default() {
        let key = if fault.key.is_empty() { "(file)" } else { &fault.key };
        writeln!(told, "-> {}:{} {key} {:?}", fault.line, fault.column, fault.what).unwrap();
    }
    told
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let cases: Vec<_> = FILES.split("=== ").skip(1).map(split).collect();
    assert!(cases.len() > 30);
    for (title, text, expected) in cases {
        let told = told(&text);
        assert!(told == expected, "{title}\nexpected\n{expected}told\n{told}");
    }
}

#[test]
fn a_file_in_another_encoding() {
    let faults = Store::from_bytes(b"store = \"S\"\n[main]\nname = \"Caj\xf3n\"\n").unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
    assert_eq!(told, [(3, 12)]);
}
