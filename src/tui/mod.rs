//! The screen: for someone who has never seen it, at the worst minute of the week.
//!
//! A key is an [`Intent`] by the [`Keymap`]; an intent becomes a [`Message`] to the stage that is seen, and what follows from
//! it an [`Effect`] that [`run()`] carries out. What is seen is a function of the status, the stage's own small state and now:
//! `view` says it in words, `screens` lays it out. May name `service::{status, event, command}`, what those are made of, and
//! words. Below the view line there is no lock, channel or clock; no screen spells a key; colour is by meaning and never the
//! only sign.
//!
//! - [`intent`]: what a key can mean, and where
//! - [`keymap`]: which key means what; every fault in a file at once
//! - [`bell`]: the bell of the terminal while a person is called
//! - [`burst`]: a scanner's burst is no decision
//! - [`strip`]: the strip below the screen of a practice shop
//! - [`stage`]: messages, effects, and what a stage must do
//! - [`app`]: the screen of a service: its state, and what each message makes of it
//! - [`layer`]: what can lie on it
//! - [`first`]: the first page of an empty home, likewise
//! - [`able`]: what can be done now, and why not
//! - [`turn`]: changes of server likewise, and what the home screen is about
//! - [`confirm`]: the question before a change of server
//! - [`view`]: all that a screen shows, in words
//! - [`screens`]: where it stands: one file a screen
//! - [`widgets`]: the pieces they are laid out of
//! - [`theme`]: colour by meaning, and the signs that a terminal can draw
//! - [`face`]: keys in, screen out: the stage, the keymap and the burst in one, without a terminal
//! - [`terminal`]: the terminal itself, and that it is as before afterwards
//! - [`run`](mod@run): the loop between the terminal, the clock and the service

pub mod able;
pub mod app;
pub mod bell;
pub mod burst;
pub mod confirm;
pub mod face;
pub mod first;
pub mod intent;
pub mod keymap;
pub mod layer;
pub mod run;
pub mod screens;
pub mod stage;
pub mod strip;
pub mod terminal;
pub mod theme;
pub mod turn;
pub mod view;
pub mod widgets;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

pub use app::App;
pub use face::{Face, Moment};
pub use first::{Chosen, First};
pub use intent::{Intent, Scope};
pub use keymap::{Fault, FaultKind, Keymap};
pub use run::{first_page, practise, run};
pub use stage::{Effect, Message, Stage};
pub use strip::{Beside, Cause, Strip};
pub use theme::{Glyphs, Look, Palette};

use crate::service::{Command, Status};
use crate::words::Words;

/// The service that the screen shows.
pub struct Attached {
    /// How it stands; none until it was heard for the first time. Its sender is dropped when the service ends.
    pub status: watch::Receiver<Option<Arc<Status>>>,
    /// What it is asked to do.
    pub commands: mpsc::UnboundedSender<Command>,
}

/// How the screen is to be.
pub struct Options {
    /// Its language.
    pub words: Words,
    /// Its keys.
    pub keymap: Keymap,
    /// What it is to the service.
    pub place: Place,
    /// Its colours and signs.
    pub look: Look,
    /// The folder of the service that it shows, as people read it.
    pub home: String,
    /// Who sits before it, and where, for the diary.
    pub by: String,
}

/// What the screen is to the service that it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The service runs in the same process, and ends with the screen.
    Embedded,
    /// The service runs by itself; leaving the screen is harmless.
    Attached,
    /// As attached, and nothing can be done from here.
    WatchOnly,
}

/// How the screen ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// It was left; the service goes on.
    Out,
    /// It was left, and the service in this process is to end in order.
    Quit,
    /// The service ended first.
    ServiceEnded,
}
