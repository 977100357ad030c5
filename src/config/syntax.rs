//! What is no TOML, all of it: the parser itself stops at some of it.

use std::collections::BTreeSet;

use toml::de::DeTable;

/// How the parser begins to say that a line is a key and nothing else. It reads nothing behind such a line.
const STOPS: &str = "key with no value";
/// How many such lines are looked behind.
const ROUNDS: usize = 20;

/// What is no TOML in `text`, each with its byte; and `text` with blanks for the lines behind which the parser does not look,
/// so that all that is left stands where it stood.
pub(super) fn errors(text: &str) -> (BTreeSet<(usize, String)>, String) {
    let (mut text, mut found) = (text.to_owned(), BTreeSet::new());
    for _ in 0..ROUNDS {
        let (_, errors) = DeTable::parse_recoverable(&text);
        let errors = errors.iter().map(|error| (error.span().map_or(0, |span| span.start), error.message().to_owned()));
        let errors: Vec<_> = errors.collect();
        let stop = errors.iter().find(|(_, message)| message.starts_with(STOPS)).map(|(at, _)| *at);
        found.extend(errors);
        let Some(line) = stop.and_then(|at| line_at(&text, at)) else { break };
        text.replace_range(line.clone(), &" ".repeat(line.len()));
    }
    (found, text)
}

/// The bytes of the line in which `at` is, without its end; none for a line in which something is opened or closed.
fn line_at(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let from = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let to = text[at..].find('\n').map_or(text.len(), |end| at + end);
    (from < to && !text[from..to].contains(['[', ']', '{', '}'])).then_some(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_line_without_a_value_is_read() {
        let (errors, text) = errors("a = 1\nñandú\nb = 2\nx\n[main]\nc = 3s\n");
        assert_eq!(errors.iter().filter(|(_, message)| message.starts_with(STOPS)).count(), 2, "{errors:?}");
        assert_eq!(text, "a = 1\n       \nb = 2\n \n[main]\nc = 3s\n");
        assert!(errors.iter().any(|(at, _)| *at == text.find("3s").unwrap()), "{errors:?}");
    }

    #[test]
    fn what_is_right_is_left_as_it_is() {
        assert_eq!(errors("a = 1\n"), (BTreeSet::new(), "a = 1\n".to_owned()));
        assert_eq!(errors("a = {b\n").1, "a = {b\n");
    }
}
