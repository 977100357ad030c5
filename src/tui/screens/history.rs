//! The page of the operations: one text that can be scrolled.

use ratatui::layout::Rect;

use crate::tui::theme::Tone;
use crate::tui::view::history::{HistoryView, OperationLine};
use crate::tui::widgets::rows::{Canvas, wrapped};
use crate::tui::widgets::{Row, fit, scroll};

/// From this width on an operation is one row.
const ONE_ROW: usize = 60;

/// Draws it.
pub fn draw(view: &HistoryView, area: Rect, on: &mut Canvas<'_>) {
    let cells = usize::from(area.width);
    let mut rows = vec![Row::of(format!(" {}", view.label), Tone::Strong), Row::default()];
    if !view.nothing.is_empty() {
        rows.extend(wrapped(Row::of("   ", Tone::Plain), &view.nothing, Tone::Plain, cells));
    }
    let widest =
        |of: fn(&OperationLine) -> &str| view.operations.iter().map(|one| fit::width(of(one))).max().unwrap_or(0);
    let columns = Columns {
        when: widest(|one| &one.when),
        kind: widest(|one| &one.kind),
        state: widest(|one| &one.state),
        took: widest(|one| &one.took),
    };
    rows.extend(view.operations.iter().flat_map(|one| operation(one, &columns, cells)));
    scroll::draw(&rows, view.top, &view.more, area, on);
}

/// The widths of the columns.
struct Columns {
    when: usize,
    kind: usize,
    state: usize,
    took: usize,
}

fn operation(one: &OperationLine, columns: &Columns, cells: usize) -> Vec<Row> {
    let sign = Row::of(" ", Tone::Plain).and(one.mark.sign(), one.mark.tone()).and(" ", Tone::Plain);
    let indent = sign.width();
    let mut rows = if cells >= ONE_ROW {
        let row = sign
            .and(format!("{}  ", fit::pad(&one.when, columns.when)), Tone::Quiet)
            .and(format!("{}  ", fit::pad(&one.kind, columns.kind)), Tone::Strong)
            .and(fit::pad(&one.state, columns.state), one.tone);
        beside(row, one, columns, cells, indent)
    } else {
        let below = [&*one.when, &*one.took, &*one.by].into_iter().filter(|said| !said.is_empty());
        let below = below.collect::<Vec<_>>().join("  ");
        let row = sign.and(format!("{}  ", one.kind), Tone::Strong).and(one.state.clone(), one.tone);
        [vec![row], wrapped(Row::of(" ".repeat(indent), Tone::Plain), &below, Tone::Quiet, cells)].concat()
    };
    let note = |note: &String| wrapped(Row::of(" ".repeat(indent + 2), Tone::Plain), note, Tone::Plain, cells);
    rows.extend(one.notes.iter().flat_map(note));
    rows
}

/// How long it took and who asked, behind the rest as far as there is room; else below.
fn beside(row: Row, one: &OperationLine, columns: &Columns, cells: usize, indent: usize) -> Vec<Row> {
    let took = fit::pad(&one.took, columns.took);
    let room = cells.saturating_sub(row.width());
    let below = |said: &str| match said.trim() {
        "" => vec![],
        said => wrapped(Row::of(" ".repeat(indent + 2), Tone::Plain), said, Tone::Quiet, cells),
    };
    match () {
        () if room >= 4 + fit::width(&took) + fit::width(&one.by) => {
            vec![row.and(format!("  {took}"), Tone::Plain).and(format!("  {}", one.by), Tone::Quiet)]
        }
        () if room >= 2 + fit::width(&took) => {
            [vec![row.and(format!("  {took}"), Tone::Plain)], below(&one.by)].concat()
        }
        () => [vec![row], below(&format!("{}  {}", one.took, one.by))].concat(),
    }
}
