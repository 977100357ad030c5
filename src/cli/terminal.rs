//! `espejo terminal`: the agent of a POS terminal.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::exit::{Exit, Failure};
use super::{Around, logs, systemd, unit};
use crate::config::Fault;
use crate::config::command::Command;
use crate::config::store::Store;
use crate::config::terminal::Terminal;
use crate::link::greeting::Refusal;
use crate::link::identity::Identity;
use crate::service::home::Home;
use crate::service::member::{Member, store_path};
use crate::terminal::agent::Agent;
use crate::terminal::known::{Known, known_path, settings_path};
use crate::terminal::news::News;
use crate::words::{Words, faults};

/// So long a program that says a line may take.
const TELLING: Duration = Duration::from_secs(10);

/// Runs until a signal ends it.
pub async fn run(around: &Around) -> Result<Exit, Failure> {
    let words = &around.words;
    let place = |path: &Path| ("path", path.display().to_string().into());
    if Member::load(&around.home).is_ok() {
        return Err(Failure::usage(words.with("cli-terminal-is-machine", &[place(&around.home)])));
    }
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::failed(words.with("cli-terminal-unreadable", &[place(path), ("error", error.to_string().into())]))
    };
    let path = known_path(&around.home);
    let Some(known) = Known::load(&around.home).map_err(|error| unreadable(&path, &error))? else {
        return Err(Failure::usage(words.with("cli-terminal-nothing", &[place(&around.home)])));
    };
    let home = Home::take(&around.home)?;
    crate::os::have_many_files();
    logs::begin(home.path());
    let set = settings(words, home.path())?;
    let store = read(words, &store_path(home.path()), Store::from_bytes)?;
    let identity = Identity::load(home.path()).map_err(|error| Failure::failed(error.to_string()))?;
    let identity = identity.ok_or_else(|| unreadable(&path, &"there is no key beside it"))?;
    let args = [("store", store.name.clone().into()), ("name", known.name.clone().into())];
    let begins = words.with("cli-terminal", &args);
    writeln!(io::stdout(), "{begins}")?;
    systemd::ready(&begins);
    if let Some(name) = set.name.as_ref().filter(|name| **name != known.name) {
        let args = [("name", name.clone().into()), ("known", known.name.clone().into())];
        writeln!(io::stdout(), "{}", words.with("cli-terminal-name", &args))?;
    }
    if unit::is_too_strict(&around.home) {
        let strict = words.say("cli-terminal-too-strict");
        tracing::warn!("{strict}");
        writeln!(io::stdout(), "{strict}")?;
        systemd::ready(&strict);
    }
    let (tell, mut news) = mpsc::unbounded_channel();
    let teller = set.tell.clone();
    let lang = around.lang.clone();
    tokio::spawn(async move {
        let words = Words::load(lang.as_deref());
        while let Some(news) = news.recv().await {
            let line = said(&words, &news);
            systemd::ready(&line);
            // Nobody need be there to read it.
            let _ = writeln!(io::stdout(), "{line}");
            if let Some(teller) = &teller {
                tell_people(teller, &line).await;
            }
        }
    });
    let mut ends = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let [Ok(terminate), Ok(interrupt), Ok(hangup)] = &mut ends else {
        return Err(Failure::failed(words.say("cli-strange")));
    };
    tokio::select! {
        ended = Agent::run(home.path(), known, set, store, &identity, tell) => {
            return ended.map(|()| Exit::Done).map_err(|error| Failure::failed(error.to_string()));
        }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
    systemd::ends();
    Ok(Exit::Done)
}

/// What is set on this machine as a terminal.
pub fn settings(words: &Words, home: &Path) -> Result<Terminal, Failure> {
    read(words, &settings_path(home), Terminal::from_bytes)
}

/// Reads a file of settings; one that is not there is empty.
fn read<T>(words: &Words, path: &Path, parse: fn(&[u8]) -> Result<T, Vec<Fault>>) -> Result<T, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
        Err(error) => return Err(Failure::failed(format!("{}: {error}", path.display()))),
    };
    let name = path.display().to_string();
    parse(&bytes).map_err(|all| Failure::usages(all.iter().map(|fault| faults::config(words, &name, fault)).collect()))
}

async fn tell_people(teller: &Command, line: &str) {
    let mut command = tokio::process::Command::new(teller.program());
    command.args(&teller.words()[1..]).arg(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true);
    match command.spawn() {
        Ok(mut child) => drop(tokio::time::timeout(TELLING, child.wait()).await),
        Err(error) => tracing::warn!(%error, "what is set to say a line cannot be run"),
    }
}

/// A line for the people at the till.
fn said(words: &Words, news: &News) -> String {
    let named = |key: &str, name: &str| words.with(key, &[("name", name.to_owned().into())]);
    match news {
        News::Works { name } => named("till-works", name),
        News::Waits { name } => named("till-waits", name),
        News::Unreached { name } => named("till-unreached", name),
        News::Message(message) => {
            words.with("till-message", &[("by", message.by.clone().into()), ("text", message.text.clone().into())])
        }
        News::TurnedAway { name, why: Refusal::Stranger } => named("till-revoked", name),
        News::TurnedAway { why: Refusal::Twin, .. } => words.say("till-twin"),
        News::TurnedAway { name, .. } => named("till-refused", name),
        News::OtherMachine { name } => named("till-other-machine", name),
        News::Shut { port, why } => {
            words.with("till-shut", &[("port", port.to_string().into()), ("why", why.clone().into())])
        }
        News::BadConfiguration => words.say("till-bad-configuration"),
        News::Unsaved { why } => words.with("till-unsaved", &[("why", why.clone().into())]),
    }
}
