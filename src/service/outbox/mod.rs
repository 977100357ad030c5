//! The shop's program `event` is told of all that lasts: each event is written into a queue in the home, and told again and
//! again, in order, until the program exits 0. Nothing waits for it but the next event. It may be told twice, and by two of it at
//! once where this program was killed meanwhile: an event has a number by which it is known again.
//!
//! - [`queue`]: the events that wait, on disk
//! - [`runner`]: the thread that tells them

pub mod queue;
pub mod runner;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::event::{LicenceNews, Noted, What};
use super::status::{Operation, OperationState, Trouble};
use crate::config::command::Command;
use crate::pair::Epoch;
use queue::{Item, MOST, Queue};
use runner::{Input, Runner, Stands};

/// So long it may fail before that is said.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// What is set for the program.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program.
    pub command: Command,
    /// How long it may run.
    pub limit: Duration,
    /// Where each dataset lies here, by its name.
    pub folders: Vec<(String, PathBuf)>,
    /// What the store is called.
    pub store: String,
    /// Which machine this is: `main` or `backup`.
    pub node: &'static str,
}

/// What has the program told.
#[derive(Debug)]
pub struct Outbox {
    inbox: mpsc::Sender<Input>,
    stands: watch::Receiver<Stands>,
    epoch: Option<Epoch>,
    thread: Option<JoinHandle<()>>,
}

impl Outbox {
    /// Begins to tell what waits in `home`, and what will. `epoch`: the one in force, where that is known.
    pub fn begin(home: &Path, setup: Setup, epoch: Option<Epoch>) -> std::io::Result<Self> {
        let (inbox, taken) = mpsc::channel();
        let (stand, stands) = watch::channel(Stands::default());
        let (home, back) = (home.to_owned(), inbox.clone());
        let run = move || Runner::new(setup, Queue::open(&home, MOST), back, stand).run(&taken);
        let thread = std::thread::Builder::new().name("events".to_owned()).spawn(run)?;
        Ok(Self { inbox, stands, epoch, thread: Some(thread) })
    }

    /// Another epoch is in force.
    pub fn epoch(&mut self, epoch: Epoch) {
        self.epoch = Some(epoch);
    }

    /// Has it told what happened, if that is one of the things that last. `by`: who did it; empty where nobody did.
    pub fn event(&self, at: Timestamp, by: &str, what: &What) {
        if let (Some(event), Ok(detail)) = (word(what), serde_json::to_value(what)) {
            self.push(at, by, event, None, detail);
        }
    }

    /// Has it told that an operation began or ended.
    pub fn operation(&self, at: Timestamp, operation: &Operation) {
        let event = match operation.state {
            OperationState::Running => "operation-began",
            OperationState::Done => "operation-done",
            OperationState::Refused => "operation-refused",
            OperationState::Failed => "operation-failed",
        };
        if let Ok(detail) = serde_json::to_value(operation) {
            self.push(at, &operation.by, event, Some(operation.id), detail);
        }
    }

    fn push(&self, at: Timestamp, by: &str, event: &str, operation: Option<u64>, detail: Value) {
        let (event, by, epoch) = (event.to_owned(), by.to_owned(), self.epoch);
        let item = Item { number: 0, at, event, epoch, operation, by, detail };
        let _ = self.inbox.send(Input::Happened(Box::new(item)));
    }

    /// What is wrong with it: for a long time now the program has not taken what it was told.
    #[must_use]
    pub fn trouble(&self, now: Instant) -> Option<Trouble> {
        let Stands { failing_since, waiting } = *self.stands.borrow();
        let failing = failing_since.map(|since| now.saturating_duration_since(since));
        let failing = failing.filter(|failing| *failing >= PATIENCE)?;
        Some(Trouble::EventsWait { waiting, for_ms: u64::try_from(failing.as_millis()).unwrap_or(u64::MAX) })
    }
}

impl Drop for Outbox {
    /// What is not told yet is told by who begins next in this home.
    fn drop(&mut self) {
        let _ = self.inbox.send(Input::Leave);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The word by which the program knows an event; none for what does not last. It never changes.
fn word(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Trouble(_) => "alarm",
        What::Mended(_) => "alarm-over",
        What::Asked(_) => "question",
        What::Answered { .. } => "answer",
        What::Licence(news) => match news {
            LicenceNews::Began => "licence-began",
            LicenceNews::Ended => "licence-ended",
            LicenceNews::Left { .. } => "licence-left",
            LicenceNews::Stopped => "licence-stopped",
            LicenceNews::ClockSet { .. } => "clock-set",
        },
        What::Noted(noted) => match noted {
            Noted::Began { .. } => "service-began",
            Noted::Ended => "service-ended",
            Noted::Epoch { .. } => "epoch",
            Noted::Duty { .. } => "duty",
            Noted::Invited => "invited",
            Noted::TerminalInvited { .. } => "terminal-invited",
            Noted::TerminalJoined { .. } => "terminal-joined",
            Noted::MessageSent { .. } => "message",
            Noted::Joined { .. } => "joined",
            Noted::Muted => "muted",
            Noted::MaintenanceBegan { .. } => "maintenance-began",
            Noted::MaintenanceEnded => "maintenance-ended",
            Noted::Revoked { .. } => "revoked",
            Noted::Configured { .. } => "configured",
            Noted::Kept { .. } => "kept",
            Noted::SteppedBack { .. } => "stepped-back",
            Noted::GivenUp { .. } => "given-up",
            Noted::Numbered { .. } => "numbered",
            Noted::RescueRead { .. } => "rescue-read",
            Noted::RescueExported { .. } => "rescue-exported",
            Noted::HistoryForgotten => "history-forgotten",
            Noted::RescueDeleting { .. } => "rescue-deleting",
            Noted::RescueDeleted { .. } => "rescue-deleted",
            Noted::RecordLost { .. } => "record-lost",
            Noted::NumbersLost { .. } => "numbers-lost",
            Noted::DiaryDamaged { .. } => "diary-damaged",
            Noted::DiaryFails { .. } => "diary-fails",
            Noted::DiaryWorks => "diary-works",
        },
        What::Opened { .. }
        | What::FirstCopy { .. }
        | What::Generation { .. }
        | What::Verified { .. }
        | What::Strange { .. }
        | What::SetAside { .. }
        | What::Special { .. }
        | What::HistoryDropped { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::config::store::Store;
    use crate::pair::Node;

    /// A home, and a program in the language of the shell that is told of events: `$0` is a file of its own.
    struct Shop {
        home: TempDir,
        setup: Setup,
    }

    impl Shop {
        fn new(script: &str, limit: Duration) -> Self {
            let home = tempfile::tempdir().unwrap();
            let text = format!(
                "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
                 [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n[hooks]\nevent = [\"sh\", \"-c\", {}, \"{{data}}/told\"]\n",
                json!(script)
            );
            let command = Store::parse(&text).unwrap().hooks.event.unwrap();
            let folders = vec![("pos".to_owned(), home.path().to_owned())];
            Self { home, setup: Setup { command, limit, folders, store: "Centro".to_owned(), node: "backup" } }
        }

        fn begin(&self) -> Outbox {
            Outbox::begin(self.home.path(), self.setup.clone(), Some(2)).unwrap()
        }

        fn told(&self) -> Vec<String> {
            let text = fs::read_to_string(self.home.path().join("told")).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }

        fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
            let end = Instant::now() + Duration::from_secs(60);
            while !holds(self) {
                assert!(Instant::now() < end, "waited in vain: {what}; told {:?}", self.told());
                std::thread::park_timeout(Duration::from_millis(5));
            }
        }

        fn waiting(&self) -> usize {
            Queue::open(self.home.path(), MOST).len()
        }
    }

    const LIMIT: Duration = Duration::from_secs(20);

    fn happens(outbox: &Outbox, epoch: u64) {
        let what = What::Noted(Noted::Epoch { epoch, holder: Node::of_epoch(epoch) });
        outbox.event(Timestamp::now(), "ana", &what);
    }

    #[test]
    fn a_program_is_told_in_order_and_all_that_it_must_know() {
        let line = "$ESPEJO_STORE $ESPEJO_NODE $ESPEJO_EPOCH $ESPEJO_EVENT [$ESPEJO_OPERATION]";
        let shop = Shop::new(&format!("echo \"{line} $(cat)\" >> $0"), LIMIT);
        let mut outbox = shop.begin();
        happens(&outbox, 2);
        outbox.epoch(3);
        let operation = Operation::begun(7, super::super::status::OperationKind::Verify, "ana", Timestamp::now());
        outbox.operation(Timestamp::now(), &operation);
        outbox.event(Timestamp::now(), "", &What::Opened { redone: 1 });
        shop.until("both are told", |shop| shop.told().len() == 2 && shop.waiting() == 0);
        let told = shop.told();
        assert!(told[0].starts_with("Centro backup 2 epoch [] {"), "{told:?}");
        assert!(told[1].starts_with("Centro backup 3 operation-began [7] {"), "{told:?}");
        let said: Item = serde_json::from_str(told[0].split_once("[] ").unwrap().1).unwrap();
        assert_eq!((said.number, &*said.by, &said.detail["epoch"]), (1, "ana", &json!(2)));
    }

    #[test]
    fn what_fails_is_told_again_before_the_next_and_a_restart_changes_nothing() {
        // It takes what it is told only where there is a file that says so.
        let shop = Shop::new("echo $ESPEJO_EPOCH >> $0; test -e $0.well", LIMIT);
        let outbox = shop.begin();
        happens(&outbox, 2);
        happens(&outbox, 4);
        shop.until("it is tried twice", |shop| shop.told().len() >= 2);
        assert!(outbox.trouble(Instant::now()).is_none(), "that may happen");
        let wrong = outbox.trouble(Instant::now() + PATIENCE);
        assert!(matches!(wrong, Some(Trouble::EventsWait { waiting: 2, .. })), "{wrong:?}");
        drop(outbox);
        assert_eq!(shop.waiting(), 2);
        let before = shop.told().len();
        fs::write(shop.home.path().join("told.well"), "").unwrap();
        let outbox = shop.begin();
        happens(&outbox, 6);
        shop.until("all are told", |shop| shop.waiting() == 0);
        shop.until("it is well again", |_| outbox.trouble(Instant::now() + PATIENCE).is_none());
        assert_eq!(shop.told()[before..].len(), 3, "{:?}", shop.told());
        assert!(shop.told()[..before].iter().all(|told| told == "2"), "no other one before: {:?}", shop.told());
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_all_that_it_began_and_holds_nobody_up() {
        let shop = Shop::new("echo $$ >> $0; cat /dev/zero >/dev/null & wait", Duration::from_millis(100));
        let outbox = shop.begin();
        happens(&outbox, 2);
        shop.until("it is tried twice", |shop| shop.told().len() == 2);
        let group: i32 = shop.told()[0].parse().unwrap();
        shop.until("nothing of it is left", |_| crate::os::group(group).is_empty());
        let began = Instant::now();
        drop(outbox);
        assert!(began.elapsed() < LIMIT);
        let group: i32 = shop.told().last().unwrap().parse().unwrap();
        shop.until("nothing of the last one is left", |_| crate::os::group(group).is_empty());
        assert_eq!(shop.waiting(), 1);
    }
}
