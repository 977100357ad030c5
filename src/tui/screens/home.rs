//! What all home screens have: the events, in a column of their own where there is room; and at the end the actions.

use ratatui::layout::Rect;

use super::parts;
use crate::tui::theme::{Glyphs, Tone};
use crate::tui::view::copying::Events;
use crate::tui::view::mirror::Action;
use crate::tui::widgets::Row;
use crate::tui::widgets::rows::{self, Block, Canvas};

/// From this width on the events have a column of their own.
const TWO_COLUMNS: u16 = 130;
/// Rows of events that stay when others are still whole: the name and two of them.
const FEW: usize = 3;
/// With fewer rows an action has one.
const SHORT: u16 = 14;

/// Whether there are few rows.
#[must_use]
pub fn is_short(area: Rect) -> bool {
    area.height < SHORT
}

/// Draws `blocks`, which are told how many cells they have, and the events. The last block stays the last.
pub fn draw(blocks: impl Fn(usize) -> Vec<Block>, events: &Events, least: Least, area: Rect, on: &mut Canvas<'_>) {
    let look = on.look;
    if area.width < TWO_COLUMNS {
        let cells = usize::from(area.width);
        let mut blocks = blocks(cells);
        let events = parts::events(events, cells);
        let events = match least {
            Least::Few => Block::with_rest(events, 11, FEW, 12),
            Least::None => Block::with_rest(events, 12, 0, 13),
        };
        // The actions stand at the end, where the hints are.
        blocks.insert(blocks.len().saturating_sub(1), events);
        return rows::paint(&rows::stack(blocks, area.height.into()), area, on);
    }
    let left = Rect { width: area.width * 11 / 20, ..area };
    let right = Rect { x: left.right() + 1, width: area.width - left.width - 1, ..area };
    rows::paint(&rows::stack(blocks(left.width.into()), area.height.into()), left, on);
    rows::paint(&parts::events(events, right.width.into()), right, on);
    let line = Row::of(look.glyphs.upright(), Tone::Quiet);
    for y in area.y..area.bottom() {
        line.paint(Rect { x: left.right(), y, width: 1, height: 1 }, on);
    }
}

/// How many events stay when there is little room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Least {
    /// A few of them, though blank rows go for it.
    Few,
    /// None: where somebody must decide, nothing else is to be read.
    None,
}

/// The actions: those about who serves stay when nearly all else has gone.
#[must_use]
pub fn actions(turns: &[Action], others: &[Action], short: bool, cells: usize, glyphs: Glyphs) -> Block {
    let label = parts::action_width(&[turns, others].concat());
    let rows = |actions: &[Action]| {
        if short { parts::short_actions(actions, cells, glyphs) } else { parts::actions_in(actions, label, cells) }
    };
    if turns.is_empty() {
        return Block::whole(rows(others), 9);
    }
    // What can be done now is more than what is wrong, and what cannot, less.
    let rank = if turns.iter().any(|action| action.intent.is_some()) { 2 } else { 3 };
    let (turns, others) = (rows(turns), rows(others));
    let least = turns.len();
    Block::with_rest([turns, others].concat(), rank, least, 9)
}
