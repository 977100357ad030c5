//! The lines of the backup licence: how it stands and, while it runs, a bar of what is left, and until when.

use super::parts;
use crate::tui::theme::{Glyphs, Tone};
use crate::tui::view::licence::LicenceView;
use crate::tui::widgets::rows::wrapped;
use crate::tui::widgets::{Row, bar::bar, fit};

/// Cells of the bar, where there is room.
const BAR: usize = 40;

/// The lines; `label` is the width of the names.
#[must_use]
pub fn licence(view: &LicenceView, label: usize, cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let blank = || Row::of(format!(" {}  ", fit::pad("", label)), Tone::Plain);
    let mut rows = wrapped(parts::labelled(&view.label, label, glyphs), &view.says, view.tone, cells);
    if let Some((permille, until)) = &view.left {
        let room = cells.saturating_sub(blank().width() + 3).min(BAR);
        rows.push(bar(blank(), *permille, room, Tone::Busy, glyphs));
        rows.extend(wrapped(blank(), until, Tone::Plain, cells));
    }
    rows
}
