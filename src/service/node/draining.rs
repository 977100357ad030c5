//! Before anything is served from mirrors: they are closed, with all applied that was acknowledged, and stepped back where that is wanted.

use super::Machine;
use super::isolated::Isolation;
use crate::os::point;
use crate::pair::Event;
use crate::service::refusal::WhyNot;
use crate::service::status::{OperationKind, Step};

impl Machine {
    /// Receives nothing more, and applies what was acknowledged.
    pub(super) async fn drain(&mut self) -> Event {
        let (mut seq, from) = (self.status().mirror.position.seq, std::mem::take(&mut self.turning.from));
        point!("turn.drain");
        if let Err((name, why)) = self.end_lanes().await {
            tracing::error!(dataset = name, why, "what a dataset acknowledged last is not in place");
            if !from.takes_less {
                self.end_job(Err(WhyNot::DatasetLacks { name, why })).await;
                return Event::NotDrained;
            }
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

    /// Ends what is sent or received, and waits for that. Returns which dataset failed in that, and why.
    pub(super) async fn end_lanes(&mut self) -> Result<(), (String, String)> {
        self.give_up_drill().await;
        self.hang_up();
        // What comes after a change of duty is no first try.
        self.went |= !self.lanes.is_empty();
        (self.turning.freezing, self.turning.starting, self.turning.storing) = (None, None, None);
        self.turning.isolation = Isolation::default();
        self.close_lanes().await
    }
}
