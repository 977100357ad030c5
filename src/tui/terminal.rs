//! The terminal itself: taken for the screen, and as before afterwards, on every way out.

use std::fmt;
use std::io::{self, BufWriter, Stdout, Write};
use std::panic;
use std::sync::Once;
use std::thread;

use crossterm::cursor::{MoveTo, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// The terminal, while the screen has it.
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal. Dropped, it gives it back.
    pub fn take() -> io::Result<Self> {
        give_back_on_panic();
        enable_raw_mode()?;
        // From here on a failure must give back what was taken.
        let taken = Taken;
        execute!(io::stdout(), EnterAlternateScreen, Clicks::Told, EnableBracketedPaste)?;
        // Where there is no second screen, what was there before would show wherever a blank is to stand.
        execute!(io::stdout(), Clear(ClearType::All))?;
        // One write a frame: on a line with little room each packet counts.
        let terminal = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(16 * 1024, io::stdout())))?;
        std::mem::forget(taken);
        Ok(Self { terminal })
    }
}

impl Screen {
    /// Strikes the bell.
    pub fn ring(&mut self) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), Print('\x07'))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Whether the terminal tells of clicks. Of clicks alone: told of every movement, a line with little room has no room left.
#[derive(Clone, Copy)]
enum Clicks {
    Told,
    Untold,
}

impl Command for Clicks {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str(match self {
            Self::Told => "\x1b[?1000h\x1b[?1006h",
            Self::Untold => "\x1b[?1006l\x1b[?1000l",
        })
    }
}

struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// A terminal that is gone cannot be given back, and nobody is there to be told.
fn give_back() {
    let mut out = io::stdout();
    // A terminal without a second screen, such as the Linux console, is left empty rather than half written on.
    let _ = execute!(out, Clear(ClearType::All), MoveTo(0, 0));
    let _ = execute!(out, DisableBracketedPaste, Clicks::Untold, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// A message about a panic is read on the terminal as it was before.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (drawing, before) = (thread::current().id(), panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == drawing {
                give_back();
            }
            before(info);
        }));
    });
}
