//! The practice shop: two machines and four terminals with the real program in every role, a small POS server, cashiers who remember,
//! incidents, a lesson, and the line of truth. May name the service and what it is made of; knows no screen. All on loopback, and all of it ends
//! with it.
//!
//! - [`pos`]: the POS server
//! - [`order`]: an order, on the way and in the queue
//! - [`cashier`]: who sells
//! - [`truth`]: what was confirmed against what is there
//! - [`machine`]: one of the two machines
//! - [`till`]: one of the terminals
//! - `program`: the real program with one home
//! - [`caretaker`]: who clears it away when its own process is killed
//! - [`places`]: where all of it is
//! - [`cable`]: what lies between them
//! - [`furnish`]: sets it up, as a person would
//! - [`lesson`]: one whole story, step by step
//! - [`shop`]: all of it together
//! - [`incident`]: what can happen to it
//! - [`script`]: a story to play: incidents, commands and what is expected
//! - [`random`]: a seeded stream of numbers

pub mod cable;
pub mod caretaker;
pub mod cashier;
pub mod furnish;
pub mod incident;
pub mod lesson;
pub mod machine;
pub mod order;
pub mod places;
pub mod pos;
mod program;
pub mod random;
pub mod script;
pub mod shop;
pub mod till;
pub mod truth;
