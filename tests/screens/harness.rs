//! A screen in a test: keys in, whole screen out, with every style that is not plain.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use espejo::service::Status;
use espejo::tui::{App, Effect, Face, Glyphs, Keymap, Look, Message, Moment, Options, Palette, Place, Stage};
use espejo::words::Words;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Style};

use super::cases::CASES;
use super::statuses::now;

pub const COLOUR: Look = Look { palette: Palette::Sixteen, glyphs: Glyphs::Unicode };
pub const PLAIN: Look = Look { palette: Palette::None, glyphs: Glyphs::Ascii };

/// Who sits before the screen.
const BY: &str = "ana (console)";

pub fn options(place: Place, look: Look) -> Options {
    let words = Words::load(Some("en"));
    Options { words, keymap: Keymap::standard().unwrap(), place, look, home: "/var/lib/espejo".into(), by: BY.into() }
}

/// A screen in a test: what is pressed is a tenth of a second apart.
pub struct Shown<S: Stage> {
    pub face: Face<S>,
    pub options: Options,
    terminal: Terminal<TestBackend>,
    pressed: Duration,
    later: SignedDuration,
    pub effects: Vec<Effect<S::End>>,
}

pub fn shown(status: Status, size: (u16, u16), look: Look, place: Place) -> Shown<App> {
    let mut app = App::new(place, BY.into());
    app.update(now(), Message::Heard(Arc::new(status)));
    on(app, size, options(place, look))
}

pub fn on<S: Stage>(stage: S, (width, height): (u16, u16), options: Options) -> Shown<S> {
    let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    Shown {
        face: Face::new(stage),
        options,
        terminal,
        pressed: Duration::ZERO,
        later: SignedDuration::ZERO,
        effects: vec![],
    }
    .drawn()
}

impl<S: Stage> Shown<S> {
    pub fn moment(&self) -> Moment {
        Moment { since: self.pressed, at: now() + self.later }
    }

    /// So many seconds later.
    pub fn later(mut self, seconds: i64) -> Self {
        self.later += SignedDuration::from_secs(seconds);
        self.drawn()
    }

    pub fn drawn(mut self) -> Self {
        let zone = TimeZone::fixed(jiff::tz::offset(-6));
        let scene = self.face.stage().scene(&self.options, &self.moment().at.to_zoned(zone));
        let (moment, face, options) = (self.moment(), &mut self.face, &self.options);
        self.terminal
            .draw(|frame| {
                let area = frame.area();
                let cursor = face.draw(moment, &scene, options, area, frame.buffer_mut()).cursor;
                if let Some(cursor) = cursor {
                    frame.set_cursor_position(cursor);
                }
            })
            .unwrap();
        self
    }

    pub fn take(mut self, gap_ms: u64, input: &Input) -> Self {
        self.pressed += Duration::from_millis(gap_ms);
        let moment = self.moment();
        self.effects.extend(self.face.take(moment, &self.options, input));
        self
    }

    /// Presses keys one after the other, as a hand does.
    pub fn press(mut self, keys: &str) -> Self {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self = self.key(100, key);
            self.pressed += Duration::from_millis(50);
            let moment = self.moment();
            self.effects.extend(self.face.expire(moment, &self.options));
            self = self.drawn();
        }
        self
    }

    pub fn key(self, gap_ms: u64, key: &str) -> Self {
        let crokey::OneToThree::One(code) = crokey::parse(key).unwrap().codes else { panic!("{key}") };
        self.take(gap_ms, &Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub fn type_text(mut self, text: &str) -> Self {
        for c in text.chars() {
            self = self.take(100, &Input::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        }
        self.press("").drawn()
    }

    pub fn click(self, on: &str) -> Self {
        let lines = text(self.terminal.backend().buffer());
        let (row, line) = lines.lines().enumerate().find(|(_, line)| line.contains(on)).unwrap();
        let column = line.split(on).next().unwrap().chars().count();
        let kind = MouseEventKind::Down(MouseButton::Left);
        let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        self.take(100, &Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })).drawn()
    }

    /// What is drawn.
    pub fn buffer(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    pub fn text(&self) -> String {
        text(self.terminal.backend().buffer())
    }

    pub fn is(&self, name: &str) {
        assert!(CASES.contains(&name), "{name} is not in the list of cases");
        let buffer = self.terminal.backend().buffer();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screens"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, format!("{}\n{}", text(buffer), styles(buffer))));
    }
}

pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
            }
            // The second cell of a wide sign is not drawn.
            skip = if skip > 0 { skip - 1 } else { unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1) };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The runs of cells of each line that are not plain: `line:from-to style`, all from 1.
pub fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    let of = |x, y| {
        let cell = &buffer[(x, y)];
        Style::new().fg(cell.fg).bg(cell.bg).add_modifier(cell.modifier)
    };
    let plain = Style::new().fg(Color::Reset).bg(Color::Reset);
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let (from, style) = (x, of(x, y));
            while x < buffer.area.width && of(x, y) == style {
                x += 1;
            }
            if style != plain {
                let named = |colour: Option<Color>, before: &str| {
                    let colour = colour.filter(|colour| *colour != Color::Reset);
                    colour.map_or_else(String::new, |colour| format!("{before}{colour}"))
                };
                let (colour, on) = (named(style.fg, " "), named(style.bg, " on "));
                writeln!(out, "{}:{}-{}{colour}{on} {:?}", y + 1, from + 1, x, style.add_modifier).unwrap();
            }
        }
    }
    out
}
