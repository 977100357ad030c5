//! The backup licence: a signed token says on what terms the backup may serve, a ledger counts the days on which it does.
//!
//! May name: `os`. Nothing here reads a clock, a file or the network: time and bytes come as arguments, values go back. What
//! is kept in a home, and when it is written, is the service's.
//!
//! - [`key`]: a vendor's keys
//! - [`terms`]: how many days, and of what
//! - [`token`]: what a vendor signs, and whether it holds here
//! - [`moment`]: a point in time, by the system's own count and by the wall clock
//! - [`ledger`]: the days that are used
//! - [`standing`]: what follows from terms and ledger
//! - [`seal`]: the ledger as it is kept, twice
//! - [`warning`]: when it is said that the days run out

pub mod key;
pub mod ledger;
pub mod moment;
pub mod seal;
pub mod standing;
pub mod terms;
pub mod token;
pub mod warning;

pub use ledger::Ledger;
pub use moment::Moment;
pub use standing::{Standing, State};
pub use terms::{Grant, Per, Terms};
pub use token::TokenError;
