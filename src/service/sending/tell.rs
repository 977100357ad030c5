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

/// Since which protocol the mirror knows of databases.
const SINCE: u32 = 5;

impl Sending {
    /// Says how old the oldest change is that is not acknowledged, if that is news.
    pub(super) fn tell_behind(&mut self) -> Result<(), Ended> {
        let behind = !self.dirty.is_empty() || !self.is_ready();
        self.say_behind(behind.then(|| self.behind.unwrap_or((Instant::now(), 0))))
    }

    /// Since when something is not acknowledged, and how many bytes are known of it: said, if that is news.
    pub(super) fn say_behind(&mut self, behind: Option<(Instant, u64)>) -> Result<(), Ended> {
        self.behind = behind;
        if self.behind == self.said_behind {
            return Ok(());
        }
        self.said_behind = self.behind;
        let age = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (age_ms, bytes) = self.behind.map_or((None, 0), |(since, bytes)| (Some(age(since)), bytes));
        self.say(Say::Behind { age_ms, bytes })
    }

    /// Says how the source is, if that is news.
    pub(super) fn tell(&mut self) -> Result<(), Ended> {
        let shown = |paths: &mut dyn Iterator<Item = &RelPath>| paths.map(ToString::to_string).collect::<Vec<_>>();
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
        let plain: Vec<(String, String)> =
            self.source.plain().iter().map(|(path, why)| (path.to_string(), why.clone())).collect();
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

fn send(link: &mpsc::Sender<Sealed>, frame: Result<Sealed, BadFrame>) -> Result<(), Stopped> {
    let frame = frame.map_err(|bad| Stopped::Spool(std::io::Error::other(bad)))?;
    push(link, frame).map_err(|_| Stopped::Closed)
}

pub(super) fn send_part(link: &mpsc::Sender<Sealed>, part: &Part) -> Result<(), Stopped> {
    send(link, of_part(part))
}
