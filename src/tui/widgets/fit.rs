//! Text made to fit a number of cells. A name may be of any script and any length; a cell count is not a character count.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::tui::theme::Glyphs;

/// How many cells `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of `text` that fits into `cells`.
fn head(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > cells
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// The end of `text` that fits into `cells`.
fn tail(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let start = text.char_indices().rev().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > cells
    });
    start.map_or(text, |(at, c)| &text[at + c.len_utf8()..])
}

/// `text` cut at its end to at most `cells`.
#[must_use]
pub fn clip(text: &str, cells: usize, glyphs: Glyphs) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let sign = glyphs.ellipsis();
    if cells <= width(sign) { head(text, cells).to_owned() } else { head(text, cells - width(sign)).to_owned() + sign }
}

/// `text` cut at its end to at most `cells`, without a sign that it was.
#[must_use]
pub fn clip_end(text: &str, cells: usize) -> String {
    head(text, cells).to_owned()
}

/// `text` cut in its middle to at most `cells`: of a path both ends tell something.
#[must_use]
pub fn clip_middle(text: &str, cells: usize, glyphs: Glyphs) -> String {
    let sign = width(glyphs.ellipsis());
    if width(text) <= cells || cells < sign + 4 {
        return clip(text, cells, glyphs);
    }
    let room = cells - sign;
    // The end, where the file's own name is, gets the odd cell and a little more.
    let front = room * 2 / 5;
    format!("{}{}{}", head(text, front), glyphs.ellipsis(), tail(text, room - front))
}

/// `text` with blanks after it, to `cells`.
#[must_use]
pub fn pad(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(width(text))))
}

/// `text` with blanks before it, to `cells`.
#[must_use]
pub fn pad_left(text: &str, cells: usize) -> String {
    format!("{}{text}", " ".repeat(cells.saturating_sub(width(text))))
}

/// `text` broken between words into lines of at most `cells`; a word that is longer is broken inside.
#[must_use]
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = vec![];
    let mut line = String::new();
    for word in text.split_whitespace() {
        let blank = usize::from(!line.is_empty());
        if width(&line) + blank + width(word) > cells && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let mut rest = word;
        while width(rest) > cells {
            let front = head(rest, cells);
            // A sign wider than the line would never fit: it is left out.
            let front =
                if front.is_empty() { rest.chars().next().map_or(rest, |c| &rest[..c.len_utf8()]) } else { front };
            lines.push(front.to_owned());
            rest = &rest[front.len()..];
        }
        line.push_str(rest);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` as it may go to a terminal: nothing in it moves the cursor, turns the direction of writing, or, on a terminal
/// that has ASCII alone, is anything else.
#[must_use]
pub fn harmless(text: &str, glyphs: Glyphs) -> String {
    let turns =
        |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let bad = |c: char| c.is_control() || turns(c) || (glyphs == Glyphs::Ascii && !c.is_ascii());
    text.chars().map(|c| if bad(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_path_stay() {
        let long = "/srv/pos/very/long/folder/POS-Q.Seq";
        assert_eq!(clip_middle(long, 20, Glyphs::Unicode), "/srv/po…er/POS-Q.Seq");
        assert_eq!(clip_middle(long, 20, Glyphs::Ascii), "/srv/p...r/POS-Q.Seq");
        assert_eq!(clip_middle("short", 20, Glyphs::Unicode), "short");
        assert_eq!(clip(long, 3, Glyphs::Ascii), "/sr");
    }

    #[test]
    fn wide_signs_take_two_cells() {
        for cells in 0..12 {
            let (end, middle) =
                (clip("会計データ会計", cells, Glyphs::Unicode), clip_middle("会計データ会計", cells, Glyphs::Unicode));
            assert!(width(&end) <= cells && width(&middle) <= cells, "{cells}: {end} {middle}");
        }
    }

    #[test]
    fn words_break_between_and_long_ones_inside() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("会計", 1), ["会", "計"]);
    }

    #[test]
    fn nothing_in_a_name_drives_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\nc\u{202e}d", Glyphs::Unicode), "a?[2Jb?c?d");
        assert_eq!(harmless("caña", Glyphs::Ascii), "ca?a");
    }
}
