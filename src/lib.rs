//! Espejo.

pub mod cli;
pub mod disk;
pub mod link;
pub mod os;
pub mod pair;
pub mod replica;
pub mod service;
pub mod tui;
pub mod words;
