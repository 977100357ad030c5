//! Behind which numbers a start goes on, as a person has said.

use super::numbering::{CounterStatus, Next};
use super::plan::{Check, Checked, Plan};
use super::refusal::WhyNot;
use super::status::{Status, Terminal};

impl Plan {
    /// The same, where a person has said behind which numbers it goes on: those that may not be are said, and the rest is asked about no
    /// more.
    #[must_use]
    pub fn going_on(mut self, status: &Status, given: &[(String, u64)]) -> Self {
        let shown = |name: &str| shown_by_tills(status, name);
        if let Some(why) = why_not_behind(&status.counters, shown, given) {
            self.checks.push(Check::of(Checked::Numbers, Some(why)));
            return self;
        }
        let said = |name: &String| given.iter().find(|(known, _)| known == name).map(|(_, number)| *number);
        for number in &mut self.numbers {
            if let Some(said) = said(&number.name) {
                (number.next, number.asks) = (Some(Next::Behind(said)), false);
            }
        }
        let is_answered = |why: &WhyNot| matches!(why, WhyNot::NumberAsked { name, .. } if said(name).is_some());
        for check in &mut self.checks {
            check.why.take_if(|why| is_answered(why));
        }
        self
    }
}

/// The last of a number that a terminal has seen confirmed, as the status has it; 0 where none has. Receipts are one number: the first that
/// is named.
fn shown_by_tills(status: &Status, name: &str) -> u64 {
    let is_first = status.counters.first().is_some_and(|counter| counter.name == name);
    if is_first { status.terminals.iter().filter_map(Terminal::receipt_number).max().unwrap_or(0) } else { 0 }
}

/// Why one of these numbers may not be gone on behind: nobody knows such a number, or it was given out before.
#[must_use]
pub fn why_not_behind(
    counters: &[CounterStatus],
    shown: impl Fn(&str) -> u64,
    given: &[(String, u64)],
) -> Option<WhyNot> {
    given.iter().find_map(|(name, number)| {
        let counter = counters.iter().find(|counter| counter.name == *name);
        let last = counter.map(|counter| counter.last.unwrap_or(0).max(shown(name)));
        let is_fit = last.is_some_and(|last| last <= *number);
        (!is_fit).then(|| WhyNot::NumberGiven { name: name.clone(), number: *number, last })
    })
}
