//! What changes while a script is played, in words.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::demo::places::TILLS;
use crate::demo::shop::works_with;
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{LicenceState, Server, Verdict};
use crate::words::Words;

/// What of a machine is told when it changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    duty: Duty,
    server: Server,
    verdict: Verdict,
    licence: LicenceState,
    /// Terminals that work with it, where it serves.
    terminals: Option<usize>,
}

/// A machine of which is told.
#[derive(Debug)]
pub struct Told {
    name: &'static str,
    status: watch::Receiver<Option<Arc<Status>>>,
    seen: Option<Seen>,
    /// Sentences that were not given out yet.
    said: VecDeque<String>,
}

impl Told {
    /// Tells of the machine `name` from now on.
    #[must_use]
    pub fn new(name: &'static str, status: &watch::Receiver<Option<Arc<Status>>>) -> Self {
        let seen = status.borrow().as_deref().map(Seen::of);
        Self { name, status: status.clone(), seen, said: VecDeque::new() }
    }

    /// Waits for the next sentence.
    pub async fn next(&mut self, words: &Words) -> String {
        loop {
            if let Some(said) = self.said.pop_front() {
                return said;
            }
            if self.status.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let now = self.status.borrow_and_update().as_deref().map(Seen::of);
            self.said.extend(changes(words, self.name, self.seen, now));
            self.seen = now;
        }
    }
}

impl Seen {
    fn of(status: &Status) -> Self {
        let terminals = (status.duty == Duty::Serving).then(|| works_with(status));
        // The main knows of the days, too; they are the backup's.
        let licence = if status.node == Node::Backup { status.licence.state } else { LicenceState::Missing };
        Self { duty: status.duty, server: status.server, verdict: status.verdict, licence, terminals }
    }
}

/// What is to be said of a machine that stood so before, and stands so now.
fn changes(words: &Words, name: &str, before: Option<Seen>, now: Option<Seen>) -> Vec<String> {
    let say = |key: &str, is: String| words.with(key, &[("name", name.into()), ("is", is.into())]);
    let Some(now) = now else { return before.map(|_| say("demo-tell-off", String::new())).into_iter().collect() };
    let mut said = vec![];
    if before.map(|before| before.duty) != Some(now.duty) {
        said.push(say("demo-tell-duty", named(now.duty)));
    }
    // That of one that does not serve is stopped, and was when it was switched off.
    if before.map_or(Server::Stopped, |before| before.server) != now.server {
        said.push(say("demo-tell-server", named(now.server)));
    }
    if now.duty == Duty::Mirroring && before.is_some_and(|before| before.verdict != now.verdict) {
        said.push(say("demo-tell-verdict", named(now.verdict)));
    }
    if before.is_some_and(|before| before.licence != now.licence) && now.licence == LicenceState::Running {
        said.push(say("demo-tell-licence", named(now.licence)));
    }
    // That they have left is no news: what happened to their machine is.
    if let Some(all) = now.terminals.filter(|all| *all == TILLS.len())
        && before.and_then(|before| before.terminals) != Some(all)
    {
        said.push(say("demo-tell-terminals", all.to_string()));
    }
    said
}

/// The word that statuses have for it.
pub(super) fn named(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_not_told_again() {
        let words = Words::load(Some("en"));
        let main = Seen {
            duty: Duty::Serving,
            server: Server::Ready,
            verdict: Verdict::Healthy,
            licence: LicenceState::Missing,
            terminals: Some(4),
        };
        let told = |before, now| changes(&words, "SERVIDOR", before, now).join("|");
        assert_eq!(told(Some(main), Some(main)), "");
        assert_eq!(told(Some(main), None), "SERVIDOR is off");
        assert_eq!(told(None, None), "");
        let frozen = Seen { server: Server::Failing, ..main };
        assert_eq!(told(Some(main), Some(frozen)), "SERVIDOR: the POS server does not answer");
        let left = Seen { terminals: Some(3), ..main };
        assert_eq!(told(Some(main), Some(left)), "");
        assert_eq!(told(Some(left), Some(main)), "SERVIDOR: 4 terminals work with it");
        let back = Seen { duty: Duty::Mirroring, server: Server::Stopped, terminals: None, ..main };
        assert_eq!(told(None, Some(back)), "SERVIDOR mirrors");
    }
}
