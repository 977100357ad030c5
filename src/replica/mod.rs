//! What differs between two copies, and how that is said. Pure: nothing here opens a file, reads a clock, blocks or logs.
//!
//! May name: nothing of ours.
//!
//! - [`path`]: a name inside a dataset, as bytes, that cannot lead out of it
//! - [`blocks`]: the sums of a file's blocks; holes cost nothing
//! - [`entry`]: what stands under a name: file, folder, link, with mode, owner and time
//! - [`position`]: how far a copy is, and what follows from two of them
//! - [`part`]: the pieces of a generation, as they travel and as they are stored
//! - [`grade`]: how sure a generation is
//! - [`sealed`]: bytes that notice damage
//! - [`naming`]: which renames, links and contents make one set of names out of another

pub mod blocks;
pub mod entry;
pub mod grade;
pub mod naming;
pub mod part;
pub mod path;
pub mod position;
pub mod sealed;

pub use blocks::{BLOCK, Blocks, Proof, Sum};
pub use entry::{Body, Entry, Meta, Time};
pub use grade::{Grade, Kind};
pub use part::{Begin, Content, Data, End, Mode, Part, Put};
pub use path::RelPath;
pub use position::{Checksum, Position};
