//! `espejo run`: the service of a main or backup.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use super::exit::{Exit, Failure};
use super::running::{Running, ended};
use super::{Around, logs, systemd};
use crate::pair::Node;
use crate::server::keeps::System;
use crate::service::home::Home;
use crate::service::member::{Member, MemberError};
use crate::service::node::{Left, Machine, MachineError, Programs};
use crate::service::{Command, Status, control};
use crate::words::{Words, faults};

/// Between two tries where the record of who serves could not be saved.
const UNSAVED: Duration = Duration::from_secs(1);

/// Runs until a signal or a command ends it.
pub async fn run(around: &Around) -> Result<Exit, Failure> {
    let words = Words::load(around.lang.as_deref());
    let again = move || {
        let _ = writeln!(io::stdout(), "{}", words.say("cli-run-again"));
    };
    let (running, what) = start(around, again)?;
    writeln!(io::stdout(), "{what}")?;
    systemd::follow(Words::load(around.lang.as_deref()), running.status.clone());
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let (mut signals, ask) = (signal(kind)?, running.ask.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                systemd::ends();
                let _ = ask.send((Command::Stop { by: "a signal".to_owned() }, oneshot::channel().0));
            }
        });
    }
    ended(around, running.engine.await)
}

/// Starts the service in this process, and says what runs. `again` is called when it begins anew with other settings.
pub fn start(around: &Around, again: impl Fn() + Send + 'static) -> Result<(Running, String), Failure> {
    let told = |error| told(around, error);
    // Nothing is made in a home that was never set up.
    let mut member = Member::load(&around.home).map_err(told)?;
    let home = Home::take(&around.home)?;
    logs::begin(home.path());
    // Also its own tills' connections.
    crate::os::have_many_files();
    let (store, _) = member.revise(home.path()).map_err(told)?;
    // What is set for this machine as a till; the service reads it again.
    super::terminal::settings(&around.words, home.path())?;
    let (publish, status) = watch::channel::<Option<Arc<Status>>>(None);
    let (ask, mut asked) = mpsc::unbounded_channel();
    tokio::spawn(control::serve(control::listen(home.path())?, ask.clone(), status.clone()));
    let path = home.path().to_owned();
    let engine = tokio::spawn(async move {
        let (mut before, mut programs) = (None, Programs::default());
        loop {
            match Box::pin(Machine::run(
                &path,
                before.take(),
                &mut programs,
                Arc::new(System),
                publish.clone(),
                &mut asked,
            ))
            .await
            {
                Ok(left @ (Left::Reconfigured | Left::Adopted)) => {
                    before = Some(left);
                    again();
                }
                Ok(Left::Stopped) => return Ok(()),
                // What stands on the disk is unknown: it is read again.
                Err(error @ MachineError::Unsaved { .. }) => {
                    tracing::error!(%error, "the record could not be saved");
                    tokio::time::sleep(UNSAVED).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    });
    let machine = if member.node == Node::Main { store.main } else { store.backup };
    let args =
        [("store", store.name.into()), ("name", machine.name.into()), ("address", machine.address.to_string().into())];
    Ok((Running { status, ask, engine, home }, around.words.with("cli-run", &args)))
}

/// Why there is nothing to run, as a person may read it.
pub fn told(around: &Around, error: MemberError) -> Failure {
    match error {
        MemberError::Nothing(home) => {
            let home = home.display().to_string();
            Failure::usage(around.words.with("cli-run-nothing", &[("path", home.into())]))
        }
        MemberError::Faults { path, faults } => {
            let name = path.display().to_string();
            Failure::usages(faults.iter().map(|fault| faults::config(&around.words, &name, fault)).collect())
        }
        MemberError::Io { .. } => Failure::failed(error.to_string()),
    }
}
