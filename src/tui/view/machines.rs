//! The two machines of a store: what each does, and whether the other one is heard.

use super::Seen;
use super::copying::Fact;
use super::tills;
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{Machines, PeerState, Server};
use crate::tui::widgets::fit;
use crate::words::{Words, figures};

/// Seconds of heartbeats that are shown.
const SECONDS: usize = 16;

/// Both machines, the main first; none where one process mirrors one folder.
#[must_use]
pub fn machines(seen: &Seen<'_>, status: &Status) -> Vec<Fact> {
    let Some(Machines { main, backup }) = &status.machines else { return vec![] };
    let columns = fit::width(main).max(fit::width(backup));
    let fact = |label: &str, node: Node, name: &str| Fact {
        label: seen.words.say(label),
        value: if node == status.node {
            own(seen, status, fit::pad(name, columns))
        } else {
            other(seen, status, fit::pad(name, columns))
        },
    };
    let mut facts = vec![fact("label-main", Node::Main, main), fact("label-backup", Node::Backup, backup)];
    facts.extend(pos(seen, status));
    let tills = if status.duty == Duty::Serving { tills::here(seen, status) } else { tills::there(seen, status) };
    facts.extend(tills.map(|value| Fact { label: seen.words.say("label-terminals"), value }));
    facts
}

/// The POS server, where one is set: on the machine that serves.
pub(super) fn pos(seen: &Seen<'_>, status: &Status) -> Option<Fact> {
    let (words, pos) = (seen.words, status.pos.as_ref()?);
    let value = if status.duty == Duty::Serving {
        let since = figures::moment(words, pos.since, seen.now);
        let key = match status.server {
            Server::Stopped => "pos-stopped",
            Server::Starting => "pos-starting",
            Server::Ready => "pos-ready",
            Server::Failing => "pos-failing",
        };
        let stands = words.with(key, &[("since", since.into())]);
        // What it printed last says most of why.
        let last = pos.lines.last().map(|line| words.with("pos-printed", &[("line", line.as_str().into())]));
        [Some(stands), last].into_iter().flatten().collect::<Vec<_>>().join("; ")
    } else {
        let heard = matches!(status.peer.state, PeerState::Healthy | PeerState::Late);
        let stands =
            words.say(match status.peer.server.filter(|_| heard && status.peer.duty == Some(Duty::Serving))? {
                Server::Stopped => "pos-far-stopped",
                Server::Starting => "pos-far-starting",
                Server::Ready => "pos-far-ready",
                Server::Failing => "pos-far-failing",
            });
        [Some(stands), tried(seen, status)].into_iter().flatten().collect::<Vec<_>>().join("; ")
    };
    Some(Fact { label: words.say("label-pos"), value })
}

/// Whether it would start here, as far as a drill has shown; nothing where none is set.
fn tried(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let words = seen.words;
    let Some(last) = &status.drilled else { return status.pos.as_ref().map(|_| words.say("pos-no-drill")) };
    let at = ("at", figures::day(words, last.at, seen.now).into());
    Some(match last.ready_ms.filter(|_| last.why_not.is_none()) {
        Some(ready) => words.with("pos-drill", &[at, ("ready", figures::span(words, ready.max(100)).into())]),
        None => words.with("pos-drill-failed", &[at]),
    })
}

fn own(seen: &Seen<'_>, status: &Status, name: String) -> String {
    let args = [("name", name.into()), ("duty", column(seen, status, status.duty).into())];
    seen.words.with("machine-own", &args)
}

/// What a machine does, as wide as what the other one does.
fn column(seen: &Seen<'_>, status: &Status, does: Duty) -> String {
    let heard = matches!(status.peer.state, PeerState::Healthy | PeerState::Late);
    let theirs = status.peer.duty.filter(|_| heard).map(|duty| self::duty(seen.words, duty));
    let ours = duty(seen.words, status.duty);
    fit::pad(&duty(seen.words, does), fit::width(&ours).max(theirs.map_or(0, |theirs| fit::width(&theirs))))
}

fn other(seen: &Seen<'_>, status: &Status, name: String) -> String {
    let (words, peer) = (seen.words, &status.peer);
    let ago = figures::span(words, peer.heard_ago_ms.unwrap_or(0));
    let does = peer.duty.map_or_else(String::new, |now| column(seen, status, now));
    let args = [("name", name.into()), ("duty", does.into()), ("ago", ago.into())];
    match peer.state {
        PeerState::Unknown => words.with("machine-unknown", &args),
        PeerState::Lost => words.with("machine-lost", &args),
        PeerState::Healthy | PeerState::Late => {
            format!("{}   {}", words.with("machine-heard", &args), beats(&peer.history))
        }
    }
}

/// How long the way to the other machine takes, and what is lost on it; none where it is not heard.
#[must_use]
pub fn way(seen: &Seen<'_>, status: &Status) -> Option<Fact> {
    let (words, peer) = (seen.words, &status.peer);
    let ms = peer.round_trip_ms.filter(|_| status.machines.is_some())?;
    let args = [("ms", ms.into()), ("percent", peer.loss_percent.into())];
    Some(Fact { label: words.say("label-way"), value: words.with("machine-way", &args) })
}

/// The heartbeats of the last seconds: a stroke for each second in which most came, a dot for one in which none did.
fn beats(history: &[u8]) -> String {
    let last = history.len().saturating_sub(SECONDS);
    let stroke = |beats: &u8| match beats {
        0 => '.',
        1 | 2 => ':',
        _ => '|',
    };
    history[last..].iter().map(stroke).collect()
}

fn duty(words: &Words, duty: Duty) -> String {
    words.say(match duty {
        Duty::Serving => "duty-serving",
        Duty::Mirroring => "duty-mirroring",
        Duty::Waiting => "duty-waiting",
    })
}

/// What this machine is called; none where one process mirrors one folder.
#[must_use]
pub fn own_name(status: &Status) -> Option<&str> {
    let Machines { main, backup } = status.machines.as_ref()?;
    Some(match status.node {
        Node::Main => main,
        Node::Backup => backup,
    })
}

/// What the backup is called; none where one process mirrors one folder.
#[must_use]
pub fn backup_name(status: &Status) -> Option<&str> {
    status.machines.as_ref().map(|machines| machines.backup.as_str())
}

/// What the main is called; none where one process mirrors one folder.
#[must_use]
pub fn main_name(status: &Status) -> Option<&str> {
    status.machines.as_ref().map(|machines| machines.main.as_str())
}

/// What this machine is, for the first line.
#[must_use]
pub fn title(words: &Words, status: &Status) -> Option<String> {
    let Machines { main, backup } = status.machines.as_ref()?;
    let (key, name) = match status.node {
        Node::Main => ("head-main", main),
        Node::Backup if status.duty == Duty::Serving => ("head-backup-serving", backup),
        Node::Backup => ("head-backup", backup),
    };
    Some(words.with(key, &[("store", status.store.as_str().into()), ("name", name.as_str().into())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_of_the_heartbeat_has_its_stroke() {
        assert_eq!(beats(&[0, 1, 5, 4]), ".:||");
        assert_eq!(beats(&[5; 60]).len(), SECONDS);
        assert_eq!(beats(&[]), "");
    }
}
