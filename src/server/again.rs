//! When a program that ended by itself is started again: soon, and less and less soon. Pure.

use std::time::Duration;

/// The first wait; each next one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30);
/// Ready for so long, it begins anew with the first.
const STEADY: Duration = Duration::from_secs(60);

/// Counts the waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Again {
    next: Duration,
}

impl Again {
    /// Nothing has ended yet.
    #[must_use]
    pub fn new() -> Self {
        Self { next: FIRST }
    }

    /// How long is waited after it ended, when it had been ready for `ready`; none where it never was.
    pub fn wait(&mut self, ready: Option<Duration>) -> Duration {
        if ready.is_some_and(|ready| ready >= STEADY) {
            self.next = FIRST;
        }
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait
    }
}

impl Default for Again {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_and_a_good_minute_forgets_them() {
        let mut again = Again::new();
        let waits = |again: &mut Again| [(); 7].map(|()| again.wait(None).as_secs());
        assert_eq!(waits(&mut again), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(again.wait(Some(Duration::from_secs(59))).as_secs(), 30);
        assert_eq!(again.wait(Some(STEADY)).as_secs(), 1);
        assert_eq!(again.wait(None).as_secs(), 2);
    }
}
