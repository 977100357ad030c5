//! The screen of the backup while it is the server: that it is, how long it may be, what to leave alone, the one next step.

use ratatui::layout::Rect;

use super::{home, licence, parts};
use crate::tui::theme::{Look, Tone};
use crate::tui::view::serving::ServingView;
use crate::tui::widgets::Row;
use crate::tui::widgets::rows::{Block, Canvas};

/// Draws it.
pub fn draw(view: &ServingView, area: Rect, on: &mut Canvas<'_>) {
    let look = on.look;
    let short = home::is_short(area);
    home::draw(|cells| blocks(view, look, short, cells), &view.events, home::Least::None, area, on);
}

/// All but the events.
fn blocks(view: &ServingView, look: Look, short: bool, cells: usize) -> Vec<Block> {
    let glyphs = look.glyphs;
    let answer = parts::answer(&view.answer, cells);
    let details: usize = view.answer.details.iter().map(|detail| parts::under(detail, cells).len()).sum();
    let sentence = answer.len() - details;
    let ended = view.ended.as_ref().map_or_else(Vec::new, |ended| parts::problem(ended, cells));
    let asked: Vec<Row> = view.questions.iter().flat_map(|asking| parts::asking(asking, cells)).collect();
    let wrong: Vec<Row> = view.problems.iter().flat_map(|problem| parts::problem(problem, cells)).collect();
    let labels = view.facts.iter().map(|fact| fact.label.as_str());
    let labels = labels.chain(view.copying.iter().map(|copying| copying.label.as_str()));
    let label = parts::label_width(labels.chain(view.licence.iter().map(|licence| licence.label.as_str())), cells);
    let days = view.licence.as_ref().map_or_else(Vec::new, |view| licence::licence(view, label, cells, glyphs));
    let mut facts = parts::facts(&view.facts, label, cells, glyphs);
    let copying: Vec<_> = view.copying.iter().cloned().collect();
    facts.extend(parts::running(&copying, &view.behind, label, cells, glyphs));
    vec![
        Block::with_rest(answer, 0, sentence, 5),
        Block::whole(asked, 1),
        Block::with_rest(ended, 4, 1, 5),
        Block::with_rest(wrong, 3, 2, 6),
        Block::with_rest(days, 4, 1, 7),
        Block::whole(facts, 6),
        Block::whole(parts::sentences([&view.keep], Tone::Plain, cells), 4),
        Block::whole(parts::sentences([&view.next], Tone::Strong, cells), 4),
        home::actions(&view.turns, &[], short, cells, glyphs),
    ]
}
