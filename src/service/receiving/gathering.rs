//! This machine was the server: before it follows another one, what it alone holds is set aside. The other one says what it
//! held when it began to serve, and is answered what stands here only when that is over.

use std::time::Duration;

use tokio::time::Instant;

use super::applier::Hands;
use super::failed::trouble;
use crate::disk::DiskError;
use crate::disk::apply::gather::{Gather, Gathered};
use crate::disk::lone::Against;
use crate::link::frame::{Holding, Start, ToSource};
use crate::replica::{Blocks, Body, RelPath};
use crate::service::news::News;
use crate::service::status::Trouble;

/// Time between two tries.
const RETRY: Duration = Duration::from_secs(1);

/// How far that is.
#[derive(Debug)]
pub(super) struct Gathers {
    dataset: String,
    gather: Gather,
    /// The name that is being said.
    open: Option<(RelPath, Holding, Blocks)>,
    /// Something that was said could not be compared: it is asked for again.
    failed: bool,
    next: Next,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// More of it is being said.
    Listen,
    /// It is asked for again then.
    Ask(Instant),
    /// All is compared: it is set aside then.
    Keep(Against, Instant),
}

impl Hands {
    /// Asks for the start state, where something is to be set aside. Returns whether it is.
    pub(super) fn begins_to_gather(&mut self, dataset: String) -> bool {
        let Some(served) = self.mirror.gathering().map(|gathering| gathering.served) else { return false };
        let (gather, next) = (Gather::default(), Next::Listen);
        self.gathers = Some(Gathers { dataset, gather, open: None, failed: false, next });
        self.say(&ToSource::TellStart { served });
        true
    }

    /// Whether it waits for its time.
    pub(super) fn waits_to_gather(&self) -> bool {
        self.gathers.as_ref().is_some_and(|gathers| !matches!(gathers.next, Next::Listen))
    }

    /// Takes in a piece of the start state.
    pub(super) fn started(&mut self, start: Start) {
        let Some(gathers) = &mut self.gathers else { return };
        let known = match start {
            Start::Sums { first, sums } => {
                if let Some((.., blocks)) = &mut gathers.open {
                    (first..).zip(sums).for_each(|(number, sum)| blocks.set(number, Some(sum)));
                }
                return;
            }
            Start::Held { path, what } => {
                let held = gathers.open.replace((path, what, Blocks::default()));
                return self.compare(held);
            }
            Start::IsAll { known } => known,
        };
        let held = gathers.open.take();
        self.compare(held);
        let Some(gathers) = &mut self.gathers else { return };
        let rest = self.mirror.compare_rest(&mut gathers.gather);
        gathers.failed |= rest.is_err();
        let (against, now) = (if known { Against::Start } else { Against::Now }, Instant::now());
        gathers.next = if gathers.failed { Next::Ask(now + RETRY) } else { Next::Keep(against, now) };
        if let Err(error) = rest {
            self.could_not(&error);
        }
    }

    /// Compares a name of the start state with what stands here.
    fn compare(&mut self, held: Option<(RelPath, Holding, Blocks)>) {
        let (Some((path, what, mut blocks)), Some(gathers)) = (held, &mut self.gathers) else { return };
        blocks.shrink();
        let body = match what {
            Holding::File(size) => Body::File { size, blocks },
            Holding::Symlink(target) => Body::Symlink { target: target.into() },
            Holding::Dir | Holding::Link(_) => return,
        };
        if let Err(error) = self.mirror.compare_start(&mut gathers.gather, path, &body) {
            gathers.failed = true;
            self.could_not(&error);
        }
    }

    /// Does what is due: sets aside what was found, then says what stands here.
    pub(super) fn go_on_gathering(&mut self) {
        let now = Instant::now();
        let Some(gathers) = &mut self.gathers else { return };
        let against = match gathers.next {
            Next::Keep(against, at) if at <= now => against,
            Next::Ask(at) if at <= now => {
                let dataset = std::mem::take(&mut gathers.dataset);
                self.begins_to_gather(dataset);
                return;
            }
            Next::Listen | Next::Ask(_) | Next::Keep(..) => return,
        };
        match self.mirror.gather(&gathers.gather, &gathers.dataset, against) {
            Ok(kept) => {
                self.gathers = None;
                self.tell(News::Trouble(None));
                self.tell_kept(kept);
                self.welcome(&[]);
            }
            Err(error) => {
                gathers.next = Next::Keep(against, now + RETRY);
                self.could_not(&error);
            }
        }
    }

    fn tell_kept(&self, kept: Option<Gathered>) {
        let Some(Gathered { list, to }) = kept else { return };
        let files: Vec<String> = list.files.into_iter().filter(|one| one.bytes.is_some()).map(|one| one.file).collect();
        if !files.is_empty() {
            self.tell(News::SetAside { files, to });
        }
    }

    /// Nothing is replaced before it can.
    fn could_not(&self, error: &DiskError) {
        tracing::warn!(%error, "what this machine alone holds cannot be set aside; trying again");
        let trouble = match error {
            DiskError::NoRoom { needed, free, .. } => Trouble::NoRoomAside { needed_bytes: *needed, free_bytes: *free },
            error => trouble(error, self.mirror.dest()),
        };
        self.tell(News::Trouble(Some(trouble)));
    }
}
