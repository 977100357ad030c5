//! What became of the numbers that the dead main may have given out: what it held when it came back says it.

use std::path::PathBuf;

use super::Machine;
use super::numbers::ask_of;
use crate::os::ground;
use crate::service::numbering::Found;
use crate::service::status::Status;

impl Machine {
    /// What this machine alone held of a dataset was set aside there: how far the numbers in it go.
    pub(super) async fn find_numbers(&mut self, dataset: &str, aside: PathBuf) {
        let counters = self.store.counters.iter().filter(|counter| counter.read.file.dataset == dataset);
        let asks: Vec<_> = counters.filter_map(ask_of).collect();
        let scratch = self.home.clone();
        let answers = ground::aside(move || {
            let answer = |ask: &crate::disk::ask::Ask| Some((ask.name.clone(), ask.answer(&aside, &scratch).ok()?));
            asks.iter().filter_map(answer).collect::<Vec<_>>()
        });
        for (name, last) in answers.await.unwrap_or_default() {
            self.has_found(name, Some(last));
        }
    }

    /// All that this machine alone held is set aside: of the other numbers it had given out no more than the other machine knew.
    pub(super) fn all_is_found(&mut self) {
        let names: Vec<String> = self.store.counters.iter().map(|counter| counter.name.clone()).collect();
        for name in names {
            self.has_found(name, None);
        }
    }

    fn has_found(&mut self, name: String, last: Option<u64>) {
        let served = self.pair.record().served();
        if self.numbers.finds(Found { name, served, last }) {
            self.save_numbers();
        }
    }

    /// The other machine tells what it held when it came back.
    pub(super) fn learn_found(&mut self, found: &[Found]) {
        if self.numbers.learns(found) {
            self.save_numbers();
            self.publish_soon();
        }
    }

    fn save_numbers(&self) {
        if let Err(error) = self.numbers.save(&self.home) {
            tracing::warn!(%error, "what became of numbers could not be kept");
        }
    }

    /// What was set on either machine, with what became of it.
    pub(super) fn tell_found(&self, status: &mut Status) {
        let theirs = self.their_status.iter().flat_map(|theirs| &theirs.numbered);
        for one in theirs {
            match status.numbered.iter_mut().find(|own| (&own.name, own.epoch) == (&one.name, one.epoch)) {
                Some(own) => own.found = own.found.or(one.found),
                None => status.numbered.push(one.clone()),
            }
        }
        status.found = self.numbers.found().to_vec();
    }
}
