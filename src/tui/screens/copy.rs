//! The page about the copy: one text that can be scrolled.

use ratatui::layout::Rect;

use super::parts;
use crate::tui::theme::{Glyphs, Tone};
use crate::tui::view::copy::{CopyView, Named};
use crate::tui::widgets::rows::{Canvas, wrapped};
use crate::tui::widgets::{Row, scroll};

/// Draws it.
pub fn draw(view: &CopyView, area: Rect, on: &mut Canvas<'_>) {
    let (cells, glyphs) = (usize::from(area.width), on.look.glyphs);
    let labels = view.facts.iter().map(|fact| fact.label.as_str());
    let label = parts::label_width(labels.chain(view.progress.iter().map(|line| line.label.as_str())), cells);
    let sections = [
        parts::answer(&view.answer, cells),
        parts::facts(&view.facts, label, cells, glyphs),
        parts::running(&view.progress, &view.behind, label, cells, glyphs),
        datasets(view, cells, glyphs),
        parts::actions(&view.actions, cells),
        parts::events(&view.events, cells),
    ];
    let mut rows: Vec<Row> = vec![];
    for section in sections.into_iter().filter(|section| !section.is_empty()) {
        if !rows.is_empty() {
            rows.push(Row::default());
        }
        rows.extend(section);
    }
    scroll::draw(&rows, view.top, &view.more, area, on);
}

fn datasets(view: &CopyView, cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let lines: Vec<_> = view.datasets.iter().map(|(line, _)| line.clone()).collect();
    let named = |named: &Named| {
        let label = wrapped(Row::of("     ", Tone::Plain), &named.label, Tone::Warn, cells);
        let name = |name: &String| wrapped(Row::of("       ", Tone::Plain), name, Tone::Plain, cells);
        [label, named.names.iter().flat_map(name).collect()].concat()
    };
    // All lines in one set of columns; the names that belong to each stand below it.
    let rows = parts::datasets(&lines, cells, glyphs).into_iter();
    rows.zip(&view.datasets)
        .flat_map(|(row, (_, names))| [vec![row], names.iter().flat_map(named).collect()].concat())
        .collect()
}
