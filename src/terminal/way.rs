//! Who serves now, and whether it may be reached. Pure: time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use super::speech::Here;
use crate::pair::{Epoch, Node};

/// What a machine said longer ago says nothing of now. It says something once a second.
pub const FRESH: Duration = Duration::from_millis(3500);

/// What a terminal knows of both machines.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The highest epoch that was proven to it; 0 where none was.
    epoch: Epoch,
    /// The highest in which its server was heard.
    served: Epoch,
    main: Option<(Here, Instant)>,
    backup: Option<(Here, Instant)>,
}

/// Whether whoever serves may be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// Connections go there; if it is not there, they fail as they would without this program.
    Open,
    /// It is about to be ready, or to give its place away: who wants to go there waits.
    Held,
}

impl Way {
    /// One that knows nothing but the highest epoch that was ever proven to it.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self { epoch, served: 0, main: None, backup: None }
    }

    /// The epoch that is obeyed.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Who serves.
    #[must_use]
    pub fn server(&self) -> Node {
        Node::of_epoch(self.epoch.max(1))
    }

    /// An epoch was proven. Returns whether it is the highest: then it is obeyed from now on.
    pub fn proven(&mut self, epoch: Epoch) -> bool {
        let is_new = epoch > self.epoch;
        self.epoch = self.epoch.max(epoch);
        is_new
    }

    /// A machine has said how it stands.
    pub fn hear(&mut self, node: Node, here: Here, now: Instant) {
        if node == self.server() && here.serves && here.epoch == self.epoch {
            self.served = self.epoch;
        }
        *self.place(node) = Some((here, now));
    }

    /// The highest epoch in which its server was heard since this began: whoever was to serve after it could have said so. 0: none was.
    #[must_use]
    pub fn served(&self) -> Epoch {
        self.served
    }

    /// There is no connection to a machine any more.
    pub fn lose(&mut self, node: Node) {
        *self.place(node) = None;
    }

    /// What a machine said last, where that is of now.
    #[must_use]
    pub fn fresh(&self, node: Node, now: Instant) -> Option<&Here> {
        let said = match node {
            Node::Main => &self.main,
            Node::Backup => &self.backup,
        };
        let is_fresh = |at: Instant| now.saturating_duration_since(at) < FRESH;
        said.as_ref().filter(|(_, at)| is_fresh(*at)).map(|(here, _)| here)
    }

    /// Whether whoever serves may be reached.
    #[must_use]
    pub fn gate(&self, now: Instant) -> Gate {
        match self.fresh(self.server(), now) {
            // Of an epoch that it does not prove it says nothing that counts.
            Some(here) if here.epoch != self.epoch => Gate::Held,
            Some(here) if here.frozen || !here.serves || !here.ready => Gate::Held,
            Some(_) | None => Gate::Open,
        }
    }

    /// Whoever serves says itself that its POS server answers.
    #[must_use]
    pub fn is_ready(&self, now: Instant) -> bool {
        self.gate(now) == Gate::Open && self.fresh(self.server(), now).is_some()
    }

    fn place(&mut self, node: Node) -> &mut Option<(Here, Instant)> {
        match node {
            Node::Main => &mut self.main,
            Node::Backup => &mut self.backup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(epoch: Epoch) -> Here {
        let (serves, ready, frozen) = (true, true, false);
        Here { epoch, proof: None, serves, ready, frozen, hears_other: true, echo: 0, revision: 1 }
    }

    #[test]
    fn the_highest_epoch_says_who_serves_and_none_below_it_does() {
        let mut way = Way::new(1);
        let now = Instant::now();
        way.hear(Node::Main, here(1), now);
        assert_eq!((way.server(), way.gate(now)), (Node::Main, Gate::Open));
        assert!(way.proven(2) && !way.proven(1) && !way.proven(2));
        assert_eq!((way.epoch(), way.server()), (2, Node::Backup));
        way.hear(Node::Main, here(1), now);
        assert_eq!(way.server(), Node::Backup, "whatever the main says");
        assert_eq!(way.gate(now), Gate::Open, "it is not heard: it is tried");
    }

    #[test]
    fn it_is_known_which_server_it_has_heard_itself() {
        let (mut way, now) = (Way::new(3), Instant::now());
        assert_eq!(way.served(), 0, "what was before it began it has not heard");
        way.hear(Node::Main, Here { serves: false, ..here(3) }, now);
        way.hear(Node::Backup, here(2), now);
        assert_eq!(way.served(), 0, "neither was the server");
        way.hear(Node::Main, here(3), now);
        way.lose(Node::Main);
        assert_eq!(way.served(), 3);
        way.proven(4);
        assert_eq!((way.epoch(), way.served()), (4, 3), "that one was proven, and not heard");
    }

    #[test]
    fn who_waits_for_a_server_that_starts_or_stands_still_waits() {
        let now = Instant::now();
        let gate = |here: Here| {
            let mut way = Way::new(2);
            way.hear(Node::Backup, here, now);
            way.gate(now)
        };
        assert_eq!(gate(here(2)), Gate::Open);
        assert_eq!(gate(Here { ready: false, ..here(2) }), Gate::Held);
        assert_eq!(gate(Here { serves: false, ..here(2) }), Gate::Held);
        assert_eq!(gate(Here { frozen: true, ..here(2) }), Gate::Held);
        assert_eq!(gate(here(4)), Gate::Held, "an epoch that it has not proven");
    }

    #[test]
    fn what_was_said_long_ago_holds_nobody() {
        let (mut way, now) = (Way::new(1), Instant::now());
        way.hear(Node::Main, Here { frozen: true, ..here(1) }, now);
        assert_eq!((way.gate(now), way.is_ready(now)), (Gate::Held, false));
        assert_eq!((way.gate(now + FRESH), way.is_ready(now + FRESH)), (Gate::Open, false));
        way.hear(Node::Main, here(1), now);
        assert!(way.is_ready(now));
        way.lose(Node::Main);
        assert!(!way.is_ready(now));
    }
}
