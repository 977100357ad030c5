//! The house rules, as far as a program can check them. Each failure names file and line, and says what to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use source::{Source, all, functions, inside, is_word_at, literals, project_files, root, rust_in};

/// Lines of a file, at the most.
const FILE_LINES: usize = 400;
/// Lines of a function, at the most, with its head.
const FUNCTION_LINES: usize = 70;

/// Who may name whom besides itself: the picture in the design, as rows. `a::b` allows only that part of `a`.
const MAY_NAME: [(&str, &[&str]); 15] = [
    ("pair", &[]),
    ("replica", &[]),
    ("os", &[]),
    ("config", &[]),
    ("licence", &["os"]),
    ("diary", &["os"]),
    ("link", &["replica", "os"]),
    ("disk", &["replica", "os"]),
    (
        "words",
        &[
            "service::status",
            "service::event",
            "service::finding",
            "service::refusal",
            "pair",
            "replica",
            "config",
            "licence",
        ],
    ),
    ("tui", &["service::status", "service::event", "service::command", "replica", "pair", "words"]),
    ("server", &["config", "os"]),
    ("terminal", &["pair", "link", "config", "server::beside", "os"]),
    ("service", &["pair", "replica", "config", "disk", "link", "licence", "server", "terminal", "diary", "os"]),
    ("demo", &["service", "pair", "os", "words", "disk::rescue", "server::record"]),
    (
        "cli",
        &[
            "demo",
            "pair",
            "replica",
            "os",
            "config",
            "diary",
            "link",
            "licence",
            "disk",
            "words",
            "tui",
            "service",
            "server::keeps",
            "terminal",
        ],
    ),
];

/// What a folder shows under a shorter name.
const SHORT: [(&str, &str); 3] = [
    ("service::Command", "service::command"),
    ("service::Reply", "service::command"),
    ("service::Status", "service::status"),
];

/// What the top level may hold. A name that ends in `*` stands for all that begin so.
const TOP_LEVEL: [&str; 15] = [
    ".cargo",
    ".ci",
    ".config",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE*",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "keymaps",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "src",
];

/// Fails with every fault at once.
#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} to mend:\n  {}\n", faults.len(), faults.join("\n  "));
}

/// Every line of `sources` in which one of `words` stands as a whole word, told with `advice`.
fn lines_with(sources: &[Source], words: &[&str], advice: &str) -> Vec<String> {
    let mut faults = vec![];
    for source in sources {
        for (number, line) in source.code() {
            for word in words.iter().filter(|word| is_word_at(line, word)) {
                faults.push(format!("{}:{number}: {word}: {advice}", source.path));
            }
        }
    }
    faults
}

#[test]
fn every_folder_names_only_what_it_may() {
    let mut faults = vec![];
    let mut seen = BTreeSet::new();
    for source in rust_in("src") {
        let Some(folder) = source.folder() else { continue };
        seen.insert(folder.to_owned());
        let Some((_, may)) = MAY_NAME.iter().find(|(name, _)| *name == folder) else {
            faults.push(format!(
                "{}: {folder} has no row in the table of tests/tidy.rs: say whom it may name",
                source.path
            ));
            continue;
        };
        for (line, path) in names::named(&source) {
            let whole = path.join("::");
            let whole = SHORT.iter().find(|(short, _)| *short == whole).map_or(whole.as_str(), |(_, long)| long);
            let is_under = |allowed: &str| whole == allowed || whole.starts_with(&format!("{allowed}::"));
            if path[0] != folder && !may.iter().any(|allowed| is_under(allowed)) {
                faults.push(format!(
                    "{}:{line}: {folder} may not name {whole}, only [{}]: move what is needed, or argue for another picture",
                    source.path,
                    may.join(", ")
                ));
            }
        }
    }
    for (name, _) in MAY_NAME.iter().filter(|(name, _)| !seen.contains(*name)) {
        faults.push(format!("tests/tidy.rs: {name} has a row in the table and is not in src: take the row out"));
    }
    none(&faults);
}

#[test]
fn main_names_nothing_but_the_command_line() {
    let text = fs::read_to_string(root().join("src/main.rs")).unwrap();
    let named = text.split("espejo::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
    let others: Vec<String> =
        named.filter(|name| *name != "cli").map(|name| format!("src/main.rs: names {name}: let cli do it")).collect();
    assert!(
        text.contains("espejo::cli"),
        "src/main.rs does not name the command line: this test looks in the wrong place"
    );
    none(&others);
}

#[test]
fn a_file_is_one_thought() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES)
            .then(|| format!("{}: {lines} lines, {FILE_LINES} at the most: make it two thoughts", source.path))
    };
    none(&all().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn a_function_fits_on_a_screen() {
    let mut faults = vec![];
    for source in all() {
        for function in functions(&source.text).filter(|function| function.lines > FUNCTION_LINES) {
            let (path, line, name, lines) = (&source.path, function.line, &function.name, function.lines);
            faults.push(format!(
                "{path}:{line}: {name} has {lines} lines, {FUNCTION_LINES} at the most: give a part a name"
            ));
        }
    }
    none(&faults);
}

#[test]
fn no_test_sleeps_or_is_passed_over() {
    let mut tests = rust_in("tests");
    tests.extend(rust_in("src").iter().filter_map(Source::own_tests));
    assert!(tests.len() > 10, "the tests were not found");
    // In two halves, or this file would be one of the faults.
    let sleeps = [concat!("sl", "eep"), concat!("sl", "eep_until"), concat!("sl", "eep_ms")];
    let mut faults = lines_with(&tests, &sleeps, "wait on a condition instead");
    let passed_over = [concat!("#[", "ignore")];
    faults.extend(lines_with(&tests, &passed_over, "say in one printed line what is missing, and pass over"));
    none(&faults);
}

#[test]
fn nothing_is_left_to_be_done() {
    let sources = rust_in("src");
    let left = ["todo!", "unimplemented!", "FIXME", "XXX", "dbg!"];
    let mut faults = lines_with(&sources, &left, "do it, or write it into the note");
    for source in &sources {
        for (number, line) in source.comments() {
            for word in left.iter().filter(|word| is_word_at(line, word)) {
                faults.push(format!("{}:{number}: {word}: do it, or write it into the note", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_top_level_holds_what_the_design_says() {
    let mut tops: BTreeSet<String> = BTreeSet::new();
    for file in project_files() {
        tops.insert(file.split('/').next().unwrap().to_owned());
    }
    let is_allowed = |name: &str| {
        name == "tests"
            || TOP_LEVEL.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(begin) => name.starts_with(begin),
                None => name == *allowed,
            })
    };
    let told = |name: &String| format!("{name}: the top level has no such name: put it in src, keymaps or tests");
    none(&tops.iter().filter(|name| !is_allowed(name)).map(told).collect::<Vec<_>>());
}

#[test]
fn every_folder_says_what_it_is_for_and_lists_its_files() {
    let mut faults = vec![];
    for source in rust_in("src").iter().filter(|source| source.path.ends_with("/mod.rs") || source.path == "src/lib.rs")
    {
        let docs: String =
            source.text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");
        if docs.is_empty() {
            faults.push(format!(
                "{}:1: begin with //! and say what the folder is for, and what it may not do",
                source.path
            ));
        }
        let folder = root().join(&source.path).parent().unwrap().to_owned();
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let name = file.strip_suffix(".rs").unwrap_or(&file);
            let is_listed = ["`", "/", "."].iter().any(|end| docs.contains(&format!("`{name}{end}")));
            if !["mod", "lib", "main"].contains(&name) && !is_listed {
                faults.push(format!("{}:1: list {file}: //! - [`{name}`]: what it is", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn what_is_pure_reads_no_clock_no_file_and_writes_no_log() {
    let pure: Vec<Source> = rust_in("src")
        .into_iter()
        .filter(|source| matches!(source.folder(), Some("pair" | "replica" | "licence")))
        .collect();
    assert!(pure.len() > 5, "what is pure was not found");
    let banned = ["Instant", "SystemTime", "tracing", "tokio", "rustix", "println!", "eprintln!"];
    let mut faults = lines_with(&pure, &banned, "what is pure is given it as an argument, or answers with it");
    for source in &pure {
        for (line, path) in names::std_named(source) {
            if matches!(path[0].as_str(), "fs" | "io" | "thread" | "net" | "process" | "env" | "os") {
                faults
                    .push(format!("{}:{line}: std::{}: what is pure does not touch the system", source.path, path[0]));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_pair_of_duty_and_event_has_its_arm() {
    let pair: Vec<Source> = rust_in("src").into_iter().filter(|source| source.folder() == Some("pair")).collect();
    let mut faults = vec![];
    for source in &pair {
        for (number, line) in source.code().filter(|(_, line)| line.trim_start().starts_with("_ =>")) {
            faults.push(format!("{}:{number}: {}: name what is meant", source.path, line.trim()));
        }
    }
    none(&faults);
}

#[test]
fn no_machine_and_no_package_host_is_named() {
    let ends = [concat!("crates", ".io"), concat!("pypi", ".org"), concat!("npmjs", ".org"), concat!("debian", ".org")];
    let places = ["work", "farm", "root", "home"].map(|top| format!("/{top}/"));
    let mut faults = vec![];
    for file in project_files().iter().filter(|file| *file != "Cargo.lock") {
        // A file that is no text names nobody.
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let at_word =
                |place: &&String| [" ", "\"", "(", "="].iter().any(|before| line.contains(&format!("{before}{place}")));
            let host = ends.iter().find(|end| line.contains(**end)).map(ToString::to_string);
            if let Some(what) = host.or_else(|| places.iter().find(at_word).cloned()) {
                faults.push(format!("{file}:{}: {what}: name no machine's folder and no package host", number + 1));
            }
        }
    }
    none(&faults);
}

#[test]
fn what_people_read_stands_in_words() {
    let mut faults = vec![];
    for source in rust_in("src").iter().filter(|source| source.folder() != Some("words")) {
        let text = source.without_tests();
        for print in ["print!(", "println!(", "eprint!(", "eprintln!(", "write!(", "writeln!("] {
            for (at, _) in
                text.match_indices(print).filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric()))
            {
                let call = inside(&text[at + print.len()..]);
                let words = |literal: &String| {
                    literal.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)).count()
                };
                // Errors say what they are in their own words, in their own file.
                if literals(call).iter().any(|literal| words(literal) >= 3) {
                    let line = text[..at].lines().count().max(1);
                    faults.push(format!("{}:{line}: a sentence is printed: put it into src/words/en.ftl", source.path));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn the_project_is_where_these_rules_look() {
    assert!(Path::new(&root()).join("Cargo.toml").is_file());
    assert!(rust_in("src").len() > 50 && rust_in("tests").len() > 3);
}
