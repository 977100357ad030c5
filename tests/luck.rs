//! Bad input and bad luck: a clear answer, nothing lost, and on by itself where that can be.
//!
//! - `folders`: what was typed cannot be a source and its mirror
//! - `copied`: a mirror in a few lines
//! - `database`: databases of `SQLite`
//! - `files`: what programs and people do to files while they are mirrored
//! - `held`: what is held while it is read
//! - `instants`: what counts as one instant
//! - `log`: the log of a database, whatever becomes of it
//! - `mirror`: what befalls the mirror
//! - `owner`: whose the files beside a database are
//! - `queue`: what grows line by line
//! - `records`: where a queue ends, whatever its records are
//! - `rights`: what may not be read
//! - `service`: homes, signals, answers
//! - `source`: what moves while it is looked at
//! - `watch`: when the system tells of less than it should

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod common;
#[path = "luck/copied.rs"]
mod copied;
#[path = "luck/database.rs"]
mod database;
#[path = "luck/files.rs"]
mod files;
#[path = "luck/folders.rs"]
mod folders;
#[path = "luck/held.rs"]
mod held;
#[path = "luck/instants.rs"]
mod instants;
#[path = "luck/log.rs"]
mod log;
#[path = "luck/mirror.rs"]
mod mirror;
#[path = "luck/owner.rs"]
mod owner;
#[path = "luck/queue.rs"]
mod queue;
#[path = "luck/records.rs"]
mod records;
#[path = "luck/rights.rs"]
mod rights;
#[path = "luck/service.rs"]
mod service;
#[path = "luck/source.rs"]
mod source;
#[path = "luck/watch.rs"]
mod watch;
