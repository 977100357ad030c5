//! `espejo rescue`: what one side alone held, and was set aside.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Around;
use super::exit::{Exit, Failure};
use super::history::harmless;
use super::parts::Rescue;
use super::verify::by;
use crate::diary::{DiaryError, Store, diary_path};
use crate::disk::DiskError;
use crate::disk::rescue::{self, Aside, Held, Now, Record};
use crate::service::event::Noted;
use crate::service::keeper;
use crate::service::member::{own_folders, own_node};
use crate::service::status::{Operation, OperationKind, OperationState};
use crate::words::{Words, figures};

/// What was set aside of a dataset at one time.
struct Kept {
    dataset: String,
    dest: PathBuf,
    aside: Aside,
}

/// Does what was asked with what was set aside.
pub fn run(around: &Around, what: &Rescue) -> Result<Exit, Failure> {
    let all = all(around)?;
    match what {
        Rescue::List { json } => list(around, &all, *json),
        Rescue::Show { name, records, json } => show(around, one(around, &all, name)?, *records, *json),
        Rescue::Export { name, dir } => export(around, one(around, &all, name)?, dir),
        Rescue::Delete { name, yes } => delete(around, one(around, &all, name)?, *yes),
    }
}

fn failed(error: &DiskError) -> Failure {
    Failure::failed(error.to_string())
}

fn all(around: &Around) -> Result<Vec<Kept>, Failure> {
    let Some(folders) = own_folders(&around.home).map_err(|error| super::run::told(around, error))? else {
        let home = around.home.display().to_string();
        return Err(Failure::usage(around.words.with("cli-rescue-nothing-here", &[("home", home.into())])));
    };
    let mut all = vec![];
    for (dataset, dest) in folders {
        for aside in rescue::list(&dest).map_err(|error| failed(&error))? {
            all.push(Kept { dataset: dataset.clone(), dest: dest.clone(), aside });
        }
    }
    all.sort_by_key(|kept| kept.aside.at);
    Ok(all)
}

/// The one that is meant: by its name, or where two datasets have one of that name by `DATASET/NAME`.
fn one<'k>(around: &Around, all: &'k [Kept], name: &str) -> Result<&'k Kept, Failure> {
    let is_it = |kept: &&Kept| kept.aside.name == name || format!("{}/{}", kept.dataset, kept.aside.name) == name;
    let mut found = all.iter().filter(is_it);
    let refused = |key| Failure::refused(vec![around.words.with(key, &[("name", name.to_owned().into())])]);
    match (found.next(), found.next()) {
        (Some(kept), None) => Ok(kept),
        (None, _) => Err(refused("cli-rescue-no-such")),
        (Some(_), Some(_)) => Err(refused("cli-rescue-two")),
    }
}

/// The instant as people read it later.
fn time(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds).unwrap_or_default();
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn list(around: &Around, all: &[Kept], as_json: bool) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    if as_json {
        let value = |kept: &Kept| {
            let Aside { name, path, at, files, bytes } = &kept.aside;
            let at = Timestamp::from_second(*at).unwrap_or_default();
            json!({ "name": name, "dataset": kept.dataset, "at": at, "files": files, "bytes": bytes, "folder": path })
        };
        let list: Value = all.iter().map(value).collect();
        writeln!(out, "{list}")?;
    } else if all.is_empty() {
        writeln!(out, "{}", around.words.say("cli-rescue-none"))?;
    } else {
        for kept in all {
            writeln!(out, "{}", line(&around.words, kept))?;
        }
    }
    Ok(Exit::Done)
}

fn line(words: &Words, kept: &Kept) -> String {
    let args = [
        ("name", kept.aside.name.clone().into()),
        ("time", time(kept.aside.at).into()),
        ("dataset", kept.dataset.clone().into()),
        ("files", kept.aside.files.into()),
        ("size", figures::bytes(words, kept.aside.bytes).into()),
    ];
    words.with("cli-rescue-line", &args)
}

fn show(around: &Around, kept: &Kept, records: bool, as_json: bool) -> Result<Exit, Failure> {
    if records {
        // They may say who bought what: who looks at them is on record.
        note(around, Noted::RescueRead { name: kept.aside.name.clone() })?;
    }
    let held = rescue::show(&kept.aside.path, &kept.dest).map_err(|error| failed(&error))?;
    let mut out = io::stdout().lock();
    let mut values = vec![];
    for held in &held {
        let lacking = rescue::lacking(&kept.aside.path, &kept.dest, &held.path).map_err(|error| failed(&error))?;
        let lacking = lacking.unwrap_or_default();
        if as_json {
            values.push(value(held, &lacking, records));
            continue;
        }
        writeln!(out, "{}", said(&around.words, held))?;
        if !lacking.is_empty() {
            let numbers = spans(&lacking);
            let args = [("n", lacking.len().into()), ("numbers", numbers.into())];
            writeln!(out, "    {}", around.words.with("cli-rescue-lacking", &args))?;
        }
        for (_, text) in lacking.iter().filter(|_| records) {
            writeln!(out, "    {}", harmless(&String::from_utf8_lossy(text)))?;
        }
    }
    if as_json {
        writeln!(out, "{}", json!({ "name": kept.aside.name, "dataset": kept.dataset, "files": values }))?;
    }
    Ok(Exit::Done)
}

fn value(held: &Held, lacking: &[Record], records: bool) -> Value {
    let (now, at) = match held.now {
        Now::Nothing => ("nothing", None),
        Now::Same => ("same", None),
        Now::Differs { at } => ("differs", Some(at)),
        Now::Other => ("other", None),
    };
    let lines: Vec<u64> = lacking.iter().map(|(number, _)| *number).collect();
    let mut value =
        json!({ "file": held.path.to_string(), "bytes": held.size, "now": now, "differs_at": at, "lines": lines });
    if records {
        value["records"] = lacking.iter().map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect();
    }
    value
}

fn said(words: &Words, held: &Held) -> String {
    let key = match held.now {
        Now::Nothing => "cli-rescue-nothing",
        Now::Same => "cli-rescue-same",
        Now::Differs { .. } => "cli-rescue-differs",
        Now::Other => "cli-rescue-other",
    };
    let at = if let Now::Differs { at } = held.now { at } else { 0 };
    let args = [
        ("file", held.path.to_string().into()),
        ("size", figures::bytes(words, held.size).into()),
        ("at", at.to_string().into()),
    ];
    words.with(key, &args)
}

/// `2-4, 9`
fn spans(lacking: &[Record]) -> String {
    let mut spans: Vec<(u64, u64)> = vec![];
    for (number, _) in lacking {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let said = |(first, last): &(u64, u64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    spans.iter().map(said).collect::<Vec<_>>().join(", ")
}

fn export(around: &Around, kept: &Kept, dir: &Path) -> Result<Exit, Failure> {
    let to = std::path::absolute(dir)?;
    if std::fs::read_dir(&to).is_ok_and(|mut names| names.next().is_some()) {
        let args = [("path", to.display().to_string().into())];
        return Err(Failure::refused(vec![around.words.with("cli-rescue-not-empty", &args)]));
    }
    note(around, Noted::RescueExported { name: kept.aside.name.clone(), to: to.display().to_string() })?;
    rescue::export(&kept.aside.path, &to).map_err(|error| failed(&error))?;
    let args = [("name", kept.aside.name.clone().into()), ("path", to.display().to_string().into())];
    writeln!(io::stdout(), "{}", around.words.with("cli-rescue-exported", &args))?;
    Ok(Exit::Done)
}

fn delete(around: &Around, kept: &Kept, yes: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    if reseeding(around)? {
        return Err(Failure::refused(vec![words.say("cli-rescue-busy")]));
    }
    if !yes && !is_meant(words, kept)? {
        return Err(Failure::refused(vec![words.say("cli-rescue-not")]));
    }
    let Aside { name, path, files, bytes, .. } = &kept.aside;
    note(around, Noted::RescueDeleting { name: name.clone(), files: *files, bytes: *bytes })?;
    rescue::delete(path).map_err(|error| failed(&error))?;
    note(around, Noted::RescueDeleted { name: name.clone() })?;
    writeln!(io::stdout(), "{}", words.with("cli-rescue-deleted", &[("name", name.clone().into())]))?;
    Ok(Exit::Done)
}

/// Whether something may be being set aside right now.
fn reseeding(around: &Around) -> Result<bool, Failure> {
    let Some(store) = Store::read(&diary_path(&around.home)).map_err(not_kept)? else { return Ok(false) };
    let node = own_node(&around.home);
    let last = store.jobs(50).map_err(not_kept)?.into_iter().filter_map(|job| serde_json::from_value(job).ok());
    let runs = |last: Operation| {
        last.kind == OperationKind::Reseed && last.state == OperationState::Running && last.node == Some(node)
    };
    Ok(last.into_iter().any(runs))
}

/// Asks a person, where one is there.
fn is_meant(words: &Words, kept: &Kept) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    eprintln!("{}", line(words, kept));
    eprint!("{} ", words.say("cli-rescue-ask"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case(&words.say("cli-yes")))
}

/// Writes it into the diary. What cannot be written there is not done.
fn note(around: &Around, what: Noted) -> Result<(), Failure> {
    keeper::add(&around.home, &by(), what).map_err(not_kept)
}

// It is given over by what asks for it.
#[allow(clippy::needless_pass_by_value)]
fn not_kept(error: DiaryError) -> Failure {
    Failure::failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_a_row_are_one_span() {
        let lines: Vec<_> = [1, 2, 3, 7, 9, 10].map(|number| (number, vec![])).to_vec();
        assert_eq!(spans(&lines), "1-3, 7, 9-10");
    }
}
