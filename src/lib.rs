//! Espejo.

pub mod disk;
pub mod pair;
pub mod replica;
pub mod service;
