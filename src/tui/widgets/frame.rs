//! The head line, the rules and the hints that stand around every screen.

use ratatui::layout::Rect;

use super::fit;
use super::rows::{Canvas, Press, Row};
use crate::tui::intent::Intent;
use crate::tui::theme::{Look, Tone};

/// Hints that stay, be they cut short.
const FEW: usize = 3;

/// A key and what it does, as the bottom line says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hint {
    /// The keys: "5 F5".
    pub keys: String,
    /// What they do, in a word.
    pub label: String,
    /// What a click on it does.
    pub intent: Intent,
}

/// Whether something is wrong: the rules say so all over the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Air {
    /// Nothing is wrong.
    Calm,
    /// Something is.
    Alarm,
}

/// What stands around a screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The store, and what this machine is.
    pub title: String,
    /// The day and the time.
    pub clock: String,
    /// Whether something is wrong.
    pub air: Air,
    /// The keys that always work here.
    pub hints: Vec<Hint>,
    /// Whom to ask, the longest way to say it first; empty where that is not set.
    pub support: Vec<String>,
}

impl Frame {
    /// Draws it, and gives back the room inside.
    pub fn draw(&self, area: Rect, on: &mut Canvas<'_>) -> Rect {
        let line = |y: u16| Rect { y, height: 1, ..area };
        if area.height < 2 {
            return area;
        }
        self.head(usize::from(area.width), on.look).paint(line(area.y), on);
        self.foot(usize::from(area.width), on.look).paint(line(area.bottom() - 1), on);
        // On a small screen the rules make room for what they would part.
        let rules = u16::from(area.height >= 14);
        if rules > 0 {
            let look = on.look;
            let rule = match self.air {
                Air::Calm => Row::of(look.glyphs.rule().repeat(area.width.into()), Tone::Quiet),
                Air::Alarm => Row::of(look.glyphs.alarm_rule().repeat(area.width.into()), Tone::Warn),
            };
            rule.paint(line(area.y + 1), on);
            Row::of(look.glyphs.rule().repeat(area.width.into()), Tone::Quiet).paint(line(area.bottom() - 2), on);
        }
        Rect { y: area.y + 1 + rules, height: area.height - 2 - 2 * rules, ..area }
    }

    fn head(&self, cells: usize, look: Look) -> Row {
        // The day goes before the time does, the time before the title.
        let time = self.clock.rsplit(' ').next().unwrap_or_default();
        let clock = [self.clock.as_str(), time].into_iter().find(|clock| {
            let rest = cells.saturating_sub(fit::width(clock) + 2);
            rest >= fit::width(&self.title).min(cells / 2)
        });
        let clock = clock.unwrap_or_default();
        let room = cells.saturating_sub(fit::width(clock) + 2);
        let title = fit::clip(&fit::harmless(&self.title, look.glyphs), room, look.glyphs);
        Row::of(fit::pad(&title, room + 2), Tone::Strong).and(clock, Tone::Plain)
    }

    /// The hints, and at the right edge whom to ask: that goes last.
    fn foot(&self, cells: usize, look: Look) -> Row {
        let Some(shortest) = self.support.last() else { return self.hints_in(cells, look) };
        let beside = |support: &str, hints: Row| {
            let gap = cells.saturating_sub(hints.width() + fit::width(support) + 1);
            hints.and(" ".repeat(gap), Tone::Plain).and(support, Tone::Strong)
        };
        let full = self.hints_row(|hint| hint.keys.clone());
        let fits = |support: &&String| full.width() + 3 + fit::width(support) <= cells;
        if let Some(support) = self.support.iter().find(fits) {
            return beside(support, full);
        }
        beside(shortest, self.hints_in(cells.saturating_sub(fit::width(shortest) + 2), look))
    }

    fn hints_in(&self, cells: usize, look: Look) -> Row {
        let full = self.hints_row(|hint| hint.keys.clone());
        if full.width() <= cells {
            return full;
        }
        // Of two twins the shorter, the digit, stays.
        let short = self.hints_row(|hint| hint.keys.split(' ').next().unwrap_or_default().to_owned());
        if short.width() <= cells {
            return short;
        }
        // Three whole ones say more than four in pieces; the last is the way out.
        if self.hints.len() > FEW {
            let mut fewer = self.clone();
            fewer.hints.remove(self.hints.len() - 2);
            return fewer.hints_in(cells, look);
        }
        let each = (cells / self.hints.len().max(1)).saturating_sub(2);
        let row = |row: Row, hint: &Hint| {
            let key = hint.keys.split(' ').next().unwrap_or_default();
            let label = fit::clip(&format!("{key} {}", hint.label), each.max(3), look.glyphs);
            row.and(" ", Tone::Plain).and_press(label, Tone::Plain, Some(Press::Want(hint.intent)))
        };
        self.hints.iter().fold(Row::default(), row)
    }

    fn hints_row(&self, keys: impl Fn(&Hint) -> String) -> Row {
        self.hints.iter().enumerate().fold(Row::default(), |row, (at, hint)| {
            let press = Some(Press::Want(hint.intent));
            row.and(if at == 0 { " " } else { "  " }, Tone::Plain).and_press(keys(hint), Tone::Strong, press).and_press(
                format!(" {}", hint.label),
                Tone::Plain,
                press,
            )
        })
    }
}
