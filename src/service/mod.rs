//! Joins everything: select, step, perform, publish.

pub mod command;
pub mod event;
pub mod status;

pub use command::{Command, Reply};
pub use status::Status;
