//! The first copy: streamed, then closed by a small second pass, all one generation.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ears::Ears;
use super::tell::{Behind, send_part};
use super::{Ended, Flight, RETRY, Sending};
use crate::disk::capture::candidates::Dirty;
use crate::disk::capture::guard::Removals;
use crate::disk::capture::outgoing::{self, Outgoing, Stopped};
use crate::disk::capture::settle::Moves;
use crate::disk::capture::stream::Broken;
use crate::disk::capture::{Outcome, Source, SourceError, Stop};
use crate::link::frame::{Say, ToSource};
use crate::os::ground::pause;
use crate::replica::{End, Part};

impl Sending {
    /// Sends everything, unless most of what the mirror holds would go: that is asked first. Where the source is away, it is
    /// tried again.
    pub(super) fn first_copy(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if now < self.not_before {
            return Ok(());
        }
        let before = self.source.first_removals().and_then(|removals| Ok((removals, self.source.weigh()?)));
        let (removals, (files, bytes)) = match before {
            Ok(before) => before,
            Err(error) => return self.source_is_away(&error),
        };
        self.told.removals = removals.map(|lost| (lost.gone, lost.of));
        if self.told.removals.is_some() {
            self.not_before = now + RETRY;
            return self.tell();
        }
        if self.told.error.take().is_some() || self.watched != self.source.inode() {
            self.begin_to_watch();
        }
        self.tell()?;
        self.say_behind(Some(Behind { since: now, bytes, files }))?;
        let (Some(link), early) = (self.port.link(), &mut self.early) else { return Err(Ended::Closed) };
        let mut out = |part: Part| {
            hear_refusal(&mut link.inbox, early)?;
            send_part(&link.out, &part)
        };
        let begin = outgoing::build(self.settings.epoch, self.position);
        let sent = match Outgoing::begin(begin, &mut out) {
            Ok(out) => build(&mut self.source, out, &mut self.moved),
            Err(stopped) => Err(stopped.into()),
        };
        match sent {
            Ok((end, dirty)) => {
                self.dirty = dirty;
                if self.watched != self.source.inode() {
                    // Another folder came meanwhile.
                    self.begin_to_watch();
                    self.dirty.everything = true;
                }
                self.flight = Some(Flight { end, captured: None, began: now });
                self.learning.first_copy_sent();
                self.tell()
            }
            Err(Broken::Stopped(Stopped::Closed)) => Err(Ended::Closed),
            Err(Broken::Stopped(Stopped::Refused)) => {
                self.learning.begin_again();
                self.say(Say::GiveUp)
            }
            Err(Broken::Stopped(Stopped::Spool(error))) => Err(Ended::System(error)),
            Err(Broken::Source(error)) => {
                // What came already need not come again: the mirror says what that is.
                self.learning.begin_again();
                self.say(Say::GiveUp)?;
                self.source_is_away(&error)
            }
        }
    }

    fn source_is_away(&mut self, error: &SourceError) -> Result<(), Ended> {
        self.told.error = Some(error.to_string());
        self.not_before = Instant::now() + RETRY;
        self.tell()
    }
}

/// Takes in what the mirror says meanwhile, for later; only that it could not take the copy counts at once.
fn hear_refusal(inbox: &mut mpsc::Receiver<Bytes>, early: &mut VecDeque<Bytes>) -> Result<(), Stopped> {
    while let Ok(frame) = inbox.try_recv() {
        if matches!(ToSource::decode(&frame), Ok(ToSource::Refused { .. })) {
            return Err(Stopped::Refused);
        }
        early.push_back(frame);
    }
    Ok(())
}

/// Streams everything, then captures what has moved meanwhile. Returns what moved on after that.
fn build(source: &mut Source, mut out: Outgoing<'_>, moved: &mut Ears) -> Result<(End, Dirty), Broken> {
    let mut dirty = source.stream(&mut out)?;
    let rest = loop {
        match source.capture(dirty, Moves::Ignore, &mut |gap| moved.wait(gap))? {
            Outcome::Nothing => break Dirty::default(),
            Outcome::Captured(captured) => {
                out.captured(&captured)?;
                let rest = captured.dirty.clone();
                source.commit(captured);
                break rest;
            }
            Outcome::Wait { until, dirty: again } => {
                let now = Instant::now();
                pause(until.saturating_duration_since(now));
                dirty = again;
            }
            Outcome::Stopped { why, .. } => {
                let error = std::io::Error::other(match why {
                    Stop::Removals(Removals { gone, of }) => {
                        format!("{gone} of {of} files went while the first copy was made")
                    }
                    Stop::Older(files) => {
                        format!("{} files became older while the first copy was made", files.len())
                    }
                });
                return Err(SourceError::Gone { path: source.path().to_owned(), error }.into());
            }
        }
    };
    let grade = source.grade();
    Ok((out.end(grade)?, rest))
}
