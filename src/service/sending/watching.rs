//! What the watch says of the source, and what nobody tells of.

use std::time::Duration;

use tokio::time::Instant;

use super::ears::Ears;
use super::{MANY, Sending};
use crate::disk::watch::Moved;

/// How often everything is looked through where some folders are not watched.
const LIMITED: Duration = Duration::from_secs(30);

impl Sending {
    /// Begins to watch, or begins anew where the folder is another one now: the old watch hears nothing any more.
    pub(super) fn begin_to_watch(&mut self) {
        self.moved = Ears::deaf();
        self.watched = self.source.inode();
        // What was said of the old watch may not hold for the new one.
        (self.rescan, self.told.rescans_ms) = (self.settings.rescan, None);
        self.told.is_remote = !self.source.tells_of_changes();
        if !self.told.is_remote {
            self.moved = Ears::open(&self.settings.source, &self.settings.options.own);
        }
        if !self.moved.hear() {
            self.rescan_often(self.settings.interval);
        }
    }

    /// Takes in that the watch cannot tell of everything, whoever listened when it said so.
    pub(super) fn go_on_watching(&mut self) {
        if self.moved.has_lost() {
            // A folder that came meanwhile is watched by nobody.
            self.begin_to_watch();
            self.dirty.everything = true;
        }
        if self.moved.is_limited() {
            self.rescan_often(LIMITED.min(self.settings.rescan));
        }
    }

    /// It is time to look everything through. One unlucky moment may have kept the watch from beginning: it is tried again.
    pub(super) fn rescan(&mut self, now: Instant) {
        if !self.moved.hear() && !self.told.is_remote {
            self.begin_to_watch();
        }
        self.next_rescan = now + self.rescan;
        self.dirty.everything = true;
    }

    pub(super) fn moved(&mut self, moved: Moved) {
        match moved {
            // What would have to be looked at name by name is sooner looked through.
            Moved::Path(_) if self.dirty.everything || self.dirty.paths.len() >= MANY => {
                self.dirty.everything = true;
                self.dirty.paths.clear();
            }
            Moved::Path(path) => {
                self.dirty.paths.insert(path);
            }
            Moved::Everything | Moved::Limited | Moved::Lost => self.dirty.everything = true,
        }
        self.not_before = Instant::now();
        self.stir();
    }

    pub(super) fn stir(&self) {
        if let Some(stirred) = &self.stirred {
            stirred.send_replace(Instant::now());
        }
    }

    fn rescan_often(&mut self, every: Duration) {
        if self.told.rescans_ms.is_none() {
            self.rescan = every;
            self.next_rescan = Instant::now() + every;
            self.told.rescans_ms = Some(u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
        }
    }
}
