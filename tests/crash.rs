//! Stops the program dead between any two effects of a generation, and at random times; and takes it back step by step.
//!
//! Afterwards the mirror is, byte for byte, what a committed generation left; what was acknowledged is in it; its undo
//! leads back to the generation before; and it goes on until both folders are the same.
//!
//! - `points`: every fail point in the sources, and the story that reaches it
//! - `gather`: what a machine alone holds is set aside, before it follows another one
//! - `story`: a generation that does everything that a generation can do
//! - `turned`: each machine of a pair in each change of server, stopped dead or with a full disk
//! - `rounds`: each change of server, and what befalls a machine in it
//! - `stage`: the shop in which that is played
//! - `killed`: `kill -9` of the real process at random times
//! - `steps`: the way back, generation by generation

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod common;
#[path = "crash/gather.rs"]
mod gather;
#[path = "crash/killed.rs"]
mod killed;
#[path = "crash/points.rs"]
mod points;
#[path = "crash/rounds.rs"]
mod rounds;
#[path = "crash/stage.rs"]
mod stage;
#[path = "crash/steps.rs"]
mod steps;
#[path = "crash/story.rs"]
mod story;
#[path = "crash/turned.rs"]
mod turned;
