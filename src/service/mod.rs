//! Joins everything: select, step, perform, publish.

pub mod command;
pub mod event;
pub mod news;
pub mod sending;
pub mod status;

pub use command::{Command, Reply};
pub use status::Status;
