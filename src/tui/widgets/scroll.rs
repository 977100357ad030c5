//! A text longer than the screen: a window on its rows, and at its foot which of them are seen and how the others are.

use ratatui::layout::Rect;

use super::fit;
use super::frame::Hint;
use super::rows::{self, Canvas, Press, Row};
use crate::tui::theme::Tone;

/// How the rest of a text is seen; shown only where there is a rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct More {
    /// The keys.
    pub hints: Vec<Hint>,
    /// The word before the numbers of the lines that are seen.
    pub lines: String,
}

/// Draws `all` rows from the one that stands `first`, as far as there are so many.
pub fn draw(all: &[Row], first: usize, more: &More, area: Rect, on: &mut Canvas<'_>) {
    let fits = all.len() <= usize::from(area.height);
    let height = usize::from(area.height).saturating_sub(usize::from(!fits));
    let last_first = all.len().saturating_sub(height);
    let first = first.min(last_first);
    on.drawn.room = (height.saturating_sub(1).max(1), last_first);
    let shown = &all[first..(first + height).min(all.len())];
    rows::paint(shown, area, on);
    if !fits && area.height > 0 {
        let hints = more.hints.iter().fold(Row::default(), |row, hint| {
            let press = Some(Press::Want(hint.intent));
            row.and(" ", Tone::Plain).and_press(hint.keys.clone(), Tone::Strong, press).and_press(
                format!(" {} ", hint.label),
                Tone::Plain,
                press,
            )
        });
        let place = format!("{} {}-{} / {} ", more.lines, first + 1, first + shown.len(), all.len());
        let room = usize::from(area.width).saturating_sub(hints.width());
        let foot = hints.and(fit::pad_left(&place, room), Tone::Quiet);
        foot.paint(Rect { y: area.bottom() - 1, height: 1, ..area }, on);
    }
}
