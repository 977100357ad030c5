//! What systemd hears of a service of its own: that it is ready, how it stands, that it ends. Where systemd has not started it, nobody
//! listens.

use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::service::Status;
use crate::words::{Words, answer};

/// Tells that the service is ready as soon as it says how it stands, and then each time what stands in the first line of the screen.
pub fn follow(words: Words, mut status: watch::Receiver<Option<Arc<Status>>>) {
    tokio::spawn(async move {
        let mut told = None;
        while status.changed().await.is_ok() {
            let sentence = status.borrow_and_update().as_deref().map(|status| answer::sentence(&words, status));
            if let Some(sentence) = sentence.filter(|sentence| told.as_ref() != Some(sentence)) {
                ready(&sentence);
                told = Some(sentence);
            }
        }
    });
}

/// It is ready, and stands so.
pub fn ready(stands: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(stands)]);
}

/// It ends.
pub fn ends() {
    tell(&[NotifyState::Stopping]);
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(%error, "systemd could not be told how this service stands");
    }
}
