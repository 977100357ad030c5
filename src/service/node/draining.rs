//! Before anything is served from mirrors: they are closed, with all applied that was acknowledged, and stepped back where that is wanted.

use super::Machine;
use super::isolated::Isolation;
use crate::disk::apply::Mirror;
use crate::disk::apply::aside::{self, SetAside};
use crate::os::{ground, point};
use crate::pair::Event;
use crate::service::event::{Noted, What};
use crate::service::receiving::Failed;
use crate::service::refusal::WhyNot;
use crate::service::status::{OperationKind, Step};

impl Machine {
    /// Receives nothing more, and applies what was acknowledged.
    pub(super) async fn drain(&mut self) -> Event {
        let (mut seq, from) = (self.status().mirror.position.seq, std::mem::take(&mut self.turning.from));
        let stopped: Vec<String> =
            self.lanes.iter().filter(|lane| lane.stalled.is_some()).map(|lane| lane.name.clone()).collect();
        point!("turn.drain");
        if let Err((name, Failed { why, is_whole })) = self.end_lanes().await {
            tracing::error!(dataset = name, why, is_whole, "what a dataset acknowledged last is not in place");
            if !is_whole || !from.takes_less {
                self.end_job(Err(WhyNot::DatasetLacks { name, why })).await;
                return Event::NotDrained;
            }
        }
        if let Err((name, why)) = self.mend_stopped(stopped).await {
            tracing::error!(dataset = name, why, "a dataset that has stopped is in the middle of a generation");
            self.end_job(Err(WhyNot::DatasetLacks { name, why })).await;
            return Event::NotDrained;
        }
        // One that came to nothing half way is finished before anything is served.
        let promotes = self.turning.job.running().is_some_and(|own| own.kind == OperationKind::Promote);
        if let Some(time) = from.as_of.or_else(|| self.half_back().filter(|_| promotes)) {
            match self.back_to(time).await {
                Ok(stepped) => seq = stepped,
                Err(why) => {
                    self.end_job(Err(why)).await;
                    return Event::NotDrained;
                }
            }
        }
        point!("turn.drained");
        self.passed(Step::CloseMirror).await;
        Event::Drained { seq }
    }

    /// What a dataset that has stopped has applied by half is undone before anything is served from it.
    async fn mend_stopped(&self, stopped: Vec<String>) -> Result<(), (String, String)> {
        if ground::is_simulated() {
            return Ok(());
        }
        let epoch = self.pair.record().epoch;
        for name in stopped {
            let (dest, opening) = (self.folder(&self.store, &name), self.closed());
            let mended = ground::aside(move || Mirror::mend(&dest, opening, epoch)).await;
            let mended =
                mended.map_err(|error| error.to_string()).and_then(|done| done.map_err(|error| error.to_string()));
            mended.map_err(|why| (name, why))?;
        }
        Ok(())
    }

    /// What was acknowledged and could not be applied is of the past when this machine serves: it is set aside as it came.
    pub(super) async fn keep_unapplied(&mut self) {
        if ground::is_simulated() {
            return;
        }
        for dest in self.store.datasets.iter().map(|one| self.folder(&self.store, &one.name)).collect::<Vec<_>>() {
            match ground::aside(move || aside::keep_unapplied(&dest)).await {
                Ok(Ok(Some(SetAside { files, to }))) => {
                    let kept = Noted::Kept { files: files.len() as u64, to: to.display().to_string() };
                    self.done("", What::Noted(kept));
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::error!(%error, "what could not be applied could not be set aside"),
                Err(error) => tracing::error!(%error, "what could not be applied could not be set aside"),
            }
        }
    }

    /// Ends what is sent or received, and waits for that. Returns which dataset failed in that, and why.
    pub(super) async fn end_lanes(&mut self) -> Result<(), (String, Failed)> {
        self.give_up_drill().await;
        self.hang_up();
        // What comes after a change of duty is no first try.
        self.went |= !self.lanes.is_empty();
        (self.turning.freezing, self.turning.starting, self.turning.storing) = (None, None, None);
        self.turning.isolation = Isolation::default();
        self.close_lanes().await
    }
}
