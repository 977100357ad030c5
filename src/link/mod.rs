//! The other machine: what is said to it and how it gets there.
//!
//! May name: `replica`. It knows frames and connections, not what they mean for the disk or for who serves.
//!
//! - [`frame`]: what the two halves say to each other
//! - [`greeting`]: the first sentence of each side
//! - [`identity`]: who a machine is
//! - [`join`]: how two machines learn each other's key
//! - [`pace`]: how fast may be sent
//! - [`port`]: where links come in, one after another
//! - [`proof`]: an epoch is signed by who took it
//! - [`pulse`]: the heartbeat
//! - `room`: room for the frames that come in
//! - [`speech`]: single sentences on a connection
//! - [`squeeze`]: frames made shorter, where that is worth its time
//! - [`tls`]: an encrypted connection between two machines that prove who they are
//! - [`wire`]: carries frames over a stream, in memory or over a network

pub mod frame;
pub mod greeting;
pub mod identity;
pub mod join;
pub mod pace;
pub mod port;
pub mod proof;
pub mod pulse;
mod room;
pub mod speech;
pub mod squeeze;
pub mod tls;
pub mod wire;

pub use frame::{Hello, ToMirror, ToSource, Told, Welcome};
