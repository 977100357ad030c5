//! What is wrong in a store's configuration, as sentences: what it is, and what to do.

use super::{FluentValue, Words};
use crate::config::f_s_doc::FsDocFault;
use crate::config::fault::{FolderFault, Wanted};
use crate::config::{Fault, FaultKind};

/// Characters of what stands in a file that a sentence shows, at the most.
const SHOWN: usize = 60;

/// The fault in the file `name` as a line: where it is, which key, what it is, what to do.
#[must_use]
pub fn config(words: &Words, name: &str, fault: &Fault) -> String {
    let key = if fault.key.is_empty() { String::new() } else { format!("{}: ", shown(&fault.key)) };
    let (sentence, args) = sentence(&fault.what);
    let args: Vec<_> = args.into_iter().map(|(name, text)| (name, FluentValue::from(text))).collect();
    format!("{name}:{}:{}: {key}{}", fault.line, fault.column, words.with(sentence, &args))
}

/// What is wrong with an `f_s.doc`.
#[must_use]
pub fn f_s_doc(words: &Words, fault: &FsDocFault) -> String {
    match fault {
        FsDocFault::NoText => words.say("config-f-s-doc-no-text"),
        FsDocFault::NoMain => words.say("config-f-s-doc-no-main"),
        FsDocFault::NoBackup => words.say("config-f-s-doc-no-backup"),
        FsDocFault::Same => words.say("config-f-s-doc-same"),
        FsDocFault::MoreLines(line) => words.with("config-f-s-doc-more", &[("line", (*line).into())]),
    }
}

/// The sentence of each fault, by its key, and what it is filled in with.
fn sentence(what: &FaultKind) -> (&'static str, Vec<(&'static str, String)>) {
    let none = Vec::new;
    let text = |text: &str| vec![("text", shown(text))];
    let list = |words: &[&str]| vec![("words", words.join(", "))];
    match what {
        FaultKind::NotToml(error) => ("config-not-toml", text(error)),
        FaultKind::NotUtf8 => ("config-not-utf8", none()),
        FaultKind::UnknownKey { near: Some(near), .. } => ("config-unknown-key-near", text(near)),
        FaultKind::UnknownKey { near: None, known } => ("config-unknown-key", list(known)),
        FaultKind::Missing => ("config-missing", none()),
        FaultKind::NoneOf(keys) => ("config-none-of", list(keys)),
        FaultKind::WrongType(wanted) => (self::wanted(*wanted), none()),
        FaultKind::Empty => ("config-empty", none()),
        FaultKind::NoText => ("config-no-text", none()),
        FaultKind::NoSpan(found) => ("config-no-span", text(found)),
        FaultKind::NoSize(found) => ("config-no-size", text(found)),
        FaultKind::OutOfRange { least, most } => {
            ("config-out-of-range", vec![("least", least.clone()), ("most", most.clone())])
        }
        FaultKind::NotOneOf { found, allowed } => ("config-not-one-of", [text(found), list(allowed)].concat()),
        FaultKind::NoAddress(found) => ("config-no-address", text(found)),
        FaultKind::OnlyThisMachine => ("config-only-this-machine", none()),
        FaultKind::NoUrl(found) => ("config-no-url", text(found)),
        FaultKind::NoUnit(found) => ("config-no-unit", text(found)),
        FaultKind::NoPublicKey => ("config-no-public-key", none()),
        FaultKind::NoPin => ("config-no-pin", none()),
        FaultKind::NoGlob(why) => ("config-no-glob", text(why)),
        FaultKind::NoPattern(why) => ("config-no-pattern", text(why)),
        FaultKind::NoGroup => ("config-no-group", none()),
        FaultKind::KindOfFiles => ("config-kind-of-files", none()),
        FaultKind::KindOfDataset => ("config-kind-of-dataset", none()),
        FaultKind::NoDatasetName => ("config-no-dataset-name", none()),
        FaultKind::NoFolder(FolderFault::Relative) => ("config-folder-relative", none()),
        FaultKind::NoFolder(FolderFault::LeadsOut) => ("config-folder-leads-out", none()),
        FaultKind::NoFolder(FolderFault::WholeDisk) => ("config-folder-whole-disk", none()),
        FaultKind::NoFolder(FolderFault::Home) => ("config-folder-home", none()),
        FaultKind::NotInside { near: Some(near) } => ("config-not-inside-near", text(near)),
        FaultKind::NotInside { near: None } => ("config-not-inside", none()),
        FaultKind::Twice(line) => ("config-twice", text(&line.to_string())),
        FaultKind::Overlaps(other) => ("config-overlaps", text(other)),
        FaultKind::NotBeside(other) => ("config-not-beside", text(other)),
        FaultKind::Needs(other) => ("config-needs", text(other)),
        FaultKind::NoDataset { name, near: None } => ("config-no-dataset", text(name)),
        FaultKind::NoDataset { name, near: Some(near) } => {
            ("config-no-dataset-near", vec![("text", shown(name)), ("near", shown(near))])
        }
        FaultKind::NoValue => ("config-no-value", none()),
        FaultKind::Excluded(glob) => ("config-excluded", text(glob)),
        FaultKind::AllExcluded => ("config-all-excluded", none()),
        FaultKind::WrongKind { found, wanted } => {
            ("config-wrong-kind", vec![("found", (*found).to_owned()), ("wanted", (*wanted).to_owned())])
        }
        FaultKind::ShorterThan(other) => ("config-shorter-than", text(other)),
        FaultKind::LongerThan(other) => ("config-longer-than", text(other)),
        FaultKind::PortTaken(other) => ("config-port-taken", text(other)),
    }
}

fn wanted(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Text => "config-wanted-text",
        Wanted::Number => "config-wanted-number",
        Wanted::Span => "config-wanted-span",
        Wanted::Size => "config-wanted-size",
        Wanted::Command => "config-wanted-command",
        Wanted::Texts => "config-wanted-texts",
        Wanted::Numbers => "config-wanted-numbers",
        Wanted::Table => "config-wanted-table",
        Wanted::Tables => "config-wanted-tables",
        Wanted::Record => "config-wanted-record",
        Wanted::OnStart => "config-wanted-on-start",
        Wanted::Sound => "config-wanted-sound",
        Wanted::Yes => "config-wanted-yes",
    }
}

/// What stands in a file as people may read it: nothing moves the cursor, nothing fills the screen.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(safe).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn safe(letter: char) -> Vec<char> {
    if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Store;

    /// One of each fault that is told in a sentence of its own.
    fn all() -> Vec<FaultKind> {
        use FaultKind::*;
        let text = || "x".to_owned();
        let wanted = [
            Wanted::Text,
            Wanted::Number,
            Wanted::Span,
            Wanted::Size,
            Wanted::Command,
            Wanted::Texts,
            Wanted::Numbers,
            Wanted::Table,
            Wanted::Tables,
            Wanted::Record,
            Wanted::OnStart,
            Wanted::Sound,
            Wanted::Yes,
        ];
        let folders = [FolderFault::Relative, FolderFault::LeadsOut, FolderFault::WholeDisk, FolderFault::Home];
        let mut all = vec![
            NotToml(text()),
            NotUtf8,
            UnknownKey { near: Some("x"), known: vec![] },
            UnknownKey { near: None, known: vec!["x"] },
            Missing,
            NoneOf(&["x", "y"]),
            Empty,
            NoText,
            NoSpan(text()),
            NoSize(text()),
            OutOfRange { least: text(), most: text() },
            NotOneOf { found: text(), allowed: vec!["x", "y"] },
            NoAddress(text()),
            OnlyThisMachine,
            NoUrl(text()),
            NoUnit(text()),
            NoPublicKey,
            NoPin,
            NoGlob(text()),
            NoPattern(text()),
            NoGroup,
            KindOfFiles,
            KindOfDataset,
            NoDatasetName,
            NotInside { near: None },
            NotInside { near: Some(text()) },
            Twice(7),
            Overlaps(text()),
            NotBeside("x"),
            Needs("x"),
            NoDataset { name: text(), near: None },
            NoDataset { name: text(), near: Some(text()) },
            NoValue,
            Excluded(text()),
            AllExcluded,
            WrongKind { found: "x", wanted: "y" },
            ShorterThan("x"),
            LongerThan("x"),
            PortTaken("x"),
        ];
        all.extend(wanted.map(WrongType));
        all.extend(folders.map(NoFolder));
        all
    }

    #[test]
    fn every_fault_has_its_words() {
        let words = Words::load(Some("en"));
        for what in all() {
            let fault = Fault { line: 3, column: 4, key: "mirror.interval".into(), what };
            let told = config(&words, "store.toml", &fault);
            let sentence = told.strip_prefix("store.toml:3:4: mirror.interval: ").unwrap();
            // A brace is a key without a sentence or a sentence without its figure, but for the examples.
            let bare = ["{data:NAME}", "{value}", "{ fixed = 64 }", "{ prefix = \"u32le\" }", "{ gap = 50 }"]
                .iter()
                .chain(&["{ count_at = 0, fixed = 64 }", "{ series = \"B\" }", "{data:x}"])
                .fold(sentence.to_owned(), |text, example| text.replace(example, ""));
            assert!(!bare.is_empty() && !bare.contains(['{', '}']) && sentence.ends_with('.'), "{told}");
        }
        for fault in [FsDocFault::NoText, FsDocFault::NoMain, FsDocFault::NoBackup, FsDocFault::Same] {
            assert!(f_s_doc(&words, &fault).ends_with('.'));
        }
        assert!(f_s_doc(&words, &FsDocFault::MoreLines(4)).contains("Line 4"));
    }

    #[test]
    fn a_line_that_says_what_to_do() {
        let words = Words::load(Some("en"));
        let faults = Store::parse("stroe = \"S\"\n[mirror]\ninterval = \"3 \\u001b[2J\"\n").unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| config(&words, "store.toml", fault)).collect();
        let expected = [
            "store.toml:1:1: main.address: must be given: there is no default.",
            "store.toml:1:1: stroe: there is no such key here. Write store if that is meant.",
            "store.toml:3:12: mirror.interval: \"3 \\u{1b}[2J\" is no span of time. Write for example \"500ms\", \"3s\", \"10m\" or \"1h 30m\".",
        ];
        for line in expected {
            assert!(told.iter().any(|told| told == line), "{line}\n{told:#?}");
        }
        assert_eq!(shown(&"x".repeat(100)).chars().count(), SHOWN + 1);
    }
}
