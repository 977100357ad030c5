//! The home screen of a mirror: the answer first, then what is wrong, then the rest as far as there is room.

use ratatui::layout::Rect;

use super::{home, licence, parts};
use crate::tui::theme::{Look, Tone};
use crate::tui::view::mirror::MirrorView;
use crate::tui::widgets::Row;
use crate::tui::widgets::rows::{Block, Canvas};

/// Draws it.
pub fn draw(view: &MirrorView, area: Rect, on: &mut Canvas<'_>) {
    let look = on.look;
    let short = home::is_short(area);
    home::draw(|cells| blocks(view, look, short, cells), &view.events, home::Least::Few, area, on);
}

/// All but the events. The ranks say what gives way: last the answer, then what is wrong.
fn blocks(view: &MirrorView, look: Look, short: bool, cells: usize) -> Vec<Block> {
    let glyphs = look.glyphs;
    let wrong: Vec<Row> = view.problems.iter().flat_map(|problem| parts::problem(problem, cells)).collect();
    let ended = view.ended.as_ref().map_or_else(Vec::new, |ended| parts::problem(ended, cells));
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
        Block::with_rest(answer, 0, sentence, 5),
        Block::whole(asked, 1),
        Block::with_rest(ended, 4, 1, 6),
        Block::with_rest(wrong, 3, 2, 4),
        Block::whole(parts::facts(&view.folders, label, cells, glyphs), 9),
        Block::whole(copying, 6),
        Block::with_rest(datasets, 7, 1, 8),
        Block::whole(days, if licence.is_some_and(|licence| licence.matters) { 5 } else { 10 }),
        Block::whole(nothing, 10),
        home::actions(&view.turns, &view.actions, short, cells, glyphs),
    ]
}
