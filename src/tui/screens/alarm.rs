//! The screen of a machine that misses the server: the answer, what to do first, what a start would mean, the keys.

use ratatui::layout::Rect;

use super::{home, parts};
use crate::tui::theme::{Look, Tone};
use crate::tui::view::alarm::AlarmView;
use crate::tui::widgets::Row;
use crate::tui::widgets::rows::{Block, Canvas, wrapped};

/// Draws it.
pub fn draw(view: &AlarmView, area: Rect, on: &mut Canvas<'_>) {
    let look = on.look;
    let short = home::is_short(area);
    home::draw(|cells| blocks(view, look, short, cells), &view.events, home::Least::None, area, on);
}

/// All but the events. What to do first and the keys go last.
fn blocks(view: &AlarmView, look: Look, short: bool, cells: usize) -> Vec<Block> {
    let glyphs = look.glyphs;
    let answer = parts::answer(&view.answer, cells);
    let details: usize = view.answer.details.iter().map(|detail| parts::under(detail, cells).len()).sum();
    let sentence = answer.len() - details;
    let ended = view.ended.as_ref().map_or_else(Vec::new, |ended| parts::problem(ended, cells));
    let label = parts::label_width(view.facts.iter().map(|fact| fact.label.as_str()), cells);
    let facts =
        parts::facts(&view.facts, label, cells.saturating_sub(2), glyphs).into_iter().map(|row| row.indented(2));
    let stands = view.stands.iter().flat_map(|(mark, said)| {
        let sign = Row::of("   ", Tone::Plain).and(mark.sign(), mark.tone()).and(" ", Tone::Plain);
        wrapped(sign, said, Tone::Plain, cells)
    });
    let first = parts::sentences(view.steps.first(), Tone::Plain, cells).len();
    let title = Row::of(format!(" {}", view.if_label), Tone::Strong);
    let meaning: Vec<Row> = std::iter::once(title).chain(facts).chain(stands).collect();
    let wrong: Vec<Row> = view.problems.iter().flat_map(|problem| parts::problem(problem, cells)).collect();
    vec![
        Block::with_rest(answer, 0, sentence, 5),
        Block::with_rest(ended, 4, 1, 5),
        Block::with_rest(parts::sentences(&view.steps, Tone::Plain, cells), 3, first, 4),
        Block::whole(meaning, 6),
        Block::with_rest(wrong, 7, 2, 8),
        home::actions(&view.actions, &[], short, cells, glyphs),
    ]
}
