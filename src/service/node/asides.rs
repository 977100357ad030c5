//! What the databases of this machine alone hold, since it lost its place without giving it: it is set aside before anything is read
//! back over it, while the other machine serves or before this one takes over again. Where that can never be, a person may give it up.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

use super::Machine;
use super::dumps::{AGAIN, Came, Failed, Running, Saved};
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
    runs: Option<Running>,
    /// Why it could not be, until it is.
    failed: Option<Failed>,
}

impl Asides {
    pub(super) fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }

    pub(super) fn runs(&self) -> bool {
        self.runs.is_some()
    }

    /// What runs is ended, and tried again.
    pub(super) fn begin_again(&mut self) {
        self.runs.iter().for_each(Running::end);
        self.failed.iter_mut().for_each(|(_, again)| *again = Instant::now());
    }

    /// It is not for the other machine's sake any more. Returns what still runs of it, and why it could not be done.
    pub(super) fn end(&mut self) -> (Option<Running>, Option<Failed>) {
        let Self { runs, failed } = std::mem::take(self);
        (runs, failed)
    }
}

/// Sets aside what the databases hold from epoch `served`.
pub(super) async fn set_all_aside(all: Vec<Dumped>, served: Epoch, gone: &Arc<AtomicBool>) -> Came {
    let mut asides = vec![];
    for dumped in all {
        let (dataset, gone) = (dumped.name.clone(), Arc::clone(gone));
        let done = ground::aside(move || dumped.set_aside(served, &gone)).await;
        match done.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(aside) => asides.extend(aside),
            Err(why) => return (asides, Err(Doubt::NotAside { dataset, why })),
        }
    }
    (asides, Ok(()))
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
        let begins = next.is_serving() && !before.is_serving();
        let owed = before.strays.then(|| before.served());
        if !begins || self.dumped().is_empty() || self.dumps.saved.owed == owed {
            return Ok(());
        }
        self.note_dumps(Saved { owed, ..self.dumps.saved.clone() })
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
        if let Some(runs) = self.dumps.asides.runs.take_if(|runs| runs.task.is_finished()) {
            let (asides, came) = runs.came().await;
            self.tell_asides(asides);
            match came {
                Ok(()) => {
                    self.dumps.asides.failed = None;
                    return true;
                }
                Err(doubt) => {
                    tracing::error!(?doubt, "what a database alone holds could not be set aside");
                    self.dumps.asides.failed = Some((doubt, Instant::now() + AGAIN));
                }
            }
        }
        let is_due = self.dumps.asides.failed.as_ref().is_none_or(|(_, again)| Instant::now() >= *again);
        if self.dumps.asides.runs.is_none() && is_due {
            let served = self.pair.record().served();
            let all = self.held_alone(served);
            let runs = Running::begin(|gone| async move { set_all_aside(all, served, &gone).await });
            self.dumps.asides.runs = Some(runs);
        }
        false
    }

    /// Whether what `name` alone held here waits to be set aside: it could not be, or is being dumped for as long as that takes.
    pub(super) fn waits_for_aside(&self, name: &str) -> bool {
        let is_it = |(doubt, _): &Failed| matches!(doubt, Doubt::NotAside { dataset, .. } if dataset == name);
        let has_failed = self.dumps.failed.iter().chain(self.dumps.asides.failed()).any(is_it);
        let is_one = || self.held_alone(self.epoch_held_alone()).iter().any(|dumped| dumped.name == name);
        has_failed || self.dumps.may_be_setting_aside() && is_one()
    }

    /// The epoch from which its databases may hold what nobody else does.
    fn epoch_held_alone(&self) -> Epoch {
        let owed = self.dumps.saved.owed.filter(|_| self.pair.duty() == Duty::Serving);
        owed.unwrap_or_else(|| self.pair.record().served())
    }

    /// A person goes on without what a database of this machine alone holds: it could not be set aside.
    pub(super) fn give_up_aside(&mut self, name: &str, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        if !self.waits_for_aside(name) {
            return refused(WhyNot::NothingToGiveUp { name: name.to_owned() });
        }
        let mut saved = self.dumps.saved.clone();
        saved.given_up.insert(name.to_owned(), self.epoch_held_alone());
        if let Err(error) = self.note_dumps(saved) {
            return refused(WhyNot::System { error: error.to_string() });
        }
        self.dumps.begin_again();
        tracing::warn!(name, by, "what a database alone holds is given up");
        self.done(by, What::Noted(Noted::GivenUp { name: name.to_owned() }));
        Reply::Done
    }
}
