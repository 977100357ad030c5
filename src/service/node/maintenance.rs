//! Maintenance: nobody is called, and nothing is done by itself, until a time that was said. Both machines know of it; what was
//! said last counts. Who ends it says by that, too, that what was changed until then was meant: an update of the shop's software may
//! change most of its data at once, which is said otherwise. One that ends by itself says nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Machine;
use super::note::Note;
use crate::os::ground;
use crate::service::command::Reply;
use crate::service::event::Noted;
use crate::service::home::save;
use crate::service::news::News;
use crate::service::refusal::WhyNot;
use crate::service::status::Maintenance;

fn path(home: &Path) -> PathBuf {
    home.join("maintenance.json")
}

/// What was said last at `home`, if anything can be read there: what cannot be read is none, so that people are called.
pub(super) fn load(home: &Path) -> Option<Maintenance> {
    serde_json::from_slice(&std::fs::read(path(home)).ok()?).ok()
}

impl Machine {
    /// Begins maintenance for so long, or ends it.
    pub(super) fn maintain(&mut self, length: Option<Duration>, by: &str) -> Reply {
        let now = ground::now();
        let length = length.and_then(|length| SignedDuration::try_from(length).ok());
        let until = length.and_then(|length| now.checked_add(length).ok()).unwrap_or(now);
        let known = self.maintenance.as_ref().and_then(|known| known.meant);
        let meant = if length.is_none() { Some(now) } else { known };
        // What is said later counts, also where a clock was ahead before.
        let after =
            self.maintenance.as_ref().and_then(|known| known.at.checked_add(SignedDuration::from_millis(1)).ok());
        let said = Maintenance { until, by: by.to_owned(), at: after.map_or(now, |after| after.max(now)), meant };
        if let Err(error) = self.keep_maintenance(said.clone()) {
            return Reply::Refused { why: vec![WhyNot::System { error: error.to_string() }] };
        }
        self.noted(by, if until > now { Noted::MaintenanceBegan { until } } else { Noted::MaintenanceEnded });
        if let Some(session) = &self.session {
            session.say(Note::Maintenance(said));
        }
        Reply::Done
    }

    /// The other machine says what it knows of it.
    pub(super) fn hear_maintenance(&mut self, said: Maintenance) {
        if self.maintenance.as_ref().is_some_and(|known| known.at >= said.at) {
            return;
        }
        if let Err(error) = self.keep_maintenance(said) {
            tracing::error!(%error, "that there is maintenance could not be saved");
        }
    }

    fn keep_maintenance(&mut self, said: Maintenance) -> std::io::Result<()> {
        save(&path(&self.home), &serde_json::to_vec_pretty(&said)?)?;
        tracing::warn!(until = %said.until, by = said.by, "maintenance");
        self.maintenance = Some(said);
        self.tell_meant();
        self.publish_soon();
        Ok(())
    }

    /// Tells each dataset what was meant.
    pub(super) fn tell_meant(&mut self) {
        let Some(until) = self.maintenance.as_ref().and_then(|said| said.meant) else { return };
        for lane in &self.lanes {
            let _ = self.tell.news.send((lane.number, News::Meant(until)));
        }
    }

    /// The one that is under way.
    pub(super) fn maintained(&self, now: Timestamp) -> Option<&Maintenance> {
        self.maintenance.as_ref().filter(|said| said.until > now)
    }
}
