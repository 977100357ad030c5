//! Which paths a file names, whether through `crate::`, a group in braces, or a row of `super::`.

use super::source::Source;

/// Every path from the root of the crate that `source` names, with its line.
pub fn named(source: &Source) -> Vec<(usize, Vec<String>)> {
    let mut found = after(source, "crate::");
    for (line, text) in source.code() {
        for (at, _) in text.match_indices("super::") {
            if text[..at].ends_with("super::") {
                continue;
            }
            let rest = text[at..].trim_start_matches("super::");
            let steps = (text.len() - at - rest.len()) / "super::".len();
            if steps >= depth(source, line) {
                found.extend(tree(rest).into_iter().map(|path| (line, path)));
            }
        }
    }
    found
}

/// Every path in the standard library that `source` names, with its line.
pub fn std_named(source: &Source) -> Vec<(usize, Vec<String>)> {
    after(source, "std::")
}

fn after(source: &Source, root: &str) -> Vec<(usize, Vec<String>)> {
    let code: String = source
        .text
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "\n".into() } else { format!("{line}\n") })
        .collect();
    let mut found = vec![];
    for (at, _) in code.match_indices(root) {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            let line = code[..at].matches('\n').count() + 1;
            found.extend(tree(&code[at + root.len()..]).into_iter().map(|path| (line, path)));
        }
    }
    found
}

/// How many steps up from `line` of the file lead to the root of the crate.
fn depth(source: &Source, line: usize) -> usize {
    let inside = source.path.strip_prefix("src/").unwrap_or(&source.path);
    let file = inside.strip_suffix("/mod.rs").unwrap_or(inside).split('/').count();
    let tests = source.without_tests().lines().count();
    if line > tests { file + 1 } else { file }
}

/// The paths of a tree as `use` writes it: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<Vec<String>> {
    let (paths, _) = branch(text);
    paths.into_iter().filter(|path| !path.is_empty()).collect()
}

/// The paths at the beginning of `text`, and what comes after them.
fn branch(text: &str) -> (Vec<Vec<String>>, &str) {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut paths = vec![];
        loop {
            let (more, after) = branch(rest);
            paths.extend(more);
            let after = after.trim_start();
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => return (paths, after.strip_prefix('}').unwrap_or(after)),
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name == "self" {
        return (vec![vec![]], rest);
    }
    let (tails, rest) = match rest.strip_prefix("::") {
        Some(next) => branch(next),
        // An `as` gives the same thing another name.
        None => (
            vec![vec![]],
            rest.strip_prefix(" as ")
                .map_or(rest, |alias| alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')),
        ),
    };
    let mut paths = vec![];
    for tail in tails {
        let mut path = vec![name.to_owned()];
        path.extend(tail);
        paths.push(path);
    }
    (paths, rest)
}

#[test]
fn every_way_to_name_a_thing_is_seen() {
    let text = "use crate::a::{b, c::{self, d}};\nuse crate::{\n    e as f,\n    g::h,\n};\n//! crate::z\nlet x = crate::i::j();\nuse super::super::k;\nuse super::l;\n";
    let source = Source { path: "src/one/two.rs".into(), text: text.into() };
    let found: Vec<_> = named(&source).into_iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect();
    assert_eq!(found, ["1 a::b", "1 a::c", "1 a::c::d", "2 e", "2 g::h", "7 i::j", "8 k"]);
}
