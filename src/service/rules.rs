//! How the files of a dataset are captured, as `store.toml` says it.

use crate::config::dataset::Dataset;
use crate::config::file::{FileKind, Lock, Prefix, Record};
use crate::disk::capture::rules::{As, Number, Records, Rule, Rules};
use crate::disk::hold::LockKind;

/// What is said of the files of `dataset`.
#[must_use]
pub fn rules(dataset: &Dataset) -> Rules {
    let (dataset, locked) = (dataset.clone(), dataset.clone());
    let lock = move |path: &[u8]| match locked.rule(path)?.lock? {
        Lock::Flock => Some(LockKind::Flock),
        Lock::Fcntl => Some(LockKind::Fcntl),
    };
    let rules = Rules::new(move |path| {
        if dataset.excludes(path).is_some() {
            return Rule::LeftOut;
        }
        let Some(rule) = dataset.rule(path) else { return Rule::Unsaid };
        match rule.kind {
            Some(FileKind::Queue(record)) => Rule::Said(As::Queue(records(record))),
            Some(FileKind::Sqlite) => Rule::Said(As::Sqlite),
            Some(FileKind::Files) => Rule::Said(As::Files),
            None => Rule::Unsaid,
        }
    });
    rules.locking(lock)
}

/// Where the records end of a file of `dataset` that is a queue.
#[must_use]
pub fn records_of(dataset: &Dataset, path: &[u8]) -> Records {
    match dataset.rule(path).and_then(|rule| rule.kind) {
        Some(FileKind::Queue(record)) => records(record),
        _ => Records::Lines,
    }
}

fn records(record: Record) -> Records {
    let number = |bytes, low_first| Records::Prefix(Number { bytes, low_first });
    match record {
        Record::Line => Records::Lines,
        Record::Fixed(fixed) => Records::Fixed(fixed.into()),
        Record::Prefix(Prefix::U16Le) => number(2, true),
        Record::Prefix(Prefix::U16Be) => number(2, false),
        Record::Prefix(Prefix::U32Le) => number(4, true),
        Record::Prefix(Prefix::U32Be) => number(4, false),
        Record::CountAt { at, first, fixed } => {
            Records::Counted { at: at.into(), first: first.into(), fixed: fixed.into() }
        }
    }
}
