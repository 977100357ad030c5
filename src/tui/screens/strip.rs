//! The strip of a practice shop: below everything else, and never in its way.

use ratatui::layout::Rect;

use crate::tui::theme::{Mark, Tone};
use crate::tui::view::strip::StripView;
use crate::tui::widgets::rows::{self, Canvas, Row, wrapped};
use crate::tui::widgets::{Press, fit};

/// Lines that the screen above it keeps in any case.
const ABOVE: u16 = 12;

/// Draws it at the bottom of `area`, and gives back the room above it.
pub fn draw(view: &StripView, area: Rect, on: &mut Canvas<'_>) -> Rect {
    let cells = usize::from(area.width);
    let mut lines = vec![Row::of(on.look.glyphs.alarm_rule().repeat(cells), Tone::Quiet)];
    lines.extend(causes(view, cells));
    if !view.note.is_empty() {
        lines.extend(wrapped(Row::of(" ", Tone::Plain), &view.note, Tone::Plain, cells));
    }
    let (mark, tone) = if view.is_well { (Mark::Ok, Tone::Plain) } else { (Mark::Warn, Tone::Strong) };
    let sign = Row::of(" ", Tone::Plain).and(mark.sign(), mark.tone()).and(" ", Tone::Plain);
    // What it says counts to the last word: a terminal without its dots gets another sign between them.
    let truth = fit::harmless(&view.truth.replace('·', on.look.glyphs.between()), on.look.glyphs);
    lines.extend(wrapped(sign, &truth, tone, cells));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(ABOVE));
    // Where there is no room for all of it the truth is what stays.
    let kept = lines.split_off(lines.len() - usize::from(height));
    let (above, below) = (area.height - height, area.bottom() - height);
    rows::paint(&kept, Rect { y: below, height, ..area }, on);
    Rect { height: above, ..area }
}

/// What can be caused, in as many lines as it takes.
fn causes(view: &StripView, cells: usize) -> Vec<Row> {
    let mut lines: Vec<Row> = vec![];
    for cause in &view.causes {
        let width = fit::width(&cause.key) + 1 + fit::width(&cause.label);
        let (press, key, label) = match cause.intent {
            Some(intent) => (Some(Press::Want(intent)), Tone::Strong, Tone::Plain),
            None => (None, Tone::Quiet, Tone::Quiet),
        };
        let row = match lines.pop() {
            Some(line) if line.width() + 2 + width <= cells => line.and("  ", Tone::Plain),
            Some(line) => {
                lines.push(line);
                Row::of(" ", Tone::Plain)
            }
            None => Row::of(" ", Tone::Plain),
        };
        let row = row.and_press(cause.key.clone(), key, press);
        lines.push(row.and_press(format!(" {}", cause.label), label, press));
    }
    lines
}
