//! The page of the POS terminals: what each reaches and works with, how fast it was back after the server changed; and the devices
//! that both machines must reach.

use jiff::SignedDuration;

use super::machines::{backup_name, main_name};
use super::{More, Seen};
use crate::pair::Node;
use crate::service::Status;
use crate::service::status::{Device, PeerState, Terminal};
use crate::tui::app::App;
use crate::tui::intent::Scope;
use crate::tui::theme::Mark;
use crate::words::{Words, figures};

/// How many things are said of a terminal in one row.
pub const COLUMNS: usize = 8;

/// So long after the POS server began to answer, it matters who is back.
const BOARD: SignedDuration = SignedDuration::from_mins(10);

/// The page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TerminalsView {
    /// How many work with whom.
    pub label: String,
    /// How many are back since the server changed, and how many that is of a thousand; none where that is long ago.
    pub back: Option<(String, u16)>,
    /// That there are none; empty where there are.
    pub nothing: String,
    /// The names of the columns.
    pub heads: [String; COLUMNS],
    /// The terminals, the missing first.
    pub terminals: Vec<TerminalLine>,
    /// The name of the list of devices; empty where there are none.
    pub devices_label: String,
    /// The names of their columns.
    pub device_heads: [String; COLUMNS],
    /// The devices: name, reached from the main, from the backup, address.
    pub devices: Vec<TerminalLine>,
    /// The line that is to be the first on the screen, from 0.
    pub top: usize,
    /// How the rest is seen.
    pub more: More,
}

/// One terminal, or device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TerminalLine {
    /// How it stands, as a sign.
    pub mark: Mark,
    /// Name; reaches the main, the backup; what it works with; when it was heard; how soon it was back; the time to its server and
    /// back; its version.
    pub cells: [String; COLUMNS],
    /// What else is to be known of it; a sentence each.
    pub notes: Vec<String>,
}

/// The page.
#[must_use]
pub fn terminals(seen: &Seen<'_>, app: &App, top: usize) -> TerminalsView {
    let words = seen.words;
    let known = app.status().map(|status| status.terminals.as_slice()).unwrap_or_default();
    let nothing = match app.status() {
        None => words.say("answer-waiting"),
        Some(_) if known.is_empty() => words.say("terminals-none"),
        Some(_) => String::new(),
    };
    let heads = [
        "column-name",
        "column-main",
        "column-backup",
        "column-uses",
        "column-heard",
        "column-back",
        "column-way",
        "column-version",
    ];
    let devices = app.status().map(|status| status.devices.as_slice()).unwrap_or_default();
    let mut lines: Vec<TerminalLine> =
        app.status().map_or_else(Vec::new, |status| known.iter().map(|one| line(seen, status, one)).collect());
    // As they come, the worst first.
    lines.sort_by_key(|line| std::cmp::Reverse(line.mark));
    TerminalsView {
        label: app.status().map_or_else(String::new, |status| label(seen, status)),
        back: app.status().and_then(|status| back(seen, status)),
        nothing,
        heads: heads.map(|head| named(words, head)),
        terminals: lines,
        devices_label: if devices.is_empty() { String::new() } else { words.say("label-devices") },
        device_heads: ["column-name", "column-main", "column-backup", "column-address", "", "", "", ""]
            .map(|head| named(words, head)),
        devices: devices.iter().map(|device| device_line(words, device)).collect(),
        top,
        more: More::of(seen, Scope::Terminals),
    }
}

fn named(words: &Words, head: &str) -> String {
    if head.is_empty() { String::new() } else { words.say(head) }
}

fn works(status: &Status, one: &Terminal) -> bool {
    one.is_here && one.works && one.uses == Some(status.holder)
}

fn label(seen: &Seen<'_>, status: &Status) -> String {
    let count = status.terminals.iter().filter(|one| works(status, one)).count();
    let name = if status.holder == Node::Main { main_name(status) } else { backup_name(status) }.unwrap_or_default();
    let args = [("here", count.into()), ("all", status.terminals.len().into()), ("name", name.into())];
    if status.terminals.is_empty() {
        seen.words.say("label-terminals")
    } else {
        seen.words.with("terminals-work", &args)
    }
}

/// The POS server has begun to answer, or has stopped to do so here, a while ago at the most: the server has changed.
fn is_new(seen: &Seen<'_>, status: &Status) -> bool {
    let now = seen.now.timestamp();
    status.pos.as_ref().is_some_and(|pos| now.duration_since(pos.since) < BOARD)
}

/// How long it took until the last terminal was back after the server changed, where that is not long ago.
#[must_use]
pub fn slowest(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let took = status.terminals.iter().filter_map(|one| one.took_ms).max();
    took.filter(|_| is_new(seen, status)).map(|ms| figures::span(seen.words, ms))
}

/// How many are back, where the POS server has begun to answer a while ago at the most.
fn back(seen: &Seen<'_>, status: &Status) -> Option<(String, u16)> {
    let all = status.terminals.len();
    let count = status.terminals.iter().filter(|one| works(status, one)).count();
    let said = match slowest(seen, status) {
        Some(slowest) if count == all => seen.words.with("terminals-all-back", &[("slowest", slowest.into())]),
        None if count == all => return None,
        _ if !is_new(seen, status) => return None,
        _ => seen.words.with("terminals-back", &[("n", count.into()), ("all", all.into())]),
    };
    Some((said, u16::try_from(count * 1000 / all.max(1)).unwrap_or(1000)))
}

fn line(seen: &Seen<'_>, status: &Status, one: &Terminal) -> TerminalLine {
    let words = seen.words;
    let works = works(status, one);
    // That it misses a machine which is not heard here either says nothing of its own cable.
    let is_alone = matches!(status.peer.state, PeerState::Lost | PeerState::Unknown);
    let misses = [Node::Main, Node::Backup].iter().any(|node| {
        let is_heard = *node == status.node || !is_alone;
        is_heard && !one.reaches.contains(node)
    });
    let mark = match (one.is_here, works) {
        (false, _) => Mark::Alarm,
        (true, true) if !misses && one.shut.is_empty() => Mark::Ok,
        (true, _) => Mark::Warn,
    };
    let reaches = |node| reached(words, one.is_here.then(|| one.reaches.contains(&node)));
    let uses = one.uses.filter(|_| one.is_here).and_then(|node| match node {
        Node::Main => main_name(status),
        Node::Backup => backup_name(status),
    });
    let span = |ms: Option<u64>| ms.map_or_else(String::new, |ms| figures::span(words, ms));
    let heard = one.heard_ago_ms.map_or_else(|| words.say("terminal-never"), |ms| figures::ago(words, ms));
    let back = match (works, one.took_ms) {
        (true, took) => span(took),
        (false, _) => words.say(if one.is_here { "terminal-waits" } else { "terminal-missing" }),
    };
    let way = one.round_trip_us.filter(|_| one.is_here).map_or_else(String::new, |us| figures::way(words, us));
    let mut notes: Vec<String> =
        one.shut.iter().map(|port| words.with("terminal-shut", &[("port", port.to_string().into())])).collect();
    notes.extend(one.receipt.as_ref().map(|number| {
        let at = one.receipt_at.map_or_else(String::new, |at| figures::moment(words, at, seen.now));
        words.with("terminal-receipt", &[("number", number.as_str().into()), ("at", at.into())])
    }));
    let version = one.version.clone().unwrap_or_default();
    let cells = [
        one.name.clone(),
        reaches(Node::Main),
        reaches(Node::Backup),
        uses.unwrap_or_default().to_owned(),
        heard,
        back,
        way,
        version,
    ];
    TerminalLine { mark, cells, notes }
}

fn reached(words: &Words, is_reached: Option<bool>) -> String {
    words.say(match is_reached {
        Some(true) => "reached",
        Some(false) => "not-reached",
        None => "reach-unknown",
    })
}

fn device_line(words: &Words, device: &Device) -> TerminalLine {
    let Device { name, address, main, backup } = device;
    let mark = match (main, backup) {
        (Some(false), _) | (_, Some(false)) => Mark::Warn,
        (Some(true), Some(true)) => Mark::Ok,
        _ => Mark::Busy,
    };
    let [heard, took, way, version] = [(); 4].map(|()| String::new());
    let cells =
        [name.clone(), reached(words, *main), reached(words, *backup), address.clone(), heard, took, way, version];
    TerminalLine { mark, cells, notes: vec![] }
}
