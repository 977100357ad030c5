//! What the serving half says to the mirror.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Ended, Sending};
use crate::disk::capture::outgoing::Stopped;
use crate::link::Told;
use crate::link::frame::{BadFrame, Say, ToMirror, of_part};
use crate::link::wire::push;
use crate::replica::sealed::Sealed;
use crate::replica::{Kind, Part, RelPath};

/// Since which protocol the mirror knows of databases, and in how many files it is behind.
const SINCE: u32 = 5;

/// What is not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Behind {
    /// The oldest of it is of then.
    pub(super) since: Instant,
    /// Bytes of it, as far as that is known.
    pub(super) bytes: u64,
    /// Files of it, as far as that is known.
    pub(super) files: u64,
}

impl Sending {
    /// Says how old the oldest change is that is not acknowledged, if that is news.
    pub(super) fn tell_behind(&mut self) -> Result<(), Ended> {
        let is_behind = !self.dirty.is_empty() || !self.is_ready();
        let behind = self.behind.unwrap_or(Behind { since: Instant::now(), bytes: 0, files: 0 });
        let files = behind.files.max(self.dirty.names());
        self.say_behind(is_behind.then_some(Behind { files, ..behind }))
    }

    /// What is not acknowledged: said, if that is news.
    pub(super) fn say_behind(&mut self, behind: Option<Behind>) -> Result<(), Ended> {
        self.behind = behind;
        if self.behind == self.said_behind {
            return Ok(());
        }
        self.said_behind = self.behind;
        let age = |behind: Behind| u64::try_from(behind.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let age_ms = self.behind.map(age);
        let (bytes, files) = self.behind.map_or((0, 0), |behind| (behind.bytes, behind.files));
        let knows = self.port.spoken() >= SINCE;
        self.say(if knows { Say::BehindIn { age_ms, bytes, files } } else { Say::Behind { age_ms, bytes } })
    }

    /// Says how the source is, if that is news.
    pub(super) fn tell(&mut self) -> Result<(), Ended> {
        let shown = |paths: &mut dyn Iterator<Item = &RelPath>| fits(&mut paths.map(ToString::to_string), String::len);
        let emptied: Vec<String> = shown(&mut self.source.guard().ripe());
        let mut kinds = self.source.kinds();
        if self.port.spoken() < SINCE {
            // Of the databases it knows nothing but that they are files.
            kinds = kinds.into_iter().map(Kind::known_before).collect();
            kinds.dedup();
        }
        let told = Told {
            kinds,
            files: self.source.tree().files(),
            bytes: self.source.tree().bytes(),
            unreadable: shown(&mut self.source.unreadable().keys()),
            special: shown(&mut self.source.special().iter()),
            emptied,
            older: self.told.older.clone(),
            removals: self.told.removals,
            error: self.told.error.clone(),
            rescans_ms: self.told.rescans_ms,
            is_remote: self.told.is_remote,
        };
        self.told = told;
        self.tell_plain()?;
        if self.said.as_ref() == Some(&self.told) {
            return Ok(());
        }
        self.said = Some(self.told.clone());
        self.say(Say::Told(self.told.clone()))
    }

    /// Says which databases are captured as plain files, if that is news.
    fn tell_plain(&mut self) -> Result<(), Ended> {
        let all = self.source.plain().iter().map(|(path, why)| (path.to_string(), why.clone()));
        let plain = fits(&mut { all }, |(path, why)| path.len() + why.len());
        if self.port.spoken() < SINCE || self.plain.as_ref() == Some(&plain) {
            return Ok(());
        }
        self.plain = Some(plain.clone());
        self.say(Say::Plain(plain))
    }

    pub(super) fn say(&self, say: Say) -> Result<(), Ended> {
        // Where there is no link, nobody listens: all of it is said anew to the next one.
        self.port
            .out()
            .map_or(Ok(()), |out| send(out, ToMirror::Say(say).encode().map(Sealed::from)).map_err(|_| Ended::Closed))
    }
}

/// Bytes of names of one sort that are told: a frame holds no more.
const NAMES: usize = 128 * 1024;

/// As many of them as can be told.
fn fits<T>(all: &mut dyn Iterator<Item = T>, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let mut told = 0;
    all.take_while(|one| {
        told += bytes(one);
        told <= NAMES
    })
    .collect()
}

fn send(link: &mpsc::Sender<Sealed>, frame: Result<Sealed, BadFrame>) -> Result<(), Stopped> {
    let frame = frame.map_err(|bad| Stopped::Spool(std::io::Error::other(bad)))?;
    push(link, frame).map_err(|_| Stopped::Closed)
}

pub(super) fn send_part(link: &mpsc::Sender<Sealed>, part: &Part) -> Result<(), Stopped> {
    send(link, of_part(part))
}
