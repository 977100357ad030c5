//! A bar: how much there is of something.

use super::Row;
use crate::tui::theme::{Glyphs, Tone};

/// `row` with a bar of `cells` behind it, `permille` of it full: `[############--------]`, its ends included in no count.
#[must_use]
pub fn bar(row: Row, permille: u16, cells: usize, tone: Tone, glyphs: Glyphs) -> Row {
    let done = usize::from(permille.min(1000)) * cells / 1000;
    let (full, open) = glyphs.bar();
    row.and("[", Tone::Plain)
        .and(full.repeat(done), tone)
        .and(open.repeat(cells - done), Tone::Quiet)
        .and("]", Tone::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_what_it_shows() {
        let full = |permille, cells| bar(Row::default(), permille, cells, Tone::Ok, Glyphs::Ascii).text();
        assert_eq!(full(600, 10), "[######----]");
        assert_eq!(full(999, 4), "[###-]");
        assert_eq!((full(0, 3), full(1000, 3), full(u16::MAX, 3)), ("[---]".into(), "[###]".into(), "[###]".into()));
    }
}
