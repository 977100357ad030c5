//! The strip of a practice shop: below everything else, and never in its way.

use ratatui::layout::Rect;

use crate::tui::theme::{Mark, Tone};
use crate::tui::view::strip::StripView;
use crate::tui::widgets::rows::{self, Canvas, Row, wrapped};
use crate::tui::widgets::{Press, fit};

/// Lines that the screen above it keeps in any case.
const ABOVE: u16 = 12;

/// Draws it at the bottom of `area`, and gives back the room above it.
pub fn draw(view: &StripView, area: Rect, on: &mut Canvas<'_>) -> Rect {
    let cells = usize::from(area.width);
    let mut lines = vec![Row::of(on.look.glyphs.alarm_rule().repeat(cells), Tone::Quiet)];
    if !view.lesson.is_empty() {
        lines.extend(wrapped(Row::of(" ", Tone::Plain), &view.lesson, Tone::Strong, cells));
    }
    lines.extend(causes(view, cells));
    if !view.note.is_empty() {
        lines.extend(wrapped(Row::of(" ", Tone::Plain), &view.note, Tone::Plain, cells));
    }
    let (mark, tone) = if view.is_well { (Mark::Ok, Tone::Plain) } else { (Mark::Warn, Tone::Strong) };
    let sign = Row::of(" ", Tone::Plain).and(mark.sign(), mark.tone()).and(" ", Tone::Plain);
    // What it says counts to the last word: a terminal without its dots gets another sign between them.
    let truth = fit::harmless(&view.truth.replace('·', on.look.glyphs.between()), on.look.glyphs);
    lines.extend(wrapped(sign, &truth, tone, cells));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(ABOVE));
    // Where there is no room for all of it the truth is what stays.
    let kept = lines.split_off(lines.len() - usize::from(height));
    let (above, below) = (area.height - height, area.bottom() - height);
    rows::paint(&kept, Rect { y: below, height, ..area }, on);
    Rect { height: above, ..area }
}

/// What can be caused, in as many lines as it takes.
fn causes(view: &StripView, cells: usize) -> Vec<Row> {
    let mut lines: Vec<Row> = vec![];
    for cause in &view.causes {
        let width = fit::width(&cause.key) + 1 + fit::width(&cause.label);
        let (press, key, label) = match cause.intent {
            Some(intent) => (Some(Press::Want(intent)), Tone::Strong, Tone::Plain),
            None => (None, Tone::Quiet, Tone::Quiet),
        };
        let row = match lines.pop() {
            Some(line) if line.width() + 2 + width <= cells => line.and("  ", Tone::Plain),
            Some(line) => {
                lines.push(line);
                Row::of(" ", Tone::Plain)
            }
            None => Row::of(" ", Tone::Plain),
        };
        let row = row.and_press(cause.key.clone(), key, press);
        lines.push(row.and_press(format!(" {}", cause.label), label, press));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::tz::TimeZone;
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::tui::intent::Scope;
    use crate::tui::strip::{Cause, Strip};
    use crate::tui::widgets::Drawn;
    use crate::tui::{App, Effect, Glyphs, Intent, Keymap, Look, Message, Options, Palette, Place, Stage, screens};
    use crate::words::Words;

    fn strip() -> Strip {
        let cause = |intent, label: &str, is_possible| Cause { intent, label: label.into(), is_possible };
        Strip {
            causes: vec![
                cause(Intent::Power, "Cut main's power", true),
                cause(Intent::Cable, "Pull cable", true),
                cause(Intent::Break, "Pull it 5 s", true),
                cause(Intent::Freeze, "Freeze POS", true),
                cause(Intent::DaysPass, "2 days pass", false),
            ],
            lesson: String::new(),
            note: "What is missing lies on its disk.".into(),
            truth: "confirmed 9 · missing 2".into(),
            is_well: false,
        }
    }

    fn drawn(app: &App, width: u16, height: u16, glyphs: Glyphs) -> (Vec<String>, Drawn) {
        let look = Look { palette: Palette::None, glyphs };
        let keymap = Keymap::standard().unwrap();
        let options = Options {
            words: Words::load(Some("en")),
            keymap,
            place: Place::Attached,
            look,
            home: "/x".into(),
            by: String::new(),
        };
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let now = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let left = screens::draw(&app.scene(&options, &now), look, area, &mut buf);
        let row = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        ((0..height).map(row).collect(), left)
    }

    #[test]
    fn it_lies_below_everything_and_its_keys_cause_what_they_say() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut app = App::new(Place::Attached, "ana".into());
        assert_eq!(app.beside(), None, "without a practice shop its keys mean nothing");
        app.update(now, Message::Strip(Arc::new(strip())));
        assert_eq!(app.beside(), Some(Scope::Demo));
        assert_eq!(app.update(now, Message::Want(Intent::Power)), [Effect::Cause(Intent::Power)]);
        let (rows, left) = drawn(&app, 80, 24, Glyphs::Unicode);
        let below: Vec<&str> = rows[20..].iter().map(String::as_str).collect();
        assert_eq!(
            below[1..],
            [
                " p Cut main's power  c Pull cable  b Pull it 5 s  z Freeze POS  d 2 days pass",
                " What is missing lies on its disk.",
                " [!]  confirmed 9 · missing 2",
            ]
        );
        assert!(rows[19].contains("Esc"), "the keys of the screen stand above it: {rows:?}");
        assert_eq!(left.press(3, 21), Some(Press::Want(Intent::Power)));
        assert_eq!(left.press(70, 21), None, "no days run");
        let (rows, _) = drawn(&app, 80, 24, Glyphs::Ascii);
        assert_eq!(rows[23], " [!]  confirmed 9 - missing 2");
    }

    #[test]
    fn what_the_lesson_says_stands_above_the_keys() {
        let mut app = App::new(Place::Attached, "ana".into());
        let lesson = "Lesson 1 of 8. All is well.".to_owned();
        app.update(jiff::Timestamp::UNIX_EPOCH, Message::Strip(Arc::new(Strip { lesson, ..strip() })));
        let (rows, _) = drawn(&app, 80, 24, Glyphs::Unicode);
        assert_eq!(rows[20], " Lesson 1 of 8. All is well.");
        assert!(rows[21].starts_with(" p Cut main's power") && rows[23].contains("missing 2"), "{rows:?}");
    }

    #[test]
    fn where_there_is_little_room_the_truth_is_what_stays() {
        let mut app = App::new(Place::Attached, "ana".into());
        app.update(jiff::Timestamp::UNIX_EPOCH, Message::Strip(Arc::new(strip())));
        let (rows, _) = drawn(&app, 40, 13, Glyphs::Unicode);
        assert!(rows[12].contains("missing 2") && !rows[11].contains("disk"), "{rows:?}");
        let (rows, _) = drawn(&app, 40, 12, Glyphs::Unicode);
        assert!(!rows.concat().contains("confirmed"), "the screen itself keeps its lines: {rows:?}");
    }
}
