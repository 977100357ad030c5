//! This program beside its peers, on the same data on the same disk, as ratios: `cargo bench --bench versus`.
//!
//! The first part mirrors one folder into another in one process, beside rsync of one folder into another. The second mirrors
//! from one machine to another, as two processes of `espejo run` over TLS on loopback, beside rsync through its daemon and
//! beside a bare copy through TCP. The third is what comes through the port of a POS terminal, beside `HAProxy`. `-- here`,
//! `-- two` and `-- tills` name one of the parts.
//!
//! `ESPEJO_BENCH_DIR` names the disk (else the system's folder for temporary files), `ESPEJO_BENCH_ONLY` one row. Nothing
//! here passes or fails: it prints a table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;
mod database;
mod peers;
mod rows;
mod shop;
mod tills;
mod turns;
mod two;
mod ways;

use peers::Rsync;
use rows::Row;
use shop::Mirroring;
use ways::Way;

/// Measures some rows.
type Measuring = fn(&Way) -> Vec<Row>;

const HERE: [(&str, Measuring); 8] = [
    ("first", rows::first_copy),
    ("pages", rows::changed_pages),
    ("append", rows::appends),
    ("database", database::commits),
    ("rescan", rows::rescan),
    ("memory", rows::memory),
    ("idle", rows::idle),
    ("start", rows::start),
];

const TWO: [(&str, Measuring); 8] = [
    ("bulk", two::bulk),
    ("first", rows::first_copy),
    ("pages", rows::changed_pages),
    ("append", rows::appends),
    ("database", database::commits),
    ("hot", two::hot),
    ("turns", turns::turns),
    ("memory", rows::memory),
];

const TILLS: [(&str, Measuring); 1] = [("tills", tills::tills)];

fn main() {
    // `cargo test --benches` asks for a list of tests; there are none.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    if let Some(place) = std::env::var_os("ESPEJO_BENCH_DIR") {
        tempfile::env::override_temp_dir(place.as_ref()).unwrap();
    }
    match Rsync::version() {
        Some(version) => println!("beside {version}"),
        None => println!("rsync is missing (Debian: apt-get install rsync): its column stays empty"),
    }
    let part = std::env::args().find(|arg| ["here", "two", "tills"].contains(&arg.as_str()));
    let is_asked = |name| part.as_ref().is_none_or(|part| part == name);
    if is_asked("here") {
        table("one folder into another, in one process", &HERE, &Way::new(Mirroring::start, Rsync::here));
    }
    if is_asked("two") {
        table("from one machine to another, over TLS on loopback", &TWO, &Way::new(two::mirror, Rsync::daemon));
        println!("the bare TCP copy reads and writes 256 KiB at a time on either side, and ends with fsync");
    }
    if is_asked("tills") {
        table("through a POS terminal, on loopback", &TILLS, &Way::new(Mirroring::start, Rsync::here));
    }
}

fn table(title: &str, rows: &[(&str, Measuring)], way: &Way) {
    let only = std::env::var("ESPEJO_BENCH_ONLY").unwrap_or_default();
    println!("\n{title}\n{:<82} {:>12} {:>12} {:>8} {:>10}", "work", "espejo", "peer", "ratio", "reach");
    for (_, measure) in rows.iter().filter(|(name, _)| only.is_empty() || only == *name) {
        for row in measure(way) {
            println!("{row}");
        }
    }
}
