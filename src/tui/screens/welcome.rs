//! The first page and its form.

use ratatui::layout::{Position, Rect};

use super::parts;
use crate::tui::theme::Tone;
use crate::tui::view::welcome::{Field, FormView, WelcomeView};
use crate::tui::widgets::rows::{self, Block, Canvas, wrapped};
use crate::tui::widgets::{Press, Row, fit};

/// Text wider than this is hard to read.
const WIDE: usize = 90;

/// Draws the first page.
pub fn draw(view: &WelcomeView, area: Rect, on: &mut Canvas<'_>) {
    let cells = usize::from(area.width).min(WIDE);
    let start = || Row::of(" ", Tone::Plain);
    let about = view.about.iter().flat_map(|line| wrapped(start(), line, Tone::Plain, cells)).collect();
    let blocks = vec![
        Block::with_rest(about, 2, 1, 3),
        Block::whole(wrapped(start(), &view.begin, Tone::Strong, cells), 1),
        Block::whole(parts::actions(&view.actions, cells), 0),
    ];
    rows::paint(&rows::stack(blocks, area.height.into()), area, on);
}

/// Draws the form.
pub fn draw_form(view: &FormView, area: Rect, on: &mut Canvas<'_>) {
    let cells = usize::from(area.width).min(WIDE);
    let label = parts::label_width(view.fields.iter().map(|field| field.label.as_str()), cells);
    let start = || Row::of(" ", Tone::Plain);
    let missing = if view.missing.is_empty() { vec![] } else { warned(&view.missing, cells) };
    let mut command = vec![Row::of(format!(" {}", view.command_label), Tone::Plain)];
    command.extend(wrapped(Row::of("   ", Tone::Plain), &view.command, Tone::Strong, cells));
    // The fields are the one block of which the place must be known, for the cursor: they stand at the top.
    let fields: Vec<Row> =
        view.fields.iter().enumerate().flat_map(|(at, field)| field_rows(view, field, at, label, cells)).collect();
    if let Some(field) = view.fields.get(view.focus) {
        on.drawn.cursor = cursor(field, view.focus, label, cells, area);
    }
    let blocks = vec![
        Block::whole(fields, 0),
        Block::whole(missing, 2),
        Block::whole(vec![buttons(view)], 1),
        Block::whole(wrapped(start(), &view.about, Tone::Plain, cells), 4),
        Block::whole(command, 3),
    ];
    rows::paint(&rows::stack(blocks, area.height.into()), area, on);
}

fn warned(text: &str, cells: usize) -> Vec<Row> {
    let mark = crate::tui::theme::Mark::Warn;
    wrapped(Row::of(" ", Tone::Plain).and(mark.sign(), mark.tone()).and(" ", Tone::Plain), text, Tone::Strong, cells)
}

/// Cells for what is typed: the line without the name and the brackets.
fn typed_width(label: usize, cells: usize) -> usize {
    cells.saturating_sub(label + 7).max(1)
}

/// The cells that are left out before the text, so that the cursor is seen.
fn skipped(field: &Field, label: usize, cells: usize) -> usize {
    (field.cursor + 1).saturating_sub(typed_width(label, cells))
}

fn field_rows(view: &FormView, field: &Field, at: usize, label: usize, cells: usize) -> [Row; 2] {
    let focused = view.focus == at;
    let tone = if focused { Tone::Strong } else { Tone::Plain };
    let width = typed_width(label, cells);
    let mut left_out = skipped(field, label, cells);
    let seen: String = field
        .value
        .chars()
        .skip_while(|c| {
            let skip = left_out > 0;
            left_out = left_out.saturating_sub(fit::width(&c.to_string()));
            skip
        })
        .collect();
    let text = fit::pad(&fit::clip_end(&seen, width), width);
    let press = Some(Press::At(at));
    let (mark, blank) = (if focused { ">" } else { " " }, fit::pad("", label));
    let line = Row::of(mark, Tone::Strong).and(format!("{}  ", fit::pad(&field.label, label)), tone).and_press(
        format!("[{text}]"),
        tone,
        press,
    );
    [line, Row::of(format!(" {blank}   {}", field.note), Tone::Quiet)]
}

fn cursor(field: &Field, at: usize, label: usize, cells: usize, area: Rect) -> Option<Position> {
    let column = label + 4 + field.cursor - skipped(field, label, cells);
    let (x, y) = (area.x + u16::try_from(column).ok()?, area.y + u16::try_from(at * 2).ok()?);
    area.contains(Position::new(x, y)).then_some(Position::new(x, y))
}

fn buttons(view: &FormView) -> Row {
    view.buttons.iter().fold(Row::default(), |row, (label, at)| {
        let press = Some(Press::At(*at));
        let row = row.and(" ", Tone::Plain);
        if *at == view.focus {
            row.and_press(format!("[> {label} <]"), Tone::Focus, press)
        } else {
            row.and_press(format!("[  {label}  ]"), Tone::Plain, press)
        }
    })
}
