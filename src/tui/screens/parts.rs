//! The lines that more than one screen has.

use crate::tui::theme::{Glyphs, Mark, Tone};
use crate::tui::view::answer::{Answer, Problem};
use crate::tui::view::copying::{DatasetLine, EventLine, Events, Fact, Progress};
use crate::tui::view::mirror::{Action, Asking};
use crate::tui::widgets::rows::wrapped;
use crate::tui::widgets::{self, Press, Row, fit};

/// Cells of a bar, and the fewest that still say something.
const BAR: usize = 20;
const SHORT_BAR: usize = 6;
/// Cells of a name that are worth more than a long bar.
const WORTH: usize = 24;

/// A mark and the sentence behind it.
#[must_use]
pub fn marked(mark: Mark, text: &str, tone: Tone, cells: usize) -> Vec<Row> {
    let sign = Row::of(" ", Tone::Plain).and(mark.sign(), mark.tone()).and(" ", Tone::Plain);
    wrapped(sign, text, tone, cells)
}

/// Text under a mark's sentence.
#[must_use]
pub fn under(text: &str, cells: usize) -> Vec<Row> {
    let indent = if cells < 60 { 1 } else { 6 };
    wrapped(Row::of(" ".repeat(indent), Tone::Plain), text, Tone::Plain, cells)
}

/// The answer: its sentence, and its details.
#[must_use]
pub fn answer(answer: &Answer, cells: usize) -> Vec<Row> {
    let mut rows = marked(answer.mark, &answer.sentence, Tone::Strong, cells);
    rows.extend(answer.details.iter().flat_map(|detail| under(detail, cells)));
    rows
}

/// What is wrong, and what to do.
#[must_use]
pub fn problem(problem: &Problem, cells: usize) -> Vec<Row> {
    let mut rows = marked(problem.mark, &problem.what, Tone::Strong, cells);
    if !problem.todo.is_empty() {
        rows.extend(under(&problem.todo, cells));
    }
    rows
}

/// Sentences, each from a row of its own on.
#[must_use]
pub fn sentences<'s>(all: impl IntoIterator<Item = &'s String>, tone: Tone, cells: usize) -> Vec<Row> {
    let start = || Row::of(" ", Tone::Plain);
    let said = all.into_iter().filter(|sentence| !sentence.is_empty());
    said.flat_map(|sentence| wrapped(start(), sentence, tone, cells)).collect()
}

/// A question, and the key that answers it.
#[must_use]
pub fn asking(asking: &Asking, cells: usize) -> Vec<Row> {
    let mut rows = marked(asking.mark, &asking.what, Tone::Strong, cells);
    rows.extend(asking.answer.iter().flat_map(|answer| actions(std::slice::from_ref(answer), cells)));
    rows
}

/// The width of the column of names before facts and progress.
#[must_use]
pub fn label_width<'l>(labels: impl Iterator<Item = &'l str>, cells: usize) -> usize {
    labels.map(fit::width).max().unwrap_or(0).min(cells / 3)
}

/// Names and what is to be said of them; `label` is the width of the names.
#[must_use]
pub fn facts(facts: &[Fact], label: usize, cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let row = |fact: &Fact| {
        let room = cells.saturating_sub(label + 4);
        labelled(&fact.label, label, glyphs).and(fit::clip_middle(&fact.value, room, glyphs), Tone::Plain)
    };
    facts.iter().map(row).collect()
}

/// A name in the column of names, before what is to be said of it.
#[must_use]
pub fn labelled(text: &str, label: usize, glyphs: Glyphs) -> Row {
    Row::of(format!(" {}  ", fit::pad(&fit::clip(text, label, glyphs), label)), Tone::Plain)
}

/// ` Copying  05 POS-Q.Seq  [############--------]  60 %  file 5 of 7`; the bar gives way first, then the name.
#[must_use]
pub fn progress(progress: &Progress, label: usize, cells: usize, glyphs: Glyphs) -> Row {
    let name = labelled(&progress.label, label, glyphs);
    let room = cells.saturating_sub(name.width() + 1);
    let Some(permille) = progress.permille else {
        return name.and(fit::clip_middle(&progress.what, room, glyphs), Tone::Plain);
    };
    let figures = fit::width(&progress.figures);
    let bar = if room >= figures + BAR + 5 + fit::width(&progress.what).min(WORTH) { BAR } else { SHORT_BAR };
    let for_name = room.saturating_sub(figures + bar + 5);
    if for_name < 6 {
        let what = fit::clip_middle(&progress.what, room.saturating_sub(figures + 1), glyphs);
        return name.and(what, Tone::Plain).and(format!(" {}", progress.figures), Tone::Plain);
    }
    let named = name.and(fit::clip_middle(&progress.what, for_name, glyphs), Tone::Strong).and("  ", Tone::Plain);
    widgets::bar::bar(named, permille, bar, Tone::Busy, glyphs).and(format!(" {}", progress.figures), Tone::Plain)
}

/// What goes on, and after the first line how far the mirror is behind.
#[must_use]
pub fn running(lines: &[Progress], behind: &str, label: usize, cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let mut rows: Vec<Row> = lines.iter().map(|line| progress(line, label, cells, glyphs)).collect();
    if !behind.is_empty() {
        let at = 1.min(rows.len());
        let wrapped = fit::wrap(behind, cells.saturating_sub(label + 3)).into_iter();
        rows.splice(at..at, wrapped.map(|line| Row::of(format!(" {}  {line}", fit::pad("", label)), Tone::Plain)));
    }
    rows
}

/// The datasets in columns, each with what of it needs a look below; what does not fit goes from the right.
#[must_use]
pub fn datasets(lines: &[DatasetLine], cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let widest = |of: fn(&DatasetLine) -> &str| lines.iter().map(|line| fit::width(of(line))).max().unwrap_or(0);
    let grade = widest(|line| &line.grade);
    let (files, size, changed) = (widest(|line| &line.files), widest(|line| &line.size), widest(|line| &line.changed));
    let columns = [(files, 2), (size, 2), (changed, 2)];
    // The columns that leave the name a dozen cells.
    let mut shown = 0;
    let mut used = 3 + 2 + grade;
    while shown < columns.len() && used + columns[shown].0 + columns[shown].1 + 12 <= cells {
        used += columns[shown].0 + columns[shown].1;
        shown += 1;
    }
    let name = widest(|line| &line.name).clamp(8, 24.max(cells / 3)).min(cells.saturating_sub(used).max(4));
    let row = |line: &DatasetLine| {
        let named = fit::pad(&fit::clip_middle(&line.name, name, glyphs), name);
        let mut row = Row::of(format!("   {named}  "), Tone::Plain).and(fit::pad(&line.grade, grade), line.tone);
        let figures = [fit::pad_left(&line.files, files), fit::pad_left(&line.size, size), line.changed.clone()];
        for figure in figures.into_iter().take(shown) {
            row = row.and(format!("  {figure}"), Tone::Plain);
        }
        row
    };
    let notes = |line: &DatasetLine| {
        let first = || Row::of("     ", Tone::Plain).and(Mark::Warn.sign(), Tone::Warn).and(" ", Tone::Plain);
        line.notes.iter().flat_map(|note| wrapped(first(), note, Tone::Plain, cells)).collect::<Vec<_>>()
    };
    lines.iter().flat_map(|line| [vec![row(line)], notes(line)].concat()).collect()
}

/// What can be done: key, name, and what to know of it. The one next step has a mark.
#[must_use]
pub fn actions(actions: &[Action], cells: usize) -> Vec<Row> {
    actions_in(actions, action_width(actions), cells)
}

/// The width of the column of names of actions.
#[must_use]
pub fn action_width(actions: &[Action]) -> usize {
    actions.iter().map(|action| fit::width(&action.label)).max().unwrap_or(0).max(20)
}

/// The actions, where their names stand in a column of `label` cells.
#[must_use]
pub fn actions_in(actions: &[Action], label: usize, cells: usize) -> Vec<Row> {
    let row = |action: &Action| {
        let (start, press, tone) = began(action, "   ", " > ");
        if start.width() + label + 2 + 12 > cells {
            let start = start.and_press(action.label.clone(), tone, press);
            return [vec![start], wrapped(Row::of("     ", Tone::Plain), &action.note, Tone::Plain, cells)].concat();
        }
        let start = start.and_press(fit::pad(&action.label, label), tone, press).and("  ", Tone::Plain);
        wrapped(start, &action.note, if press.is_some() { Tone::Plain } else { Tone::Quiet }, cells)
    };
    actions.iter().flat_map(row).collect()
}

/// The same, a row each, for a screen with few rows: what does not fit into its row is left out.
#[must_use]
pub fn short_actions(actions: &[Action], cells: usize, glyphs: Glyphs) -> Vec<Row> {
    let row = |action: &Action| {
        let (start, press, tone) = began(action, " ", ">");
        let start = start.and_press(action.label.clone(), tone, press).and("  ", Tone::Plain);
        let room = cells.saturating_sub(start.width());
        start.and(fit::clip(&action.note, room, glyphs), if press.is_some() { Tone::Plain } else { Tone::Quiet })
    };
    actions.iter().map(row).collect()
}

/// The row of an action up to its name, what a click on it does, and how it is drawn.
fn began(action: &Action, blank: &str, mark: &str) -> (Row, Option<Press>, Tone) {
    let press = action.intent.map(Press::Want);
    let tone = if press.is_some() { Tone::Strong } else { Tone::Quiet };
    let start = if action.is_next { Row::of(mark, Tone::Strong) } else { Row::of(blank, Tone::Plain) };
    // A letter takes as much room as a digit with its function key.
    let keys = if action.keys.is_empty() { String::new() } else { fit::pad(&action.keys, 4) };
    (start.and_press(format!("{keys}  "), tone, press), press, tone)
}

/// The events under their name, each in one row or, where there is room, in as many as it takes.
#[must_use]
pub fn events(events: &Events, cells: usize) -> Vec<Row> {
    let Events { label, lines: events } = events;
    if events.is_empty() {
        return vec![];
    }
    let time = events.iter().map(|event| fit::width(&event.time)).max().unwrap_or(0);
    let row = |event: &EventLine| {
        let start = Row::of(format!("   {}  ", fit::pad(&event.time, time)), Tone::Quiet);
        wrapped(start, &event.text, calm(event.tone), cells)
    };
    let title = Row::of(format!(" {label}"), Tone::Strong);
    std::iter::once(title).chain(events.iter().flat_map(row)).collect()
}

/// A list of things past does not shout: what is still wrong stands above in full.
fn calm(tone: Tone) -> Tone {
    match tone {
        Tone::Alarm => Tone::Warn,
        other => other,
    }
}
