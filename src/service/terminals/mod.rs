//! The POS terminals, as a machine knows them: who may come in, what each sees, and what follows from that.
//!
//! The desk is a task of its own, so that a crowd of terminals never keeps the service from its work: it takes what they tell, says
//! how this machine stands, and hands on a picture of all, and at once the proof of an epoch that the service has not seen.
//!
//! - [`registry`]: who has joined
//! - [`desk`]: takes terminals, hears and tells them
//! - [`terminal`]: how one stands
//! - [`visit`]: the connection of one terminal
//! - [`witness`]: what they saw, and the verdict that follows: pure

pub mod desk;
pub mod registry;
pub mod terminal;
pub mod visit;
pub mod witness;
