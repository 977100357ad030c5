//! Who may serve. Pure: nothing here blocks, fails, reads a clock or logs; time is an argument.
//!
//! May name: nothing of ours.
//!
//! - [`duty`]: what a node is and does, and the machine that holds an epoch
//! - [`event`]: what can happen to a node, and what it is to do
//! - [`record`]: the small record that a node saves before it acts on it
//! - [`step`]: one event in, actions out
//! - [`story`]: one sentence for each thing that a node does
//! - `states.md`: the states and the whole table, drawn from the code
//!
#![doc = include_str!("states.md")]

pub mod duty;
pub mod event;
pub mod record;
pub mod step;
pub mod story;

pub use duty::{Duty, Epoch, Node};
pub use event::{Action, Event, Other};
pub use record::{Claim, Record};
pub use step::Pair;
