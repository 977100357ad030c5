//! A place is given, and taken.

use super::note::Note;
use super::turning::Beginning;
use super::{Machine, MachineError};
use crate::os::point;
use crate::pair::{Duty, Epoch, Event};

impl Machine {
    /// Says to the other machine that it is to serve.
    pub(super) async fn grant(&mut self, to: Epoch, at: u64) {
        point!("turn.grant");
        if self.pair.duty() == Duty::Serving || !self.lanes.is_empty() {
            // With this machine's part as the server the session ends, too.
            if let Some(session) = self.put_away_session() {
                session.part(Note::Grant { to, at }).await;
            }
        } else if let Some(session) = &self.session {
            session.say(Note::Grant { to, at });
        }
        point!("turn.granted");
    }

    /// The other machine gives its place to this one. That is said again as long as it is not taken: a mirror that is being opened,
    /// or does not hold all that there was, takes nothing yet.
    pub(super) async fn granted(&mut self, to: Epoch, at: u64) -> Result<(), MachineError> {
        let held = self.status().mirror.position.seq;
        if self.pair.duty() == Duty::Serving || held != at {
            tracing::info!(to, at, held, "no place is taken now");
            return Ok(());
        }
        point!("turn.grant-heard");
        // Nothing is lost by this, and nothing of it was asked for with another start.
        self.forget_numbers();
        self.turning.from = Beginning::default();
        self.turning.took = Some(to);
        self.turning.job.wait_anew();
        self.step(Event::Granted { to }).await
    }

    /// A machine that was given its place, and whose POS server does not begin to answer, gives it back once.
    pub(super) async fn hand_back(&mut self) -> Result<(), MachineError> {
        let is_taker = self.pair.duty() == Duty::Serving && self.turning.job.running().is_none();
        if !is_taker || self.turning.took.is_none_or(|epoch| epoch != self.pair.record().epoch) {
            return Ok(());
        }
        match self.has_started() {
            None => Ok(()),
            Some(Ok(())) => {
                self.turning.took = None;
                Ok(())
            }
            Some(Err(why)) => {
                tracing::error!(?why, "the POS server does not begin to answer: the place is given back");
                self.turning.took = None;
                self.step(Event::Return).await
            }
        }
    }
}
