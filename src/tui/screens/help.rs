//! The help: the keys of the place from which it was asked for, then what the words mean.

use ratatui::layout::Rect;

use crate::tui::theme::Tone;
use crate::tui::view::help::HelpView;
use crate::tui::widgets::rows::{Canvas, wrapped};
use crate::tui::widgets::{Row, fit, scroll};

/// Draws it.
pub fn draw(view: &HelpView, area: Rect, on: &mut Canvas<'_>) {
    let cells = usize::from(area.width).min(100);
    let title = |text: &str| [Row::default(), Row::of(format!(" {text}"), Tone::Strong)];
    let column = |names: &[(String, String)]| names.iter().map(|(name, _)| fit::width(name)).max().unwrap_or(0);
    let pairs = |names: &[(String, String)]| {
        let width = column(names).min(cells / 2);
        let row = |(name, means): &(String, String)| {
            let start = Row::of(format!("   {}  ", fit::pad(name, width)), Tone::Strong);
            wrapped(start, means, Tone::Plain, cells)
        };
        names.iter().flat_map(row).collect::<Vec<_>>()
    };
    let mut rows = wrapped(Row::of(" ", Tone::Plain), &view.about, Tone::Plain, cells);
    rows.extend(title(&view.keys_label));
    rows.extend(pairs(&view.keys));
    if !view.signs.is_empty() {
        rows.extend(title(&view.signs_label));
        for (mark, means) in &view.signs {
            let start = Row::of("   ", Tone::Plain).and(mark.sign(), mark.tone()).and("  ", Tone::Plain);
            rows.extend(wrapped(start, means, Tone::Plain, cells));
        }
    }
    if !view.words.is_empty() {
        rows.extend(title(&view.words_label));
        rows.extend(pairs(&view.words));
    }
    scroll::draw(&rows, view.top, &view.more, area, on);
}
