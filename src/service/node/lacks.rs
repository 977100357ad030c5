//! What may be missing in the copy, in words that the shop knows: counted in the mirror, and by the rate of the day.

use std::time::Duration;

use jiff::Timestamp;

use super::Machine;
use super::as_of::Reached;
use crate::config::counter::Counter;
use crate::config::dataset::{CountBy, Dataset};
use crate::disk::ask::{Ask, By};
use crate::os::ground;
use crate::replica::RelPath;
use crate::service::book::showing::age_ms;
use crate::service::numbering::{CounterStatus, Next};
use crate::service::plan::{Earlier, Lack};
use crate::service::readings::Readings;
use crate::service::rules::records_of;
use crate::service::status::Status;

/// The questions of a dataset that are about counts have names that no number has.
const MARK: char = '#';

/// What the mirror of a dataset is asked, to be counted.
pub(super) fn asks(dataset: &Dataset) -> impl Iterator<Item = Ask> {
    dataset.counts.iter().filter_map(|count| {
        let (path, by) = match &count.by {
            CountBy::Records(file) => (&file.path, By::Records(records_of(dataset, file.path.as_bytes()))),
            CountBy::Sql { file, sql } => (&file.path, By::Sql(sql.clone())),
        };
        Some(Ask { name: name(&count.label), file: RelPath::new(path.as_bytes()).ok()?, by })
    })
}

/// The name of the question.
fn name(label: &str) -> String {
    format!("{MARK}{label}")
}

impl Machine {
    /// What may be missing here, where the mirror stands as `status` says: in its last state, or in the last one before `then`.
    pub(super) fn lacks(&self, status: &Status, then: Option<Timestamp>) -> Vec<Lack> {
        let held_in = |readings: &Readings| readings.before(then.unwrap_or(Timestamp::MAX));
        let counts = self
            .store
            .datasets
            .iter()
            .flat_map(|dataset| dataset.counts.iter().map(move |count| (&dataset.name, count)));
        let counts = counts.map(|(dataset, count)| {
            let age = self.age_of(dataset, status.mirror.behind_ms);
            let readings = self.numbers.readings(&name(&count.label));
            let held = readings.and_then(held_in);
            let last = readings.and_then(Readings::last);
            let since = last.zip(held).map(|(last, held)| last.saturating_sub(held));
            let most = age.zip(readings).and_then(|(age, readings)| readings.most(age));
            let at_most = most.zip(since).map(|(most, since)| most + since);
            Lack { label: count.label.clone(), held, at_most, seen: vec![] }
        });
        let mut lacks: Vec<Lack> = counts.collect();
        // Receipts are one number: the first that is named.
        if let Some(first) = self.store.counters.first() {
            let held = self.numbers.readings(&first.name).and_then(held_in);
            let seen = self.receipts().filter(|(_, number)| held.is_some_and(|held| *number > held));
            let seen: Vec<String> = seen.map(|(till, number)| format!("{till} {number}")).collect();
            if !seen.is_empty() {
                lacks.push(Lack { label: first.name.clone(), held, at_most: None, seen });
            }
        }
        lacks
    }

    /// The same for each state that a person chooses among, the newest first; none where nothing is counted.
    pub(super) fn lacks_earlier(&self, status: &Status) -> Vec<Earlier> {
        let last = |name: &String, then| Some((name.clone(), self.numbers.readings(name)?.before(then)?));
        let numbers = |then| self.store.counters.iter().filter_map(|one| last(&one.name, then)).collect();
        let of = |state: &Reached| Earlier {
            at: state.at,
            lacks: self.lacks(status, Some(state.until)),
            numbers: numbers(state.until),
        };
        let all: Vec<Earlier> = self.states.known().iter().map(of).collect();
        if all.iter().all(|one| one.lacks.is_empty() && one.numbers.is_empty()) { vec![] } else { all }
    }

    /// The last receipt that each terminal has seen confirmed.
    pub(super) fn receipts(&self) -> impl Iterator<Item = (String, u64)> {
        self.terminals_stand().into_iter().filter_map(|till| till.receipt_number().map(|number| (till.name, number)))
    }

    /// How each stands, where the mirror is so old: what a terminal has shown was given.
    pub(super) fn numbers_stand(&self, age_ms: u64) -> Vec<CounterStatus> {
        let record = self.pair.record();
        let epoch = record.node.next_epoch(record.epoch);
        let stand = |counter: &Counter| {
            let age = self.age_of(&counter.read.file.dataset, age_ms);
            let mut one = self.numbers.status(counter, age.unwrap_or(Duration::from_millis(age_ms)));
            // Since when it is missing nobody knows, nor what was given since; of another series nothing was.
            one.asks |= age.is_none() && !matches!(one.next, Some(Next::Series(_)));
            let shown = self.seen_by_tills(&one.name);
            one.next = one.next.take().map(|next| next.in_epoch(epoch).at_least(shown));
            one
        };
        self.store.counters.iter().map(stand).collect()
    }

    /// How old the copy of a dataset is, where the mirror is behind so long; none where nobody knows. One that has stopped here says
    /// nothing of the others, and what was given since then is not in it.
    fn age_of(&self, dataset: &str, behind_ms: u64) -> Option<Duration> {
        let stopped = self.lanes.iter().find(|lane| lane.name == dataset && lane.stalled.is_some());
        let own_ms = stopped.map_or(Some(0), |lane| Some(age_ms(lane.book.as_of()?, ground::now())));
        own_ms.map(|own_ms| Duration::from_millis(own_ms.max(behind_ms)))
    }

    /// The last one of a number that any terminal has seen confirmed; 0 where none has. Receipts are one number: the first that is named.
    pub(super) fn seen_by_tills(&self, name: &str) -> u64 {
        let is_first = self.store.counters.first().is_some_and(|counter| counter.name == name);
        if is_first { self.receipts().map(|(_, number)| number).max().unwrap_or(0) } else { 0 }
    }
}
