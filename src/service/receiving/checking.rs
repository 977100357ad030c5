//! Comparing the mirror with its index, a stretch at a time: generations come first.

use tokio::time::Instant;

use super::applier::Hands;
use super::failed::trouble;
use super::work::Done;
use crate::disk::apply::private::Opens;
use crate::disk::apply::survey::Cursor;
use crate::os::ground::Worker;
use crate::replica::{RelPath, Time};
use crate::service::haste::Haste;
use crate::service::news::News;

/// A comparison that goes on.
#[derive(Debug)]
pub(super) struct Checking {
    number: u64,
    haste: Haste,
    /// It goes on then.
    pub(super) not_before: Instant,
    cursor: Cursor,
    files: u64,
    bytes: u64,
    strange: u64,
    /// Those that were come across.
    databases: Vec<RelPath>,
}

impl Checking {
    /// One that begins.
    pub(super) fn begin(number: u64, haste: Haste) -> Self {
        Self {
            number,
            haste,
            not_before: Instant::now(),
            cursor: Cursor::default(),
            files: 0,
            bytes: 0,
            strange: 0,
            databases: vec![],
        }
    }
}

impl Hands {
    /// Compares the next stretch, where its time has come.
    pub(super) fn check_stretch(&mut self) {
        let began = Instant::now();
        let Some(mut check) = self.check.take_if(|check| check.not_before <= began) else { return };
        let number = check.number;
        let checked = match self.mirror.check(&check.cursor, check.haste.stretch()) {
            Ok(checked) => checked,
            Err(error) => {
                self.tell(News::Trouble(Some(trouble(&error, self.mirror.dest()))));
                let _ = self.done.send(Done::Checked { number, databases: vec![], failed: true });
                return;
            }
        };
        let mut strange = checked.strange;
        if !checked.rotten.is_empty() {
            self.tell(News::Rotten(checked.rotten.iter().map(ToString::to_string).collect()));
        }
        check.files += checked.files;
        check.bytes += checked.bytes;
        check.databases.extend(checked.databases);
        if checked.next.is_none() {
            strange.extend(self.mirror.check_extra().unwrap_or_default());
        }
        check.strange += strange.len() as u64;
        if !strange.is_empty() {
            self.strange(&strange);
        }
        let Checking { files, bytes, strange, .. } = check;
        let _ = self.done.send(Done::Checking { number, files, bytes, strange });
        match checked.next {
            Some(cursor) => {
                let not_before = Instant::now() + check.haste.rest(began.elapsed());
                self.check = Some(Checking { not_before, cursor, ..check });
            }
            None => drop(self.done.send(Done::Checked { number, databases: check.databases, failed: false })),
        }
    }

    /// Looks whether a database opens: a copy of it, on a thread of its own.
    pub(super) fn open_database(&self, number: u64, file: RelPath) {
        let done = self.done.clone();
        let say = move |file, opens| drop(done.send(Done::Opened { number, file, opens }));
        match self.mirror.private(&file) {
            Ok(Some(private)) => {
                let (told, name) = (say.clone(), file.clone());
                if let Err(error) = Worker::begin("database", async move { told(name, private.check()) }) {
                    tracing::warn!(%error, "a database could not be looked at");
                    say(file, Opens::NoRoom);
                }
            }
            Ok(None) => say(file, Opens::NoRoom),
            Err(error) => {
                tracing::warn!(%error, "a database could not be copied to be looked at");
                say(file, Opens::NoRoom);
            }
        }
    }

    /// The state as it is now may be wanted back.
    pub(super) fn pin(&self, percent: Option<u64>) {
        match self.mirror.pin(percent) {
            Ok(()) => self.tell_pinned(),
            Err(error) => tracing::warn!(%error, "the state before a doubtful change could not be kept"),
        }
    }

    /// The oldest state may be wanted back: since when something is wrong nobody knows.
    pub(super) fn pin_oldest(&self) {
        match self.mirror.pin_oldest() {
            Ok(()) => self.tell_pinned(),
            Err(error) => tracing::warn!(%error, "the earlier states could not be kept"),
        }
    }

    /// The other datasets keep what this one keeps: all go back together.
    fn tell_pinned(&self) {
        if let Ok(Some(from)) = self.mirror.kept_from() {
            self.tell(News::Kept { from });
        }
    }

    /// Another dataset keeps its state of `from`.
    pub(super) fn keep_for(&self, dataset: &str, from: Time) {
        if let Err(error) = self.mirror.keep_for(dataset, from) {
            tracing::warn!(%error, dataset, "what another dataset keeps could not be kept here");
        }
    }

    /// Both sides were the same at that second, or are not: it is known after a restart, too.
    pub(super) fn compared(&self, same: Option<i64>, is_opened: bool) {
        if self.foreign && same.is_some() {
            // It was not known yet to whom that is told.
            return;
        }
        let index = self.mirror.index();
        if let Err(error) = same.map_or_else(|| index.set_differs(), |at| index.set_same(at, is_opened)) {
            tracing::warn!(%error, "it could not be kept what a comparison found");
        }
    }
}
