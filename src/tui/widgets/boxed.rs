//! A dialog in the middle of the screen, with buttons.

use ratatui::layout::{Margin, Position, Rect};
use ratatui::widgets::{Clear, Widget};

use super::fit;
use super::rows::{self, Block, Canvas, Press, Row};
use crate::tui::theme::Tone;

/// What a dialog shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    /// What it is about.
    pub title: String,
    /// What to know before a button is pressed, a paragraph each.
    pub text: Vec<String>,
    /// Where something is to be typed, if it is.
    pub field: Option<Field>,
    /// The buttons.
    pub buttons: Vec<String>,
    /// The one that Enter presses, from 0; or the field, by its number.
    pub focus: usize,
    /// Which keys move and press.
    pub keys: String,
}

/// A short field in a dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// What is to be typed.
    pub label: String,
    /// What was typed.
    pub typed: String,
    /// Its number: no button has it.
    pub number: usize,
}

/// Cells of a field.
const FIELD: usize = 5;

impl Dialog {
    /// Draws it over what is there.
    pub fn draw(&self, area: Rect, on: &mut Canvas<'_>) {
        // What lies below can be seen, not clicked.
        on.drawn.hits.retain(|hit| !hit.area.intersects(area));
        on.drawn.cursor = None;
        // On a small screen the line around it makes room for what is to be read.
        let edged = area.height >= 14;
        let width = area.width.min(72);
        let inner = usize::from(width.saturating_sub(4));
        let blocks = self.blocks(inner);
        let rows: usize = blocks.iter().map(|block| block.rows.len() + 1).sum();
        let height = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(area.height);
        let height = if edged { height } else { area.height };
        let place =
            Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
        // Ends of lines beside it would only be riddles.
        Clear.render(Rect { x: area.x, width: area.width, ..place }, on.buf);
        let inside = place.inner(Margin::new(2, u16::from(edged)));
        if edged {
            edge(place, on);
        }
        let rows = rows::stack(blocks, inside.height.into());
        on.drawn.cursor = self.cursor(&rows, inside);
        rows::paint(&rows, inside, on);
    }

    /// Behind what was typed.
    fn cursor(&self, rows: &[Row], inside: Rect) -> Option<Position> {
        let field = self.field.as_ref()?;
        let starts = rows.iter().enumerate().find_map(|(y, row)| Some((y, row.start_of(Press::At(field.number))?)));
        let (y, x) = starts?;
        let x = inside.x + u16::try_from(x + 1 + fit::width(&field.typed)).ok()?;
        let at = Position::new(x, inside.y + u16::try_from(y).ok()?);
        inside.contains(at).then_some(at)
    }

    fn blocks(&self, cells: usize) -> Vec<Block> {
        let title = rows::wrapped(Row::default(), &self.title, Tone::Strong, cells);
        let mut blocks = vec![Block::with_rest(title, 1, 1, 2)];
        for (paragraph, rank) in self.text.iter().zip(10..) {
            let rows = rows::wrapped(Row::default(), paragraph, Tone::Plain, cells);
            blocks.push(Block::with_rest(rows, rank, 1, rank + 100));
        }
        if let Some(field) = &self.field {
            blocks.push(Block::whole(self.field_rows(field, cells), 0));
        }
        let buttons = self.button_rows(cells);
        blocks.push(Block::whole(buttons, 0));
        let keys = rows::wrapped(Row::default(), &self.keys, Tone::Quiet, cells);
        blocks.push(Block::whole(keys, u8::MAX));
        blocks
    }

    /// What is to be typed, and at its end the field.
    fn field_rows(&self, field: &Field, cells: usize) -> Vec<Row> {
        let tone = if self.focus == field.number { Tone::Focus } else { Tone::Strong };
        let text = fit::pad(&fit::clip_end(&field.typed, FIELD), FIELD);
        let mut rows = rows::wrapped(Row::default(), &field.label, Tone::Plain, cells);
        // On the last row where it fits, else on a row of its own.
        let beside = rows.pop_if(|row| row.width() + FIELD + 3 <= cells);
        let last = beside.map_or_else(Row::default, |row| row.and(" ", Tone::Plain));
        rows.push(last.and_press(format!("[{text}]"), tone, Some(Press::At(field.number))));
        rows
    }

    /// The buttons in one row, or one a row where that is too long. The arrows say without colour which is in focus.
    fn button_rows(&self, cells: usize) -> Vec<Row> {
        let button = |row: Row, at: usize, label: &str| {
            let press = Some(Press::At(at));
            if at == self.focus {
                row.and_press(format!("[> {label} <]"), Tone::Focus, press)
            } else {
                row.and_press(format!("[  {label}  ]"), Tone::Plain, press)
            }
        };
        let all = self.buttons.iter().enumerate().fold(Row::default(), |row, (at, label)| {
            button(if at == 0 { row } else { row.and("  ", Tone::Plain) }, at, label)
        });
        if all.width() <= cells {
            return vec![all];
        }
        self.buttons.iter().enumerate().map(|(at, label)| button(Row::default(), at, label)).collect()
    }
}

/// A line around the dialog.
fn edge(place: Rect, on: &mut Canvas<'_>) {
    if place.width < 2 || place.height < 2 {
        return;
    }
    let flat = fit::pad("", usize::from(place.width) - 2).replace(' ', on.look.glyphs.rule());
    let corners = on.look.glyphs.corners();
    let row = |left: &str, middle: &str, right: &str| Row::of(format!("{left}{middle}{right}"), Tone::Strong);
    let at = |y: u16| Rect { y, height: 1, ..place };
    row(corners[0], &flat, corners[1]).paint(at(place.y), on);
    row(corners[2], &flat, corners[3]).paint(at(place.bottom() - 1), on);
    let upright = Row::of(on.look.glyphs.upright(), Tone::Strong);
    for y in place.y + 1..place.bottom() - 1 {
        upright.paint(Rect { width: 1, ..at(y) }, on);
        upright.paint(Rect { x: place.right() - 1, width: 1, ..at(y) }, on);
    }
}
