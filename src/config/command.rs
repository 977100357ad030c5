//! A program and its arguments, and what is filled into them.

use super::fault::{FaultKind, Wanted};
use super::near;
use super::reading::Item;

/// A program and its arguments, each a word of its own: no shell reads them. At least the program is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    words: Vec<String>,
}

/// A part of a text into which something is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'t> {
    /// As it stands.
    Text(&'t str),
    /// `{data}`: the folder of the first dataset on this machine.
    Data,
    /// `{data:NAME}`: the folder of that dataset on this machine.
    DataOf(&'t str),
    /// `{value}`: the new value of a counter.
    Value,
}

impl Command {
    /// The program, as it is to be looked for.
    #[must_use]
    pub fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The program and its arguments. Each is to be cut into [`pieces`].
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether `{value}` stands in one of its words.
    #[must_use]
    pub fn takes_value(&self) -> bool {
        self.words.iter().any(|word| takes_value(word))
    }

    pub(super) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self { words: words.into_iter().map(str::to_owned).collect() }
    }

    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let items = item.items(Wanted::Command)?;
        let Some(program) = items.first() else { return item.wrong(FaultKind::Empty) };
        let mut words = vec![];
        for item in &items {
            let word = item.text().map(str::to_owned);
            if let Some(word) = &word {
                check(item, word);
            }
            words.push(word);
        }
        // An argument may be empty; a program is something.
        program.text()?;
        program.name()?;
        let words: Option<Vec<_>> = words.into_iter().collect();
        words.map(|words| Self { words })
    }
}

/// Whether `{value}` stands in `text`.
#[must_use]
pub fn takes_value(text: &str) -> bool {
    pieces(text).contains(&Piece::Value)
}

/// Cuts `text` at everything that is filled in. Other braces stand for themselves.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![];
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find('{').map(|at| from + at) {
        let hole = rest[open..].split_once('}').and_then(|(name, after)| Some((hole(&name[1..])?, after)));
        let Some((piece, after)) = hole else {
            from = open + 1;
            continue;
        };
        pieces.extend((open > 0).then_some(Piece::Text(&rest[..open])));
        pieces.push(piece);
        (rest, from) = (after, 0);
    }
    pieces.extend((!rest.is_empty()).then_some(Piece::Text(rest)));
    pieces
}

fn hole(name: &str) -> Option<Piece<'_>> {
    match name {
        "data" => Some(Piece::Data),
        "value" => Some(Piece::Value),
        _ => name.strip_prefix("data:").map(Piece::DataOf),
    }
}

/// Checks that every dataset that `text` names is there.
fn check(item: &Item<'_>, text: &str) {
    for piece in pieces(text) {
        if let Piece::DataOf(name) = piece {
            dataset_named(item, name);
        }
    }
}

/// Whether there is a dataset `name`; notes it when there is none.
pub(super) fn dataset_named(item: &Item<'_>, name: &str) -> bool {
    let all = &item.reading.datasets;
    let is_there = all.iter().any(|other| other == name);
    if !is_there {
        let near = near::nearest(name, all.iter().map(String::as_str)).map(str::to_owned);
        item.fault(FaultKind::NoDataset { name: name.to_owned(), near });
    }
    is_there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_and_what_stands_for_itself() {
        use Piece::{Data, DataOf, Text, Value};
        let cut: [(&str, &[Piece<'_>]); 8] = [
            ("", &[]),
            ("{data}", &[Data]),
            ("--dir={data:books}/x", &[Text("--dir="), DataOf("books"), Text("/x")]),
            ("{value}{value}\n", &[Value, Value, Text("\n")]),
            ("awk {print}", &[Text("awk {print}")]),
            ("{ {data} }", &[Text("{ "), Data, Text(" }")]),
            ("{data", &[Text("{data")]),
            ("{{data}}", &[Text("{"), Data, Text("}")]),
        ];
        for (text, expected) in cut {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }
}
