//! When it is said that the days run out.

use super::terms::DAY_MS;

const HOUR_MS: u64 = 60 * 60 * 1000;

/// What is left when it is said, the most first: five, three, two days and one, twelve hours and one, nothing.
pub const AT_MS: [u64; 7] = [5 * DAY_MS, 3 * DAY_MS, 2 * DAY_MS, DAY_MS, 12 * HOUR_MS, HOUR_MS, 0];

/// Which warning is due where `before_ms` were left and `now_ms` are: of several the last, by what is left then.
#[must_use]
pub fn due(before_ms: u64, now_ms: u64) -> Option<u64> {
    AT_MS.into_iter().rfind(|at| before_ms > *at && now_ms <= *at)
}

/// Whether so little is left that it is said all the time.
#[must_use]
pub fn is_little(left_ms: u64) -> bool {
    left_ms <= AT_MS[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_is_due_once_and_the_last_of_several() {
        assert_eq!(due(10 * DAY_MS, 6 * DAY_MS), None);
        assert_eq!(due(5 * DAY_MS + 1, 5 * DAY_MS), Some(5 * DAY_MS));
        assert_eq!(due(5 * DAY_MS, 5 * DAY_MS - 1), None, "it was said");
        assert_eq!(due(10 * DAY_MS, 30 * HOUR_MS), Some(2 * DAY_MS));
        assert_eq!(due(2, 0), Some(0));
        assert_eq!(due(0, 0), None);
        assert_eq!(due(DAY_MS, 9 * DAY_MS), None, "days that came back are no warning");
        let mut said = vec![];
        for minute in (0..10 * 24 * 60_u64).rev() {
            said.extend(due((minute + 1) * 60_000, minute * 60_000));
        }
        assert_eq!(said, AT_MS);
    }
}
