//! How much of the machine reading may take: a quarter of a core, averaged over a minute.

use std::time::Duration;

use tokio::time::Instant;

/// The share of a core, as one part of so many.
const SHARE: u32 = 4;

/// What may be spent at once after a quiet minute.
const MOST: Duration = Duration::from_secs(15);

/// What is left to spend.
#[derive(Debug)]
pub struct Budget {
    left: Duration,
    /// Spent beyond what there was.
    debt: Duration,
    at: Instant,
}

impl Budget {
    /// A full one.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { left: MOST, debt: Duration::ZERO, at: now }
    }

    /// Notes that a core read for `spent`.
    pub fn spend(&mut self, spent: Duration, now: Instant) {
        self.refill(now);
        let paid = spent.min(self.left);
        self.left -= paid;
        self.debt += spent.checked_sub(paid).unwrap_or_default();
    }

    /// When reading may go on.
    pub fn free_at(&mut self, now: Instant) -> Instant {
        self.refill(now);
        now + self.debt * SHARE
    }

    fn refill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.at) / SHARE;
        self.at = now;
        let paid = gained.min(self.debt);
        self.debt -= paid;
        self.left = (self.left + gained.checked_sub(paid).unwrap_or_default()).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_core_over_a_minute() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let mut budget = Budget::new(now);
        budget.spend(second * 15, now);
        assert_eq!(budget.free_at(now), now, "a minute's worth may go at once");
        budget.spend(second, now);
        assert_eq!(budget.free_at(now), now + second * 4);
        assert_eq!(budget.free_at(now + second * 4), now + second * 4);
        budget.spend(second, now + second * 8);
        assert_eq!(budget.free_at(now + second * 8), now + second * 8, "what was saved up");
    }
}
