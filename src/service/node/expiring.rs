//! What was set aside goes when it is old, and so do the earlier states of a mirror that serves now: they may hold what a shop must not
//! keep for ever.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::Machine;
use crate::disk::apply::history;
use crate::disk::rescue;
use crate::os::ground;
use crate::pair::Duty;
use crate::service::command::Reply;
use crate::service::event::{Noted, What};
use crate::service::receiving::Order;
use crate::service::refusal::WhyNot;
use crate::service::status::Stalled;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(3600);

impl Machine {
    /// Removes what was set aside so long ago that it is not to be kept; the diary says so before and after.
    pub(super) async fn expire(&mut self) {
        let now = Instant::now();
        if now < self.expires_at || ground::is_simulated() {
            return;
        }
        self.expires_at = now + LOOK;
        if let Err(error) = self.drop_left(self.store.mirror.history).await {
            tracing::warn!(error, "earlier states of the copy could not be removed");
        }
        let Ok(kept) = i64::try_from(self.store.mirror.aside_for.as_secs()) else { return };
        let folders: Vec<PathBuf> =
            self.store.datasets.iter().map(|dataset| self.folder(&self.store, &dataset.name)).collect();
        let oldest = ground::now().as_second() - kept;
        let listed = ground::aside(move || {
            let all = folders.iter().flat_map(|folder| rescue::list(folder).unwrap_or_default());
            all.filter(|aside| aside.at < oldest).collect::<Vec<_>>()
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
