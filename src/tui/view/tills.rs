//! The POS terminals, in a line.

use super::Seen;
use super::machines::{backup_name, main_name};
use super::terminals::slowest;
use crate::pair::Node;
use crate::service::Status;
use crate::service::status::Terminal;

/// How many names of terminals are named before it is said how many more there are.
const NAMED: usize = 3;

/// How many terminals work with the machine that serves, which is this one; none where none are known.
#[must_use]
pub fn here(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let said = counted(seen, status, |one| one.uses == Some(status.node))?;
    Some(said.told(seen, status, ["terminals-here", "terminals-missing"], ""))
}

/// How many terminals work with the machine that serves, which is another one; none where none are known.
#[must_use]
pub fn there(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let said = counted(seen, status, |one| one.uses == Some(status.holder))?;
    let name = if status.holder == Node::Main { main_name(status) } else { backup_name(status) };
    Some(said.told(seen, status, ["terminals-there", "terminals-there-missing"], name.unwrap_or_default()))
}

/// How many of the terminals that are heard do not reach the other machine either, if any.
#[must_use]
pub fn agree(seen: &Seen<'_>, status: &Status) -> Option<String> {
    let heard: Vec<&Terminal> = status.terminals.iter().filter(|one| one.is_here).collect();
    let other = status.node.other();
    let miss = heard.iter().filter(|one| !one.reaches.contains(&other)).count();
    let args = [("miss", miss.into()), ("all", heard.len().into())];
    (miss > 0).then(|| seen.words.with("alarm-witnesses", &args))
}

struct Counted {
    here: usize,
    all: usize,
    names: String,
}

fn counted(seen: &Seen<'_>, status: &Status, is_well: impl Fn(&Terminal) -> bool) -> Option<Counted> {
    let (here, away): (Vec<&Terminal>, Vec<&Terminal>) = status.terminals.iter().partition(|one| is_well(one));
    let names = away.iter().take(NAMED).map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    let more = away.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { seen.words.with("and-more", &[("n", more.into())]) };
    let all = status.terminals.len();
    (all > 0).then(|| Counted { here: here.len(), all, names: format!("{names}{more}") })
}

impl Counted {
    /// The sentence for all, or for some; and how soon the last of all was back, where the server has just changed.
    fn told(self, seen: &Seen<'_>, status: &Status, [whole, missing]: [&str; 2], name: &str) -> String {
        let Self { here, all, names } = self;
        let is_whole = here == all;
        let name = ("name", name.to_owned().into());
        let args = [("here", here.into()), ("all", all.into()), ("names", names.into()), name];
        let said = seen.words.with(if is_whole { whole } else { missing }, &args);
        match slowest(seen, status).filter(|_| is_whole) {
            Some(slowest) => {
                format!("{said}; {}", seen.words.with("terminals-slowest", &[("slowest", slowest.into())]))
            }
            None => said,
        }
    }
}
