//! `espejo status`: how it stands, for people or as JSON.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::Around;
use super::exit::{Exit, Failure};
use super::pin;
use crate::pair::{Duty, Node};
use crate::service::control::Client;
use crate::service::member::Member;
use crate::service::status::{LicenceState, PeerState, Phase, Server, Trouble};
use crate::service::{Command, Reply, Status};
use crate::terminal::known::known_path;
use crate::words::{Words, against, answer, figures, licence, numbers, told};

/// Prints how it stands; with `watch` again after every change.
pub async fn run(around: &Around, json: bool, watch: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    if known_path(&around.home).exists() {
        return super::till::status(around, json, watch).await;
    }
    let mut client = connect(around).await?;
    client.say(if watch { &Command::Watch } else { &Command::Status }).await?;
    let mut exit = None;
    while let Some(reply) = client.hear().await? {
        let status = match reply {
            Reply::Status(status) => status,
            Reply::Refused { why } => return Err(Failure::not_done(words, &why)),
            _ => return Err(Failure::failed(words.say("cli-strange"))),
        };
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, &status).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            print(&mut out, words, &status)?;
        }
        out.flush()?;
        exit = Some(health(&status));
        if !watch {
            break;
        }
    }
    exit.ok_or_else(|| Failure::failed(words.say("cli-service-ended")))
}

/// Connects to the service of the home, and gives it the PIN where one is to be given.
pub async fn connect(around: &Around) -> Result<Client, Failure> {
    let home = || around.home.display().to_string();
    let connected = Client::connect(&around.home).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Failure::failed(around.words.with("cli-not-let-in", &[("home", home().into())]))
        }
        _ => error.into(),
    })?;
    let mut client = connected.ok_or_else(|| {
        let key = match Member::load(&around.home) {
            Ok(_) => "cli-no-service-here",
            Err(_) if known_path(&around.home).exists() => "cli-terminal-home",
            Err(_) => "cli-no-service",
        };
        Failure::no_service(around.words.with(key, &[("home", home().into())]))
    })?;
    pin::give(around, &mut client).await?;
    Ok(client)
}

/// Whether all is well.
fn health(status: &Status) -> Exit {
    // While the backup serves nothing stands behind it until the main is back: that is no alarm of its own.
    let is_backup = status.duty == Duty::Serving && status.holder == Node::Backup;
    let is_known = |trouble: &Trouble| {
        trouble.is_hint() || is_backup && matches!(trouble, Trouble::Silent { .. } | Trouble::CopyOld { .. })
    };
    let alarm = status.alarms.iter().any(|alarm| !is_known(&alarm.trouble));
    match status.mirror.phase {
        // Whoever works on the machines knows that something is wrong.
        _ if status.maintenance => Exit::Degraded,
        _ if alarm => Exit::Alarm,
        Phase::Stopped if !is_backup => Exit::Alarm,
        _ if !status.can_take_over.yes || !status.alarms.is_empty() => Exit::Degraded,
        _ => Exit::Done,
    }
}

fn print(out: &mut impl Write, words: &Words, status: &Status) -> io::Result<()> {
    let zone = TimeZone::system();
    if let Some(folders) = &status.folders {
        let args = [("source", folders.source.clone().into()), ("dest", folders.dest.clone().into())];
        writeln!(out, "{}", words.with("cli-status-folders", &args))?;
    }
    writeln!(out, "{}", answer::sentence(words, status))?;
    for reason in &status.can_take_over.reasons {
        let told = against::reason(words, reason);
        writeln!(out, "  {} {}", told.what, told.todo)?;
    }
    if status.duty == Duty::Serving {
        print_serving(out, words, status, &zone)?;
    }
    // Of a mirror that is not heard nobody knows how it stands.
    if status.duty != Duty::Serving || matches!(status.peer.state, PeerState::Healthy | PeerState::Late) {
        print_copy(out, words, status, &zone)?;
    }
    for alarm in &status.alarms {
        let told = told::trouble(words, &alarm.trouble);
        writeln!(out, "{} {} {}", alarm.code, told.what, told.todo)?;
    }
    let how = if status.machines.is_some() { "cli-how-to-answer-store" } else { "cli-how-to-answer" };
    for question in &status.questions {
        writeln!(out, "{}\n  {}", told::question(words, &question.ask).what, words.say(how))?;
    }
    Ok(())
}

/// The POS server program, how long the licence lasts, and the numbers that were left out at this start.
fn print_serving(out: &mut impl Write, words: &Words, status: &Status, zone: &TimeZone) -> io::Result<()> {
    let state = match status.server {
        Server::Stopped => "stopped",
        Server::Starting => "starting",
        Server::Ready => "ready",
        Server::Failing => "failing",
    };
    writeln!(out, "{}", words.with("cli-status-server", &[("state", state.into())]))?;
    if let (LicenceState::Running, Some(ends_at)) = (status.licence.state, status.licence.ends_at) {
        let args = [
            ("left", licence::days(words, status.licence.remaining_ms).into()),
            ("at", figures::date(words, ends_at, zone).into()),
        ];
        writeln!(out, "{}", words.with("cli-status-licence", &args))?;
    }
    for one in status.numbered.iter().filter(|one| one.epoch == status.epoch) {
        writeln!(out, "{}", numbers::was_set(words, one))?;
    }
    Ok(())
}

fn print_copy(out: &mut impl Write, words: &Words, status: &Status, zone: &TimeZone) -> io::Result<()> {
    if let Some(as_of) = status.mirror.as_of {
        let args = [
            ("time", figures::time(as_of, zone).into()),
            ("position", status.mirror.position.to_string().into()),
            ("behind", figures::span(words, status.mirror.behind_ms).into()),
        ];
        writeln!(out, "{}", words.with("cli-status-copy", &args))?;
    }
    if let Some(copying) = &status.mirror.copying {
        let percent = (copying.done_bytes * 100).checked_div(copying.total_bytes).unwrap_or(100).min(100);
        let args = [
            ("number", format!("{:02}", copying.number).into()),
            ("file", copying.file.clone().into()),
            ("percent", percent.to_string().into()),
        ];
        writeln!(out, "{}", words.with("cli-file", &args))?;
    }
    for dataset in &status.datasets {
        let grade = dataset.grade.map_or_else(|| "-".to_owned(), |grade| crate::words::grade::grade(words, grade));
        let args = [
            ("name", dataset.name.clone().into()),
            ("grade", grade.into()),
            ("files", dataset.files.into()),
            ("size", figures::bytes(words, dataset.bytes).into()),
        ];
        writeln!(out, "{}", words.with("cli-status-dataset", &args))?;
        for file in &dataset.unreadable {
            writeln!(out, "  {}", words.with("cli-status-unreadable", &[("file", file.clone().into())]))?;
        }
        for file in &dataset.plain {
            writeln!(out, "  {}", words.with("cli-status-plain", &[("file", file.clone().into())]))?;
        }
    }
    Ok(())
}
