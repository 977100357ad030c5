//! `espejo mirror`: mirror one folder into another, in one process.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::args::MirrorArgs;
use super::by;
use super::exit::{Exit, Failure};
use super::running::{Running, ended};
use super::{Around, lines, logs, screen};
use crate::disk::apply::journal_folder;
use crate::disk::apply::open::{Opening, Others};
use crate::disk::capture::Options;
use crate::disk::capture::guard::Consent;
use crate::disk::capture::rules::Rules;
use crate::disk::journal::undo::Limits;
use crate::service::engine::{Engine, Line, Settings};
use crate::service::home::{Home, Remembered};
use crate::service::status::{OperationState, Trouble};
use crate::service::{Command, Reply, Status, control, sending};
use crate::tui::Place;
use crate::words::{figures, told};

/// How long a file that became empty may stay so before it is asked about.
const EMPTY_PATIENCE: Duration = Duration::from_secs(2);
/// How long is looked for an instant in which nothing moves.
const PATIENCE: Duration = Duration::from_secs(3);
/// Everything is looked at so often, whatever the watch says.
const RESCAN: Duration = Duration::from_secs(600);
/// How much of the way back is kept.
const HISTORY: Limits = Limits { age: Duration::from_secs(3600), bytes: 2 * 1024 * 1024 * 1024 };
/// Comparisons that `--once` makes until both sides are equal.
const COMPARISONS: u32 = 3;

/// Mirrors as it was typed.
pub async fn run(around: &Around, args: &MirrorArgs) -> Result<Exit, Failure> {
    let (source, dest) = check_folders(&args.source, &args.dest, &around.home)?;
    let asked = MirrorArgs { source, dest, ..args.clone() };
    if args.once || args.no_screen || !io::stdout().is_terminal() {
        let (print, printed) = mpsc::unbounded_channel();
        let running = start(around, &asked, Some(print))?;
        return if args.once { once(around, running, printed).await } else { follow(around, running, printed).await };
    }
    // Wrong keys are told before anything is begun.
    let options = screen::options(around, Place::Embedded)?;
    screen::embedded(around, start(around, &asked, None)?, &options).await
}

/// Starts the service in this process.
pub fn start(
    around: &Around,
    args: &MirrorArgs,
    print: Option<mpsc::UnboundedSender<Line>>,
) -> Result<Running, Failure> {
    let home = Home::take(&around.home)?;
    logs::begin(home.path());
    let interval_ms = u64::try_from(args.interval.as_millis()).unwrap_or(u64::MAX);
    home.remember(&Remembered { source: args.source.clone(), dest: args.dest.clone(), interval_ms })?;
    let (publish, status) = watch::channel(None);
    let (engine, orders) = Engine::new(settings(args, home.path()), publish, print);
    let (ask, asked) = mpsc::unbounded_channel();
    let listener = control::listen(home.path())?;
    tokio::spawn(control::serve(listener, ask.clone(), status.clone()));
    let engine = tokio::spawn(async move { Ok(engine.run(orders, asked).await?) });
    Ok(Running { status, ask, engine, home })
}

fn settings(args: &MirrorArgs, home: &Path) -> Settings {
    let consent = if args.accept_removals { Consent::Always } else { Consent::Ask };
    let (own, rules) = (home.to_owned(), Rules::default());
    let options = Options {
        empty_patience: EMPTY_PATIENCE,
        patience: PATIENCE,
        consent,
        own,
        rules,
        quiet: None,
        holder: crate::os::apart::own_program(),
    };
    let sending = sending::Settings {
        dataset: sending::dataset_name(&args.source),
        source: args.source.clone(),
        interval: args.interval,
        rescan: RESCAN,
        epoch: 1,
        took_over: None,
        start: 0,
        options,
    };
    let others = if args.adopt_dest { Others::Adopt } else { Others::Refuse };
    Settings { sending, dest: args.dest.clone(), opening: Opening { others, history: HISTORY }, rate: args.max_rate }
}

/// Makes sure that the two folders can be a source and its mirror. Returns where they really are.
fn check_folders(source: &Path, dest: &Path, home: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let told = |path: &Path, what: &str| Failure::usage(format!("{}: {what}", path.display()));
    let source = match fs::canonicalize(source) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(told(source, "there is no such folder to mirror"));
        }
        Err(error) => return Err(told(source, &format!("this folder cannot be mirrored: {error}"))),
    };
    if !source.is_dir() {
        return Err(told(&source, "this is no folder; name the folder that it is in"));
    }
    fs::read_dir(&source)
        .map_err(|error| Failure::failed(format!("{}: cannot be listed: {error}", source.display())))?;
    let dest = real_path(dest).map_err(|error| told(dest, &format!("a mirror cannot be made here: {error}")))?;
    if dest.exists() && !dest.is_dir() {
        return Err(told(&dest, "this is no folder"));
    }
    let same = |a: &Path, b: &Path| matches!((fs::metadata(a), fs::metadata(b)), (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()));
    if same(&source, home) {
        return Err(told(&source, "this is Espejo's own folder; give it another one with --home"));
    }
    if dest == source || same(&dest, &source) {
        return Err(told(&dest, "a folder cannot be its own mirror; name another one"));
    }
    if dest.starts_with(&source) || dest.ancestors().skip(1).any(|above| same(above, &source)) {
        return Err(told(&dest, "the mirror lies inside the folder that it mirrors; name a place outside"));
    }
    if source.starts_with(&dest) || source.ancestors().skip(1).any(|above| same(above, &dest)) {
        return Err(told(&source, "the folder to mirror lies inside its mirror; name a place outside"));
    }
    if dest.file_name().is_none() || journal_folder(&dest).starts_with(&source) {
        return Err(told(
            &dest,
            "what belongs to the mirror would lie in the folder that it mirrors; name another place",
        ));
    }
    Ok((source, dest))
}

/// Where `path` really is, also when its last names are still to be made.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut missing = vec![];
    let mut here = path.as_path();
    loop {
        match fs::canonicalize(here) {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |real, name| real.join(name))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (Some(above), Some(name)) = (here.parent(), here.file_name()) else { return Err(error) };
                missing.push(name.to_owned());
                here = above;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Mirrors until a signal comes.
async fn follow(
    around: &Around,
    mut running: Running,
    mut printed: mpsc::UnboundedReceiver<Line>,
) -> Result<Exit, Failure> {
    let mut signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .into_iter()
        .map(signal)
        .collect::<io::Result<Vec<_>>>()?;
    let [term, int, hup] = &mut signals[..] else { return Ok(Exit::Done) };
    loop {
        tokio::select! {
            line = printed.recv() => match line {
                Some(line) => {
                    if let Err(error) = lines::print(&mut io::stdout().lock(), &around.words, &line) {
                        running.stop().await;
                        let _ = running.engine.await;
                        return Err(error.into());
                    }
                }
                None => return ended(around, running.engine.await),
            },
            end = &mut running.engine => return ended(around, end),
            _ = term.recv() => running.stop().await,
            _ = int.recv() => running.stop().await,
            _ = hup.recv() => running.stop().await,
        }
    }
}

/// Copies what differs, compares, ends.
async fn once(
    around: &Around,
    mut running: Running,
    mut printed: mpsc::UnboundedReceiver<Line>,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let mut progress = Once { comparisons: 0, operation: None };
    let outcome = loop {
        tokio::select! {
            biased;
            // Closed with the engine: its end is heard below.
            Some(line) = printed.recv() => lines::print(&mut io::stdout().lock(), &around.words, &line)?,
            changed = running.status.changed() => {
                if changed.is_err() {
                    break None;
                }
                let status = running.status.borrow_and_update().clone();
                if let Some(status) = status && let Some(outcome) = progress.step(around, &running, &status).await {
                    break Some((outcome, status));
                }
            }
        }
    };
    running.stop().await;
    let end = ended(around, running.engine.await);
    while let Ok(line) = printed.try_recv() {
        lines::print(&mut io::stdout().lock(), &around.words, &line)?;
    }
    let Some((outcome, status)) = outcome else { return end };
    outcome?;
    end?;
    let (files, bytes) = status.datasets.first().map_or((0, 0), |dataset| (dataset.files, dataset.bytes));
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let args = [
        ("files", files.into()),
        ("size", figures::bytes(&around.words, bytes).into()),
        ("took", figures::span(&around.words, took).into()),
    ];
    writeln!(io::stdout(), "{}", around.words.with("cli-once", &args))?;
    Ok(Exit::Done)
}

/// How far a single run is.
struct Once {
    comparisons: u32,
    operation: Option<u64>,
}

impl Once {
    /// Has both sides compared.
    async fn compare(&mut self, running: &Running) {
        if let Some(Reply::Running { operation }) = running.ask(Command::Verify { by: by() }).await {
            self.operation = Some(operation);
            self.comparisons += 1;
        }
    }

    /// What follows from how it stands; the outcome, when there is one.
    async fn step(&mut self, around: &Around, running: &Running, status: &Status) -> Option<Result<(), Failure>> {
        let words = &around.words;
        if !status.questions.is_empty() {
            let ask = |question: &crate::service::status::Question| told::question(words, &question.ask).what;
            let mut why: Vec<String> = status.questions.iter().map(ask).collect();
            why.push(words.say("cli-once-question"));
            return Some(Err(Failure::refused(why)));
        }
        let hopeless = |trouble: &Trouble| {
            matches!(trouble, Trouble::DiskFull { .. } | Trouble::MirrorFails { .. } | Trouble::SourceGone { .. })
        };
        if let Some(alarm) = status.alarms.iter().find(|alarm| hopeless(&alarm.trouble)) {
            let told = told::trouble(words, &alarm.trouble);
            return Some(Err(Failure::failed(format!("{} {}", told.what, told.todo))));
        }
        if !status.mirror.caught_up {
            return None;
        }
        let Some(id) = self.operation else {
            self.compare(running).await;
            return None;
        };
        let operation = status.operation.as_ref().filter(|operation| operation.id == id)?;
        match operation.state {
            OperationState::Running => None,
            OperationState::Done => {
                Some(match status.datasets.first().and_then(|dataset| dataset.unreadable.first()) {
                    None => Ok(()),
                    Some(file) => {
                        Err(Failure::failed(words.with("cli-once-unreadable", &[("file", file.clone().into())])))
                    }
                })
            }
            OperationState::Refused | OperationState::Failed if self.comparisons < COMPARISONS => {
                // At once: where nothing is left to copy, no other status may ever come to wake this.
                self.operation = None;
                self.compare(running).await;
                None
            }
            OperationState::Refused | OperationState::Failed => Some(Err(Failure::failed(words.say("cli-differed")))),
        }
    }
}
