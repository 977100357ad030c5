//! The shop's own programs around the start and the stop of the POS server.

use std::time::Instant;

use super::ask;
use super::{Occasion, Setup, Why};
use crate::config::command::Command;
use crate::config::hooks::Hooks;

/// When one is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// Before it is started; may refuse that.
    BeforeServe,
    /// When it is ready.
    AfterServe,
    /// Before it is stopped; may refuse that.
    BeforeStop,
    /// When it has stopped.
    AfterStop,
}

impl Hook {
    /// Its name in `store.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeServe => "before_serve",
            Self::AfterServe => "after_serve",
            Self::BeforeStop => "before_stop",
            Self::AfterStop => "after_stop",
        }
    }

    fn of(self, hooks: &Hooks) -> Option<&Command> {
        match self {
            Self::BeforeServe => hooks.before_serve.as_ref(),
            Self::AfterServe => hooks.after_serve.as_ref(),
            Self::BeforeStop => hooks.before_stop.as_ref(),
            Self::AfterStop => hooks.after_stop.as_ref(),
        }
    }
}

impl Setup {
    /// Runs a hook, where it is set, and waits for it. It refuses by another code than 0; one that cannot be run, or takes too long
    /// and is killed, counts as one that refuses.
    pub fn run(&self, hook: Hook, occasion: Occasion) -> Result<(), Why> {
        let Some(command) = hook.of(&self.hooks) else { return Ok(()) };
        let mut command = self.command(command);
        command.env("ESPEJO_STORE", &self.store).env("ESPEJO_NODE", &self.node);
        let operation = occasion.operation.map_or_else(String::new, |operation| operation.to_string());
        command.env("ESPEJO_EPOCH", occasion.epoch.to_string()).env("ESPEJO_OPERATION", operation);
        command.env("ESPEJO_EVENT", hook.name());
        match ask::run(&mut command, Instant::now() + self.hooks.limit) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Why::Vetoed { hook: hook.name() }),
            Err(error) => Err(Why::CannotStart { what: hook.name().to_owned(), error: error.to_string() }),
        }
    }

    /// Runs a hook that cannot refuse anything.
    pub fn tell(&self, hook: Hook, occasion: Occasion) {
        if let Err(why) = self.run(hook, occasion) {
            tracing::warn!(%why, "a hook did not do what it should");
        }
    }
}
