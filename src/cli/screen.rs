//! `espejo`: the operator's screen, on the service of this home or with the engine inside.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::args::{Colour, MirrorArgs};
use super::exit::{Exit, Failure};
use super::running::{Running, ended};
use super::status::connect;
use super::{Around, by, mirror, pin, run, till};
use crate::service::control::{Client, Watching};
use crate::service::home::remembered;
use crate::service::member::{Member, MemberError};
use crate::service::role::Role;
use crate::service::{Command, Reply};
use crate::terminal::known::known_path;
use crate::tui::{self, Attached, Glyphs, Keymap, Left, Look, Options, Palette, Place};
use crate::words::Words;

/// So long is waited for what the first frame is to show.
const FIRST: Duration = Duration::from_millis(30);

/// Opens the screen: on the service that runs, else with the service of this home inside, be it that of a machine of a store or
/// what was mirrored last, or on the first page. On a POS terminal it says how its agent stands.
pub async fn open(around: &Around) -> Result<Exit, Failure> {
    if known_path(&around.home).exists() {
        return till::status(around, false, false).await;
    }
    if let Some(mut client) = Client::connect(&around.home)? {
        pin::give(around, &mut client).await?;
        let place = match client.ask(&Command::Who).await? {
            Reply::Who { role: Role::Viewer } => Place::WatchOnly,
            Reply::Refused { why } => return Err(Failure::not_done(&around.words, &why)),
            _ => Place::Attached,
        };
        return attached(around, client, place).await;
    }
    if !io::stdout().is_terminal() {
        return connect(around).await.map(|_| Exit::Done);
    }
    match Member::load(&around.home) {
        Ok(_) => {
            // Wrong keys are told before anything is begun.
            let options = options(around, Place::Embedded)?;
            let (running, _) = run::start(around, || {})?;
            return embedded(around, running, &options).await;
        }
        Err(MemberError::Nothing(_)) => {}
        Err(error) => return Err(run::told(around, error)),
    }
    let (source, dest, interval) = match remembered(&around.home) {
        Some(last) => (last.source, last.dest, Duration::from_millis(last.interval_ms)),
        None => match tui::first_page(&options(around, Place::Embedded)?).await? {
            Some(chosen) => (PathBuf::from(chosen.source), PathBuf::from(chosen.dest), Duration::from_secs(3)),
            None => return Ok(Exit::Done),
        },
    };
    let args = MirrorArgs {
        source,
        dest,
        interval,
        once: false,
        no_screen: false,
        adopt_dest: false,
        accept_removals: false,
        max_rate: None,
    };
    mirror::run(around, &args).await
}

/// Opens the screen without its actions.
pub async fn watch(around: &Around) -> Result<Exit, Failure> {
    let client = connect(around).await?;
    attached(around, client, Place::WatchOnly).await
}

/// Shows a service that runs in this process, and ends it when the screen is left.
pub async fn embedded(around: &Around, running: Running, options: &Options) -> Result<Exit, Failure> {
    let (commands, mut said) = mpsc::unbounded_channel::<Command>();
    let ask = running.ask.clone();
    tokio::spawn(async move {
        while let Some(command) = said.recv().await {
            // What comes of it is seen in the status.
            let (answer, _) = oneshot::channel();
            if ask.send((command, answer)).is_err() {
                return;
            }
        }
    });
    let status = known_first(running.status.clone()).await;
    let left = tui::run(Attached { status, commands }, options).await;
    running.stop().await;
    let end = ended(around, running.engine.await);
    left?;
    end
}

async fn attached(around: &Around, mut client: Client, place: Place) -> Result<Exit, Failure> {
    let options = options(around, place)?;
    let (publish, status) = watch::channel(None);
    let (commands, mut said) = mpsc::unbounded_channel::<Command>();
    client.say(&Command::Watch).await?;
    tokio::spawn(async move {
        while let Ok(Some(reply)) = client.hear().await {
            if let Reply::Status(status) = reply {
                publish.send_replace(Some(Arc::from(status)));
            }
        }
    });
    let (home, pin) = (around.home.clone(), around.pin.typed().map(ToOwned::to_owned));
    tokio::spawn(async move {
        while let Some(command) = said.recv().await {
            ask(&home, pin.clone(), &command).await;
        }
    });
    let status = known_first(status).await;
    match tui::run(Attached { status, commands }, &options).await? {
        Left::Out | Left::Quit => Ok(Exit::Done),
        Left::ServiceEnded => Err(Failure::no_service(around.words.say("cli-service-ended"))),
    }
}

/// Asks the service of `home`. What comes of it is seen in the status.
pub async fn ask(home: &Path, pin: Option<String>, command: &Command) {
    if let Ok(Some(mut client)) = Client::connect(home) {
        if let Some(pin) = pin {
            let _ = client.ask(&Command::Pin { pin }).await;
        }
        let _ = client.ask(command).await;
    }
}

/// Waits a little for the first status, so that the first frame has something to show.
async fn known_first(mut status: Watching) -> Watching {
    let _ = tokio::time::timeout(FIRST, status.changed()).await;
    status.mark_changed();
    status
}

/// How the screen is to be; every fault in the home's own keys when there is any.
pub fn options(around: &Around, place: Place) -> Result<Options, Failure> {
    let words = Words::load(around.lang.as_deref());
    let own = around.home.join("keymap.toml");
    let keymap = match fs::read_to_string(&own) {
        Ok(text) => Keymap::parse(&text, &own.display().to_string()),
        // Who may not look into the home has the usual ones.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            Keymap::standard()
        }
        Err(error) => return Err(Failure::usage(format!("{}: {error}", own.display()))),
    };
    let keymap = keymap.map_err(|faults| Failure::usages(faults.iter().map(|fault| fault.tell(&words)).collect()))?;
    let plain = match around.colour {
        Colour::Always => false,
        Colour::Never => true,
        Colour::Auto => std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()),
    };
    let palette = if plain { Palette::None } else { Palette::Sixteen };
    let look = Look { palette, glyphs: Glyphs::for_locale() };
    Ok(Options { words, keymap, place, look, home: around.home.display().to_string(), by: by() })
}
