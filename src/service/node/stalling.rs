//! A dataset whose copy stops by itself stops no other one: it is reported, and taken up again in time, or when a person says so.

use jiff::Timestamp;

use super::lanes::{Lane, Work};
use super::{Machine, MachineError, inputs, standing};
use crate::link::squeeze::Squeezer;
use crate::link::tls::Secure;
use crate::link::wire::{Half, Line};
use crate::os::ground;
use crate::pair::Duty;
use crate::service::command::Reply;
use crate::service::receiving::Failed;
use crate::service::refusal::WhyNot;
use crate::service::status::{Stalled, Status, Trouble};

impl Machine {
    /// How its datasets stand together; what one says that has stopped says nothing of the others.
    pub(super) fn datasets_stand(&mut self, now: Timestamp) -> Option<Status> {
        let mut books: Vec<(bool, Status)> = vec![];
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let mut status = lane.book.status(&self.pair, now);
            standing::number(&mut status, number as u64);
            books.push((lane.stalled.is_some(), status));
        }
        books.sort_by_key(|(has_stopped, _)| *has_stopped);
        let mut books = books.into_iter();
        let (_, mut all) = books.next()?;
        for (has_stopped, next) in books {
            if has_stopped {
                standing::append(&mut all, next);
            } else {
                standing::join(&mut all, next);
            }
        }
        Some(all)
    }

    /// Begins this with each dataset.
    pub(super) fn begin_lanes(&mut self, all: Vec<(String, Work)>) -> std::io::Result<()> {
        for (name, work) in all {
            let (number, book) = (self.lane_number(), inputs::book(&self.store, &name));
            self.lanes.push(Lane::begin(&name, work, book, number, self.tell.news.clone())?);
            self.give_kept_way(self.lanes.len() - 1);
        }
        self.tell_meant();
        Ok(())
    }

    /// Gives a dataset the way that came before anybody here had a use for it.
    fn give_kept_way(&mut self, at: usize) {
        let kept = self.session.as_mut().and_then(|session| session.unused.remove(&self.lanes[at].name));
        if let Some(way) = kept {
            self.give_way(at, way);
        }
    }

    fn lane_number(&mut self) -> usize {
        self.lanes_begun += 1;
        self.lanes_begun
    }

    /// Notices which datasets have stopped, and takes up again whose time has come.
    pub(super) async fn lanes_go_on(&mut self) -> Result<(), MachineError> {
        for at in 0..self.lanes.len() {
            if self.lanes[at].has_stalled().await
                && let Some(stalled) = &self.lanes[at].stalled
            {
                let why = stalled.why.clone();
                tracing::error!(dataset = self.lanes[at].name, why, "a dataset is not mirrored any more");
                self.lanes[at].book.operations.fail(&why, ground::now());
                self.keep().await;
                self.publish_soon();
            }
            if self.lanes[at].is_due() {
                self.take_up(at)?;
            }
        }
        self.went |= self.lanes.iter().any(Lane::was_opened);
        // Where nothing ever went, nothing needs to be kept going: whoever began the service is told why.
        let stalled = self.lanes.iter().map(|lane| Some((lane.name.clone(), lane.stalled.as_ref()?.why.clone())));
        match stalled.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().next()) {
            Some((dataset, why)) if !self.went => Err(MachineError::Dataset { dataset, why }),
            _ => Ok(()),
        }
    }

    fn take_up(&mut self, at: usize) -> std::io::Result<()> {
        let number = self.lane_number();
        let lane = &mut self.lanes[at];
        tracing::info!(dataset = lane.name, "a dataset is taken up again");
        lane.begin_again(number, self.tell.news.clone())?;
        self.give_kept_way(at);
        self.publish_soon();
        Ok(())
    }

    /// Ends all of them, and waits for that. Returns which failed in that, and why, the worst of them: one that had stopped before was
    /// reported then.
    pub(super) async fn close_lanes(&mut self) -> Result<(), (String, Failed)> {
        let mut failed: Result<(), (String, Failed)> = Ok(());
        for lane in self.lanes.drain(..) {
            let (name, had_stopped) = (lane.name.clone(), lane.stalled.is_some());
            if let Err(why) = lane.end().await
                && !had_stopped
                && failed.as_ref().err().is_none_or(|(_, worst)| worst.is_whole)
            {
                failed = Err((name, why));
            }
        }
        failed
    }

    /// Gives a dataset its way to the other machine.
    pub(super) fn give_way(&mut self, at: usize, secure: Secure) {
        let Some(session) = &mut self.session else { return };
        let half = if self.pair.duty() == Duty::Serving { Half::Source } else { Half::Mirror };
        let line = Line { pace: self.pace.clone(), squeezer: Squeezer::new().ok() };
        let _ = self.lanes[at].links.send(session.dataset(secure, line, half));
    }

    /// Takes a dataset up again that has stopped here.
    pub(super) fn take_up_now(&mut self, name: &str, by: &str) -> Reply {
        let why = match self.lanes.iter().position(|lane| lane.name == name) {
            None => WhyNot::NoSuchDataset { name: name.to_owned() },
            Some(at) if self.lanes[at].stalled.is_none() => WhyNot::GoesOn { name: name.to_owned() },
            Some(at) if self.lanes[at].goes() => return Reply::Done,
            Some(at) => {
                tracing::info!(dataset = name, by, "a person has a dataset taken up again");
                match self.take_up(at) {
                    Ok(()) => return Reply::Done,
                    Err(error) => WhyNot::System { error: error.to_string() },
                }
            }
        };
        Reply::Refused { why: vec![why] }
    }

    /// Whether it is here that the dataset has stopped.
    pub(super) fn has_stalled(&self, name: &str) -> bool {
        self.lanes.iter().any(|lane| lane.name == name && lane.stalled.is_some())
    }

    /// The datasets that have stopped on this machine.
    pub(super) fn stalled(&self) -> Vec<Stalled> {
        let node = self.role();
        let stalled = |lane: &Lane| {
            let why = lane.stalled.as_ref()?.why.clone();
            Some(Stalled { dataset: lane.name.clone(), node, why })
        };
        self.lanes.iter().filter_map(stalled).collect()
    }
}

/// What is wrong, where datasets have stopped.
pub(super) fn trouble(stalled: &[Stalled]) -> Option<Trouble> {
    let Stalled { dataset, why, .. } = stalled.first()?.clone();
    Some(Trouble::DatasetStopped { dataset, why, more: stalled.len() as u64 - 1 })
}
