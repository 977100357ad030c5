//! The home screen of a mirror: the answer first, then what is wrong, then the rest as far as there is room.

use ratatui::layout::Rect;

use super::{licence, parts};
use crate::tui::theme::{Look, Tone};
use crate::tui::view::mirror::MirrorView;
use crate::tui::widgets::Row;
use crate::tui::widgets::rows::{self, Block, Canvas};

/// From this width on the events have a column of their own.
const TWO_COLUMNS: u16 = 130;
/// Rows of events that stay when others are still whole: the name and two of them.
const FEW: usize = 3;

/// Draws it.
pub fn draw(view: &MirrorView, area: Rect, on: &mut Canvas<'_>) {
    let look = on.look;
    if area.width < TWO_COLUMNS {
        let cells = usize::from(area.width);
        let mut blocks = blocks(view, look, cells);
        let events = parts::events(&view.events_label, &view.events, cells);
        // The actions stand at the end, where the hints are.
        blocks.insert(blocks.len() - 1, Block::with_rest(events, 11, FEW, 12));
        return rows::paint(&rows::stack(blocks, area.height.into()), area, on);
    }
    let left = Rect { width: area.width * 11 / 20, ..area };
    let right = Rect { x: left.right() + 1, width: area.width - left.width - 1, ..area };
    rows::paint(&rows::stack(blocks(view, look, left.width.into()), area.height.into()), left, on);
    rows::paint(&parts::events(&view.events_label, &view.events, right.width.into()), right, on);
    let line = Row::of(look.glyphs.upright(), Tone::Quiet);
    for y in area.y..area.bottom() {
        line.paint(Rect { x: left.right(), y, width: 1, height: 1 }, on);
    }
}

/// All but the events. The ranks say what gives way: last the answer, then what is wrong.
fn blocks(view: &MirrorView, look: Look, cells: usize) -> Vec<Block> {
    let glyphs = look.glyphs;
    let wrong: Vec<Row> = view.problems.iter().flat_map(|problem| parts::problem(problem, cells)).collect();
    let asked: Vec<Row> = view.questions.iter().flat_map(|asking| parts::asking(asking, cells)).collect();
    let labels = view.folders.iter().map(|fact| fact.label.as_str());
    let running: Vec<_> = view.copying.iter().chain(&view.comparing).cloned().collect();
    let labels = labels.chain(running.iter().map(|progress| progress.label.as_str()));
    let label = parts::label_width(labels.chain(view.licence.iter().map(|licence| licence.label.as_str())), cells);
    let licence = view.licence.as_ref();
    let days = licence.map_or_else(Vec::new, |view| licence::licence(view, label, cells, glyphs));
    let copying = parts::running(&running, &view.behind, label, cells, glyphs);
    let datasets = parts::datasets(&view.datasets, cells, glyphs);
    let nothing =
        if view.nothing.is_empty() { vec![] } else { vec![Row::of(format!(" {}", view.nothing), Tone::Plain)] };
    let answer = parts::answer(&view.answer, cells);
    let sentence =
        answer.len() - view.answer.details.iter().map(|detail| parts::under(detail, cells).len()).sum::<usize>();
    vec![
        Block::with_rest(answer, 0, sentence, 4),
        Block::whole(asked, 1),
        Block::with_rest(wrong, 2, 2, 3),
        Block::whole(parts::facts(&view.folders, label, cells, glyphs), 8),
        Block::whole(copying, 5),
        Block::with_rest(datasets, 6, 1, 7),
        Block::whole(days, if licence.is_some_and(|licence| licence.matters) { 4 } else { 10 }),
        Block::whole(nothing, 10),
        Block::whole(parts::actions(&view.actions, cells), 9),
    ]
}
