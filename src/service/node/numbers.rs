//! The numbers that must never be given twice: read in the mirror, set before the POS server of a backup starts.
//!
//! What is to be set is saved before anything is, with the values: whatever ends this service in between, it sets the same ones again, and
//! no others.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Machine, lacks};
use crate::config::counter::{Counter, ReadBy};
use crate::config::dataset::Content;
use crate::config::store::Store;
use crate::disk::ask::{Ask, By};
use crate::pair::Node;
use crate::replica::RelPath;
use crate::service::dumping;
use crate::service::event::Noted;
use crate::service::home::{copy_aside, save};
use crate::service::numbering::{CounterStatus, Found, Next, Numbered};
use crate::service::plan::{Check, Checked};
use crate::service::readings::Readings;
use crate::service::refusal::WhyNot;
use crate::service::status::Status;

/// The numbers of a store, on this machine.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    readings: BTreeMap<String, Readings>,
    /// When they were kept last: their rate of a day is to be known after a restart.
    kept_at: Option<Instant>,
    pub(super) saved: Saved,
    /// What was kept before cannot be read.
    is_lost: bool,
    /// Why one could not be set: the POS server waits for that.
    pub(super) failed: Option<(String, String)>,
}

/// What is kept in the home.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Saved {
    /// The backup is about to start: these are to be set before, as far as a person said where they go on.
    pub(super) wanted: Option<Vec<(String, u64)>>,
    /// Behind which each goes on at the least, as the person read it who asked for the start.
    #[serde(default)]
    least: Vec<(String, u64)>,
    /// Who that was.
    pub(super) by: Option<String>,
    /// What is being set, in an epoch.
    pub(super) setting: Vec<Numbered>,
    /// Of those the ones that a person has set by hand.
    #[serde(default)]
    pub(super) by_hand: Vec<String>,
    /// What was set, the newest last.
    pub(super) set: Vec<Numbered>,
    /// How far each went here, where this machine was the server and came back.
    #[serde(default)]
    found: Vec<Found>,
    /// What was set on the other machine, as far as it was heard.
    #[serde(default)]
    theirs: Vec<Numbered>,
}

/// So many of those that were set are said again with each change.
const LATELY: usize = 20;

/// So often what was read is kept.
const KEPT: Duration = Duration::from_secs(300);

impl Saved {
    pub(super) fn save(&self, home: &Path) -> io::Result<()> {
        save(&path(home), &serde_json::to_vec_pretty(self)?)
    }
}

fn path(home: &Path) -> PathBuf {
    home.join("numbers.json")
}

fn readings_path(home: &Path) -> PathBuf {
    home.join("readings.json")
}

impl Numbers {
    /// What `home` knows.
    pub(super) fn load(home: &Path) -> io::Result<Self> {
        let (saved, is_lost) = match fs::read(path(home)) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(saved) => (saved, false),
                Err(_) => (Saved::default(), true),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Saved::default(), false),
            Err(error) => return Err(error),
        };
        // What cannot be read of them is read anew within a day.
        let readings = fs::read(readings_path(home)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self { saved, is_lost, readings: readings.unwrap_or_default(), ..Self::default() })
    }

    /// Keeps what was read, from time to time.
    pub(super) fn keep_readings(&mut self, home: &Path) {
        let is_due = self.kept_at.is_none_or(|at| at.elapsed() >= KEPT);
        if self.readings.is_empty() || !is_due {
            return;
        }
        self.kept_at = Some(Instant::now());
        let kept = serde_json::to_vec(&self.readings).map_err(io::Error::from);
        if let Err(error) = kept.and_then(|bytes| save(&readings_path(home), &bytes)) {
            tracing::warn!(%error, "how often numbers are given out could not be kept");
        }
    }

    pub(super) fn save(&self, home: &Path) -> io::Result<()> {
        self.saved.save(home)
    }

    /// The mirror was asked.
    pub(super) fn take(&mut self, answers: Vec<(String, Result<u64, String>)>, now: Timestamp) {
        for (name, answer) in answers {
            self.readings.entry(name).or_default().take(answer, now);
        }
    }

    /// A number was set for a start.
    pub(super) fn leaps(&mut self, name: &str, now: Timestamp) {
        self.readings.entry(name.to_owned()).or_default().leaps(now);
        self.kept_at = None;
    }

    /// The mirror was stepped back to what it was at `to`.
    pub(super) fn stepped_back(&mut self, to: Timestamp, now: Timestamp, home: &Path) {
        self.readings.values_mut().for_each(|readings| readings.stepped_back(to, now));
        self.kept_at = None;
        self.keep_readings(home);
    }

    /// How far each went here.
    pub(super) fn found(&self) -> &[Found] {
        &self.saved.found
    }

    /// A number went so far here. Returns whether that is something new.
    pub(super) fn finds(&mut self, found: Found) -> bool {
        let is_known = self.saved.found.iter().any(|one| (&one.name, one.served) == (&found.name, found.served));
        if !is_known {
            self.saved.found.retain(|one| one.name != found.name);
            self.saved.found.push(found);
        }
        !is_known
    }

    /// Numbers went so far on the other machine. Returns whether that says what became of any.
    pub(super) fn learns(&mut self, found: &[Found]) -> bool {
        let mut is_new = false;
        for one in found {
            // The start that followed, and none after it.
            let of = |set: &&mut Numbered| set.name == one.name && set.epoch > one.served;
            let followed = self.saved.set.iter_mut().filter(of).min_by_key(|set| set.epoch);
            if let Some(set) = followed.filter(|set| set.found.is_none()) {
                // No more than was in the mirror.
                set.found = one.last.or(set.last);
                is_new |= set.found.is_some();
            }
        }
        is_new
    }

    /// Terminals have seen these confirmed, one that was away perhaps only now. Returns whether any of them was suspect, and the last that
    /// is known to be given.
    pub(super) fn sees(&mut self, name: &str, receipts: impl Iterator<Item = u64>) -> bool {
        let Some(set) = self.saved.set.iter_mut().rfind(|set| set.name == name) else { return false };
        let Some((first, Some(end))) = set.suspect else { return false };
        let last = receipts.filter(|number| (first..=end).contains(number)).max();
        let is_new = last > set.seen;
        set.seen = set.seen.max(last);
        is_new
    }

    /// This was set on the other machine. Returns whether that is something new.
    pub(super) fn hears(&mut self, numbered: &[Numbered]) -> bool {
        let mut is_new = false;
        for one in numbered {
            let same = |known: &&mut Numbered| (&known.name, known.epoch) == (&one.name, one.epoch);
            match self.saved.theirs.iter_mut().find(same) {
                Some(known) if known == one => continue,
                Some(known) => known.clone_from(one),
                None => self.saved.theirs.push(one.clone()),
            }
            is_new = true;
        }
        is_new
    }

    /// What the other machine has told of that.
    pub(super) fn theirs(&self) -> &[Numbered] {
        &self.saved.theirs
    }

    /// What was read of a number, or counted.
    pub(super) fn readings(&self, name: &str) -> Option<&Readings> {
        self.readings.get(name)
    }

    /// Where it goes on, and never before what the person read who asked for the start.
    pub(super) fn at_least(&self, name: &str, next: Next) -> Next {
        let least = self.saved.least.iter().find(|(known, _)| known == name).map(|(_, least)| *least);
        next.at_least(least.unwrap_or(0))
    }

    /// How one stands, where the mirror is so old.
    pub(super) fn status(&self, counter: &Counter, age: Duration) -> CounterStatus {
        let unread = Readings::default();
        let readings = self.readings.get(&counter.name).unwrap_or(&unread);
        readings.status(&counter.name, &counter.on_start, age, self.last_set(&counter.name))
    }

    /// What was set at the last starts.
    pub(super) fn set_lately(&self) -> Vec<Numbered> {
        let set = &self.saved.set;
        set[set.len().saturating_sub(LATELY)..].to_vec()
    }

    /// What was set of a number at the last start.
    pub(super) fn last_set(&self, name: &str) -> Option<&Numbered> {
        self.saved.set.iter().rfind(|set| set.name == name)
    }
}

/// What the mirror of a dataset is asked.
pub(super) fn asks(store: &Store, dataset: &str) -> Vec<Ask> {
    let counters = store.counters.iter().filter(|counter| counter.read.file.dataset == dataset);
    let counts = store.datasets.iter().filter(|one| one.name == dataset).flat_map(lacks::asks);
    let dumped = store.datasets.iter().filter(|one| one.name == dataset && matches!(one.content, Content::Dump(_)));
    let dumps = dumped.filter_map(|one| dumping::begun(&one.name));
    counters.filter_map(ask_of).chain(counts).chain(dumps).collect()
}

pub(super) fn ask_of(counter: &Counter) -> Option<Ask> {
    let by = match &counter.read.by {
        ReadBy::Pattern(pattern) => By::Pattern(pattern.regex().clone()),
        ReadBy::Sql(sql) => By::Sql(sql.clone()),
        ReadBy::Field(field) => By::Field(usize::try_from(*field).unwrap_or(usize::MAX)),
    };
    let file = RelPath::new(counter.read.file.path.as_bytes()).ok()?;
    Some(Ask { name: counter.name.clone(), file, by })
}

/// What a person is asked about the numbers before the backup starts.
pub(super) fn checks(counters: &[CounterStatus]) -> impl Iterator<Item = Check> {
    let asked = counters.iter().filter(|counter| counter.asks).map(|counter| {
        let proposed = counter.next.as_ref().map(Next::value);
        let why = WhyNot::NumberAsked { name: counter.name.clone(), last: counter.last, proposed };
        Check::of(Checked::Numbers, Some(why))
    });
    let none = (!counters.iter().any(|counter| counter.asks)).then(|| Check::of(Checked::Numbers, None));
    asked.chain(none)
}

/// Whether `given` says where each number goes on about which a person is asked.
pub(super) fn are_given(counters: &[CounterStatus], given: &[(String, u64)]) -> bool {
    let is_given = |counter: &CounterStatus| given.iter().any(|(name, _)| *name == counter.name);
    counters.iter().filter(|counter| counter.asks).all(is_given)
}

impl Machine {
    /// The backup is about to start: the numbers are to be set before its POS server does.
    pub(super) fn want_numbers(&mut self, given: Vec<(String, u64)>, by: &str) -> io::Result<()> {
        if self.store.counters.is_empty() {
            return Ok(());
        }
        (self.numbers.saved.wanted, self.numbers.saved.by) = (Some(given), Some(by.to_owned()));
        let age_ms = self.status().mirror.behind_ms;
        let least = self.numbers_stand(age_ms).into_iter().filter_map(|one| match one.next {
            Some(Next::Behind(next)) => Some((one.name, next)),
            Some(Next::Series(_)) | None => None,
        });
        self.numbers.saved.least = least.collect();
        self.numbers.saved.setting.clear();
        self.numbers.saved.by_hand.clear();
        self.numbers.save(&self.home)
    }

    /// This machine follows, or is given the place with all there is: what was to be set for a start that came to nothing is not set
    /// by another one.
    pub(super) fn forget_numbers(&mut self) {
        let saved = &mut self.numbers.saved;
        if saved.wanted.is_none() && saved.setting.is_empty() {
            return;
        }
        (saved.wanted, saved.by) = (None, None);
        saved.least.clear();
        saved.setting.clear();
        saved.by_hand.clear();
        self.numbers.failed = None;
        if let Err(error) = self.numbers.save(&self.home) {
            tracing::error!(%error, "that no number is to be set any more could not be saved");
        }
    }

    /// What was to be set could not be read: on a backup that serves it is worked out again, behind what the data say now. Never
    /// beneath a POS server that runs: that one began with what was set.
    pub(super) fn mend_numbers(&mut self, serves: bool, runs: bool) -> io::Result<()> {
        if !std::mem::take(&mut self.numbers.is_lost) {
            return Ok(());
        }
        // A copy: until what is to be set is saved, the next start must find that it is lost.
        let kept = copy_aside(&path(&self.home))?;
        self.noted("", Noted::NumbersLost { kept });
        if serves && !runs && self.counts_numbers() {
            self.numbers.saved.wanted = Some(vec![]);
        }
        self.numbers.save(&self.home)
    }

    /// The folder of each dataset here.
    pub(super) fn data_folders(&self) -> Vec<(String, PathBuf)> {
        let each = self.store.datasets.iter();
        each.map(|dataset| (dataset.name.clone(), self.folder(&self.store, &dataset.name))).collect()
    }

    /// What the status tells of them.
    pub(super) fn tell_numbers(&self, status: &mut Status) {
        status.counters = self.numbers_stand(status.mirror.behind_ms);
        status.numbered.clone_from(&self.numbers.saved.set);
        self.tell_found(status);
    }

    /// Whether numbers are set on this machine when it becomes the server.
    pub(super) fn counts_numbers(&self) -> bool {
        self.role() == Node::Backup && !self.store.counters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by reading: what a main had said of an earlier start answered the next one, and no number was ever given twice.
    #[test]
    fn what_a_machine_held_says_what_became_of_the_start_that_followed_and_of_no_other() {
        let set = |epoch| Numbered {
            name: "receipt".to_owned(),
            epoch,
            at: Timestamp::UNIX_EPOCH,
            last: Some(1042),
            next: Next::Behind(1092),
            suspect: Some((1043, Some(1092))),
            by: None,
            found: None,
            seen: None,
        };
        let found = |served, last| [Found { name: "receipt".to_owned(), served, last: Some(last) }];
        let mut numbers = Numbers { saved: Saved { set: vec![set(2)], ..Saved::default() }, ..Numbers::default() };
        assert!(numbers.learns(&found(1, 1045)));
        numbers.saved.set.push(set(4));
        assert!(!numbers.learns(&found(1, 1045)), "it is said again, and answers nothing else");
        assert!(numbers.learns(&found(3, 1100)));
        let all: Vec<_> = numbers.saved.set.iter().map(|set| set.found).collect();
        assert_eq!(all, [Some(1045), Some(1100)]);
    }

    /// Found by reading: a till that was away when the backup started had shown a number of which the page said that nobody got it.
    #[test]
    fn a_terminal_that_comes_late_has_seen_what_was_suspect() {
        let set = Numbered {
            name: "receipt".to_owned(),
            epoch: 2,
            at: Timestamp::UNIX_EPOCH,
            last: Some(1042),
            next: Next::Behind(1092),
            suspect: Some((1043, Some(1092))),
            by: None,
            found: Some(1045),
            seen: None,
        };
        let mut numbers = Numbers { saved: Saved { set: vec![set], ..Saved::default() }, ..Numbers::default() };
        assert!(!numbers.sees("receipt", [1042, 1093].into_iter()), "these are in the copy, or of the backup");
        assert!(numbers.sees("receipt", [1047, 1093].into_iter()));
        assert!(!numbers.sees("receipt", [1046, 1047].into_iter()) && !numbers.sees("folio", [1048].into_iter()));
        let report = numbers.saved.set[0].report().unwrap();
        assert_eq!((report.lost, report.never), (Some((1046, 1047)), Some((1048, 1092))));
    }

    #[test]
    fn it_never_goes_on_before_what_a_person_has_read() {
        let saved = Saved { least: vec![("receipt".to_owned(), 1292)], ..Saved::default() };
        let numbers = Numbers { saved, ..Numbers::default() };
        assert_eq!(numbers.at_least("receipt", Next::Behind(1092)), Next::Behind(1292));
        assert_eq!(numbers.at_least("receipt", Next::Behind(1300)), Next::Behind(1300));
        assert_eq!(numbers.at_least("folio", Next::Behind(7)), Next::Behind(7));
        assert_eq!(numbers.at_least("receipt", Next::Series("B".to_owned())), Next::Series("B".to_owned()));
    }
}
