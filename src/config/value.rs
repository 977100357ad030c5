//! The plain values that stand at keys: texts, numbers, spans of time, sizes.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::fault::{FaultKind, Wanted};
use super::reading::{Item, Table};
use super::units;

impl Table<'_> {
    /// The span of time at `key`, within `range`; `default` when there is none.
    pub(super) fn span(&self, key: &'static str, default: Duration, range: RangeInclusive<Duration>) -> Duration {
        self.get(key).and_then(|item| item.span(range)).unwrap_or(default)
    }
}

impl<'r> Item<'r> {
    /// Any text, blanks and line ends included.
    pub(super) fn text(&self) -> Option<&'r str> {
        self.text_or(Wanted::Text)
    }

    /// A text that people read or type: with something to see, and on one line.
    pub(super) fn name(&self) -> Option<String> {
        let text = self.text()?;
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return self.wrong(FaultKind::NoText);
        }
        Some(text.to_owned())
    }

    /// A text of any lines, with something to see.
    pub(super) fn lines(&self) -> Option<String> {
        let text = self.text()?;
        if text.trim().is_empty() { self.wrong(FaultKind::NoText) } else { Some(text.to_owned()) }
    }

    /// A span of time within `range`.
    pub(super) fn span(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text_or(Wanted::Span)?;
        let Some(span) = units::span(text) else { return self.wrong(FaultKind::NoSpan(text.to_owned())) };
        if range.contains(&span) {
            return Some(span);
        }
        let shown = |span: &Duration| humantime::format_duration(*span).to_string();
        self.wrong(FaultKind::OutOfRange { least: shown(range.start()), most: shown(range.end()) })
    }

    /// A size in bytes, or in bytes a second.
    pub(super) fn size(&self) -> Option<u64> {
        let text = self.text_or(Wanted::Size)?;
        units::size(text).or_else(|| self.wrong(FaultKind::NoSize(text.to_owned())))
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let Some(number) = self.value().as_integer() else { return self.other_than(Wanted::Number) };
        // What is too large for 128 bits is out of every range, too.
        let number = i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX);
        let number = u64::try_from(number).ok().filter(|number| range.contains(number));
        let range = || FaultKind::OutOfRange { least: range.start().to_string(), most: range.end().to_string() };
        number.or_else(|| self.wrong(range()))
    }

    /// A number that fits into 32 bits.
    pub(super) fn small_number(&self, range: RangeInclusive<u32>) -> Option<u32> {
        self.number(u64::from(*range.start())..=u64::from(*range.end())).and_then(|number| u32::try_from(number).ok())
    }

    /// A port, from 1 to 65535.
    pub(super) fn port(&self) -> Option<u16> {
        self.number(1..=u64::from(u16::MAX)).and_then(|number| u16::try_from(number).ok())
    }

    /// True or false.
    pub(super) fn yes(&self) -> Option<bool> {
        self.value().as_bool().or_else(|| self.other_than(Wanted::Yes))
    }

    /// One of the words of `allowed`, for what it stands.
    pub(super) fn one_of<T: Copy>(&self, allowed: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = allowed.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        let words = || allowed.iter().map(|(word, _)| *word).collect();
        found.or_else(|| self.wrong(FaultKind::NotOneOf { found: text.to_owned(), allowed: words() }))
    }

    /// A text; `wanted` is what it is meant to say.
    pub(super) fn text_or(&self, wanted: Wanted) -> Option<&'r str> {
        self.value().as_str().or_else(|| self.other_than(wanted))
    }
}
