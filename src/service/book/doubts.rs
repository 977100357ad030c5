//! Why the copy may be worth less than it looks.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::Book;
use crate::disk::journal::noted::Doubted;
use crate::replica::Time;
use crate::service::doubt::Doubt;
use crate::service::event::What;
use crate::service::news::News;
use crate::service::status::PeerState;

/// For so long is said that much has changed: the state before is kept as long.
const KEPT: Duration = Duration::from_secs(86_400);

/// A proof that is older is told: one is tried each day.
const LONG_AGO: Duration = Duration::from_secs(2 * 86_400);

/// What is known of that.
#[derive(Debug)]
pub(super) struct Doubts {
    /// Databases that do not open, and why.
    pub(super) broken: Vec<(String, String)>,
    /// For so many others there was no room to look.
    unopened: u64,
    /// Bytes of the two sides differed, as far as was looked last.
    differs: bool,
    /// Files that were not what was written.
    pub(super) rotten: BTreeSet<String>,
    /// Why what was acknowledged cannot be applied, if it cannot, and what time the mirror is of.
    pub(super) unapplied: Option<(String, Time)>,
    /// Databases that are captured as plain files, with the reason.
    pub(super) plain: Vec<(String, String)>,
    /// A generation changed so many of a hundred bytes, and when.
    much: Option<(u64, Timestamp)>,
    /// What was changed until then was meant, a person says.
    meant: Timestamp,
    /// What never holds still for so long is told.
    pub(super) steady_alarm: Duration,
}

impl Default for Doubts {
    fn default() -> Self {
        Self {
            broken: vec![],
            unopened: 0,
            differs: false,
            rotten: BTreeSet::new(),
            unapplied: None,
            plain: vec![],
            much: None,
            meant: Timestamp::MIN,
            steady_alarm: crate::config::mirror::STEADY_ALARM,
        }
    }
}

impl Doubts {
    /// The mirror is opened, and knows what happened before.
    pub(super) fn open(&mut self, doubted: Option<Doubted>, much: Option<(u64, i64)>) {
        self.differs = doubted == Some(Doubted::Differs);
        let at = |(percent, seconds)| Some((percent, Timestamp::from_second(seconds).ok()?));
        self.much = much.and_then(at).or(self.much);
        self.unapplied = None;
    }

    /// Both sides were compared, byte for byte, or this one begins anew.
    pub(super) fn compared(&mut self, differed: u64, wrong: bool) {
        self.differs |= wrong;
        if differed == 0 {
            self.differs = false;
            self.rotten.clear();
        }
    }

    /// Takes in what tells of files that are not what they should be.
    pub(super) fn hear(&mut self, news: News, now: Timestamp) -> Vec<What> {
        match news {
            News::Broken { databases, unopened } => (self.broken, self.unopened) = (databases, unopened),
            News::Unapplied(why) => self.unapplied = why,
            News::Plain(files) => self.plain = files,
            News::MuchChanged { percent } => self.much = Some((percent, now)),
            News::Meant(until) => self.meant = until,
            News::Rotten(files) => {
                self.differs = true;
                self.rotten.extend(files);
            }
            News::Strange(files) => return files.into_iter().map(|file| What::Strange { file }).collect(),
            _ => {}
        }
        vec![]
    }
}

impl Book {
    /// Whether bytes of the copy are known to be wrong: this disk has damaged them, or a comparison found that they differ, and none has
    /// found since that all are the same.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.doubts.differs
    }

    /// Why what was acknowledged cannot be applied, if it cannot.
    #[must_use]
    pub fn unapplied(&self) -> Option<&str> {
        self.doubts.unapplied.as_ref().map(|(why, _)| why.as_str())
    }

    pub(super) fn doubts(&self, now: Timestamp) -> Vec<Doubt> {
        let Doubts { broken, rotten, meant, steady_alarm, .. } = &self.doubts;
        let database = broken.first().map(|(file, why)| Doubt::Database {
            file: file.clone(),
            why: why.clone(),
            more: broken.len() as u64 - 1,
        });
        // Whoever is heard sends them again at once.
        let first = rotten.first().filter(|_| self.link != PeerState::Healthy);
        let rotten = first.map(|first| Doubt::Rotten { files: rotten.len() as u64, first: first.clone() });
        let for_long = |since: &Timestamp| now.duration_since(*since).unsigned_abs() >= *steady_alarm;
        let since = self.unsteady_since.filter(for_long);
        let unsteady = since.map(|since| Doubt::Unsteady { dataset: self.name.clone(), since });
        let lately = |(_, at): &&(u64, Timestamp)| at > meant && now.duration_since(*at).unsigned_abs() < KEPT;
        let much = self.doubts.much.as_ref().filter(lately).map(|(percent, at)| Doubt::MuchChanged {
            dataset: self.name.clone(),
            percent: *percent,
            at: *at,
        });
        let name = || self.name.clone();
        let unopened = match self.doubts.unopened {
            0 => None,
            databases => Some(Doubt::Unopened { dataset: name(), databases }),
        };
        let ago = self.verified_at.filter(|_| self.is_usable()).map(|at| now.duration_since(at));
        let old = ago
            .filter(|ago| ago.unsigned_abs() >= LONG_AGO)
            .map(|ago| Doubt::ProofOld { dataset: name(), days: ago.unsigned_abs().as_secs() / 86_400 });
        [database, rotten, unsteady, much, unopened, old].into_iter().flatten().collect()
    }
}
