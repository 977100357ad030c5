//! Espejo.

pub mod pair;
pub mod replica;
pub mod service;
pub mod tui;
pub mod words;
