//! The screen of a change of server that runs: which step, who is the server meanwhile, and the list of the steps.

use ratatui::layout::Rect;

use super::{home, licence, parts};
use crate::tui::theme::{Glyphs, Look, Tone};
use crate::tui::view::turning::{Stands, StepLine, TurningView};
use crate::tui::widgets::rows::{Block, Canvas};
use crate::tui::widgets::{Row, fit};

/// Draws it.
pub fn draw(view: &TurningView, area: Rect, on: &mut Canvas<'_>) {
    let look = on.look;
    let short = home::is_short(area);
    home::draw(|cells| blocks(view, look, short, cells), &view.events, home::Least::None, area, on);
}

/// All but the events.
fn blocks(view: &TurningView, look: Look, short: bool, cells: usize) -> Vec<Block> {
    let glyphs = look.glyphs;
    let answer = parts::answer(&view.answer, cells);
    let details: usize = view.answer.details.iter().map(|detail| parts::under(detail, cells).len()).sum();
    let sentence = answer.len() - details;
    let wrong: Vec<Row> = view.problems.iter().flat_map(|problem| parts::problem(problem, cells)).collect();
    let label = parts::label_width(view.licence.iter().map(|licence| licence.label.as_str()), cells);
    let days = view.licence.as_ref().map_or_else(Vec::new, |view| licence::licence(view, label, cells, glyphs));
    vec![
        Block::with_rest(answer, 0, sentence, 3),
        Block::whole(steps(&view.steps, short, cells, glyphs), 3),
        Block::with_rest(parts::sentences(&view.lines, Tone::Plain, cells), 4, 1, 6),
        Block::with_rest(wrong, 5, 2, 7),
        Block::with_rest(days, 8, 1, 9),
        home::actions(&view.actions, &[], short, cells, glyphs),
    ]
}

/// The steps in columns; where there are few rows, the one that runs.
fn steps(steps: &[StepLine], short: bool, cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let widest = |of: fn(&StepLine) -> &str| steps.iter().map(|step| fit::width(of(step))).max().unwrap_or(0);
    let (word, at) = (widest(|step| &step.word), widest(|step| &step.at));
    let shown = steps.iter().filter(|step| !short || step.stands == Stands::Now);
    shown.flat_map(|step| one(step, word, at, cells, glyphs)).collect()
}

/// A step, and below it how far it is.
fn one(step: &StepLine, word: usize, at: usize, cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let tone = match step.stands {
        Stands::Done => Tone::Plain,
        Stands::Now => Tone::Strong,
        Stands::Open => Tone::Quiet,
    };
    let sign = if step.stands == Stands::Now { Tone::Busy } else { tone };
    let start = Row::of("   ", Tone::Plain).and(fit::pad(&step.word, word), sign).and("  ", Tone::Plain);
    // The times stand in a column, not far from what they belong to.
    let room = cells.saturating_sub(start.width() + at + 3).min(52);
    let what = fit::pad(&fit::clip(&step.what, room, glyphs), room);
    let indent = word + 3;
    let row = start.and(what, tone).and(format!("  {}", step.at), Tone::Plain);
    let progress = step.progress.as_ref().map(|progress| parts::progress(progress, indent, cells, glyphs));
    std::iter::once(row).chain(progress).collect()
}
