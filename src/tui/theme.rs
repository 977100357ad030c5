//! Colour by meaning, from the 16 that every terminal has; and the signs that a terminal can draw. Colour is never the only
//! sign: what matters is said in a mark, in bold or reversed, too.

use std::env;

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// All is well.
    Ok,
    /// It goes on; wait.
    Busy,
    /// Look at it some time today.
    Warn,
    /// Look at it now.
    Alarm,
    /// Of less weight than the rest.
    Quiet,
    /// What stands out without being good or bad: titles, keys.
    Strong,
    /// What Enter would press.
    Focus,
}

/// How the answer to a question stands, as a sign of four cells that needs no colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mark {
    /// `[OK]`
    Ok,
    /// `[..]`
    Busy,
    /// `[!]`
    Warn,
    /// `[!!]`
    Alarm,
}

impl Mark {
    /// The sign, always four cells wide.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ok => "[OK]",
            Self::Busy => "[..]",
            Self::Warn => "[!] ",
            Self::Alarm => "[!!]",
        }
    }

    /// Its colour.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Ok,
            Self::Busy => Tone::Busy,
            Self::Warn => Tone::Warn,
            Self::Alarm => Tone::Alarm,
        }
    }
}

/// Whether colours may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Palette {
    /// The terminal's 16.
    Sixteen,
    /// None: bold and reverse alone.
    None,
}

/// Which signs the terminal can draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Glyphs {
    /// Lines and blocks of Unicode.
    Unicode,
    /// ASCII alone.
    Ascii,
}

impl Glyphs {
    /// What the environment says of the terminal: Unicode unless the locale names another encoding; ASCII on a
    /// Linux console, whose fonts lack some of the signs.
    #[must_use]
    pub fn for_locale() -> Self {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        Self::of(locale.as_deref(), set("TERM").as_deref())
    }

    fn of(locale: Option<&str>, term: Option<&str>) -> Self {
        let unicode = locale.is_none_or(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        if unicode && !matches!(term, Some("linux" | "vt100" | "vt220" | "dumb")) { Self::Unicode } else { Self::Ascii }
    }

    /// The line under the head and over the hints.
    #[must_use]
    pub fn rule(self) -> &'static str {
        if self == Self::Unicode { "─" } else { "-" }
    }

    /// The same line while something is wrong.
    #[must_use]
    pub fn alarm_rule(self) -> &'static str {
        if self == Self::Unicode { "═" } else { "=" }
    }

    /// The sign between two figures of a row.
    #[must_use]
    pub fn between(self) -> &'static str {
        if self == Self::Unicode { "·" } else { "-" }
    }

    /// The line between two columns.
    #[must_use]
    pub fn upright(self) -> &'static str {
        if self == Self::Unicode { "│" } else { "|" }
    }

    /// The corners of a dialog: above left and right, below left and right.
    #[must_use]
    pub fn corners(self) -> [&'static str; 4] {
        if self == Self::Unicode { ["┌", "┐", "└", "┘"] } else { ["+"; 4] }
    }

    /// A bar's done and open cell.
    #[must_use]
    pub fn bar(self) -> (&'static str, &'static str) {
        if self == Self::Unicode { ("█", "░") } else { ("#", "-") }
    }

    /// What stands for what was left out.
    #[must_use]
    pub fn ellipsis(self) -> &'static str {
        if self == Self::Unicode { "…" } else { "..." }
    }
}

/// How this terminal is drawn on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Its colours.
    pub palette: Palette,
    /// Its signs.
    pub glyphs: Glyphs,
}

impl Look {
    /// How a tone is drawn.
    #[must_use]
    pub fn style(self, tone: Tone) -> Style {
        let plain = Style::new();
        let (colour, modifier) = match tone {
            Tone::Plain => (None, Modifier::empty()),
            Tone::Ok => (Some(Color::Green), Modifier::BOLD),
            Tone::Busy => (Some(Color::Cyan), Modifier::BOLD),
            Tone::Warn => (Some(Color::Yellow), Modifier::BOLD),
            // White on red: the other way round, dark letters on it are hard to read on many terminals.
            Tone::Alarm if self.palette == Palette::Sixteen => {
                return plain.fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD);
            }
            Tone::Quiet => (None, Modifier::DIM),
            Tone::Strong => (None, Modifier::BOLD),
            Tone::Alarm | Tone::Focus => (None, Modifier::BOLD.union(Modifier::REVERSED)),
        };
        let style = plain.add_modifier(modifier);
        match (self.palette, colour) {
            (Palette::Sixteen, Some(colour)) => style.fg(colour),
            _ => style,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_by_locale() {
        assert_eq!(Glyphs::of(Some("es_MX.UTF-8"), Some("xterm")), Glyphs::Unicode);
        assert_eq!(Glyphs::of(Some("en_US.utf8"), Some("linux")), Glyphs::Ascii);
        assert_eq!(Glyphs::of(Some("C"), Some("xterm")), Glyphs::Ascii);
        assert_eq!(Glyphs::of(None, Some("xterm")), Glyphs::Unicode);
    }
}
