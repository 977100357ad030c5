//! POS terminals: they follow whoever serves by themselves, and they bear witness. On a shop floor of network namespaces with real
//! sockets.
//!
//! - `floor`: two switches, two machines, tills
//! - `follow`: the server changes, and every till is at work again
//! - `receipts`: what the terminals have shown was given out
//! - `strangers`: who may come in, who may not, and what a liar achieves
//! - `morning`: who confirms that a machine is still the server
//! - `crowd`: two hundred of them
//! - `own`: the two machines as tills, and what is around them
//! - `postgres`: a real database through the tills
//! - `install`: what the README says about installing, line by line
//! - `cuts`: every cable pulled in turn, and the verdict on both machines

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod common;
#[path = "tills/crowd.rs"]
mod crowd;
#[path = "tills/cuts.rs"]
mod cuts;
#[path = "tills/floor.rs"]
mod floor;
#[path = "tills/follow.rs"]
mod follow;
#[path = "tills/install.rs"]
mod install;
#[path = "tills/morning.rs"]
mod morning;
#[path = "tills/own.rs"]
mod own;
#[path = "tills/postgres.rs"]
mod postgres;
#[path = "tills/receipts.rs"]
mod receipts;
#[path = "tills/strangers.rs"]
mod strangers;
