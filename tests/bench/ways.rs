//! The ways in which a folder is mirrored, each beside its peer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::peers::Rsync;
use super::shop::{Mirroring, Scratch};

/// A way to mirror a folder.
pub struct Way {
    begin: fn(&Scratch, &Path) -> Mirroring,
    peer: fn(&Scratch) -> Option<Rsync>,
    peaks: RefCell<BTreeMap<&'static str, f64>>,
}

impl Way {
    pub fn new(begin: fn(&Scratch, &Path) -> Mirroring, peer: fn(&Scratch) -> Option<Rsync>) -> Self {
        Self { begin, peer, peaks: RefCell::default() }
    }

    /// Begins to mirror `source`.
    pub fn mirror(&self, scratch: &Scratch, source: &Path) -> Mirroring {
        (self.begin)(scratch, source)
    }

    /// The peer, if it is installed.
    pub fn peer(&self, scratch: &Scratch) -> Option<Rsync> {
        (self.peer)(scratch)
    }

    /// Remembers how much memory the processes of `mirror` have had.
    pub fn saw(&self, mirror: &Mirroring) {
        let mut peaks = self.peaks.borrow_mut();
        for (who, mib) in mirror.peaks_mib() {
            let peak = peaks.entry(who).or_default();
            *peak = peak.max(mib);
        }
    }

    /// The most memory that each process has had, in MiB.
    pub fn peaks(&self) -> Vec<(&'static str, f64)> {
        self.peaks.borrow().iter().map(|(who, mib)| (*who, *mib)).collect()
    }
}
