//! How the last drill ended.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::WhyNot;
use crate::os::ground;

/// How a drill ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Drilled {
    /// When.
    pub at: Timestamp,
    /// How long it took until the POS server answered, where it did.
    pub ready_ms: Option<u64>,
    /// A sale was tried, and possible.
    pub sold: bool,
    /// Why it was not as it should be.
    pub why_not: Option<WhyNot>,
}

fn path(home: &Path) -> PathBuf {
    home.join("drill.json")
}

impl Drilled {
    /// The last one of `home`; none where there was none, or nobody knows any more.
    #[must_use]
    pub fn load(home: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path(home)).ok()?).ok()
    }

    /// Keeps it in `home`.
    pub fn save(&self, home: &Path) -> io::Result<()> {
        ground::save(&path(home), &serde_json::to_vec_pretty(self)?)
    }
}
