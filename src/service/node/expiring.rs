//! What was set aside goes when it is old, and so do the earlier states of a mirror that serves now: they may hold what a shop must not
//! keep for ever.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Machine;
use crate::disk::apply::history;
use crate::disk::rescue;
use crate::link::identity::Identity;
use crate::os::ground;
use crate::pair::Duty;
use crate::service::command::Reply;
use crate::service::event::{Noted, What};
use crate::service::home::save;
use crate::service::receiving::Order;
use crate::service::refusal::WhyNot;
use crate::service::status::Stalled;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(3600);

/// A clock that is further from where it was at the look before is doubted once, in seconds: 30 days.
const FAR: i64 = 30 * 86_400;

/// The looks for what is old.
#[derive(Debug)]
pub(super) struct Looks {
    next: Instant,
    /// The clock had gone very far since the one before.
    doubts_clock: bool,
}

impl Looks {
    /// The first one is at once.
    pub(super) fn begin() -> Self {
        Self { next: Instant::now(), doubts_clock: false }
    }
}

/// Whether the clock is believed `now`. Where it has gone very far since the last look somebody may be about to put it right, and an hour
/// later it is believed: the shop was closed for so long.
fn may_be_trusted(home: &Path, now: Timestamp, doubts: &mut bool) -> bool {
    let (path, now) = (home.join("expired-at.json"), now.as_second());
    let before: Option<i64> = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_far = before.is_some_and(|before| now.abs_diff(before) > FAR.unsigned_abs());
    if is_far && !std::mem::replace(doubts, true) {
        return false;
    }
    *doubts = false;
    let saved = serde_json::to_vec(&now).map_err(std::io::Error::from).and_then(|bytes| save(&path, &bytes));
    if let Err(error) = saved {
        tracing::warn!(%error, "it could not be noted when was looked for what is old");
    }
    true
}

impl Machine {
    /// Removes what was set aside so long ago that it is not to be kept; the diary says so before and after.
    pub(super) async fn expire(&mut self) {
        let now = Instant::now();
        if now < self.expiring.next || ground::is_simulated() {
            return;
        }
        self.expiring.next = now + LOOK;
        // A clock that was put right, or wrong, since makes old what is not: then it is looked at with the next look.
        if !may_be_trusted(&self.home, ground::now(), &mut self.expiring.doubts_clock) {
            return;
        }
        if let Err(error) = self.drop_left(self.store.mirror.history).await {
            tracing::warn!(error, "earlier states of the copy could not be removed");
        }
        let Ok(kept) = i64::try_from(self.store.mirror.aside_for.as_secs()) else { return };
        let folders: Vec<PathBuf> =
            self.store.datasets.iter().map(|dataset| self.folder(&self.store, &dataset.name)).collect();
        let oldest = ground::now().as_second() - kept;
        // Nothing was set aside before this machine was set up: a time before that is of a clock without a battery.
        let first = Identity::made_at(&self.home).map_or(i64::MIN, Timestamp::as_second);
        let listed = ground::aside(move || {
            let all = folders.iter().flat_map(|folder| rescue::list(folder).unwrap_or_default());
            all.filter(|aside| (first..oldest).contains(&aside.at)).collect::<Vec<_>>()
        });
        for aside in listed.await.unwrap_or_default() {
            let (name, files, bytes) = (aside.name.clone(), aside.files, aside.bytes);
            self.done("", What::Noted(Noted::RescueDeleting { name: name.clone(), files, bytes }));
            match ground::aside(move || rescue::delete(&aside.path)).await {
                Ok(Ok(())) => self.done("", What::Noted(Noted::RescueDeleted { name })),
                Ok(Err(error)) => tracing::warn!(%error, "what was set aside could not be removed"),
                Err(error) => tracing::warn!(%error, "what was set aside could not be removed"),
            }
        }
    }

    /// Deletes the earlier states of the copy here, as a person wants it.
    pub(super) async fn forget_history(&mut self, by: &str) -> Reply {
        // One of them may be what the backup is about to start from.
        if let Some(why) = self.check_free().why {
            return Reply::Refused { why: vec![why] };
        }
        if self.pair.duty() != Duty::Serving {
            // Nobody may be there who could delete them.
            let stalled = self.stalled().into_iter().next();
            let stalled = stalled.map(|Stalled { dataset: name, why, .. }| WhyNot::DatasetStopped { name, why });
            if let Some(why) = stalled.or_else(|| self.lanes.is_empty().then_some(WhyNot::NoCopy)) {
                return Reply::Refused { why: vec![why] };
            }
        }
        self.done(by, What::Noted(Noted::HistoryForgotten));
        for lane in &self.lanes {
            let _ = lane.orders.send(Order::ForgetHistory);
        }
        match self.drop_left(Duration::ZERO).await {
            Ok(()) => Reply::Done,
            Err(error) => Reply::Refused { why: vec![WhyNot::System { error }] },
        }
    }

    /// Drops what is left of a mirror where this machine serves, as far as it is older than `age`.
    async fn drop_left(&mut self, age: Duration) -> Result<(), String> {
        if self.pair.duty() != Duty::Serving {
            return Ok(());
        }
        for dataset in &self.store.datasets {
            let folder = self.folder(&self.store, &dataset.name);
            let dropped = ground::aside(move || history::forget_left(&folder, age)).await;
            let dropped = dropped.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            if dropped {
                self.keeper.event("", &What::HistoryDropped { left: 0 });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by reading: a clock that was wrong for a moment had all deleted that was set aside.
    #[test]
    fn a_clock_that_jumps_is_doubted_once() {
        let (home, mut doubts) = (tempfile::tempdir().unwrap(), false);
        let at = |day: i64| Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap();
        let mut trusts = |day| may_be_trusted(home.path(), at(day), &mut doubts);
        assert!(trusts(0) && trusts(3), "nobody knows better");
        assert!(!trusts(20_000) && trusts(3), "it was put right");
        assert!(!trusts(-2_000) && trusts(-2_000) && !trusts(3) && trusts(3), "nor one that has forgotten all");
        assert!(!trusts(400) && trusts(400), "the shop was closed");
    }
}
