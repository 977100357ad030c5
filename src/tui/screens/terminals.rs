//! The page of the terminals: a table that can be scrolled. Where the terminal is narrow the last columns are left out.

use ratatui::layout::Rect;

use crate::tui::theme::Tone;
use crate::tui::view::terminals::{COLUMNS, TerminalLine, TerminalsView};
use crate::tui::widgets::rows::{Canvas, wrapped};
use crate::tui::widgets::{Row, bar, fit, scroll};

/// Cells of a name at the most.
const NAME: usize = 16;
/// Cells of the bar.
const BAR: usize = 40;

/// Draws it.
pub fn draw(view: &TerminalsView, area: Rect, on: &mut Canvas<'_>) {
    let cells = usize::from(area.width);
    let mut rows = wrapped(Row::of(" ", Tone::Plain), &view.label, Tone::Strong, cells);
    if let Some((said, permille)) = &view.back {
        rows.extend(wrapped(Row::of(" ", Tone::Plain), said, Tone::Plain, cells));
        let bar = BAR.min(cells.saturating_sub(4));
        rows.push(bar::bar(Row::of(" ", Tone::Plain), *permille, bar, Tone::Busy, on.look.glyphs));
    }
    rows.push(Row::default());
    if !view.nothing.is_empty() {
        rows.extend(wrapped(Row::of("   ", Tone::Plain), &view.nothing, Tone::Plain, cells));
    }
    rows.extend(table(&view.heads, &view.terminals, cells));
    if !view.devices_label.is_empty() {
        rows.extend([Row::default(), Row::of(format!(" {}", view.devices_label), Tone::Strong)]);
        rows.extend(table(&view.device_heads, &view.devices, cells));
    }
    scroll::draw(&rows, view.top, &view.more, area, on);
}

fn table(heads: &[String; COLUMNS], lines: &[TerminalLine], cells: usize) -> Vec<Row> {
    let Some(first) = lines.first() else { return vec![] };
    let sign = first.mark.sign().len() + 2;
    let all = || std::iter::once(heads).chain(lines.iter().map(|line| &line.cells));
    let widest = |at: usize| all().map(|row| fit::width(&row[at])).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..COLUMNS).map(widest).collect();
    widths[0] = widths[0].min(NAME);
    let mut room = cells.saturating_sub(sign + 1);
    let fitting = widths.iter().take_while(|width| {
        let fits = **width <= room;
        room = room.saturating_sub(**width + 2);
        fits
    });
    let columns = fitting.count();
    let row = |first: Row, cells: &[String; COLUMNS], tones: [Tone; 2]| {
        let cell = |row: Row, at: usize| row.and(format!("{}  ", fit::pad(&cells[at], widths[at])), tones[at.min(1)]);
        (0..columns).fold(first, cell)
    };
    let above = Row::of(" ".repeat(sign), Tone::Plain);
    let mut rows = vec![row(above, heads, [Tone::Quiet; 2])];
    for line in lines {
        let mark = Row::of(" ", Tone::Plain).and(line.mark.sign(), line.mark.tone()).and(" ", Tone::Plain);
        rows.push(row(mark, &line.cells, [Tone::Strong, Tone::Plain]));
        let note = |note: &String| wrapped(Row::of(" ".repeat(sign + 2), Tone::Plain), note, Tone::Quiet, cells);
        rows.extend(line.notes.iter().flat_map(note));
    }
    rows
}
