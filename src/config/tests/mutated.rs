//! Any text ends in a store or in faults that stand inside it.

use proptest::prelude::*;

use super::super::Store;
use super::{CONTRACT, LEAST};

/// What a slip puts into a file.
const SCRAPS: [&str; 16] =
    ["\"", "'", "[", "]", "[[", "{", "}", "=", "\n", ".", ",", "\u{f1}", "\0", "{data:x}", "[[dataset]]\n", "\"\"\""];

fn check(text: &str) {
    let Err(faults) = Store::parse(text) else { return };
    assert!(!faults.is_empty(), "no store and no fault:\n{text}");
    for fault in faults {
        let lines = text.split('\n').count();
        assert!((1..=lines).contains(&fault.line) && fault.column > 0, "{fault:?}");
        let width = text.split('\n').nth(fault.line - 1).unwrap().chars().count();
        assert!(fault.column <= width + 1, "{fault:?} in:\n{text}");
    }
}

/// The byte at which the character `nth` of `text` begins, round and round.
fn place(text: &str, nth: usize) -> usize {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    places[nth % places.len()]
}

proptest! {
    #[test]
    fn slips(cuts in prop::collection::vec((any::<usize>(), 0_usize..20, any::<usize>()), 1..5), short in any::<bool>()) {
        let mut text = (if short { LEAST } else { CONTRACT }).to_owned();
        for (at, gone, scrap) in cuts {
            let from = place(&text, at);
            let to = text[from..].char_indices().nth(gone).map_or(text.len(), |(end, _)| from + end);
            // Two in seventeen put nothing in: something is only taken out.
            text.replace_range(from..to, SCRAPS.get(scrap % 18).copied().unwrap_or_default());
        }
        check(&text);
    }

    #[test]
    fn lines_that_are_gone_or_moved(order in prop::collection::vec(any::<usize>(), 0..80)) {
        let lines: Vec<&str> = CONTRACT.lines().collect();
        let text: Vec<&str> = order.into_iter().map(|line| lines[line % lines.len()]).collect();
        check(&text.join("\n"));
    }

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(faults) = Store::from_bytes(&bytes) {
            prop_assert!(!faults.is_empty());
        }
    }
}

#[test]
fn what_is_nested_without_end() {
    for open in ["[", "a = [", "a = {b = ", "[a.", "x."] {
        check(&open.repeat(20_000));
    }
}
