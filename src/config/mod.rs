//! The store's configuration: what `store.toml` and `f_s.doc` say, and what is wrong in them, all at once.
//!
//! May name: nothing of ours. It never touches the disk and never asks the network: bytes and text in, values and faults
//! out. Its faults are values; `words` has their sentences.
//!
//! A [`Store`] is read from a text, whole or not at all. The text is the truth: it travels as a [`Revision`] and is read
//! again where it arrives. Each file here holds values, their defaults with units, and how they are read; a default stands in
//! one place only.
//!
//! The whole:
//!
//! - [`store`]: the whole of a `store.toml`
//! - [`revision`]: which of two texts counts
//! - [`draft`]: the first text of a new store
//! - [`adopted`]: the text in which the other machine is the main
//! - `examples.toml`: what a draft shows in comments
//! - [`terminal`]: the whole of a `terminal.toml`
//! - [`f_s_doc`]: the two lines of the shops' own programs
//!
//! Its tables:
//!
//! - [`machine`]: reads `[main]`, `[backup]`
//! - [`mirror`]: reads `[mirror]`
//! - [`dataset`]: reads `[[dataset]]`, `[[dataset.count]]`
//! - [`file`](mod@file): reads `[[dataset.file]]`
//! - [`counter`]: reads `[[counter]]`
//! - [`server`]: reads `[server]`
//! - [`probe`]: reads `ready` and `health` in it
//! - [`terminals`]: reads `[terminals]`
//! - [`device`]: reads `[[device]]`
//! - [`drill`]: reads `[drill]`
//! - [`dump`]: reads what is said of a database that is dumped
//! - [`change`]: reads `[licence]`, `[promote]`, `[return]`
//! - [`alarm`]: reads `[alarm]`, `[support]`
//! - [`hooks`]: reads `[hooks]`
//! - [`roles`]: reads `[roles]`
//!
//! What stands at their keys:
//!
//! - [`address`]: hosts with ports, pages
//! - [`command`]: programs with arguments, and what is filled in
//! - [`glob`]: patterns for names of files
//! - [`units`]: spans of time, sizes
//!
//! How it is read:
//!
//! - [`fault`]: what can be wrong
//! - `whole`: a whole file
//! - `syntax`: what is no TOML, all of it
//! - `reading`: a table, key by key
//! - `value`: texts, numbers, spans and sizes at a key
//! - `near`: the word that was probably meant
//! - `tests`: whole files, right and wrong

pub mod address;
pub mod adopted;
pub mod alarm;
pub mod change;
pub mod command;
pub mod counter;
pub mod dataset;
pub mod device;
pub mod draft;
pub mod drill;
pub mod dump;
pub mod f_s_doc;
pub mod fault;
pub mod file;
pub mod glob;
pub mod hooks;
pub mod machine;
pub mod mirror;
mod near;
pub mod probe;
mod reading;
pub mod revision;
pub mod roles;
pub mod server;
pub mod store;
mod syntax;
pub mod terminal;
pub mod terminals;
#[cfg(test)]
mod tests;
pub mod units;
mod value;
mod whole;

pub use fault::{Fault, FaultKind};
pub use revision::{Counts, Revision};
pub use store::Store;
