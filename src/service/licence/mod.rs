//! The backup licence of this machine: what is installed, and the ledger of its days, kept in the home.
//!
//! The ledger stands there twice, in two folders. Either copy alone is enough; where both are gone or damaged on a machine
//! that has served, no days are left until a newer licence, or a completed return, gives new ones.
//!
//! - [`grace`]: the POS server is stopped some time after the days are over
//! - `tests`: a made-up machine that serves, is restarted, and whose files are damaged

pub mod grace;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};

use super::alarms::Alarms;
use super::event::{Event, LicenceNews, What};
use super::home::{load_record, save};
use super::refusal::WhyNot;
use super::status::{EVENTS, Licence, LicenceState, LicenceTrouble, Reason, Status, Trouble};
use crate::config::change::VendorKey;
use crate::config::store::Store;
use crate::licence::key::PublicKey;
use crate::licence::ledger::Noted;
use crate::licence::seal::{self, Copy};
use crate::licence::standing::{Standing, State, standing};
use crate::licence::token::{self, LONGEST, TokenError};
use crate::licence::{Grant, Ledger, Moment, warning};
use crate::os;
use crate::os::ground;

/// Names a file with a number of milliseconds that have passed beside, 49 days at the most; for practice, where ten days need
/// not take ten days. It can only use days up.
pub const PASSED: &str = "ESPEJO_PASSED";

/// Milliseconds after which the ledger is saved again while the days run.
const SAVED_EACH_MS: u64 = 60_000;

/// For whom a licence would have to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The store.
    pub store: String,
    /// The machine, as it is written.
    pub machine: String,
    /// Days where no vendor is named.
    pub days: u32,
    /// Whose signature counts.
    pub vendor: Option<VendorKey>,
}

/// Why no licence holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lack {
    /// None is installed.
    Missing,
    /// The vendor's key in `store.toml` is none.
    NoKey,
    /// It does not hold here.
    Unfit(TokenError),
    /// The system refused to read it.
    Unread(String),
}

/// The backup licence of this machine.
#[derive(Debug)]
pub struct Licensing {
    home: PathBuf,
    holder: Holder,
    /// The file that was read last, by time and length, and what it grants.
    installed: (Option<(SystemTime, u64)>, Result<Grant, Lack>),
    ledger: Ledger,
    /// When the ledger was last given out to be saved.
    saved: Option<Moment>,
    /// What was left when it was last looked at.
    left_ms: Option<u64>,
    alarms: Alarms,
    events: Vec<Event>,
    /// What has happened since that was asked last.
    fresh: Vec<What>,
}

/// A ledger to be written.
#[derive(Debug)]
#[must_use = "what is not written is lost with the service"]
pub struct Save {
    home: PathBuf,
    text: String,
}

/// Where an installed licence is kept.
#[must_use]
pub fn token_path(home: &Path) -> PathBuf {
    home.join("licence").join("token")
}

/// Where the two copies of the ledger are kept.
#[must_use]
pub fn ledger_paths(home: &Path) -> [PathBuf; 2] {
    [home.join("licence").join("ledger"), home.join("ledger")]
}

/// Now, by the system's own count and by the wall clock.
#[must_use]
pub fn now() -> Moment {
    // Without a count of the system's own each process is a start of its own: the wall clock estimates.
    let (boot, up_ms) = os::up().unwrap_or_else(|_| (format!("process {}", std::process::id()), 0));
    let (beside, wall) = (beside(), ground::now());
    let up_ms = up_ms.saturating_add(u64::try_from(beside.as_millis()).unwrap_or(0));
    Moment { boot, up_ms, wall: wall.checked_add(beside).unwrap_or(wall) }
}

/// What has passed beside; never less than nothing.
fn beside() -> SignedDuration {
    let said = std::env::var_os(PASSED).and_then(|path| fs::read_to_string(path).ok());
    let passed_ms = said.and_then(|said| said.trim().parse::<u32>().ok()).unwrap_or(0);
    SignedDuration::from_millis(passed_ms.into())
}

impl Holder {
    /// The machine of this name in `store`.
    #[must_use]
    pub fn new(store: &Store, machine: String) -> Self {
        let (days, vendor) = (store.licence.days, store.licence.vendor_key.clone());
        Self { store: store.name.clone(), machine, days, vendor }
    }

    /// The key that counts, where a vendor is named.
    pub fn key(&self) -> Result<Option<PublicKey>, Lack> {
        let parse = |key: &VendorKey| PublicKey::parse(key.as_str()).map_err(|_| Lack::NoKey);
        self.vendor.as_ref().map(parse).transpose()
    }

    /// What the licence in `text` grants here.
    pub fn grant(&self, text: &str) -> Result<Grant, Lack> {
        match self.key()? {
            None => Ok(Grant::built_in(self.days)),
            Some(key) => token::verify(text, &key, &self.store, &self.machine).map_err(Lack::Unfit),
        }
    }

    /// What holds in `home`.
    pub fn installed(&self, home: &Path) -> Result<Grant, Lack> {
        if self.vendor.is_none() {
            return Ok(Grant::built_in(self.days));
        }
        let path = token_path(home);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Lack::Missing),
            Ok(meta) if meta.len() > LONGEST as u64 => return Err(Lack::Unfit(TokenError::NoLicence)),
            Err(error) => return Err(Lack::Unread(error.to_string())),
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(|error| Lack::Unread(error.to_string()))?;
        self.grant(&String::from_utf8_lossy(&bytes))
    }
}

/// Whether the machine of `home` has ever been the server, as far as its record knows.
pub fn has_served(home: &Path) -> io::Result<bool> {
    Ok(load_record(home)?.is_some_and(|record| record.served() > 0))
}

/// The `machine` of `home`, which was the main until now, is a backup: the days that it served do not count. Where it was one before,
/// its ledger goes on.
pub fn begin_ledger(home: &Path, machine: &str) -> io::Result<()> {
    if ledger_paths(home).iter().any(|path| path.exists()) {
        return Ok(());
    }
    Save { home: home.to_owned(), text: seal::write(&Ledger::default(), machine) }.write()
}

/// The ledger in `home`.
pub fn ledger(home: &Path, machine: &str, has_served: bool, now: Timestamp) -> io::Result<Ledger> {
    let read = |path: &PathBuf| match fs::read(path) {
        Ok(bytes) => Ok(seal::read(Some(&bytes), machine)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Copy::Gone),
        Err(error) => Err(error),
    };
    let [one, other] = ledger_paths(home);
    Ok(seal::join([read(&one)?, read(&other)?], has_served, now))
}

/// Writes what a vendor has issued into `home`, where the service looks for it.
pub fn install(home: &Path, text: &str) -> io::Result<()> {
    folder(home)?;
    save(&token_path(home), format!("{}\n", text.trim()).as_bytes())
}

fn folder(home: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(home.join("licence"))
}

impl Save {
    /// Writes both copies, durably. It waits for the disk.
    pub fn write(&self) -> io::Result<()> {
        folder(&self.home)?;
        ledger_paths(&self.home).iter().try_for_each(|path| save(path, self.text.as_bytes()))
    }
}

impl Licensing {
    /// What is kept in `home`. `has_served`: this machine is known to have served as a backup.
    pub fn load(home: &Path, holder: Holder, has_served: bool, now: &Moment) -> io::Result<Self> {
        let ledger = ledger(home, &holder.machine, has_served, now.wall)?;
        let mut licensing = Self {
            home: home.to_owned(),
            installed: (None, Err(Lack::Missing)),
            holder,
            ledger,
            saved: None,
            left_ms: None,
            alarms: Alarms::default(),
            events: vec![],
            fresh: vec![],
        };
        licensing.read_again();
        Ok(licensing)
    }

    /// Time has passed; this machine is `serving`, or not. The days run while it is. What is returned is to be written.
    pub fn tick(&mut self, serving: bool, now: &Moment) -> Option<Save> {
        self.read_again();
        let was = self.ledger.is_running();
        let mut noted = self.ledger.tick(self.installed.1.as_ref().ok(), now);
        if serving && !was {
            self.run(now);
        } else if !serving && was {
            self.ledger.end(now);
            self.tell(LicenceNews::Ended, now);
        }
        noted.retain(|what| !matches!(what, Noted::Estimated { .. }));
        for what in &noted {
            if let Noted::ClockSet { by_ms } = what {
                self.tell(LicenceNews::ClockSet { by_ms: *by_ms }, now);
            }
        }
        self.warn(now);
        let is_due = |saved: &Moment| saved.boot != now.boot || now.up_ms.saturating_sub(saved.up_ms) >= SAVED_EACH_MS;
        let is_running = self.ledger.is_running();
        let due = was != is_running || !noted.is_empty() || is_running && self.saved.as_ref().is_some_and(is_due);
        (due || self.saved.is_none()).then(|| self.save(now))
    }

    /// The days begin to run, if they do not already. To be written before the POS server starts.
    pub fn begin(&mut self, now: &Moment) -> Save {
        self.read_again();
        self.run(now);
        self.save(now)
    }

    /// The days do not run any more; the backup may go on with what is left. To be written.
    pub fn end(&mut self, now: &Moment) -> Save {
        self.tick(false, now).unwrap_or_else(|| self.save(now))
    }

    /// The service ends, and what it serves goes on. To be written.
    pub fn keep(&mut self, now: &Moment) -> Save {
        self.ledger.tick(self.installed.1.as_ref().ok(), now);
        self.save(now)
    }

    /// A return is completed, and this machine does not serve any more: per activation the next one has all days. To be
    /// written.
    pub fn returned(&mut self, now: &Moment) -> Save {
        let _ = self.tick(false, now);
        self.ledger.returned(self.installed.1.as_ref().ok(), now);
        self.left_ms = None;
        self.save(now)
    }

    /// Whether this licence lets the backup be started. Days that are only counted keep nobody back.
    pub fn may_start(&self, now: Timestamp) -> Result<(), WhyNot> {
        match self.standing(now).state {
            _ if self.holder.vendor.is_none() => Ok(()),
            State::Missing => Err(WhyNot::NoLicence),
            State::Expired => Err(WhyNot::LicenceOver),
            State::Ready | State::Running => Ok(()),
        }
    }

    /// Completes a status with how the licence stands, what is wrong with it, and what has happened to it.
    pub fn complete(&mut self, status: &mut Status, now: Timestamp) {
        let Standing { state, remaining_ms, ends_at } = self.standing(now);
        let state = match state {
            State::Missing => LicenceState::Missing,
            State::Ready => LicenceState::Ready,
            State::Running => LicenceState::Running,
            State::Expired => LicenceState::Expired,
        };
        let whole_ms = self.installed.1.as_ref().ok().map(|grant| grant.terms.all_ms());
        status.licence = Licence { state, remaining_ms, ends_at, whole_ms };
        let troubles = self.troubles(now);
        let told = self.alarms.weigh(troubles.into_iter().map(Trouble::Licence), now);
        self.fresh.extend(told.iter().cloned());
        self.events.extend(told.into_iter().map(|what| Event { at: now, what }));
        self.cut();
        status.alarms.extend(self.alarms.all().iter().cloned());
        status.events.extend(self.events.iter().cloned());
        if self.may_start(now).is_err() && !self.ledger.is_running() {
            let value = if state == LicenceState::Expired { "used-up" } else { "missing" };
            let [check, value, limit, remedy] = ["licence", value, "valid", "install-licence"].map(str::to_owned);
            status.can_take_over.yes = false;
            status.can_take_over.reasons.push(Reason { check, value, limit, remedy });
        }
    }

    /// What has happened to it since this was asked last.
    pub fn news(&mut self) -> Vec<What> {
        std::mem::take(&mut self.fresh)
    }

    fn standing(&self, now: Timestamp) -> Standing {
        standing(&self.ledger, self.installed.1.as_ref().ok(), now)
    }

    fn troubles(&self, now: Timestamp) -> Vec<LicenceTrouble> {
        let (Standing { state, remaining_ms, .. }, vendor) = (self.standing(now), self.holder.vendor.is_some());
        let first = match (state, &self.installed.1) {
            (_, Err(Lack::Missing)) => Some(LicenceTrouble::Missing),
            (_, Err(_)) => Some(LicenceTrouble::Unfit),
            (State::Expired, Ok(_)) if self.ledger.is_running() => {
                Some(self.stopping(0, now).unwrap_or(LicenceTrouble::Over { vendor }))
            }
            (State::Expired, Ok(_)) => Some(LicenceTrouble::Used { vendor }),
            (State::Running, Ok(_)) if warning::is_little(remaining_ms) => {
                let ends = LicenceTrouble::Ends { left_ms: remaining_ms };
                Some(self.stopping(remaining_ms, now).unwrap_or(ends))
            }
            (State::Missing | State::Ready | State::Running, Ok(_)) => None,
        };
        let lost = self.ledger.lost.filter(|_| matches!(state, State::Expired)).map(|_| LicenceTrouble::LedgerLost);
        first.into_iter().chain(lost).collect()
    }

    /// A licence that was installed while the service runs counts from then on.
    fn read_again(&mut self) {
        let stamp = |meta: fs::Metadata| Some((meta.modified().ok()?, meta.len()));
        let stamp = fs::metadata(token_path(&self.home)).ok().and_then(stamp);
        if stamp != self.installed.0 || self.installed.1.is_err() && self.installed.0.is_none() {
            self.installed = (stamp, self.holder.installed(&self.home));
            self.left_ms = None;
        }
    }

    fn run(&mut self, now: &Moment) {
        // Without a licence there are no days to count; the time is counted all the same, and belongs to none.
        let none = Grant { id: "none".to_owned(), ..Grant::built_in(self.holder.days) };
        let was = self.ledger.is_running();
        self.ledger.begin(self.installed.1.as_ref().unwrap_or(&none), now);
        if !was {
            self.tell(LicenceNews::Began, now);
        }
    }

    fn warn(&mut self, now: &Moment) {
        let Standing { remaining_ms, .. } = self.standing(now.wall);
        let before = self.left_ms.replace(remaining_ms);
        if let Some(left_ms) = before.and_then(|before| warning::due(before, remaining_ms)) {
            self.tell(LicenceNews::Left { left_ms }, now);
        }
    }

    fn tell(&mut self, what: LicenceNews, now: &Moment) {
        tracing::info!(?what, "licence");
        self.fresh.push(What::Licence(what));
        // What passes beside is the licence's alone.
        let at = now.wall.checked_sub(beside()).unwrap_or(now.wall);
        self.events.push(Event { at, what: What::Licence(what) });
        self.cut();
    }

    fn cut(&mut self) {
        let over = self.events.len().saturating_sub(EVENTS);
        self.events.drain(..over);
    }

    fn save(&mut self, now: &Moment) -> Save {
        self.saved = Some(now.clone());
        Save { home: self.home.clone(), text: seal::write(&self.ledger, &self.holder.machine) }
    }
}

#[cfg(test)]
mod tests;
