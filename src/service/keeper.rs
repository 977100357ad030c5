//! What the service writes into the diary of its home, and what it knows of it again after a restart.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::event::{Noted, What};
use super::member::role_name;
use super::news::News;
use super::outbox::Outbox;
use super::refusal::WhyNot;
use super::status::{HISTORY, Operation, OperationKind, OperationState, Trouble};
use crate::diary::{Diary, DiaryError, Entry, Noticed, Store, diary_path};
use crate::os::ground;
use crate::pair::{Duty, Epoch, Node};

/// So many changes of server are told to a machine that is met anew.
const TURNS: usize = 3;

/// What ended so long ago is known to the other machine, if that was heard since.
const KNOWN: SignedDuration = SignedDuration::from_mins(10);

/// So long an operation waits at the most until it is written that it begins: a disk that hangs must not stop the shop.
const PATIENCE: Duration = Duration::from_secs(5);

/// What keeps the diary of a service.
#[derive(Debug)]
pub struct Keeper {
    node: Node,
    /// What it is: its home role.
    role: Node,
    diary: Option<Diary>,
    /// The last operations as they were last written, the newest last.
    history: Vec<Operation>,
    /// The epoch that was written last.
    epoch: Option<Epoch>,
    /// What this machine did when that was written last.
    duty: Duty,
    /// What has the shop's program told, where one is set.
    outbox: Option<Outbox>,
}

impl Keeper {
    /// Opens the diary of `home`. One that cannot be had stops nobody. What is written is told by `outbox`, too.
    pub async fn open(home: &Path, (node, role): (Node, Node), outbox: Option<Outbox>) -> Self {
        let at = home.to_owned();
        let opened = ground::aside(move || Diary::open(&at)).await;
        let (diary, jobs) = match opened.and_then(|opened| opened) {
            Ok((diary, jobs)) => (Some(diary), jobs),
            Err(error) => {
                tracing::error!(%error, "the diary cannot be kept");
                (None, vec![])
            }
        };
        // What another version wrote and this one does not know is passed over.
        let history = jobs.into_iter().filter_map(|job| serde_json::from_value(job).ok()).collect();
        let keeper = Self { node, role, diary, history, epoch: None, duty: Duty::Waiting, outbox };
        keeper.event("", &What::Noted(Noted::Began { version: env!("CARGO_PKG_VERSION").to_owned() }));
        keeper
    }

    /// The last operations, the newest last.
    #[must_use]
    pub fn history(&self) -> &[Operation] {
        &self.history
    }

    /// The last changes of server of this machine, the newest last.
    pub fn turns(&self) -> impl Iterator<Item = &Operation> {
        let own = |one: &&Operation| one.kind.is_turn() && one.node == Some(self.node);
        let all: Vec<&Operation> = self.history.iter().filter(own).collect();
        let told = all.len().saturating_sub(TURNS);
        all.into_iter().skip(told)
    }

    /// What this machine has ended within the last minutes, changes of server aside.
    pub fn ended(&self, now: Timestamp) -> impl Iterator<Item = &Operation> {
        let is_recent = move |one: &&Operation| {
            one.ended_at.is_some_and(|at| (SignedDuration::ZERO..KNOWN).contains(&now.duration_since(at)))
        };
        let is_job = |one: &&Operation| !one.kind.is_turn() && one.state != OperationState::Refused;
        self.history.iter().filter(is_job).filter(|one| one.node == Some(self.node)).filter(is_recent)
    }

    /// The number of the next operation of this machine. As with epochs, one machine has the odd ones and the other the even ones,
    /// so that whoever waits for an operation takes none of the other machine's for it.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.node.next_epoch(self.history.iter().map(|operation| operation.id).max().unwrap_or(0))
    }

    /// The last operation of this machine that was running when its service ended; those before it that never came to their end
    /// are said to have been interrupted.
    pub async fn interrupted(&mut self, now: Timestamp) -> Option<Operation> {
        let (node, is_running) = (self.node, |state| state == OperationState::Running);
        let own = self.history.iter().filter(|last| is_running(last.state) && last.node == Some(node));
        let mut open: Vec<Operation> = own.cloned().collect();
        let last = open.pop();
        for mut operation in open {
            operation.fail(INTERRUPTED, now);
            self.follow(&operation, node).await;
        }
        last
    }

    /// Has it written how an operation of `node` stands, where that is something new, and waits until it is on disk.
    pub async fn follow(&mut self, now: &Operation, node: Node) {
        let Some(entry) = self.change(now, node) else { return };
        let Some(diary) = &self.diary else { return };
        if tokio::time::timeout(PATIENCE, diary.write(entry)).await != Ok(true) {
            tracing::error!(id = now.id, "an operation goes on and is not in the diary");
        }
    }

    /// Has it written how an operation of the other machine stands, where that is something new.
    pub fn hear(&mut self, now: &Operation, node: Node) {
        if let (Some(entry), Some(diary)) = (self.change(now, node), &self.diary) {
            diary.note(entry);
        }
    }

    /// Has it written that an operation was asked for and not begun.
    pub async fn refused(&mut self, kind: OperationKind, by: &str, why: &[WhyNot], now: Timestamp) {
        let mut operation = Operation::begun(self.next_id(), kind, by, now);
        (operation.state, operation.ended_at) = (OperationState::Refused, Some(now));
        operation.why_not = why.iter().map(WhyNot::stored).collect();
        let node = self.node;
        self.follow(&operation, node).await;
    }

    /// The entry of an operation, where it says something new.
    fn change(&mut self, now: &Operation, node: Node) -> Option<Entry> {
        let now = Operation { node: Some(node), ..now.clone() };
        let is_same =
            |known: &Operation| (known.id, known.started_at, known.node) == (now.id, now.started_at, now.node);
        match self.history.iter_mut().find(|known| is_same(known)) {
            Some(known) if (known.state, known.step) == (now.state, now.step) => return None,
            Some(known) => {
                let is_step = known.state == now.state;
                *known = now.clone();
                self.tell(&now, is_step);
            }
            None => {
                self.history.push(now.clone());
                self.tell(&now, false);
            }
        }
        let over = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..over);
        let name = role_name(node);
        let body = serde_json::to_value(&now).ok()?;
        let job = Some(format!("{name}-{}-{}", now.id, now.started_at));
        Some(Entry { at: ground::now(), by: now.by, job, body })
    }

    /// Has the shop's program told that an operation of this machine began or ended; a step is neither.
    fn tell(&self, operation: &Operation, is_step: bool) {
        if let Some(outbox) = self.outbox.as_ref().filter(|_| !is_step && operation.node == Some(self.node)) {
            outbox.operation(ground::now(), operation);
        }
    }

    /// What is wrong with telling the shop's program.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.outbox.as_ref()?.trouble(Instant::now())
    }

    /// Has an event written, if it is one that matters later. `by`: who did it; empty where nobody did.
    pub fn event(&self, by: &str, what: &What) {
        let Some(what) = lasting(what) else { return };
        if let Some(outbox) = &self.outbox {
            outbox.event(ground::now(), by, &what);
        }
        self.hear_event(by, &what);
    }

    /// Has an event of the other machine written. The shop's program is told of it there.
    pub fn hear_event(&self, by: &str, what: &What) {
        let Some(what) = lasting(what) else { return };
        if let (Some(diary), Ok(body)) = (&self.diary, serde_json::to_value(&what)) {
            diary.note(Entry { at: ground::now(), by: by.to_owned(), job: None, body });
        }
    }

    /// Has it written that another epoch is in force, if it is another one.
    pub fn epoch(&mut self, epoch: Epoch) {
        if let Some(outbox) = &mut self.outbox {
            outbox.epoch(epoch);
        }
        if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
            let is_own = Node::of_epoch(epoch) == self.node;
            let holder = if is_own { self.role } else { self.role.other() };
            self.event("", &What::Noted(Noted::Epoch { epoch, holder }));
        }
    }

    /// Has it written that this machine does something else, if it does.
    pub fn duty(&mut self, duty: Duty) {
        if std::mem::replace(&mut self.duty, duty) != duty {
            self.event("", &What::Noted(Noted::Duty { duty }));
        }
    }

    /// What became of the diary itself since this was asked last.
    pub fn noticed(&mut self) -> Vec<What> {
        let Some(diary) = &mut self.diary else { return vec![] };
        let all = std::iter::from_fn(|| diary.noticed()).map(|noticed| {
            What::Noted(match noticed {
                Noticed::Damaged(kept) => Noted::DiaryDamaged { kept: kept.display().to_string() },
                Noticed::Fails(error) => Noted::DiaryFails { error },
                Noticed::Works => Noted::DiaryWorks,
            })
        });
        let all: Vec<What> = all.collect();
        for what in &all {
            tracing::warn!(event = ?what);
            self.event("", what);
        }
        all
    }

    /// Has it written that the service ends, and waits until that is on disk.
    pub async fn end(&self, by: &str) {
        let what = What::Noted(Noted::Ended);
        let body = serde_json::to_value(&what).unwrap_or_default();
        if let Some(outbox) = &self.outbox {
            outbox.event(ground::now(), by, &what);
        }
        if let Some(diary) = &self.diary {
            let entry = Entry { at: ground::now(), by: by.to_owned(), job: None, body };
            let _ = tokio::time::timeout(PATIENCE, diary.write(entry)).await;
        }
    }
}

/// Writes into the diary of `home` what is done without the service, and waits until that is on disk.
pub fn add(home: &Path, by: &str, what: Noted) -> Result<(), DiaryError> {
    let body = serde_json::to_value(What::Noted(what)).unwrap_or_default();
    let entry = Entry { at: ground::now(), by: by.to_owned(), job: None, body };
    Store::open(&diary_path(home))?.append(&[entry])
}

/// Why an operation failed of which nobody knows how far it had come when the service ended.
pub const INTERRUPTED: &str = "interrupted";

/// What of an event is kept for ever, or almost; none where it is not.
fn lasting(what: &What) -> Option<What> {
    match what {
        What::Trouble(_)
        | What::Mended(_)
        | What::Asked(_)
        | What::Answered { .. }
        | What::Noted(_)
        | What::HistoryDropped { left: 0 }
        | What::Licence(_) => Some(what.clone()),
        What::Opened { .. }
        | What::FirstCopy { .. }
        | What::Generation { .. }
        | What::Verified { .. }
        | What::Strange { .. }
        | What::SetAside { .. }
        | What::Special { .. }
        | What::HistoryDropped { .. } => None,
    }
}

/// What was set aside, as one thing: the names are in the folder.
#[must_use]
pub fn kept(news: &News) -> Option<What> {
    let News::SetAside { files, to } = news else { return None };
    Some(What::Noted(Noted::Kept { files: files.len() as u64, to: to.display().to_string() }))
}
