//! A service that runs in this process.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};

use super::Around;
use super::by;
use super::exit::{Exit, Failure};
use crate::service::engine::Asked;
use crate::service::home::Home;
use crate::service::{Command, Reply, Status};

/// A service that runs in this process.
#[derive(Debug)]
pub struct Running {
    /// How it stands.
    pub status: watch::Receiver<Option<Arc<Status>>>,
    /// What it is asked.
    pub ask: mpsc::UnboundedSender<Asked>,
    /// Its end.
    pub engine: JoinHandle<Result<(), Failure>>,
    /// Its home, which is another's only when it has ended.
    pub home: Home,
}

impl Running {
    /// Asks it to end in order.
    pub async fn stop(&self) {
        let _ = self.ask(Command::Stop { by: by() }).await;
    }

    /// Asks it something; none where it has ended.
    pub async fn ask(&self, command: Command) -> Option<Reply> {
        let (answer, answered) = oneshot::channel();
        self.ask.send((command, answer)).ok()?;
        answered.await.ok()
    }
}

/// How it ended.
pub fn ended(around: &Around, end: Result<Result<(), Failure>, JoinError>) -> Result<Exit, Failure> {
    match end {
        Ok(end) => end.map(|()| Exit::Done),
        Err(_) => Err(Failure::failed(around.words.say("cli-service-crashed"))),
    }
}
