//! A first copy on its way into the mirror; and what becomes of one that fails.

use std::time::Duration;

use tokio::time::Instant;

use super::applier::Hands;
use super::failed::trouble;
use super::work::Done;
use crate::disk::DiskError;
use crate::disk::apply::build::Build;
use crate::disk::journal::index::Form;
use crate::link::frame::ToSource;
use crate::os::ground;
use crate::replica::{Begin, End, Part};
use crate::service::news::{News, Standing};

/// How long is waited at the most before a first copy that failed is asked for again.
const PAUSE: Duration = Duration::from_secs(10);

/// Bytes that must have become free for it to be asked for at once.
const MORE_ROOM: u64 = 1024 * 1024;

/// How far a first copy is.
#[derive(Debug)]
pub(super) enum BuildStage {
    None,
    Open {
        build: Box<Build>,
        begin: Begin,
        began: Instant,
    },
    /// It failed: what is left of it is passed over.
    Failed,
}

/// How long is waited after a first copy failed: until there is more room, or for so long.
#[derive(Debug)]
pub(super) struct Pause {
    free: u64,
    /// What stands there could not be looked over, which is told until it can be.
    unseen: bool,
    until: Instant,
}

impl Hands {
    pub(super) fn build(&mut self, part: Part) {
        if let Part::Begin(begin) = &part {
            let stamp = ground::now().strftime("%Y%m%d-%H%M%S").to_string();
            self.build = match self.mirror.build(begin.clone(), &stamp) {
                Ok(build) => BuildStage::Open { build: Box::new(build), begin: begin.clone(), began: Instant::now() },
                Err(error) => self.build_failed(&error, begin.parent.seq + 1),
            };
            self.tell_aside(None);
        }
        if let Part::End(end) = part {
            return self.build_end(end);
        }
        if let BuildStage::Open { build, begin, .. } = &mut self.build
            && let Err(error) = self.mirror.build_part(build, part)
        {
            let seq = begin.parent.seq + 1;
            self.build = self.build_failed(&error, seq);
        }
    }

    fn build_end(&mut self, end: End) {
        match std::mem::replace(&mut self.build, BuildStage::None) {
            BuildStage::None => {}
            BuildStage::Failed => self.begin_pause(false),
            BuildStage::Open { build, begin, began } => {
                let files: Vec<String> = build.set_aside.iter().map(ToString::to_string).collect();
                if let Some(to) = build.aside().filter(|_| !files.is_empty()).cloned() {
                    self.tell(News::SetAside { files, to });
                }
                match self.mirror.build_end(*build, &end) {
                    Ok(()) => {
                        self.answering.changed();
                        let _ = self.done.send(Done::Built { end, begin, took: began.elapsed() });
                    }
                    Err(error) => {
                        self.build_failed(&error, end.position.seq);
                        self.begin_pause(false);
                    }
                }
            }
        }
    }

    /// Begins the copy anew: what stands there is known to the next first copy. Returns whether what it was is forgotten.
    pub(super) fn reseed(&mut self) -> bool {
        match self.mirror.reseed() {
            Ok(found) => {
                let at = Standing { position: self.mirror.state().position, ..Standing::default() };
                self.tell(News::Opened { at, redone: 0, strange: vec![], rotten: vec![], found });
            }
            Err(error) => {
                tracing::warn!(%error, "the copy could not be taken anew");
                self.tell(News::NotReseeded(error.to_string()));
                if self.mirror.state().form != Form::Committed {
                    // It is of no use until it comes, all the same.
                    let at = Standing { position: self.mirror.state().position, ..Standing::default() };
                    self.tell(News::Opened { at, redone: 0, strange: vec![], rotten: vec![], found: 0 });
                    let unseen = self.pause.as_ref().is_some_and(|pause| pause.unseen);
                    self.begin_pause(unseen);
                }
            }
        }
        self.tell_aside(None);
        let is_forgotten = self.mirror.state().form != Form::Committed;
        if is_forgotten {
            // What is in pieces is compared by nobody.
            self.check = None;
            let _ = self.done.send(Done::Reseeded);
        }
        is_forgotten
    }

    /// Says at once that the first copy failed: it need not come to its end.
    fn build_failed(&self, error: &DiskError, seq: u64) -> BuildStage {
        tracing::warn!(%error, "the first copy could not go on");
        self.tell(News::Trouble(Some(trouble(error, self.mirror.dest()))));
        let _ = self.done.send(Done::BuildRefused);
        self.say(&ToSource::Refused { seq });
        BuildStage::Failed
    }

    pub(super) fn build_given_up(&mut self) {
        match std::mem::replace(&mut self.build, BuildStage::None) {
            BuildStage::Failed => self.begin_pause(false),
            BuildStage::None | BuildStage::Open { .. } => self.ask_again(false),
        }
    }

    fn begin_pause(&mut self, unseen: bool) {
        let free = self.mirror.dest().free().unwrap_or(0);
        self.pause = Some(Pause { free, unseen, until: Instant::now() + PAUSE });
    }

    /// Asks for the first copy again once there is more room, or after a while.
    pub(super) fn end_pause(&mut self) {
        let dest = self.mirror.dest();
        let has_room = |pause: &Pause| dest.free().unwrap_or(0) > pause.free + MORE_ROOM;
        let over = |pause: &mut Pause| Instant::now() >= pause.until || has_room(pause);
        if let Some(Pause { unseen, .. }) = self.pause.take_if(over) {
            self.ask_again(unseen);
        }
    }

    /// Asks for the first copy again. What came already need not come again.
    fn ask_again(&mut self, unseen: bool) {
        if !self.look_again() {
            return self.begin_pause(true);
        }
        if unseen {
            self.tell(News::Trouble(None));
        }
        self.welcome(&[]);
    }

    /// The link went before it came to its end: what came of it is found out, to be said to the next.
    pub(super) fn build_abandoned(&mut self) {
        if !matches!(std::mem::replace(&mut self.build, BuildStage::None), BuildStage::None) {
            // What is not known is not said to the next: it waits until it is.
            if !self.look_again() {
                self.begin_pause(true);
            }
        }
    }

    /// Finds out what came of a first copy. Returns whether that could be done: what the index says is not what stands there before.
    fn look_again(&mut self) -> bool {
        let looked = self.mirror.look_again();
        self.tell_aside(None);
        if let Err(error) = &looked {
            tracing::warn!(%error, "what came of the first copy could not be looked over; trying again");
            self.tell(News::Trouble(Some(trouble(error, self.mirror.dest()))));
            let _ = self.done.send(Done::BuildRefused);
        }
        looked.is_ok()
    }
}
