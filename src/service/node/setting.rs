//! The numbers that must never be given twice are worked out and set, before the POS server of a backup starts.

use super::Machine;
use super::numbers::ask_of;
use super::writing::write_number;
use crate::os::{ground, point};
use crate::pair::Epoch;
use crate::service::event::{Noted, What};
use crate::service::numbering::{Next, Numbered, as_said, behind_set, next, suspect};
use crate::service::plan::Step;
use crate::service::readings::Readings;
use crate::service::refusal::WhyNot;

/// Starts that are remembered.
const REMEMBERED: usize = 1000;

impl Machine {
    /// Sets the numbers that must not repeat, if that is to be done before the POS server starts in `epoch`. Returns whether it may.
    pub(super) async fn set_numbers(&mut self, epoch: Epoch) -> bool {
        self.numbers.failed = None;
        let Some(given) = self.numbers.saved.wanted.clone() else { return true };
        if self.numbers.saved.setting.is_empty() {
            match self.work_out(epoch, &given).await {
                Ok(setting) => self.numbers.saved.setting = setting,
                Err(failed) => return self.has_failed(failed).await,
            }
        }
        // Where it was begun in an epoch before, the same values are set: nothing was given since.
        self.numbers.saved.setting.iter_mut().for_each(|one| one.epoch = epoch);
        if let Err(error) = self.numbers.save(&self.home) {
            return self.has_failed(("numbers.json".to_owned(), error.to_string())).await;
        }
        point!("numbers.saved");
        let is_by_hand = |one: &Numbered| self.numbers.saved.by_hand.contains(&one.name);
        let setting = self.numbers.saved.setting.iter().filter(|one| !is_by_hand(one)).cloned().collect::<Vec<_>>();
        for one in setting {
            let counter = self.store.counters.iter().find(|counter| counter.name == one.name).cloned();
            let Some(write) = counter.and_then(|counter| counter.write) else { continue };
            let (folders, value) = (self.data_folders(), one.next.value());
            let written = ground::aside(move || write_number(&folders, &write, &value)).await;
            if let Err(why) = written.unwrap_or_else(|error| Err(error.to_string())) {
                return self.has_failed((one.name, why)).await;
            }
            point!("numbers.one-set");
        }
        self.end_numbers().await
    }

    /// They are set: the POS server may start.
    async fn end_numbers(&mut self) -> bool {
        // In memory only when it is on disk: a service that begins again would set them once more.
        let mut over = self.numbers.saved.clone();
        let setting = std::mem::take(&mut over.setting);
        over.set.extend(setting.iter().cloned());
        over.set.drain(..over.set.len().saturating_sub(REMEMBERED));
        over.by_hand.clear();
        over.wanted = None;
        if let Err(error) = over.save(&self.home) {
            return self.has_failed(("numbers.json".to_owned(), error.to_string())).await;
        }
        point!("numbers.all-set");
        (self.numbers.saved, self.numbers.failed) = (over, None);
        for one in &setting {
            self.numbers.leaps(&one.name, ground::now());
            let what = Noted::Numbered {
                name: one.name.clone(),
                last: one.last,
                next: one.next.value(),
                suspect: one.suspect,
            };
            self.done("", What::Noted(what));
        }
        self.numbers.keep_readings(&self.home);
        self.passed(Step::SetNumbers).await;
        self.say_here();
        true
    }

    pub(super) async fn has_failed(&mut self, (name, why): (String, String)) -> bool {
        tracing::error!(name, why, "a number that must not repeat could not be set: the POS server is not started");
        self.numbers.failed = Some((name.clone(), why.clone()));
        let why = WhyNot::NumberNotSet { name, why };
        if self.turning.is_freezing() {
            // The change that gives the place away ends with that of the standstill.
            self.turning.job.ending = Some(why);
        } else {
            self.end_job(Err(why)).await;
        }
        self.publish_soon();
        false
    }

    /// Where each number goes on, by what the data say now: nothing is applied to them any more.
    async fn work_out(&self, epoch: Epoch, given: &[(String, u64)]) -> Result<Vec<Numbered>, (String, String)> {
        let mut setting = vec![];
        for counter in &self.store.counters {
            let read = match ask_of(counter) {
                Some(ask) => {
                    let (folder, scratch) = (self.folder(&self.store, &counter.read.file.dataset), self.home.clone());
                    let answered = ground::aside(move || ask.answer(&folder, &scratch)).await;
                    answered.map_err(|error| error.to_string()).and_then(|read| read.map_err(|why| why.to_string()))
                }
                None => Err("no such name".to_owned()),
            };
            let known = self.numbers.readings(&counter.name);
            let before = known.and_then(Readings::last);
            // What goes down may be a fault, and what cannot be read was perhaps read before.
            let last = read.clone().ok().max(before);
            // They may have been stepped back: what came after that is in them no more.
            let held = read.clone().ok().or(before);
            let shown = self.seen_by_tills(&counter.name);
            let said = given.iter().find(|(name, _)| *name == counter.name).map(|(_, value)| *value);
            // Where nobody could read it, nobody else knows.
            let known = said.map(|said| Next::Behind(said.max(shown)));
            let said = as_said(said, last, shown);
            let by = said.is_some().then(|| self.numbers.saved.by.clone()).flatten();
            let found = || {
                let from = last.map(|last| behind_set(last, self.numbers.last_set(&counter.name)));
                let next = next(&counter.on_start, from, 0)?.in_epoch(epoch);
                Some(self.numbers.at_least(&counter.name, next).at_least(shown))
            };
            // Where nobody could read it, and a person has set it: where that is nobody else knows.
            let by_hand = || self.numbers.saved.by_hand.contains(&counter.name).then(|| Next::Series("?".to_owned()));
            let Some(next) = said.or_else(found).or(known).or_else(by_hand) else {
                let why = read.err().unwrap_or_else(|| "nobody said where it goes on".to_owned());
                return Err((counter.name.clone(), why));
            };
            let (suspect, name, at) = (suspect(held, &next), counter.name.clone(), ground::now());
            let seen = Some(shown).filter(|shown| *shown > 0);
            setting.push(Numbered { name, epoch, at, last: held, next, suspect, by, found: None, seen });
        }
        Ok(setting)
    }
}
