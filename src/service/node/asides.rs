//! What the databases of this machine alone hold, since it lost its place without giving it: it is set aside before anything is read
//! back over it, while the other machine serves or before this one takes over again. Where that can never be, a person may give it up.

use std::path::PathBuf;

use tokio::time::Instant;

use super::Machine;
use super::dumps::{AGAIN, Failed, Overwriting, Saved, lost};
use crate::os::ground;
use crate::pair::{Duty, Epoch, Record};
use crate::service::command::Reply;
use crate::service::doubt::Doubt;
use crate::service::dumping::Dumped;
use crate::service::event::{Noted, What};
use crate::service::refusal::WhyNot;

/// What is being set aside while the other machine serves.
#[derive(Debug, Default)]
pub(super) struct Asides {
    task: Option<Overwriting>,
    /// Why it could not be, until it is.
    failed: Option<Failed>,
}

impl Asides {
    pub(super) fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }

    /// It is not for the other machine's sake any more. Returns what still runs of it.
    pub(super) fn end(&mut self) -> Option<Overwriting> {
        std::mem::take(self).task
    }
}

/// Sets aside what the databases hold from epoch `served`. Returns where it is, as far as it was not there before.
pub(super) async fn set_all_aside(all: Vec<Dumped>, served: Epoch) -> Result<Vec<PathBuf>, Doubt> {
    let mut asides = vec![];
    for dumped in all {
        let dataset = dumped.name.clone();
        let done = ground::aside(move || dumped.set_aside(served)).await.unwrap_or_else(|error| Err(error.to_string()));
        asides.extend(done.map_err(|why| Doubt::NotAside { dataset, why })?);
    }
    Ok(asides)
}

impl Machine {
    /// The databases that hold something from epoch `served` that is to be set aside.
    pub(super) fn held_alone(&self, served: Epoch) -> Vec<Dumped> {
        let is_given_up = |dumped: &Dumped| self.dumps.saved.given_up.get(&dumped.name) == Some(&served);
        self.dumped().into_iter().filter(|dumped| !is_given_up(dumped)).collect()
    }

    /// Before the record `next` is saved: where this machine takes over again before what its databases alone held is set aside, it does
    /// that first, whatever comes between.
    pub(super) fn owe_dumps(&mut self, before: &Record, next: &Record) -> std::io::Result<()> {
        let takes_over = before.strays && next.is_serving();
        if !takes_over || self.dumped().is_empty() {
            return Ok(());
        }
        self.note_dumps(Saved { owed: Some(before.served()), ..self.dumps.saved.clone() })
    }

    pub(super) fn tell_asides(&mut self, asides: Vec<PathBuf>) {
        for to in asides {
            self.done("", What::Noted(Noted::Kept { files: 1, to: to.display().to_string() }));
        }
    }

    /// This machine lost its place without giving it: what its databases alone hold is set aside, while the other one serves. Returns
    /// whether that is done; it can be given its place back only then.
    pub(super) async fn dumps_are_aside(&mut self) -> bool {
        if self.dumped().is_empty() {
            return true;
        }
        if let Some(task) = self.dumps.asides.task.take_if(|task| task.is_finished()) {
            match task.await.unwrap_or_else(|error| Err(lost(&error.into()))) {
                Ok(asides) => {
                    self.dumps.asides.failed = None;
                    self.tell_asides(asides);
                    return true;
                }
                Err(doubt) => {
                    tracing::error!(?doubt, "what a database alone holds could not be set aside");
                    self.dumps.asides.failed = Some((doubt, Instant::now() + AGAIN));
                }
            }
        }
        let is_due = self.dumps.asides.failed.as_ref().is_none_or(|(_, again)| Instant::now() >= *again);
        if self.dumps.asides.task.is_none() && is_due {
            let served = self.pair.record().served();
            self.dumps.asides.task = Some(ground::spawn(set_all_aside(self.held_alone(served), served)));
        }
        false
    }

    /// A person goes on without what a database of this machine alone holds: it could not be set aside.
    pub(super) fn give_up_aside(&mut self, name: &str, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        let is_it = |doubt: &Doubt| matches!(doubt, Doubt::NotAside { dataset, .. } if dataset == name);
        let failed = [&mut self.dumps.failed, &mut self.dumps.asides.failed].into_iter().flatten();
        let mut failed = failed.filter(|(doubt, _)| is_it(doubt)).peekable();
        if failed.peek().is_none() {
            return refused(WhyNot::NothingToGiveUp { name: name.to_owned() });
        }
        failed.for_each(|(_, again)| *again = Instant::now());
        let owed = self.dumps.saved.owed.filter(|_| self.pair.duty() == Duty::Serving);
        let mut saved = self.dumps.saved.clone();
        saved.given_up.insert(name.to_owned(), owed.unwrap_or_else(|| self.pair.record().served()));
        if let Err(error) = self.note_dumps(saved) {
            return refused(WhyNot::System { error: error.to_string() });
        }
        tracing::warn!(name, by, "what a database alone holds is given up");
        self.done(by, What::Noted(Noted::GivenUp { name: name.to_owned() }));
        Reply::Done
    }
}
