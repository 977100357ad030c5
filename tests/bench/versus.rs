//! This program beside rsync, on the same data on the same disk, as ratios: `cargo bench --bench versus`.
//!
//! `ESPEJO_BENCH_DIR` names the disk (else the system's folder for temporary files), `ESPEJO_BENCH_ONLY` one row. Nothing
//! here passes or fails: it prints a table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod rows;
mod shop;

use std::process::Command;

use rows::Row;

/// Measures some rows, beside rsync if that is there.
type Measuring = fn(bool) -> Vec<Row>;

fn main() {
    // `cargo test --benches` asks for a list of tests; there are none.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    let only = std::env::var("ESPEJO_BENCH_ONLY").unwrap_or_default();
    let rsync = Command::new("rsync").arg("--version").output().ok().filter(|out| out.status.success());
    match &rsync {
        Some(out) => println!("beside {}", String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or_default()),
        None => println!("rsync is missing (Debian: apt-get install rsync): its column stays empty"),
    }
    println!("{:<66} {:>12} {:>12} {:>8} {:>16}", "work", "espejo", "rsync", "ratio", "reach");
    let rows: [(&str, Measuring); 6] = [
        ("first", rows::first_copy),
        ("pages", rows::changed_pages),
        ("append", rows::appends),
        ("rescan", rows::rescan_and_memory),
        ("idle", rows::idle),
        ("start", rows::start),
    ];
    for (_, measure) in rows.iter().filter(|(name, _)| only.is_empty() || only == *name) {
        for row in measure(rsync.is_some()) {
            println!("{row}");
        }
    }
}
