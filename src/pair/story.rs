//! One sentence for each thing that a node does: for the log, and for the stories in `tests/stories`.

use super::event::{Action, Why};
use super::record::{Claim, Record};

/// What a node does, as one sentence without its subject.
#[must_use]
pub fn told(action: &Action) -> String {
    match action {
        Action::Save(record) => format!("saves: {}", claims(record)),
        Action::Serve(epoch) => format!("serves in {epoch}"),
        Action::Follow(epoch) => format!("follows in {epoch}"),
        Action::Drain => "closes its mirror".to_owned(),
        Action::Freeze => "stops its POS server and sends what is left".to_owned(),
        Action::Unfreeze => "starts its POS server again".to_owned(),
        Action::Retire => "serves no more".to_owned(),
        Action::Grant { to, at } => format!("says to the other: serve in {to} after {at}"),
        Action::Refuse { theirs, ours } => format!("refuses epoch {theirs}, having seen {ours}"),
        Action::Deny(why) => format!("does not: {}", denied(*why)),
    }
}

fn claims(record: &Record) -> String {
    let claim = match &record.claim {
        Claim::Idle => "follows in".to_owned(),
        Claim::Serving => "serves in".to_owned(),
        Claim::Given { to, at } => format!("gave {to} away after {at} in"),
    };
    let goodbye = if record.goodbye { ", the other said goodbye" } else { "" };
    let strays = if record.strays { ", may hold strays" } else { "" };
    format!("{claim} {}{goodbye}{strays}", record.epoch)
}

fn denied(why: Why) -> &'static str {
    match why {
        Why::Serves => "it serves already",
        Why::ServesNot => "it does not serve",
        Why::Busy => "a change of server is under way",
        Why::NotTheHolder => "it was not the server last",
        Why::ServerLives => "the server was heard meanwhile",
    }
}
