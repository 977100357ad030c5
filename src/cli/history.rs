//! `espejo history`: the diary of this machine, also where no service runs.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Around;
use super::exit::{Exit, Failure};
use crate::diary::{Chain, Kind, Row, Store, diary_path};
use crate::service::event::What;
use crate::service::status::{Operation, OperationState};
use crate::words::{Words, operation, told};

/// How many operations are shown at the most.
const MOST: u32 = 10_000;

/// Prints the operations; with `events` all that the diary holds; with `check` only whether it is as it was written.
pub fn run(around: &Around, (check, events): (bool, bool), as_json: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    let failed = |error: crate::diary::DiaryError| Failure::failed(error.to_string());
    let path = diary_path(&around.home);
    if path.try_exists().is_err() {
        let home = around.home.display().to_string();
        return Err(Failure::failed(words.with("cli-history-owner", &[("home", home.into())])));
    }
    let Some(store) = Store::read(&path).map_err(failed)? else {
        let home = around.home.display().to_string();
        return Err(Failure::no_service(words.with("cli-history-none", &[("home", home.into())])));
    };
    let jobs = if check { vec![] } else { store.jobs(MOST).map_err(failed)? };
    let mut rows = vec![];
    if events {
        store.rows(|row| rows.push(row)).map_err(failed)?;
    }
    let chain = store.verify_chain().map_err(failed)?;
    let mut out = io::stdout().lock();
    if as_json {
        let mut all = json!({ "chain": chain });
        if !check {
            all["operations"] = jobs.into();
        }
        if events {
            all["events"] = rows.iter().map(as_value).collect();
        }
        serde_json::to_writer(&mut out, &all).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if check && chain.broken_at.is_none() {
        writeln!(out, "{}", words.with("cli-history-whole", &[("n", chain.rows.into())]))?;
    } else if events {
        rows.iter().try_for_each(|row| print_row(&mut out, words, row))?;
    } else if !check {
        print_operations(&mut out, words, jobs)?;
    }
    out.flush()?;
    match chain {
        Chain { broken_at: None, .. } => Ok(Exit::Done),
        Chain { broken_at: Some(row), .. } => {
            Err(Failure::failed(words.with("cli-history-broken", &[("row", row.to_string().into())])))
        }
    }
}

fn as_value(row: &Row) -> Value {
    let kind = match row.kind {
        Kind::Job => "operation",
        Kind::Event => "event",
        Kind::Pruned => "pruned",
    };
    json!({ "row": row.number, "at": row.at, "by": row.by, "kind": kind, "body": row.body })
}

/// A time that is read years later.
fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn print_operations(out: &mut impl Write, words: &Words, jobs: Vec<Value>) -> io::Result<()> {
    let known: Vec<Operation> = jobs.into_iter().filter_map(|job| serde_json::from_value(job).ok()).collect();
    if known.is_empty() {
        return writeln!(out, "{}", words.say("cli-history-empty"));
    }
    for operation in &known {
        writeln!(out, "{}  {}", time(operation.started_at), line(words, operation, Timestamp::now()))?;
        for why in operation.reason.iter().cloned().chain(operation::why_not(words, operation)) {
            writeln!(out, "    {}", harmless(&why))?;
        }
    }
    Ok(())
}

/// What it is, how it ended and when, how long it took until then or until `at`, and who asked for it.
fn line(words: &Words, now: &Operation, at: Timestamp) -> String {
    let key = match now.state {
        OperationState::Running => "cli-history-running",
        OperationState::Refused => "cli-history-refused",
        OperationState::Done | OperationState::Failed => "cli-history-ended",
    };
    let args = [
        ("kind", operation::kind(words, now.kind).into()),
        ("state", operation::state(words, now.state).into()),
        ("took", operation::took(words, now, at).into()),
        ("end", now.ended_at.map(time).unwrap_or_default().into()),
        ("by", harmless(&now.by).into()),
    ];
    words.with(key, &args)
}

fn print_row(out: &mut impl Write, words: &Words, row: &Row) -> io::Result<()> {
    let said = match row.kind {
        Kind::Pruned => {
            let rows = row.body.get("rows").and_then(Value::as_u64).unwrap_or(0);
            words.with("cli-history-pruned", &[("rows", rows.into())])
        }
        Kind::Job => match serde_json::from_value::<Operation>(row.body.clone()) {
            Ok(operation) => line(words, &operation, row.at),
            Err(_) => row.body.to_string(),
        },
        Kind::Event => {
            let said = serde_json::from_value::<What>(row.body.clone());
            let said = said.map_or_else(|_| row.body.to_string(), |what| told::event(words, &what));
            if row.by.is_empty() {
                said
            } else {
                words.with("cli-history-by", &[("what", said.into()), ("by", row.by.clone().into())])
            }
        }
    };
    writeln!(out, "{}  {}", time(row.at), harmless(&said))
}

/// Text in which nothing drives the terminal.
pub(super) fn harmless(text: &str) -> String {
    let letter = |letter: char| {
        if letter.is_control() { letter.escape_default().collect::<String>() } else { letter.to_string() }
    };
    text.chars().map(letter).collect()
}
