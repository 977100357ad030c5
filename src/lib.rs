//! Espejo.

pub mod pair;
pub mod replica;
pub mod service;
