//! The strip below the screen of a practice shop: what can be caused there by one key each, and what became of the orders.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::intent::Intent;

/// What the strip shows, in words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strip {
    /// What can be caused.
    pub causes: Vec<Cause>,
    /// What the lesson says; empty where there is none.
    pub lesson: String,
    /// What explains the line below it; empty where it explains itself.
    pub note: String,
    /// The line of truth.
    pub truth: String,
    /// Whether that is as it should be.
    pub is_well: bool,
}

/// Something that can be caused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// By what.
    pub intent: Intent,
    /// What it is, in a few words.
    pub label: String,
    /// Whether it can be now.
    pub is_possible: bool,
}

/// Where the strip comes from, and where what is wanted goes.
pub struct Beside {
    /// What the strip shows.
    pub strip: watch::Receiver<Arc<Strip>>,
    /// What is wanted of it.
    pub wants: mpsc::UnboundedSender<Intent>,
}
