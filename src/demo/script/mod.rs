//! A story to play: one line, one thing. `at 3s cut-power main`, `when alarm promote`, `expect missing 0`, `end`.
//!
//! - [`read`]: a file's text, every fault in it at once
//! - [`play`]: plays it, and prints the story as it happens
//! - [`tell`]: what changes while it is played, in words

pub mod play;
pub mod read;
pub mod tell;

use std::time::Duration;

use super::incident::Incident;
use crate::pair::{Duty, Node};
use crate::service::status::{LicenceState, Verdict};

/// A script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// What it is called: its file.
    pub name: String,
    /// What it says, in order.
    pub lines: Vec<Line>,
}

/// A line of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// What is waited for.
    pub when: When,
    /// What is done then.
    pub what: What,
    /// The line as it stands in the file, without a comment.
    pub text: String,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Nothing.
    AtOnce,
    /// So long since the shop sold.
    At(Duration),
    /// Something that comes to be so, within [`play::PATIENCE`].
    Comes(Condition),
}

/// Something that can come to be so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// What is known of the main offers a start of the backup server.
    Alarm,
    /// A return is possible.
    Offered,
    /// The POS server of the machine that serves answers.
    Ready,
    /// The mirror holds all there is.
    InStep,
    /// What is known of the main locks a start of the backup server.
    Locked,
}

/// What is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Something happens.
    Cause(Incident),
    /// A verb is typed on the backup, as an operator would.
    Command(String),
    /// Something must be so.
    Expect(Expected),
    /// The script is over.
    End,
}

/// What must be so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// What a machine does.
    Duty(Node, Duty),
    /// What a machine knows of the main.
    Verdict(Node, Verdict),
    /// How the backup licence stands.
    Licence(LicenceState),
    /// So many terminals work with a machine.
    Terminals(Node, usize),
    /// This alarm is on at a machine.
    Alarm(Node, String),
    /// So many orders are missing.
    Missing(usize),
    /// So many were set aside.
    SetAside(usize),
    /// So many were booked more than once.
    Double(usize),
    /// So many numbers were given twice.
    NumbersTwice(usize),
}
