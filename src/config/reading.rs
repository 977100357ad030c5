//! A table of TOML, read key by key: what is wrong is noted, and the reading goes on.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, FaultKind, Wanted};
use super::near;

/// A file that is being read.
pub(super) struct Reading<'t> {
    text: &'t str,
    /// The names of all datasets, so that whatever names one can be checked at once.
    pub(super) datasets: Vec<String>,
    faults: RefCell<Vec<(usize, String, FaultKind)>>,
}

/// What stands at a key.
#[derive(Clone)]
pub(super) struct Item<'r> {
    pub(super) reading: &'r Reading<'r>,
    /// The key with its tables.
    pub(super) key: String,
    at: usize,
    value: &'r DeValue<'r>,
}

/// A table, or one that is not there: all its keys have their defaults then.
///
/// Every key that is there must have been asked for when the table is dropped: another one is unknown.
pub(super) struct Table<'r> {
    reading: &'r Reading<'r>,
    key: String,
    at: usize,
    map: Option<&'r DeTable<'r>>,
    /// Something else stands in its place: that is the fault, not what is missing in it.
    is_broken: bool,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// What has been given already, of things that are to differ.
#[derive(Default)]
pub(super) struct Seen {
    lines: BTreeMap<String, usize>,
}

impl<'t> Reading<'t> {
    pub(super) fn new(text: &'t str, root: &DeTable<'_>) -> Self {
        let named = |table: &Spanned<DeValue<'_>>| Some(table.get_ref().get("name")?.get_ref().as_str()?.to_owned());
        let datasets = root.get("dataset").and_then(|tables| tables.get_ref().as_array());
        let datasets = datasets.into_iter().flatten().filter_map(named).collect();
        Self { text, datasets, faults: RefCell::default() }
    }

    pub(super) fn root<'r>(&'r self, map: &'r DeTable<'r>) -> Table<'r> {
        Table { reading: self, key: String::new(), at: 0, map: Some(map), is_broken: false, asked: RefCell::default() }
    }

    pub(super) fn fault(&self, at: usize, key: &str, what: FaultKind) {
        self.faults.borrow_mut().push((at, key.to_owned(), what));
    }

    /// All faults in the order of the text, each once.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let faults = self.faults.borrow();
        let broken = |what: &FaultKind| matches!(what, FaultKind::NotToml(_));
        let broken_lines: BTreeSet<usize> =
            faults.iter().filter(|(.., what)| broken(what)).map(|(at, ..)| position(self.text, *at).0).collect();
        let mut placed: Vec<(usize, Fault)> = vec![];
        for (at, key, what) in faults.iter() {
            let (line, column) = position(self.text, *at);
            // What is no TOML is the cause of what else seems wrong in its line, and of what seems missing anywhere.
            let follows =
                broken_lines.contains(&line) || !broken_lines.is_empty() && matches!(what, FaultKind::Missing);
            let fault = Fault { line, column, key: key.clone(), what: what.clone() };
            if (broken(what) || !follows) && !placed.iter().any(|(_, other)| *other == fault) {
                placed.push((*at, fault));
            }
        }
        placed.sort_by_key(|(at, _)| *at);
        placed.into_iter().map(|(_, fault)| fault).collect()
    }
}

/// The line and the column of the byte `at`, both from 1; the column in characters.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[line_start..].chars().filter(|letter| *letter != '\u{feff}').count() + 1;
    (before.matches('\n').count() + 1, column)
}

impl<'r> Table<'r> {
    /// What stands at `key`.
    pub(super) fn get(&self, key: &'static str) -> Option<Item<'r>> {
        self.asked.borrow_mut().insert(key);
        let (name, value) = self.map?.get_key_value(key)?;
        // A table is shown by its header, all else by its value.
        let at = if value.get_ref().is_table() { name.span().start } else { value.span().start };
        Some(Item { reading: self.reading, key: self.path(key), at, value: value.get_ref() })
    }

    /// What stands at `key`, which must be there.
    pub(super) fn need(&self, key: &'static str) -> Option<Item<'r>> {
        let item = self.get(key);
        if item.is_none() && !self.is_broken {
            self.reading.fault(self.at, &self.path(key), FaultKind::Missing);
        }
        item
    }

    /// The table at `key`; when there is none, one without keys.
    pub(super) fn section(&self, key: &'static str) -> Table<'r> {
        let item = self.get(key);
        let (reading, key, at, is_broken) = (self.reading, self.path(key), self.at, item.is_some());
        let there = item.and_then(|item| item.table());
        there.unwrap_or_else(|| Table { reading, key, at, map: None, is_broken, asked: RefCell::default() })
    }

    /// The tables at `key`, each with its own header in double brackets.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'r>> {
        let items = self.get(key).and_then(|item| item.items(Wanted::Tables));
        items.iter().flatten().filter_map(Item::table).collect()
    }

    /// Which of `keys` are there. They count as asked for.
    pub(super) fn present(&self, keys: &[&'static str]) -> Vec<Item<'r>> {
        keys.iter().filter_map(|key| self.get(key)).collect()
    }

    /// The only one of `keys` that is there; none of them or two are a fault.
    pub(super) fn only(&self, keys: &'static [&'static str]) -> Option<(&'static str, Item<'r>)> {
        let mut there = keys.iter().filter_map(|key| Some((*key, self.get(key)?)));
        let Some(first) = there.next() else {
            self.fault(FaultKind::NoneOf(keys));
            return None;
        };
        for (_, second) in there {
            second.fault(FaultKind::NotBeside(first.0));
        }
        Some(first)
    }

    /// Whether it is there at all.
    pub(super) fn is_there(&self) -> bool {
        self.map.is_some()
    }

    /// Notes what is wrong with the table as a whole.
    pub(super) fn fault(&self, what: FaultKind) {
        self.reading.fault(self.at, &self.key, what);
    }

    fn path(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }
}

impl Seen {
    /// Notes `item` as a fault when `value` was given already.
    pub(super) fn note(&mut self, item: &Item<'_>, value: &str) {
        match self.lines.entry(value.to_owned()) {
            Entry::Occupied(first) => item.fault(FaultKind::Twice(*first.get())),
            Entry::Vacant(place) => _ = place.insert(item.line()),
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let asked = self.asked.borrow();
        for name in self.map.into_iter().flat_map(DeTable::keys) {
            let word = name.get_ref();
            if !asked.contains(word.as_ref()) {
                let known: Vec<_> = asked.iter().copied().collect();
                let what = FaultKind::UnknownKey { near: near::nearest(word, known.iter().copied()), known };
                self.reading.fault(name.span().start, &self.path(word), what);
            }
        }
    }
}

impl<'r> Item<'r> {
    /// Notes what is wrong with it.
    pub(super) fn fault(&self, what: FaultKind) {
        self.reading.fault(self.at, &self.key, what);
    }

    /// Notes what is wrong with it, and gives nothing in its place.
    pub(super) fn wrong<T>(&self, what: FaultKind) -> Option<T> {
        self.fault(what);
        None
    }

    /// The line that it stands in, from 1.
    pub(super) fn line(&self) -> usize {
        position(self.reading.text, self.at).0
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn value(&self) -> &'r DeValue<'r> {
        self.value
    }

    /// It as a table.
    pub(super) fn table(&self) -> Option<Table<'r>> {
        let Some(map) = self.value.as_table() else { return self.other_than(Wanted::Table) };
        let (reading, key, at) = (self.reading, self.key.clone(), self.at);
        Some(Table { reading, key, at, map: Some(map), is_broken: false, asked: RefCell::default() })
    }

    /// What stands in it, a list; `wanted` is what it is a list of.
    pub(super) fn items(&self, wanted: Wanted) -> Option<Vec<Item<'r>>> {
        let Some(list) = self.value.as_array() else { return self.other_than(wanted) };
        let item = |value: &'r Spanned<DeValue<'r>>| Item {
            reading: self.reading,
            key: self.key.clone(),
            at: value.span().start,
            value: value.get_ref(),
        };
        Some(list.iter().map(item).collect())
    }

    /// Notes that something else is meant to stand here.
    pub(super) fn other_than<T>(&self, wanted: Wanted) -> Option<T> {
        self.wrong(FaultKind::WrongType(wanted))
    }
}
