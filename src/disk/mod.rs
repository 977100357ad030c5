//! The files: captured on the serving side, journaled and applied on the mirroring one.
//!
//! May name: `replica`. It blocks, so it runs on threads of its own, never on the asynchronous ones; it knows no screen, no
//! link and no duty.
//!
//! - [`apply`]: writes the mirror, so that it is always as some generation left it
//! - [`ask`]: answers questions about data in which nobody writes
//! - [`capture`]: reads a dataset at one instant and says what differs
//! - [`database`]: a database, copied to be opened
//! - [`duplicate`]: a copy of a mirror for a drill
//! - [`error`]: what can go wrong with a disk, and what helps
//! - [`hold`]: holds what a shop's program honours while its files are read
//! - [`journal`]: what the mirror keeps beside itself
//! - [`lone`]: the list of what one side alone held
//! - [`read`]: reads files block by block
//! - [`records`]: the records of a queue
//! - [`rescue`]: what was set aside: listed, compared, copied elsewhere, removed
//! - [`root`]: a folder, and everything that is done inside it
//! - [`round`]: buffers that go round
//! - [`rows`]: rows of a database that another state of it lacks
//! - [`scratch`]: room for what is copied to be looked at
//! - [`spool`]: keeps what changed until it has travelled
//! - [`stamp`]: what `stat` says
//! - [`walk`]: lists everything below a folder
//! - [`watch`]: hears from the system that files change

pub mod apply;
pub mod ask;
pub mod capture;
pub mod database;
pub mod duplicate;
pub mod error;
pub mod hold;
pub mod journal;
pub mod lone;
pub mod read;
pub mod records;
pub mod rescue;
pub mod root;
pub mod round;
pub mod rows;
pub mod scratch;
pub mod spool;
pub mod stamp;
pub mod walk;
pub mod watch;

pub use error::{DiskError, Hope};

pub(crate) use crate::os::point;
