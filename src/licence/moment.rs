//! A point in time, by the system's own count and by the wall clock. The count is what counts; the wall clock is a witness.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A point in time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moment {
    /// Which start of the system it belongs to.
    pub boot: String,
    /// Milliseconds since that start, sleep included.
    pub up_ms: u64,
    /// What the wall clock says.
    pub wall: Timestamp,
}

/// The most that is counted by the wall clock alone, at a time: a day. A clock that is wrong after a start of the machine must
/// not take all the days; and a machine that was switched off did not serve.
pub const MOST_ESTIMATED_MS: u64 = super::terms::DAY_MS;
/// A wall clock that goes wrong by less is not worth a word.
const WRONG_MS: i64 = 60_000;

/// What has passed between two moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Milliseconds.
    pub ms: u64,
    /// How many of them only the wall clock knows of.
    pub estimated_ms: u64,
    /// By how many milliseconds the wall clock was set meanwhile, if it was: less than 0 is back.
    pub set_by_ms: Option<i64>,
}

impl Moment {
    /// What has passed since `before`: never less than nothing.
    #[must_use]
    pub fn since(&self, before: &Self) -> Passed {
        let wall_ms = self.wall.as_millisecond().saturating_sub(before.wall.as_millisecond());
        let is_worth = |off: i64| (off.unsigned_abs() >= WRONG_MS.unsigned_abs()).then_some(off);
        if self.boot == before.boot && self.up_ms >= before.up_ms {
            let ms = self.up_ms - before.up_ms;
            let off = wall_ms.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX));
            return Passed { ms, estimated_ms: 0, set_by_ms: is_worth(off) };
        }
        // The system was started between the two: so long it has been up for certain, the rest is what the clock says.
        let certain = if self.boot == before.boot { 0 } else { self.up_ms };
        let said = u64::try_from(wall_ms).unwrap_or(0).min(MOST_ESTIMATED_MS);
        let ms = said.max(certain);
        let set_by_ms = is_worth(wall_ms).filter(|off| *off < 0);
        Passed { ms, estimated_ms: ms - certain, set_by_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot: &str, up_ms: u64, wall_ms: i64) -> Moment {
        Moment { boot: boot.to_owned(), up_ms, wall: Timestamp::from_millisecond(wall_ms).unwrap() }
    }

    #[test]
    fn within_one_start_of_the_system_its_own_count_counts() {
        let before = moment("a", 1000, 5_000_000);
        let passed = |up_ms, wall_ms| moment("a", up_ms, wall_ms).since(&before);
        let exact = |ms, set_by_ms| Passed { ms, estimated_ms: 0, set_by_ms };
        assert_eq!(passed(3000, 5_002_000), exact(2000, None));
        assert_eq!(passed(3000, 1_402_000), exact(2000, Some(-3_600_000)));
        assert_eq!(passed(3000, 8_602_000), exact(2000, Some(3_600_000)));
        assert_eq!(passed(3000, 5_032_000), exact(2000, None), "half a minute is not worth a word");
    }

    #[test]
    fn over_a_start_of_the_system_the_wall_clock_estimates() {
        let before = moment("a", 9_000_000, 5_000_000);
        let passed = |up_ms, wall_ms| moment("b", up_ms, wall_ms).since(&before);
        assert_eq!(passed(10_000, 5_700_000), Passed { ms: 700_000, estimated_ms: 690_000, set_by_ms: None });
        let back = Passed { ms: 10_000, estimated_ms: 0, set_by_ms: Some(-4_000_000) };
        assert_eq!(passed(10_000, 1_000_000), back, "so long the system was up for certain");
        let year = passed(10_000, 5_000_000 + 365 * 86_400_000);
        assert_eq!((year.ms, year.estimated_ms), (MOST_ESTIMATED_MS, MOST_ESTIMATED_MS - 10_000));
        let image = moment("a", 8_000_000, 5_060_000).since(&before);
        assert_eq!((image.ms, image.estimated_ms), (60_000, 60_000), "an old state of the machine came back");
    }
}
