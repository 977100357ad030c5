//! Rows of toned text: stacked by weight into the room there is, painted, and where they can be clicked.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::fit;
use crate::tui::intent::Intent;
use crate::tui::theme::{Look, Tone};

/// What a click on something does: the same as a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Press {
    /// What a key would mean.
    Want(Intent),
    /// Press the button or enter the field with this number, from 0.
    At(usize),
}

/// Where a click does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The cells.
    pub area: Rect,
    /// What it does.
    pub press: Press,
}

/// What a drawing leaves behind: where it can be clicked, where the cursor is, and how far it can be scrolled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drawn {
    /// Where it can be clicked; the later ones lie above.
    pub hits: Vec<Hit>,
    /// Where text is typed.
    pub cursor: Option<Position>,
    /// Lines that a screenful has, and the highest line that can be the first.
    pub room: (usize, usize),
}

impl Drawn {
    /// What a click at this cell does.
    #[must_use]
    pub fn press(&self, column: u16, row: u16) -> Option<Press> {
        self.hits.iter().rev().find(|hit| hit.area.contains(Position::new(column, row))).map(|hit| hit.press)
    }
}

/// What is drawn on, how, and what the drawing leaves behind.
pub struct Canvas<'b> {
    /// How this terminal is drawn on.
    pub look: Look,
    /// The cells.
    pub buf: &'b mut Buffer,
    /// What the drawing leaves behind.
    pub drawn: Drawn,
}

/// A piece of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Piece {
    text: String,
    tone: Tone,
    press: Option<Press>,
}

/// One line of toned text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    pieces: Vec<Piece>,
}

impl Row {
    /// A row of one piece.
    #[must_use]
    pub fn of(text: impl Into<String>, tone: Tone) -> Self {
        Self::default().and(text, tone)
    }

    /// The row with a piece more.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.pieces.push(Piece { text: text.into(), tone, press: None });
        self
    }

    /// The row with a piece more that can be clicked.
    #[must_use]
    pub fn and_press(mut self, text: impl Into<String>, tone: Tone, press: Option<Press>) -> Self {
        self.pieces.push(Piece { text: text.into(), tone, press });
        self
    }

    /// Moves it so many cells to the right.
    #[must_use]
    pub fn indented(mut self, cells: usize) -> Self {
        self.pieces.insert(0, Piece { text: " ".repeat(cells), tone: Tone::Plain, press: None });
        self
    }

    /// How many cells it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|piece| fit::width(&piece.text)).sum()
    }

    /// How many cells stand before the piece that does this when it is clicked.
    #[must_use]
    pub fn start_of(&self, press: Press) -> Option<usize> {
        let at = self.pieces.iter().position(|piece| piece.press == Some(press))?;
        Some(self.pieces[..at].iter().map(|piece| fit::width(&piece.text)).sum())
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Paints the row into the first line of `area`.
    pub fn paint(&self, area: Rect, on: &mut Canvas<'_>) {
        let area = area.intersection(*on.buf.area());
        if area.is_empty() {
            return;
        }
        let mut x = area.x;
        for piece in &self.pieces {
            let room = usize::from(area.right().saturating_sub(x));
            let text = fit::harmless(&piece.text, on.look.glyphs);
            let (end, _) = on.buf.set_stringn(x, area.y, text, room, on.look.style(piece.tone));
            if let Some(press) = piece.press
                && end > x
            {
                on.drawn.hits.push(Hit { area: Rect::new(x, area.y, end - x, 1), press });
            }
            x = end;
        }
    }
}

/// `text` as rows of at most `cells`: `first` stands before the first, as many blanks before the others.
#[must_use]
pub fn wrapped(first: Row, text: &str, tone: Tone, cells: usize) -> Vec<Row> {
    let indent = first.width();
    let mut first = Some(first);
    let row = |line: String| first.take().unwrap_or_else(|| Row::of(" ".repeat(indent), Tone::Plain)).and(line, tone);
    fit::wrap(text, cells.saturating_sub(indent).max(8)).into_iter().map(row).collect()
}

/// Rows that belong together. Ranks say how little something matters: the highest goes first when there is no room, and 0
/// never goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many of them, from the first, are more than its rest.
    pub least: usize,
    /// The rank of the rest.
    pub rest: u8,
    /// The rank of the rows before the rest.
    pub rank: u8,
}

impl Block {
    /// Rows that are all there, or none.
    #[must_use]
    pub fn whole(rows: Vec<Row>, rank: u8) -> Self {
        Self { least: rows.len(), rows, rest: rank, rank }
    }

    /// Rows of which those after the first `least` have a `rest` rank of their own.
    #[must_use]
    pub fn with_rest(rows: Vec<Row>, rank: u8, least: usize, rest: u8) -> Self {
        Self { rows, least, rest, rank }
    }
}

/// The blocks in `height` rows, a blank row between two. When there is no room, first the rest that matters least gives way;
/// then the blank rows; then what matters less, before what matters more.
#[must_use]
pub fn stack(mut blocks: Vec<Block>, height: usize) -> Vec<Row> {
    blocks.retain(|block| !block.rows.is_empty());
    let content = |blocks: &[Block]| blocks.iter().map(|block| block.rows.len()).sum::<usize>();
    let gaps = |blocks: &[Block]| blocks.iter().filter(|block| !block.rows.is_empty()).count().saturating_sub(1);
    let rests = blocks.iter().enumerate().map(|(at, block)| (block.rest, at, block.least));
    let mut steps: Vec<_> = rests.chain(blocks.iter().enumerate().map(|(at, block)| (block.rank, at, 0))).collect();
    // Of two alike the lower on the screen goes first, and a rest before the rows that it belongs to.
    steps.sort_by_key(|step| std::cmp::Reverse(*step));
    for (nth, (rank, at, least)) in steps.into_iter().enumerate() {
        let blanks = if nth == 0 { gaps(&blocks) } else { 0 };
        let over = (content(&blocks) + blanks).saturating_sub(height);
        let rows = &mut blocks[at].rows;
        if rank > 0 {
            rows.truncate(rows.len().saturating_sub(over).max(least.min(rows.len())));
        }
        // Half of what cannot be shortened says nothing.
        if rank > 0 && least == 0 && over > 0 {
            rows.clear();
        }
    }
    blocks.retain(|block| !block.rows.is_empty());
    let mut blank = height.saturating_sub(content(&blocks)).min(gaps(&blocks));
    let mut rows = vec![];
    for block in blocks {
        // Blank rows that are too few for all gaps stand in the upper ones.
        if !rows.is_empty() && blank > 0 {
            rows.push(Row::default());
            blank -= 1;
        }
        rows.extend(block.rows);
    }
    rows.truncate(height);
    rows
}

/// Paints rows from the top of `area`.
pub fn paint(rows: &[Row], area: Rect, on: &mut Canvas<'_>) {
    for (row, y) in rows.iter().zip(area.y..area.bottom()) {
        row.paint(Rect { y, height: 1, ..area }, on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(rank: u8, rows: usize, least: usize) -> Block {
        Block::with_rest(vec![Row::of(rank.to_string(), Tone::Plain); rows], rank, least, rank)
    }

    fn stacked(height: usize) -> String {
        let blocks = vec![block(0, 2, 2), block(2, 2, 2), block(3, 9, 2), block(1, 1, 1)];
        let text = |row: &Row| row.pieces.first().map_or_else(|| ".".to_owned(), |piece| piece.text.clone());
        stack(blocks, height).iter().map(text).collect()
    }

    #[test]
    fn what_matters_least_gives_way_first() {
        assert_eq!(stacked(20), "00.22.333333333.1");
        assert_eq!(stacked(12), "00.22.3333.1");
        assert_eq!(stacked(8), "00.22331");
        assert_eq!(stacked(7), "0022331");
        assert_eq!(stacked(6), "00.221");
        assert_eq!(stacked(3), "001");
        assert_eq!(stacked(1), "0");
        assert_eq!(stacked(0), "");
    }
}
