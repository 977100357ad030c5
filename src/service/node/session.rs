//! One session of the two services: a connection for what they say, one for each dataset. All end with it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};

use super::note::{self, Note, WAITING};
use super::since;
use crate::link::tls::Secure;
use crate::link::wire::{self, End, Half, Line};
use crate::os::ground::spawn;
use crate::service::command::{Command, Reply};
use crate::service::status::{OperationKind, Status};

/// Bytes of notes that the system keeps to be sent, about.
const WAITING_BYTES: usize = 16 * 1024;

/// A session.
pub struct Session {
    /// Its number.
    pub number: u64,
    /// The version of what both sides say.
    spoken: u32,
    out: mpsc::Sender<Note>,
    standing: watch::Sender<Option<Box<Status>>>,
    heard: mpsc::Sender<(u64, Option<Note>)>,
    writing: Option<JoinHandle<std::io::Result<()>>>,
    tasks: Vec<AbortHandle>,
    /// The other machine has said how it stands.
    pub has_said: bool,
    /// Ways of datasets, by their names, that this machine has no use for yet.
    pub unused: HashMap<String, Secure>,
}

/// How long is waited at the most until the last note has gone, and until it has come.
const PARTING: Duration = Duration::from_millis(500);

impl Session {
    /// Begins one on a connection. What is heard goes to `heard` with its number; none, when it is over.
    pub fn begin(number: u64, secure: Secure, heard: mpsc::Sender<(u64, Option<Note>)>) -> Self {
        // What waits in the system's own buffer grows old there.
        let spoken = secure.spoken;
        let _ = secure.stream.get_ref().0.get_ref().send_little(WAITING_BYTES);
        let (from, to) = tokio::io::split(secure.stream);
        let (out, notes) = mpsc::channel(WAITING);
        let (tell, mut told) = mpsc::channel(WAITING);
        let (standing, stands) = watch::channel(None);
        let writing = spawn(note::write(to, notes, stands));
        let reading = spawn(note::read(from, tell)).abort_handle();
        let pass = heard.clone();
        let passing = spawn(async move {
            while let Some(note) = told.recv().await {
                if pass.send((number, Some(note))).await.is_err() {
                    return;
                }
            }
            let _ = pass.send((number, None)).await;
        });
        let tasks = vec![reading, passing.abort_handle()];
        Self {
            number,
            spoken,
            out,
            standing,
            heard,
            writing: Some(writing),
            tasks,
            has_said: false,
            unused: HashMap::new(),
        }
    }

    /// Gives a dataset a way of its own.
    pub fn dataset(&mut self, secure: Secure, line: Line, half: Half) -> End {
        let (mut end, carry) = wire::over(secure.stream, line, half);
        end.spoken = secure.spoken;
        let (number, heard) = (self.number, self.heard.clone());
        let carrying = spawn(async move {
            // One way may be gone while the others hold: only a new session gives it another. But who ends the session closes all of
            // them, and what it said last is still to be heard.
            let _ = carry.await;
            sleep(PARTING).await;
            let _ = heard.send((number, None)).await;
        });
        self.tasks.push(carrying.abort_handle());
        end
    }

    /// Says a note, if the other side knows it. A session that does not take it any more is over soon.
    pub fn say(&self, note: Note) {
        if let Some(note) = since::known_in(note, self.spoken) {
            let _ = self.out.try_send(note);
        }
    }

    /// Says what came of a request, once that is known.
    pub fn sayer(&self, number: u64) -> impl FnOnce(Reply) + Send + 'static {
        // It keeps no session open.
        let out = self.out.downgrade();
        move |reply| {
            if let Some(out) = out.upgrade() {
                let _ = out.try_send(Note::Answer { number, reply });
            }
        }
    }

    /// Whether the other side knows this request.
    #[must_use]
    pub fn knows(&self, command: &Command) -> bool {
        since::knows(self.spoken, command)
    }

    /// Whether the other side knows such an operation.
    #[must_use]
    pub fn knows_of(&self, kind: OperationKind) -> bool {
        since::of_kind(kind) <= self.spoken
    }

    /// Says one thing more, and ends the session when that has gone.
    pub async fn part(mut self, last: Note) {
        self.say(last);
        // The ways of the datasets end after it: their end would be taken for that of the session.
        self.all_is_said().await;
    }

    /// Ends the session: nothing comes by it any more, and what was said before, an answer perhaps, still goes.
    pub async fn close(mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
        self.all_is_said().await;
    }

    /// Nothing more is said. Waits until what was has gone.
    async fn all_is_said(&mut self) {
        // Without it, what says the notes ends when all are said.
        self.out = mpsc::channel(1).0;
        if let Some(mut writing) = self.writing.take()
            && timeout(PARTING, &mut writing).await.is_err()
        {
            writing.abort();
        }
    }

    /// Says how the mirror stands, as soon as there is room for that; what was to be said of it before is not said any more.
    pub fn stand(&self, mut status: Status) {
        since::leave_out(&mut status, self.spoken);
        self.standing.send_replace(Some(Box::new(status)));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.writing.iter().for_each(JoinHandle::abort);
    }
}
