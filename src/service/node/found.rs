//! What became of the numbers that the dead main may have given out: what it held when it came back says it.

use std::path::PathBuf;

use super::Machine;
use super::numbers::ask_of;
use crate::disk::ask::Ask;
use crate::disk::rescue;
use crate::disk::root::on_disk;
use crate::os::ground;
use crate::service::numbering::Found;
use crate::service::status::{Numbered, Status};

impl Machine {
    /// What this machine alone held of a dataset was set aside there: how far the numbers in it go. Returns those that stand in it and
    /// could not be read.
    pub(super) async fn find_numbers(&mut self, dataset: &str, aside: PathBuf) -> Vec<String> {
        let counters = self.store.counters.iter().filter(|counter| counter.read.file.dataset == dataset);
        let asks: Vec<_> = counters.filter_map(ask_of).collect();
        let scratch = self.home.clone();
        let answers = ground::aside(move || {
            let is_there = |ask: &&Ask| on_disk(&aside, &ask.file).exists();
            let answer = |ask: &Ask| (ask.name.clone(), ask.answer(&aside, &scratch));
            asks.iter().filter(is_there).map(answer).collect::<Vec<_>>()
        });
        let mut unread = vec![];
        for (name, answer) in answers.await.unwrap_or_default() {
            match answer {
                Ok(last) => self.has_found(name, Some(last)),
                Err(why) => {
                    tracing::warn!(name, %why, "how far a number went that was set aside could not be read");
                    unread.push(name);
                }
            }
        }
        unread
    }

    /// All that this machine alone held is set aside: of the other numbers it had given out no more than the other machine knew.
    pub(super) async fn all_is_found(&mut self) {
        if self.store.counters.is_empty() {
            return;
        }
        let (served, mut unread) = (self.pair.record().served(), vec![]);
        let each = self.store.datasets.iter().map(|one| (one.name.clone(), self.folder(&self.store, &one.name)));
        for (dataset, folder) in each.collect::<Vec<_>>() {
            // Also where this service has ended between that and its being heard of.
            let listed = ground::aside(move || rescue::list(&folder).unwrap_or_default()).await.unwrap_or_default();
            let of_then = |aside: &rescue::Aside| aside.list.as_ref().is_some_and(|list| list.epoch == served);
            for aside in listed.into_iter().filter(of_then) {
                unread.extend(self.find_numbers(&dataset, aside.path).await);
            }
        }
        let names =
            self.store.counters.iter().map(|counter| counter.name.clone()).filter(|name| !unread.contains(name));
        for name in names.collect::<Vec<_>>() {
            self.has_found(name, None);
        }
    }

    fn has_found(&mut self, name: String, last: Option<u64>) {
        let served = self.pair.record().served();
        if self.numbers.finds(Found { name, served, last }) {
            self.save_numbers();
        }
    }

    /// The other machine tells which numbers were set there: it is known when that is switched off, too.
    pub(super) fn hear_numbered(&mut self, numbered: &[Numbered]) {
        if self.numbers.hears(numbered) {
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

    /// A terminal that was away when the backup started may have seen one that was suspect.
    pub(super) fn note_receipts(&mut self) {
        // Receipts are one number: the first that is named.
        let Some(first) = self.store.counters.first().map(|counter| counter.name.clone()) else { return };
        let receipts: Vec<u64> = self.receipts().map(|(_, number)| number).collect();
        if self.numbers.sees(&first, receipts.into_iter()) {
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
        for one in self.numbers.theirs() {
            match status.numbered.iter_mut().find(|own| (&own.name, own.epoch) == (&one.name, one.epoch)) {
                Some(own) => own.found = own.found.or(one.found),
                None => status.numbered.push(one.clone()),
            }
        }
        status.found = self.numbers.found().to_vec();
    }
}
