//! A person is called to a backup: the screen comes forward on a till that shows its POS program, and an alarm is heard.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::Machine;
use crate::config::alarm::{Alarm, Sound};
use crate::config::command::Command;
use crate::server::beside::{Beside, Wanted};
use crate::server::filled;
use crate::service::call::{Calling, Calls};
use crate::service::command::Reply;
use crate::service::event::Noted;
use crate::service::status::{Call, Status};

/// How long the program may take that brings the screen forward.
const SHOWING: Duration = Duration::from_secs(10);
/// How long the program may take that is heard.
const SOUNDING: Duration = Duration::from_secs(30);
/// From its end until it is heard again.
const AGAIN: Duration = Duration::from_secs(5);

/// Calls a person, as it is set.
#[derive(Debug)]
pub struct Caller {
    set: Alarm,
    folders: Vec<(String, PathBuf)>,
    calls: Calls,
    showing: Option<Beside>,
    sounding: Option<Beside>,
}

impl Caller {
    /// Calls as it is `set` on a machine where the datasets lie in `folders`.
    #[must_use]
    pub fn new(set: Alarm, folders: Vec<(String, PathBuf)>) -> Self {
        Self { set, folders, calls: Calls::default(), showing: None, sounding: None }
    }

    /// Calls if there is something to be called for, and says so in the status.
    pub fn complete(&mut self, status: &mut Status) {
        match self.calls.weigh(status) {
            Calling::Begins => {
                tracing::warn!("a person is called");
                self.showing = self.set.show.clone().and_then(|show| self.begin("alarm show", &show, show_once));
                if let Sound::Command(sound) = self.set.sound.clone() {
                    self.sounding = self.begin("alarm sound", &sound, sound_on);
                }
            }
            Calling::GoesOn => {}
            Calling::Rests => self.sounding = None,
        }
        status.call = self.told();
    }

    /// Somebody has heard it. Returns whether there was something to hear.
    pub fn mute(&mut self, by: &str) -> bool {
        self.sounding = None;
        self.calls.mute(by)
    }

    fn told(&self) -> Call {
        self.calls.told(self.set.sound == Sound::Bell)
    }

    fn begin(&self, name: &str, command: &Command, run: fn(&Wanted, &mut std::process::Command)) -> Option<Beside> {
        let mut filled = filled(&self.folders, command);
        let begun = Beside::begin(name, move |wanted| run(wanted, &mut filled));
        begun.inspect_err(|error| tracing::warn!(%error, name, "it could not be begun")).ok()
    }
}

fn show_once(wanted: &Wanted, command: &mut std::process::Command) {
    match wanted.run(command, Stdio::null(), SHOWING) {
        Ok(true) => {}
        Ok(false) => tracing::warn!("what is set to bring the screen forward did not end well in time"),
        Err(error) => tracing::warn!(%error, "what is set to bring the screen forward cannot be run"),
    }
}

fn sound_on(wanted: &Wanted, command: &mut std::process::Command) {
    loop {
        if let Err(error) = wanted.run(command, Stdio::null(), SOUNDING) {
            tracing::warn!(%error, "what is set to be heard cannot be run");
        }
        if !wanted.after(AGAIN) {
            return;
        }
    }
}

impl Machine {
    /// Somebody has heard the alarm: it is silent until something else is wrong.
    pub(super) fn mute(&mut self, by: &str) -> Reply {
        if self.caller.as_mut().is_some_and(|caller| caller.mute(by)) {
            tracing::info!(by, "the alarm is muted");
            self.noted(by, Noted::Muted);
            self.publish_soon();
        }
        Reply::Done
    }
}
