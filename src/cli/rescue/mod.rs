//! `espejo rescue`: what one side alone held, and was set aside.
//!
//! - `shown`: what of it is printed

mod shown;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Around;
use super::by;
use super::exit::{Exit, Failure};
use super::history::harmless;
use super::parts::Rescue;
use super::status::connect;
use crate::diary::{DiaryError, Store, diary_path};
use crate::disk::DiskError;
use crate::disk::capture::rules::{Records, Rules};
use crate::disk::rescue::{self, Aside, Held};
use crate::disk::rows::{self, Rows};
use crate::service::event::Noted;
use crate::service::keeper;
use crate::service::member::{own_folders, own_node, own_rules};
use crate::service::status::{Operation, OperationKind, OperationState};
use crate::service::{Command, Reply};
use crate::words::{Words, figures};
use shown::Lacking;

/// What was set aside of a dataset at one time.
struct Kept {
    dataset: String,
    dest: PathBuf,
    aside: Aside,
    rules: Rules,
}

/// Does what was asked with what was set aside.
pub async fn run(around: &Around, what: &Rescue) -> Result<Exit, Failure> {
    let all = all(around)?;
    match what {
        Rescue::GiveUp { name, yes } => give_up(around, name, *yes).await,
        Rescue::List { json } => list(around, &all, *json),
        Rescue::Show { name, records, json } => show(around, one(around, &all, name)?, *records, *json),
        Rescue::Export { name, dir } => export(around, one(around, &all, name)?, dir),
        Rescue::Delete { name, yes } => delete(around, one(around, &all, name)?, *yes),
    }
}

fn failed(error: &DiskError) -> Failure {
    Failure::failed(error.to_string())
}

/// The datasets of the home, and where each lies here.
pub(super) fn folders(around: &Around) -> Result<Vec<(String, PathBuf)>, Failure> {
    let folders = own_folders(&around.home).map_err(|error| super::run::told(around, error))?;
    folders.ok_or_else(|| {
        let home = around.home.display().to_string();
        Failure::no_service(around.words.with("cli-nothing-here", &[("home", home.into())]))
    })
}

fn all(around: &Around) -> Result<Vec<Kept>, Failure> {
    let mut all = vec![];
    for (dataset, dest) in folders(around)? {
        for aside in rescue::list(&dest).map_err(|error| failed(&error))? {
            let rules = own_rules(&around.home, &dataset);
            all.push(Kept { dataset: dataset.clone(), dest: dest.clone(), aside, rules });
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
            let Aside { name, path, at, files, bytes, list } = &kept.aside;
            let at = Timestamp::from_second(*at).unwrap_or_default();
            let (epoch, against) = (list.as_ref().map(|list| list.epoch), list.as_ref().map(|list| list.against));
            json!({
                "name": name, "dataset": kept.dataset, "at": at, "files": files, "bytes": bytes, "folder": path,
                "epoch": epoch, "against": against,
            })
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
    let held = rescue::show(&kept.aside, &kept.dest).map_err(|error| failed(&error))?;
    let list = kept.aside.list.as_ref();
    let gone = list.into_iter().flat_map(|list| &list.files).filter(|one| one.bytes.is_none());
    let mut out = io::stdout().lock();
    if as_json {
        let shown = held.iter().map(|held| {
            let mut value = shown::value(held, &lacking(kept, held, records)?, records);
            let tables = rows(around, kept, held, rows::SHOWN).unwrap_or_else(|why| {
                value["error"] = why.into();
                vec![]
            });
            if !tables.is_empty() {
                value["rows"] = tables.iter().map(|rows| shown::rows_value(rows, records)).collect();
            }
            Ok(value)
        });
        let mut files = shown.collect::<Result<Vec<Value>, Failure>>()?;
        files.extend(gone.map(shown::gone_value));
        let against = list.map(|list| list.against);
        writeln!(
            out,
            "{}",
            json!({ "name": kept.aside.name, "dataset": kept.dataset, "against": against, "files": files })
        )?;
        return Ok(Exit::Done);
    }
    let words = &around.words;
    if let Some(list) = list {
        writeln!(out, "{}", shown::against(words, list.against))?;
    }
    for held in &held {
        let lacking = lacking(kept, held, records)?;
        for line in shown::lines(words, held, &lacking, records) {
            writeln!(out, "{line}")?;
        }
        let tables = match rows(around, kept, held, rows::SHOWN) {
            Ok(tables) => tables.iter().flat_map(|rows| shown::rows(words, rows, records)).collect(),
            Err(why) => vec![format!("    {why}")],
        };
        tables.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    for one in gone {
        writeln!(out, "{}", shown::gone(words, one))?;
    }
    Ok(Exit::Done)
}

/// The records that this side alone held. Those at the end of a queue that the list knows of are read only when they are to be
/// shown.
fn lacking(kept: &Kept, held: &Held, records: bool) -> Result<Lacking, Failure> {
    let (aside, dest) = (&kept.aside.path, &kept.dest);
    let Some((by, _)) = kept.rules.queue(&held.path) else { return Ok(Lacking::Some(vec![])) };
    // The list counts lines.
    let counted = held.listed.as_ref().filter(|_| by == Records::Lines);
    let Some((listed, count)) = counted.and_then(|listed| Some((listed, listed.records?))) else {
        let lacking = rescue::lacking(aside, dest, &held.path, by).map_err(|error| failed(&error))?;
        return Ok(Lacking::Some(lacking.unwrap_or_default()));
    };
    let read = || rescue::alone(aside, &held.path, listed.same_bytes).map_err(|error| failed(&error));
    Ok(Lacking::End { count, records: if records { read()? } else { vec![] } })
}

/// The rows of a database that this side alone held; why they cannot be read, where they cannot.
fn rows(around: &Around, kept: &Kept, held: &Held, most: usize) -> Result<Vec<Rows>, String> {
    let found = rows::lacking((&kept.aside.path, &kept.dest), &held.path, &around.home, most);
    found.map(Option::unwrap_or_default).map_err(|error| {
        let args = [("file", held.path.to_string().into()), ("why", error.to_string().into())];
        around.words.with("cli-rescue-no-rows", &args)
    })
}

/// What of those rows is not there to be read.
fn unread(words: &Words, rows: &[Rows]) -> Vec<String> {
    let of = |rows: &Rows| {
        let table = ("table", harmless(&rows.table).into());
        let why = rows.error.as_ref().map(|error| ("why", harmless(error).into()));
        let over = rows.more.then(|| ("n", rows.rows.len().into()));
        let unread = why.map(|why| words.with("cli-rescue-no-table", &[table.clone(), why]));
        [unread, over.map(|over| words.with("cli-rescue-over", &[table, over]))]
    };
    rows.iter().flat_map(of).flatten().collect()
}

/// A file in `folder` that was not there: under that name, or one like it.
fn new_file(folder: &Path, name: &str, end: &str) -> io::Result<std::fs::File> {
    for number in 1.. {
        let name = if number == 1 { format!("{name}{end}") } else { format!("{name}.{number}{end}") };
        match std::fs::File::create_new(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The same for a folder.
fn new_folder(folder: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1.. {
        let path = folder.join(if number == 1 { name.to_owned() } else { format!("{name}.{number}") });
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes the records and rows beside what was exported: each queue and each table as CSV, and all of it as one JSON object. Returns what
/// of them could not be written.
fn export_records(around: &Around, kept: &Kept, to: &Path) -> Result<Vec<String>, Failure> {
    let held = rescue::show(&kept.aside, &kept.dest).map_err(|error| failed(&error))?;
    let (mut all, mut missing, mut made) = (vec![], vec![], None);
    for held in &held {
        let lacking = lacking(kept, held, true)?;
        let tables = rows(around, kept, held, rows::WRITTEN).unwrap_or_else(|why| {
            missing.push(why);
            vec![]
        });
        missing.extend(unread(&around.words, &tables));
        if tables.is_empty() && lacking.is_empty() {
            continue;
        }
        // What was set aside may have the same name.
        let folder = match made.take() {
            Some(folder) => folder,
            None => new_folder(to, "records")?,
        };
        let name = held.path.to_string().replace('/', "_");
        for table in &tables {
            let mut file = new_file(&folder, &format!("{name}.{}", table.table.replace('/', "_")), ".csv")?;
            file.write_all(rows::csv(table).as_bytes())?;
        }
        if let Some(records) = lacking.table() {
            new_file(&folder, &name, ".csv")?.write_all(rows::csv(&records).as_bytes())?;
        }
        made = Some(folder);
        let mut value = shown::value(held, &lacking, true);
        value["rows"] = tables.iter().map(|rows| shown::rows_value(rows, true)).collect();
        all.push(value);
    }
    if let Some(folder) = made {
        let text =
            serde_json::to_vec_pretty(&json!({ "dataset": kept.dataset, "files": all })).map_err(io::Error::from)?;
        new_file(&folder, "records", ".json")?.write_all(&text)?;
    }
    Ok(missing)
}

fn export(around: &Around, kept: &Kept, dir: &Path) -> Result<Exit, Failure> {
    let to = std::path::absolute(dir)?;
    if std::fs::read_dir(&to).is_ok_and(|mut names| names.next().is_some()) {
        let args = [("path", to.display().to_string().into())];
        return Err(Failure::refused(vec![around.words.with("cli-rescue-not-empty", &args)]));
    }
    note(around, Noted::RescueExported { name: kept.aside.name.clone(), to: to.display().to_string() })?;
    rescue::export(&kept.aside.path, &to).map_err(|error| failed(&error))?;
    let missing = export_records(around, kept, &to)?;
    let args = [("name", kept.aside.name.clone().into()), ("path", to.display().to_string().into())];
    writeln!(io::stdout(), "{}", around.words.with("cli-rescue-exported", &args))?;
    if missing.is_empty() { Ok(Exit::Done) } else { Err(Failure::failed(missing.join("\n"))) }
}

fn delete(around: &Around, kept: &Kept, yes: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    if reseeding(around)? {
        return Err(Failure::refused(vec![words.say("cli-rescue-busy")]));
    }
    if !yes && !is_meant(words, &line(words, kept), "cli-rescue-ask")? {
        return Err(Failure::refused(vec![words.say("cli-rescue-not")]));
    }
    let Aside { name, path, files, bytes, .. } = &kept.aside;
    note(around, Noted::RescueDeleting { name: name.clone(), files: *files, bytes: *bytes })?;
    rescue::delete(path).map_err(|error| failed(&error))?;
    note(around, Noted::RescueDeleted { name: name.clone() })?;
    writeln!(io::stdout(), "{}", words.with("cli-rescue-deleted", &[("name", name.clone().into())]))?;
    Ok(Exit::Done)
}

/// Has the service go on without what could not be set aside.
async fn give_up(around: &Around, name: &str, yes: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    let with = |key| words.with(key, &[("name", name.to_owned().into())]);
    if !yes && !is_meant(words, &with("cli-rescue-give-up"), "cli-rescue-give-up-ask")? {
        return Err(Failure::refused(vec![words.say("cli-rescue-give-up-not")]));
    }
    let command = Command::GiveUpAside { name: name.to_owned(), by: by() };
    if let Reply::Refused { why } = connect(around).await?.ask(&command).await? {
        return Err(Failure::not_done(words, &why));
    }
    writeln!(io::stdout(), "{}", with("cli-rescue-given-up"))?;
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
fn is_meant(words: &Words, what: &str, question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    eprintln!("{what}");
    eprint!("{} ", words.say(question));
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
