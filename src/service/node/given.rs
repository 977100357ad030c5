//! Numbers that a person gives, or has set by hand; and those that are still to be set when the place goes to the other machine.

use super::Machine;
use crate::config::counter::CounterWrite;
use crate::service::command::Reply;
use crate::service::going_on::why_not_behind;
use crate::service::refusal::WhyNot;

/// Whatever is set in it would be overwritten.
const NOT_READ_BACK: &str = "a database is not read back yet (DMP-101)";

impl Machine {
    /// Why one of these numbers may not be gone on behind: nobody knows such a number, or it was given out before.
    pub(super) fn why_not_behind(&self, given: &[(String, u64)]) -> Option<WhyNot> {
        why_not_behind(&self.numbers_stand(0), |name| self.seen_by_tills(name), given)
    }

    /// A person has set by hand what could not be set. The others are set then.
    pub(super) async fn numbers_set(&mut self, by: &str) -> Reply {
        let Some((name, _)) = self.numbers.failed.clone() else {
            return Reply::Refused { why: vec![WhyNot::NoNumberWaits] };
        };
        if self.dumps.is_waited_for() {
            let why = NOT_READ_BACK.to_owned();
            return Reply::Refused { why: vec![WhyNot::NumberNotSet { name, why }] };
        }
        let saved = &mut self.numbers.saved;
        saved.setting.iter_mut().filter(|one| one.name == name).for_each(|one| one.by = Some(by.to_owned()));
        saved.by_hand.push(name);
        let epoch = self.pair.record().epoch;
        if self.set_numbers(epoch).await {
            self.start_program(epoch).await;
            return Reply::Done;
        }
        let why = self.numbers.failed.clone().map(|(name, why)| WhyNot::NumberNotSet { name, why });
        Reply::Refused { why: why.into_iter().collect() }
    }

    /// The place is about to go to the other machine, and the POS server of this one never started: the numbers are set before the last
    /// changes go, or that machine would give once more what a dead one had given. Returns whether they are.
    pub(super) async fn numbers_go_along(&mut self) -> bool {
        if self.numbers.saved.wanted.is_none() {
            return true;
        }
        let asks_program = self.store.counters.iter().find(|one| matches!(one.write, Some(CounterWrite::Command(_))));
        if let Some(counter) = asks_program.filter(|_| self.dumps.is_waited_for()) {
            return self.has_failed((counter.name.clone(), NOT_READ_BACK.to_owned())).await;
        }
        self.set_numbers(self.pair.record().epoch).await
    }
}
