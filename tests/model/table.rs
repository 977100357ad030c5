//! The table of the state machine: what a node does in each state when each thing happens to it. It is made by watching the real
//! core on long ways; what was never seen must be declared impossible, with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use espejo::pair::{Action, Claim, Duty, Event, Other, Pair};

/// The states of a node, as people tell them apart.
pub const STATES: [&str; 8] = ["beginning", "resuming", "waiting", "mirroring", "serving", "giving", "gave", "turning"];

/// What can happen.
pub const EVENTS: [&str; 22] = [
    "begins",
    "has saved",
    "hears an older server",
    "hears the server of its epoch",
    "hears a newer server",
    "hears a node that knows less",
    "hears a node that knows as much",
    "hears a node that knows more",
    "hears a goodbye",
    "hears a goodbye of who knows more",
    "has waited",
    "is vouched for",
    "promote, the other is silent",
    "promote, the other fails",
    "start",
    "return",
    "has closed its mirror",
    "cannot close its mirror",
    "both are level",
    "both are not level",
    "has gathered",
    "is given the place",
];

/// Why something cannot happen: in these states, of these events.
type Impossible = (&'static [&'static str], &'static [&'static str], &'static str);

/// What cannot happen, and why.
pub const IMPOSSIBLE: [Impossible; 12] = [
    (&["beginning"], &EVENTS, "a service takes nothing in before it has begun"),
    (&STATES, &["begins"], "a service begins once"),
    (
        &["turning"],
        &["has waited", "is vouched for", "both are level", "both are not level", "has gathered", "is given the place"],
        "a service does all that one event calls for before it takes the next; only a record that cannot be saved waits meanwhile",
    ),
    (
        &["resuming", "waiting", "mirroring", "serving", "gave"],
        &["has closed its mirror", "cannot close its mirror"],
        "a mirror is closed while a node turns, and at no other time",
    ),
    (
        &["resuming", "waiting", "mirroring", "serving", "gave"],
        &["both are level", "both are not level"],
        "only who gives its place away has the two compared",
    ),
    (
        &["resuming", "waiting", "serving", "giving", "gave"],
        &["has gathered"],
        "only a mirror that is whole has set aside what it alone held",
    ),
    (
        &["serving", "giving", "gave", "resuming"],
        &["hears the server of its epoch"],
        "the epoch is its own, and nobody else serves in it",
    ),
    (
        &["mirroring", "serving", "waiting", "giving", "gave"],
        &["has waited", "is vouched for"],
        "only who resumes waits for others to be heard",
    ),
    (&["giving"], &["has closed its mirror", "cannot close its mirror"], "who serves has no mirror"),
    (
        &["waiting"],
        &["hears an older server"],
        "no server goes back, unless an old image of its disk comes back: see that story",
    ),
    (
        &["waiting"],
        &["hears a node that knows less"],
        "who has just begun, and does not serve, has its epoch from the other node's life before",
    ),
    (&["resuming"], &["is given the place"], "a place is given to who mirrors, and to nobody else"),
];

/// State and event, and what came of it: actions and the next state.
type Seen = BTreeMap<(&'static str, &'static str), BTreeSet<String>>;

static SEEN: Mutex<Seen> = Mutex::new(BTreeMap::new());

/// The state of a node.
pub fn state(pair: &Pair) -> &'static str {
    match (pair.duty(), &pair.record().claim) {
        _ if pair.is_resuming() => "resuming",
        (Duty::Serving, _) if pair.is_turning() => "giving",
        (Duty::Serving, _) => "serving",
        _ if pair.is_turning() => "turning",
        (Duty::Mirroring, _) => "mirroring",
        (Duty::Waiting, Claim::Given { .. }) => "gave",
        (Duty::Waiting, _) => "waiting",
    }
}

/// What happens, as the node sees it.
pub fn event(pair: &Pair, event: &Event) -> &'static str {
    let ours = pair.record().epoch;
    match event {
        Event::Began { .. } => "begins",
        Event::Saved => "has saved",
        Event::ServerHeard { epoch, .. } if *epoch < ours => "hears an older server",
        Event::ServerHeard { epoch, .. } if *epoch > ours => "hears a newer server",
        Event::ServerHeard { .. } => "hears the server of its epoch",
        Event::PeerHeard { epoch, .. } if *epoch > ours => "hears a node that knows more",
        Event::PeerHeard { epoch, .. } if *epoch < ours => "hears a node that knows less",
        Event::PeerHeard { .. } => "hears a node that knows as much",
        Event::Goodbye { epoch } if *epoch > ours => "hears a goodbye of who knows more",
        Event::Goodbye { .. } => "hears a goodbye",
        Event::Unheard => "has waited",
        Event::Vouched => "is vouched for",
        Event::Promote(Other::Silent) => "promote, the other is silent",
        Event::Promote(Other::Failing) => "promote, the other fails",
        Event::Start => "start",
        Event::Return => "return",
        Event::Drained { .. } => "has closed its mirror",
        Event::NotDrained => "cannot close its mirror",
        Event::Level { .. } => "both are level",
        Event::NotLevel => "both are not level",
        Event::Gathered => "has gathered",
        Event::Granted { .. } => "is given the place",
    }
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Save(_) => "save",
        Action::Serve(_) => "serve",
        Action::Follow(_) => "follow",
        Action::Drain => "close the mirror",
        Action::Freeze => "stop the POS server",
        Action::Unfreeze => "start the POS server again",
        Action::Retire => "serve no more",
        Action::Grant { .. } => "say that the other is to serve",
        Action::Refuse { .. } => "refuse it",
        Action::Deny(_) => "deny it",
    }
}

/// Notes what a node did.
pub fn saw(before: &'static str, happened: &'static str, actions: &[Action], after: &Pair) {
    let actions: Vec<&str> = actions.iter().map(action).collect();
    let does = if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") };
    let came = format!("{does} -> {}", state(after));
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).entry((before, happened)).or_default().insert(came);
}

/// All that was seen.
pub fn seen() -> Seen {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Why a node in this state cannot have that happen to it, if it cannot.
pub fn impossible(state: &str, event: &str) -> Option<&'static str> {
    let covers = |(states, events, _): &&Impossible| states.contains(&state) && events.contains(&event);
    IMPOSSIBLE.iter().find(covers).map(|(.., why)| *why)
}

/// What belongs to a state though nothing else can happen in it.
pub fn is_own(state: &str, event: &str) -> bool {
    matches!(
        (state, event),
        ("beginning", "begins") | ("turning", "has saved" | "has closed its mirror" | "cannot close its mirror")
    )
}

/// The states, as the documentation of the core shows them: the ways between them, and the whole table.
pub fn told(seen: &Seen) -> String {
    let mut ways: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let mut table = String::new();
    for state in STATES {
        writeln!(table, "{state}").unwrap();
        for event in EVENTS {
            for came in seen.get(&(state, event)).into_iter().flatten() {
                writeln!(table, "    {event}: {came}").unwrap();
                let to = came.rsplit(' ').next().unwrap_or_default();
                if to != state {
                    let from = ways.entry((state, to.to_owned())).or_default();
                    from.extend((!from.contains(&event)).then_some(event));
                }
            }
        }
    }
    let mut picture = String::new();
    for state in STATES {
        for ((_, to), events) in ways.iter().filter(|((from, _), _)| *from == state) {
            writeln!(picture, "{:<24}{}", format!("{state:<10}--> {to}"), events.join("; ")).unwrap();
        }
    }
    format!("{HEAD}```text\n{picture}```\n\n{MIDDLE}```text\n{table}```\n")
}

const HEAD: &str = "\
# The states of a node

Drawn from the code by `tests/model.rs`. A node that is *turning* closes its mirror, or saves the record that changes who serves;
nothing is said or done on the strength of that record before it is on disk.

";

const MIDDLE: &str = "\
# The whole table

State, what happens, what the node does, and its next state. What is not here cannot happen, for a reason that the test names.

";
