//! The files of the project, and what of their text is code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of Rust.
#[derive(Clone)]
pub struct Source {
    /// From the top of the project, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    /// The name of its folder in `src`, or of its file right there; none for the crate's own two.
    pub fn folder(&self) -> Option<&str> {
        let first = self.path.strip_prefix("src/")?.split('/').next()?;
        let name = first.strip_suffix(".rs").unwrap_or(first);
        (!matches!(name, "lib" | "main")).then_some(name)
    }

    /// Its lines that are no comment, counted from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.numbered().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Its lines that are a comment, counted from 1.
    pub fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        self.numbered().filter(|(_, line)| line.trim_start().starts_with("//"))
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Its text up to its own tests.
    pub fn without_tests(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests").next().unwrap()
    }

    /// Its own tests, on the lines on which they stand.
    pub fn own_tests(&self) -> Option<Self> {
        let before = self.without_tests();
        let tests = &self.text[before.len()..];
        let text = "\n".repeat(before.lines().count()) + tests;
        (!tests.is_empty()).then(|| Self { path: self.path.clone(), text })
    }
}

/// The top of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of Rust.
pub fn all() -> Vec<Source> {
    let mut all = rust_in("src");
    all.extend(rust_in("tests"));
    all
}

/// Every file of Rust below `folder`, by name.
pub fn rust_in(folder: &str) -> Vec<Source> {
    let mut paths = vec![];
    below(&root().join(folder), &mut paths);
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).map(read).collect()
}

fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { below(&path, into) } else { into.push(path) }
    }
}

/// Every file that is or could be committed. Without git all that is not built here.
pub fn project_files() -> Vec<String> {
    let asked = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    match asked {
        Ok(said) if said.status.success() && !said.stdout.is_empty() => {
            let names = String::from_utf8(said.stdout).unwrap();
            names.lines().filter(|name| root().join(name).exists()).map(str::to_owned).collect()
        }
        _ => {
            println!("no git here: every file but what is built is looked at");
            let mut paths = vec![];
            for entry in fs::read_dir(root()).unwrap() {
                let path = entry.unwrap().path();
                match path.file_name().unwrap().to_str().unwrap() {
                    "target" | ".git" => {}
                    _ if path.is_dir() => below(&path, &mut paths),
                    _ => paths.push(path),
                }
            }
            paths.iter().map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect()
        }
    }
}

/// Whether `word` stands in `line`, not as a part of a longer one.
pub fn is_word_at(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let begins = !word.starts_with(is_part) || !before.ends_with(is_part);
        begins && (!word.ends_with(is_part) || !after.starts_with(is_part))
    })
}

/// A function, where it stands and how long it is.
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Every function of a formatted file: it ends on the line that closes a brace as far in as it began.
pub fn functions(text: &str) -> impl Iterator<Item = Function> {
    let lines: Vec<&str> = text.lines().collect();
    (0..lines.len()).filter_map(move |at| {
        let line = lines[at];
        let indent = &line[..line.len() - line.trim_start().len()];
        let (before, after) =
            format!(" {}", line.trim_start()).split_once(" fn ").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        let heads = ["", "pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
        if !before.split(' ').all(|head| heads.contains(&head)) {
            return None;
        }
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let close = format!("{indent}}}");
        let is_end = |end: &&str| {
            **end == close || (end.starts_with(indent) && end.ends_with(';') && !end[indent.len()..].starts_with(' '))
        };
        let whole_on_one = line.ends_with('}') || line.ends_with(';');
        let rest = if whole_on_one { 0 } else { lines[at + 1..].iter().position(is_end).map_or(0, |n| n + 1) };
        Some(Function { name, line: at + 1, lines: rest + 1 })
    })
}

/// What stands between quotes.
pub fn literals(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (vec![], text);
    while let Some(open) = rest.find('"') {
        let inside = &rest[open + 1..];
        let mut escaped = false;
        let end = inside.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        found.push(inside[..end].to_owned());
        rest = &inside[end + 1..];
    }
    found
}

/// The beginning of `text` up to the bracket that closes what was opened before it.
pub fn inside(text: &str) -> &str {
    let (mut open, mut quoted, mut escaped) = (1, false, false);
    let end = text.find(|c| {
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted => open -= 1,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        open == 0
    });
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn functions_are_measured_from_head_to_brace() {
    let text = "impl A {\n    pub fn one() {}\n\n    fn two(\n        &self,\n    ) -> u8 {\n        match {\n        }\n    }\n}\n// fn no\nfn three();\n";
    let found: Vec<_> = functions(text).map(|function| (function.name, function.line, function.lines)).collect();
    assert_eq!(found, [("one".into(), 2, 1), ("two".into(), 4, 6), ("three".into(), 12, 1)]);
}

#[test]
fn literals_are_what_stands_between_quotes() {
    assert_eq!(literals(r#"out, "a \"b\" c", x, "d""#), [r#"a \"b\" c"#, "d"]);
}

#[test]
fn a_call_ends_with_its_bracket() {
    assert_eq!(inside(r#"out, "a) \" b(", f(x)) + "c""#), r#"out, "a) \" b(", f(x)"#);
}

#[test]
fn a_word_is_a_whole_one() {
    assert!(is_word_at("std::thread::yawn(x)", "yawn") && is_word_at("#[allow = 1]", "#[allow"));
    assert!(!is_word_at("yawning ayawn yawn_well", "yawn"));
}
