//! One generation on its way in: journaled part by part, proven and made durable at its end, then acknowledged.

use tokio::time::Instant;

use super::work::Work;
use super::{Receiving, Took};
use crate::disk::{DiskError, point};
use crate::link::frame::ToSource;
use crate::replica::part::{Begin, Content, End, Mode, Part};
use crate::replica::position::Rolling;
use crate::replica::{BLOCK, Grade, Position};
use crate::service::news::{News, Passing};

/// Bytes that must stay free beside what a generation needs.
const SPARE: u64 = 1024 * 1024;

/// Of fewer bytes it means nothing that most of them change.
const LEAST: u64 = 4 * 1024 * 1024;

/// The generation that is coming, if one is.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    open: Option<Open>,
    file: Option<Passing>,
    told_at: Option<Instant>,
    /// The file that was told to have come.
    told: Option<u32>,
}

#[derive(Debug)]
struct Open {
    begin: Begin,
    rolling: Rolling,
    began: Instant,
    /// Bytes that it makes zeros: what they were must be kept, too.
    zeroed: u64,
    /// It failed on this side: what is left of it is passed over.
    failed: bool,
}

/// What became of a part.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is taken in.
    Taken,
    /// It ended a generation, which is durable.
    Durable(crate::disk::journal::redo::Stored),
}

impl Incoming {
    /// Whether a generation is coming.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

impl Receiving {
    /// Takes in a part, as it was sealed. An error is one of the other side's: the link ends.
    pub(super) fn part(&mut self, part: Part, sealed: &[u8]) -> Result<(), String> {
        self.show(&part);
        if let Part::Begin(begin) = &part {
            self.begin_generation(begin.clone())?;
        }
        let Some(open) = &mut self.incoming.open else {
            return Err("a part of no generation".to_owned());
        };
        part.feed(&mut open.rolling).map_err(|bad| bad.to_string())?;
        if let Part::End(end) = &part {
            let position = Position { seq: open.begin.parent.seq + 1, checksum: open.rolling.end() };
            if end.position != position {
                return Err(format!("generation {} ends at {}, not at {position}", position.seq, end.position));
            }
        }
        if let Part::Zero { count, .. } = &part {
            open.zeroed = open.zeroed.saturating_add(count.saturating_mul(BLOCK as u64));
        }
        if open.begin.mode == Mode::Build {
            let ends = matches!(part, Part::End(_));
            self.applier.work(Work::Build(part));
            if ends {
                self.incoming = Incoming::default();
            }
            return Ok(());
        }
        if !open.failed {
            match self.journal(&part, sealed) {
                Ok(Verdict::Taken) => {}
                Ok(Verdict::Durable(stored)) => return self.acknowledge(stored),
                Err(error) => {
                    self.trouble(&error);
                    let _ = self.redo.give_up();
                    if let Some(open) = &mut self.incoming.open {
                        open.failed = true;
                    }
                }
            }
        }
        match part {
            Part::End(end) => self.refuse(&end),
            _ => Ok(()),
        }
    }

    fn begin_generation(&mut self, begin: Begin) -> Result<(), String> {
        if self.incoming.is_open() {
            return Err("a generation within a generation".to_owned());
        }
        if begin.epoch < self.epoch {
            return Err(format!("a generation of epoch {}, this machine has seen {}", begin.epoch, self.epoch));
        }
        if begin.parent != self.durable {
            return Err(format!("a generation after {}, this machine is at {}", begin.parent, self.durable));
        }
        if begin.mode == Mode::Build {
            self.tell(News::FirstCopy);
        } else {
            if self.unapplied == 0 {
                self.redo.rewind().map_err(|error| error.to_string())?;
            }
            self.redo.begin();
        }
        self.tell(News::Coming(begin.clone()));
        let rolling = begin.parent.checksum.roll();
        self.incoming.open = Some(Open { begin, rolling, began: Instant::now(), zeroed: 0, failed: false });
        Ok(())
    }

    fn journal(&mut self, part: &Part, sealed: &[u8]) -> Took {
        self.redo.append(sealed)?;
        point!("redo.appended");
        let (Part::End(end), Some(open)) = (part, &self.incoming.open) else { return Ok(Verdict::Taken) };
        let (begin, zeroed) = (open.begin.clone(), open.zeroed);
        self.reserve(end.bytes.saturating_add(zeroed))?;
        point!("redo.before-sync");
        let stored = self.redo.commit(begin, end.clone())?;
        point!("redo.durable");
        Ok(Verdict::Durable(stored))
    }

    /// An acknowledgement is a promise: there must be room to keep it. What is written once in the redo may be needed as
    /// often in the undo and in the mirror.
    fn reserve(&mut self, bytes: u64) -> Result<(), DiskError> {
        let path = self.dest.path().to_owned();
        let io = |source| DiskError::Io { doing: "looking for room in", path: path.clone(), source };
        let needed = self.unapplied.saturating_add(bytes).saturating_mul(2).saturating_add(SPARE);
        loop {
            let free = self.dest.free().map_err(io)?;
            if free >= needed {
                return Ok(());
            }
            if !self.applier.drop_history()? {
                return Err(DiskError::NoRoom { path, needed, free });
            }
        }
    }

    fn acknowledge(&mut self, stored: crate::disk::journal::redo::Stored) -> Result<(), String> {
        let open = self.incoming.open.take();
        let (took, zeroed) = open.map(|open| (open.began.elapsed(), open.zeroed)).unwrap_or_default();
        self.durable = stored.end.position;
        self.unapplied += stored.to - stored.from;
        self.say(&ToSource::Ack(stored.end.position))?;
        ack_sent();
        self.mended();
        if let Some(percent) = self.much(stored.end.bytes.saturating_add(zeroed)) {
            tracing::warn!(percent, seq = stored.end.position.seq, "a generation changed more than a shop does");
            self.applier.work(Work::Pin { percent: Some(percent) });
            self.tell(News::MuchChanged { percent });
        }
        let moves = stored.end.grade == Grade::Unsteady;
        if moves && !std::mem::replace(&mut self.moves, moves) {
            self.applier.work(Work::Pin { percent: None });
        }
        self.moves = moves;
        self.tell(News::Durable { end: stored.end.clone(), begin: stored.begin.clone(), took });
        self.applier.work(Work::Step(stored));
        Ok(())
    }

    /// Of a hundred bytes so many changed, where that is more than is set: `bytes` did. Of little data much may change.
    fn much(&self, bytes: u64) -> Option<u64> {
        let percent = bytes.saturating_mul(100).checked_div(self.held)?.min(100);
        (self.held >= LEAST && percent >= self.suspicious).then_some(percent)
    }

    fn refuse(&mut self, end: &End) -> Result<(), String> {
        self.incoming = Incoming::default();
        self.tell(News::GivenUp);
        self.say(&ToSource::Refused { seq: end.position.seq })
    }

    /// Tells which file is coming, not more often than a person can see.
    fn show(&mut self, part: &Part) {
        match part {
            Part::Put(put) if put.number > 0 => {
                let Content::File { bytes, .. } = put.content else { return };
                let files = self.incoming.open.as_ref().map_or(0, |open| open.begin.files);
                self.file_ended();
                let file = put.path.to_string();
                self.incoming.file = Some(Passing { number: put.number, file, done: 0, total: bytes, files });
            }
            Part::Data(data) => {
                if let Some(file) = &mut self.incoming.file {
                    file.done += data.bytes.len() as u64;
                    file.total = file.total.max(file.done);
                }
                self.show_file(false);
            }
            Part::End(_) => self.file_ended(),
            Part::Begin(_) | Part::Gone(_) | Part::Put(_) | Part::Zero { .. } => {}
        }
    }

    fn file_ended(&mut self) {
        if let Some(file) = &mut self.incoming.file {
            let told = file.done == file.total && self.incoming.told == Some(file.number);
            file.done = file.total;
            if !told {
                self.show_file(true);
            }
            self.incoming.file = None;
        }
    }

    fn show_file(&mut self, ended: bool) {
        let now = Instant::now();
        let due = self.incoming.told_at.is_none_or(|at| now.duration_since(at).as_millis() >= 100);
        if let Some(file) = self.incoming.file.clone().filter(|_| due || ended) {
            self.incoming.told_at = Some(now);
            self.incoming.told = (file.done == file.total).then_some(file.number);
            self.tell(News::File(file));
        }
    }
}

fn ack_sent() {
    point!("ack.sent");
}
