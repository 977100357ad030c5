//! The other machine: what is said to it and how it gets there.
//!
//! May name: `replica`. It knows frames and connections, not what they mean for the disk or for who serves.
//!
//! - [`frame`]: what the two halves say to each other
//! - [`wire`]: carries frames over a stream, in memory or over a network

pub mod frame;
pub mod wire;

pub use frame::{Hello, ToMirror, ToSource, Told, Welcome};
