//! The morning of a machine that was the server: who confirms that it still is.
//!
//! The other machine does, if it is heard; or it ended in order in the evening, and has not come back. Or most of the terminals do, as
//! far as they have heard this machine serve and have been there since: nobody's POS server starts before most of them know of its
//! epoch, or two seconds have passed. So they are asked only when this machine has been there for longer: whatever was about to begin
//! before has begun by then, and they know of it. A terminal that was off meanwhile, as in a night, says nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Machine, MachineError};
use crate::pair::Event;
use crate::service::terminals::witness::Witness;

/// So long the other machine is waited for, where it ended in order in the evening.
const MORNING: Duration = Duration::from_secs(10);
/// So long before the terminals are believed.
const VOUCHING: Duration = Duration::from_secs(5);

impl Machine {
    /// Goes on as the server, where that is sure now.
    pub(super) async fn resume_if_sure(&mut self) -> Result<(), MachineError> {
        if !self.pair.is_resuming() {
            return Ok(());
        }
        if self.began.elapsed() >= VOUCHING && self.is_vouched_for() {
            tracing::info!("most of the terminals have seen no other server");
            self.step(Event::Vouched).await?;
        }
        if self.pair.is_resuming() && !self.turning.unheard && self.began.elapsed() >= MORNING {
            self.turning.unheard = true;
            self.step(Event::Unheard).await?;
        }
        Ok(())
    }

    /// Most of the terminals that have joined are heard, have heard this machine serve in its epoch, and have seen none above it since.
    fn is_vouched_for(&self) -> bool {
        let (now, epoch) = (Instant::now(), self.pair.record().epoch);
        let all = self.tills.registry.joined().count();
        let agrees = |one: &&Arc<Witness>| one.is_fresh(now) && one.vote.served == epoch && one.vote.epoch == epoch;
        let agree = self.witnesses().iter().filter(agrees).count();
        agree * 2 > all
    }
}
