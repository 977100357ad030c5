//! What was set aside goes when it is old: it may hold what a shop must not keep for ever.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::Machine;
use crate::disk::rescue;
use crate::os::ground;
use crate::service::event::{Noted, What};

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
}
