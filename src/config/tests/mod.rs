//! Whole files, right and wrong.
//!
//! May name: what the configuration shows to others.
//!
//! - `contract.toml`: the file that the contract shows
//! - `right`: what it says, and what the defaults are
//! - `wrong`, with `wrong.txt`: what can be wrong, each with its place
//! - `mutated`: any text ends in a store or in faults

mod mutated;
mod right;
mod wrong;

/// The least that is a store.
const LEAST: &str = r#"store = "Centro"
[main]
address = "192.168.1.10:7410"
[backup]
address = "192.168.1.13:7410"
[[dataset]]
name = "pos"
main = "/srv/pos"
"#;

const CONTRACT: &str = include_str!("contract.toml");
