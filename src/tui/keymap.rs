//! Which key means what, where; read from a file, every fault in it at once.

use std::collections::BTreeMap;

use crokey::{KeyCombination, OneToThree};
use crossterm::event::{KeyCode, KeyModifiers};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::intent::{Intent, Scope};
use crate::words::Words;

/// The keys that are compiled in.
const DEFAULT: &str = include_str!("../../keymaps/default.toml");

/// Which key means what, where.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: BTreeMap<Scope, Vec<(KeyCombination, Intent)>>,
}

/// One thing in a keymap that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The file.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What it is.
    pub kind: FaultKind,
}

/// What can be wrong in a keymap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// It is not TOML.
    NotToml(String),
    /// No such place.
    UnknownPlace(String),
    /// What should be a table of keys is none.
    NotATable(String),
    /// No such key.
    UnknownKey(String),
    /// No such intent, or none that means something in this place.
    UnknownIntent {
        /// The word that stands there.
        word: String,
        /// The place.
        place: Scope,
    },
    /// Nothing leads out of the screen.
    NoWayOut,
    /// A dialog's buttons could not be pressed.
    NoPress(Scope),
}

impl Fault {
    /// The fault as a line: where it is, what it is, what to do.
    #[must_use]
    pub fn tell(&self, words: &Words) -> String {
        let list = |place: Scope| {
            let names = Scope::Everywhere.intents().iter().chain(place.intents());
            let mut names: Vec<_> = names.map(|intent| intent.name()).collect();
            names.dedup();
            names.join(", ")
        };
        let what = match &self.kind {
            FaultKind::NotToml(error) => words.with("keymap-not-toml", &[("error", error.as_str().into())]),
            FaultKind::UnknownPlace(place) => words.with(
                "keymap-unknown-place",
                &[("place", place.as_str().into()), ("places", Scope::ALL.map(Scope::name).join(", ").into())],
            ),
            FaultKind::NotATable(place) => words.with("keymap-not-a-table", &[("place", place.as_str().into())]),
            FaultKind::UnknownKey(key) => words.with("keymap-unknown-key", &[("key", key.as_str().into())]),
            FaultKind::UnknownIntent { word, place } => words.with(
                "keymap-unknown-intent",
                &[("word", word.as_str().into()), ("place", place.name().into()), ("intents", list(*place).into())],
            ),
            FaultKind::NoWayOut => words.say("keymap-no-way-out"),
            FaultKind::NoPress(place) => words.with("keymap-no-press", &[("place", place.name().into())]),
        };
        format!("{}:{}:{}: {what}", self.name, self.line, self.column)
    }
}

impl Keymap {
    /// The keys that are compiled in.
    pub fn standard() -> Result<Self, Vec<Fault>> {
        Self::parse(DEFAULT, "keymaps/default.toml")
    }

    /// The keys that `text` binds; `name` is what its faults call it. A keymap has all its faults listed, in the order of
    /// the lines, or none.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Fault>> {
        let mut reading = Reading { text, name, faults: vec![], bindings: BTreeMap::new() };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            reading.fault(at, FaultKind::NotToml(error.message().to_owned()));
        }
        for (place, table) in root.get_ref() {
            reading.place(place, table);
        }
        reading.end()
    }

    /// What `key` means at `scope`.
    #[must_use]
    pub fn intent(&self, scope: Scope, key: KeyCombination) -> Option<Intent> {
        let mut bound = scope.and_wider().iter().flat_map(|scope| self.bound(*scope));
        // Where a person types, a character is a character.
        let types = scope == Scope::Form && types_a_character(key);
        if types { None } else { bound.find(|(bound, _)| *bound == key).map(|(_, intent)| intent) }
    }

    /// The keys that mean `intent` at `scope`, as people call them: digits, function keys, then the others.
    #[must_use]
    pub fn keys(&self, scope: Scope, intent: Intent) -> Vec<String> {
        let bound = scope.and_wider().iter().flat_map(|scope| self.bound(*scope));
        let mut keys: Vec<_> = bound
            .filter(|(key, bound)| *bound == intent && self.intent(scope, *key) == Some(intent))
            .map(|(key, _)| (rank(key), called(key)))
            .collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().map(|(_, name)| name).collect()
    }

    /// The keys of a hint: a digit and its function key, "5 F5"; else the first key there is.
    #[must_use]
    pub fn hint(&self, scope: Scope, intent: Intent) -> Option<String> {
        let keys = self.keys(scope, intent);
        let twins = keys.first().is_some_and(|key| key.chars().all(|c| c.is_ascii_digit()))
            && keys.get(1).is_some_and(|key| key.len() > 1 && key.starts_with('F'));
        if twins { Some(keys[..2].join(" ")) } else { keys.into_iter().next() }
    }

    fn bound(&self, scope: Scope) -> impl Iterator<Item = (KeyCombination, Intent)> + '_ {
        self.bindings.get(&scope).into_iter().flatten().copied()
    }
}

/// A keymap that is being read.
struct Reading<'t> {
    text: &'t str,
    name: &'t str,
    faults: Vec<(usize, FaultKind)>,
    bindings: BTreeMap<Scope, Vec<(KeyCombination, Intent)>>,
}

impl Reading<'_> {
    fn fault(&mut self, at: usize, kind: FaultKind) {
        self.faults.push((at, kind));
    }

    fn place(&mut self, place: &Spanned<std::borrow::Cow<'_, str>>, table: &Spanned<DeValue<'_>>) {
        let (at, word) = (place.span().start, place.get_ref());
        let Some(scope) = Scope::ALL.into_iter().find(|scope| scope.name() == word) else {
            return self.fault(at, FaultKind::UnknownPlace(word.to_string()));
        };
        let Some(table) = table.get_ref().as_table() else {
            return self.fault(at, FaultKind::NotATable(word.to_string()));
        };
        for (key, intent) in table {
            let bound = crokey::parse(key.get_ref()).ok().filter(|key| key.is_ansi_compatible());
            if bound.is_none() {
                self.fault(key.span().start, FaultKind::UnknownKey(key.get_ref().to_string()));
            }
            let word = intent.get_ref().as_str();
            let known = scope.intents().iter().chain(Scope::Everywhere.intents());
            let meant = known.copied().find(|known| Some(known.name()) == word);
            if meant.is_none() {
                let word = word.map_or_else(|| intent.get_ref().type_str().to_owned(), str::to_owned);
                self.fault(intent.span().start, FaultKind::UnknownIntent { word, place: scope });
            }
            if let (Some(key), Some(intent)) = (bound, meant) {
                self.bindings.entry(scope).or_default().push((key.normalized(), intent));
            }
        }
    }

    fn end(mut self) -> Result<Keymap, Vec<Fault>> {
        let keymap = Keymap { bindings: std::mem::take(&mut self.bindings) };
        // What is missing is looked for only in a keymap that is otherwise right: it may be missing because of a fault.
        if self.faults.is_empty() {
            let bound = |scope, intent| !keymap.keys(scope, intent).is_empty();
            if !Scope::ALL.into_iter().all(|scope| bound(scope, Intent::Leave)) {
                self.fault(0, FaultKind::NoWayOut);
            }
            for scope in [Scope::Confirm, Scope::Form].into_iter().filter(|scope| !bound(*scope, Intent::Press)) {
                self.fault(0, FaultKind::NoPress(scope));
            }
        }
        if self.faults.is_empty() {
            return Ok(keymap);
        }
        let (text, name) = (self.text, self.name);
        self.faults.sort_by_key(|(at, _)| *at);
        let fault = |(at, kind)| {
            let before = text.get(..at).unwrap_or(text);
            let line_start = before.rfind('\n').map_or(0, |end| end + 1);
            Fault {
                name: name.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                kind,
            }
        };
        Err(self.faults.into_iter().map(fault).collect())
    }
}

/// Whether the key types a character into a field.
#[must_use]
pub(crate) fn types_a_character(key: KeyCombination) -> bool {
    matches!(key.codes, OneToThree::One(KeyCode::Char(_)))
        && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER)
}

fn rank(key: KeyCombination) -> u8 {
    match key.codes {
        OneToThree::One(KeyCode::Char(c)) if c.is_ascii_digit() => 0,
        OneToThree::One(KeyCode::F(_)) => 1,
        OneToThree::One(KeyCode::Tab | KeyCode::Enter | KeyCode::Esc) => 2,
        _ if key.modifiers.contains(KeyModifiers::CONTROL) => 5,
        OneToThree::One(KeyCode::Char(_)) => 4,
        _ => 3,
    }
}

fn called(key: KeyCombination) -> String {
    let OneToThree::One(code) = key.codes else { return key.to_string() };
    let name = match code {
        KeyCode::F(n) => format!("F{n}"),
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => c.to_ascii_uppercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        other => format!("{other:?}"),
    };
    let control = if key.modifiers.contains(KeyModifiers::CONTROL) { "Ctrl-" } else { "" };
    let alt = if key.modifiers.contains(KeyModifiers::ALT) { "Alt-" } else { "" };
    format!("{control}{alt}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_has_its_function_key_and_means_the_same() {
        let keymap = Keymap::standard().unwrap();
        for (scope, digit, n) in
            Scope::ALL.into_iter().flat_map(|scope| ('1'..='9').zip(1..).map(move |(d, n)| (scope, d, n)))
        {
            let meant = |code| keymap.intent(scope, KeyCombination::one_key(code, KeyModifiers::NONE));
            if scope != Scope::Form {
                assert_eq!(meant(KeyCode::Char(digit)), meant(KeyCode::F(n)), "{digit} in {}", scope.name());
            }
        }
    }

    #[test]
    fn hints_show_both_twins() {
        let keymap = Keymap::standard().unwrap();
        assert_eq!(keymap.hint(Scope::Mirror, Intent::PageCopy).as_deref(), Some("5 F5"));
        assert_eq!(keymap.hint(Scope::Mirror, Intent::Leave).as_deref(), Some("Esc"));
        // Where the server is missed, one key is for that alone; the others are those of the home screen.
        assert_eq!(keymap.hint(Scope::Alarm, Intent::NotYet).as_deref(), Some("8 F8"));
        assert_eq!(keymap.hint(Scope::Alarm, Intent::StartServer).as_deref(), Some("2 F2"));
        assert_eq!(keymap.hint(Scope::Alarm, Intent::Answer), None);
        // In a form a digit is a digit.
        assert_eq!(keymap.hint(Scope::Form, Intent::Help).as_deref(), Some("F1"));
        assert_eq!(keymap.hint(Scope::First, Intent::Compare), None);
    }
}
