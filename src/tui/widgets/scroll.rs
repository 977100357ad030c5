//! A text longer than the screen: a window on its rows, and at its foot which of them are seen.

use ratatui::layout::Rect;

use super::fit;
use super::rows::{self, Canvas, Row};
use crate::tui::theme::Tone;

/// Draws `all` rows from the one that stands `first`, as far as there are so many. `seen` is the word before the
/// numbers of the rows that are seen.
pub fn draw(all: &[Row], first: usize, seen: &str, area: Rect, on: &mut Canvas<'_>) {
    let fits = all.len() <= usize::from(area.height);
    let height = usize::from(area.height).saturating_sub(usize::from(!fits));
    let last_first = all.len().saturating_sub(height);
    let first = first.min(last_first);
    on.drawn.room = (height.saturating_sub(1).max(1), last_first);
    let shown = &all[first..(first + height).min(all.len())];
    rows::paint(shown, area, on);
    if !fits && area.height > 0 {
        let place = format!("{seen} {}-{} / {}", first + 1, first + shown.len(), all.len());
        let place = fit::pad_left(&place, usize::from(area.width).saturating_sub(1));
        Row::of(place, Tone::Quiet).paint(Rect { y: area.bottom() - 1, height: 1, ..area }, on);
    }
}
