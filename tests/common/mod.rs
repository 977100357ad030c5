//! What the tests of the whole program share. Each test binary uses a part of it.
//!
//! - [`tree`]: what stands in a folder, to compare two of them byte for byte
//! - [`place`]: a source, a mirror and a home that go when the test ends, and the real program on them
//! - [`random`]: a seeded stream of numbers, printed so that a run can be repeated
//! - [`two`]: two machines of a store on one computer
//! - [`network`]: a network of the test's own
//! - [`shop`]: a shop that sells at whichever of them is the server
//! - [`small_disk`]: a disk that is soon full
//! - [`cloning_disk`]: a disk on which files can share their blocks
//! - [`edits`]: random trees and what programs do to them

#![allow(dead_code)]

pub mod cloning_disk;
pub mod edits;
pub mod network;
pub mod place;
pub mod random;
pub mod shop;
pub mod small_disk;
pub mod tree;
pub mod two;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

/// How long a condition is waited for at the most. Only a test that fails takes so long.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `holds`; fails with `what` when it never does.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(()));
}

/// Waits until there is a value, and returns it; fails with `what` when there never is one.
pub fn until_some<T>(what: &str, mut value: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = value() {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        park_timeout(Duration::from_millis(10));
    }
}

/// Makes a program of `text` at `path`. Another process writes it: a child that a test beside this one starts meanwhile would
/// inherit a file that is open for writing, and as long as somebody has it open nobody can start it ("text file busy").
pub fn make_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut writer = shell.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success(), "{} was not made", path.display());
}

/// Copies a program, as [`make_program`] makes one.
pub fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("--").args([from, to]).status().unwrap();
    assert!(copied.success(), "{} was not copied", from.display());
}

/// Whether the long runs are asked for.
pub fn is_full() -> bool {
    std::env::var_os("ESPEJO_FULL").is_some()
}

/// Whether this machine lacks a program that the test needs. It is said in one line, and the test is then passed over.
pub fn lacks(program: &str) -> bool {
    let tried = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if tried.is_err() {
        passed_over(std::thread::current().name().unwrap_or_default(), &format!("there is no {program} here"));
    }
    tried.is_err()
}

/// Passes over the test where this machine lacks a program that it needs.
#[allow(unused_macros)]
macro_rules! needs {
    ($program:literal) => {
        if $crate::common::lacks($program) {
            return;
        }
    };
}
#[allow(unused_imports)]
pub(crate) use needs;

/// Says in one line what this machine lacks for a test, which is then passed over.
pub fn passed_over(test: &str, lacks: &str) {
    // Not by a macro: of a test that passes the runner would keep that to itself.
    let _ = writeln!(std::io::stderr(), "{test}: passed over, {lacks}");
}
