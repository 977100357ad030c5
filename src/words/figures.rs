//! Bytes, spans of time and clock times as people read them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::Words;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// An amount of `bytes`, to three figures at the most: "80 KiB", "2.4 GiB".
#[must_use]
pub fn bytes(words: &Words, bytes: u64) -> String {
    const UNITS: [&str; 5] = ["size-bytes", "size-kib", "size-mib", "size-gib", "size-tib"];
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10;
    // 1,023.5 KiB would be read as 1024 KiB: the next unit then.
    while tenths >= 10_235 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let figure = if unit == 0 || tenths >= 100 { ((tenths + 5) / 10).to_string() } else { with_tenth(words, tenths) };
    words.with(UNITS[unit], &[("n", figure.into())])
}

/// So many bytes in so many files, as far as either is known.
#[must_use]
pub fn bytes_in(words: &Words, amount: u64, files: u64) -> String {
    let counted = words.with("files", &[("n", files.into())]);
    match (amount, files) {
        (_, 0) => bytes(words, amount),
        (0, _) => counted,
        _ => words.with("bytes-in-files", &[("bytes", bytes(words, amount).into()), ("files", counted.into())]),
    }
}

/// A span of `ms` milliseconds, the finer the shorter: "0.4 s", "12 s", "3 min", "2 h 5 min", "3 d 4 h".
#[must_use]
pub fn span(words: &Words, ms: u64) -> String {
    let two = |key, large: u64, small: u64| words.with(key, &[("large", large.into()), ("small", small.into())]);
    match ms {
        0..9_950 => words.with("span-s", &[("n", with_tenth(words, u128::from((ms + 50) / 100)).into())]),
        9_950..MINUTE => words.with("span-s", &[("n", (ms / SECOND).max(10).to_string().into())]),
        MINUTE..HOUR => words.with("span-min", &[("n", (ms / MINUTE).into())]),
        HOUR..DAY => two("span-h-min", ms / HOUR, ms % HOUR / MINUTE),
        DAY.. => two("span-d-h", ms / DAY, ms % DAY / HOUR),
    }
}

/// How long ago that was: "0.3 s ago".
#[must_use]
pub fn ago(words: &Words, ms: u64) -> String {
    words.with("figure-ago", &[("ago", span(words, ms).into())])
}

/// A time there and back of so many microseconds: "0.4 ms".
#[must_use]
pub fn way(words: &Words, us: u64) -> String {
    let tenths = us.div_ceil(100);
    words.with("figure-way", &[("ms", format!("{}.{}", tenths / 10, tenths % 10).into())])
}

/// What is left of `ms` milliseconds, the finer the less: "8 days 16 h", "16 h 5 min", "12 min 40 s", "40 s".
#[must_use]
pub fn countdown(words: &Words, ms: u64) -> String {
    let two = |key, large: u64, small: u64| words.with(key, &[("large", large.into()), ("small", small.into())]);
    match ms {
        0..MINUTE => words.with("span-s", &[("n", (ms / SECOND).into())]),
        MINUTE..HOUR => two("span-min-s", ms / MINUTE, ms % MINUTE / SECOND),
        HOUR..DAY => two("span-h-min", ms / HOUR, ms % HOUR / MINUTE),
        DAY.. => two("span-days-h", ms / DAY, ms % DAY / HOUR),
    }
}

/// When something will be that is days away: "Tue 24 Nov 10:42".
#[must_use]
pub fn date(words: &Words, at: Timestamp, zone: &TimeZone) -> String {
    to_the_minute(words, &at.to_zoned(zone.clone()))
}

/// The time of day: "10:42:06".
#[must_use]
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// The day and the time of day: "Sat 14 Nov 10:42:07".
#[must_use]
pub fn clock(words: &Words, now: &Zoned) -> String {
    dated(words, now, &format!("{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second()))
}

/// When something was, seen from `now`: "10:42:06" on the same day, "Fri 13 Nov 10:42" on another.
#[must_use]
pub fn moment(words: &Words, at: Timestamp, now: &Zoned) -> String {
    let there = at.to_zoned(now.time_zone().clone());
    if there.date() == now.date() { time(at, now.time_zone()) } else { to_the_minute(words, &there) }
}

/// When something was that is no matter of seconds: "today 04:10", "Fri 13 Nov 04:10".
#[must_use]
pub fn day(words: &Words, at: Timestamp, now: &Zoned) -> String {
    let there = at.to_zoned(now.time_zone().clone());
    if there.date() == now.date() {
        words.with("clock-today", &[("time", format!("{:02}:{:02}", there.hour(), there.minute()).into())])
    } else {
        to_the_minute(words, &there)
    }
}

fn to_the_minute(words: &Words, at: &Zoned) -> String {
    dated(words, at, &format!("{:02}:{:02}", at.hour(), at.minute()))
}

fn dated(words: &Words, at: &Zoned, time: &str) -> String {
    const DAYS: [&str; 7] = ["day-mon", "day-tue", "day-wed", "day-thu", "day-fri", "day-sat", "day-sun"];
    const MONTHS: [&str; 12] = [
        "month-jan",
        "month-feb",
        "month-mar",
        "month-apr",
        "month-may",
        "month-jun",
        "month-jul",
        "month-aug",
        "month-sep",
        "month-oct",
        "month-nov",
        "month-dec",
    ];
    let name = |names: &[&str], from_zero: i8| {
        words.say(usize::try_from(from_zero).ok().and_then(|at| names.get(at)).copied().unwrap_or_default())
    };
    words.with(
        "clock-date",
        &[
            ("weekday", name(&DAYS, at.weekday().to_monday_zero_offset()).into()),
            ("day", at.day().to_string().into()),
            ("month", name(&MONTHS, at.month() - 1).into()),
            ("time", time.into()),
        ],
    )
}

fn with_tenth(words: &Words, tenths: u128) -> String {
    format!("{}{}{}", tenths / 10, words.say("figure-point"), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_files_as_far_as_known() {
        let words = Words::load(Some("en"));
        let said = [(0, 0), (2150, 0), (0, 1), (2150, 2)].map(|(amount, files)| bytes_in(&words, amount, files));
        assert_eq!(said, ["0 B", "2.1 KiB", "1 file", "2 files, 2.1 KiB"]);
    }

    #[test]
    fn bytes_to_three_figures() {
        let words = Words::load(Some("en"));
        let said = |n| bytes(&words, n);
        let expected = [
            (0, "0 B"),
            (999, "999 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (81_920, "80 KiB"),
            (1_048_575, "1.0 MiB"),
            (222_298_112, "212 MiB"),
            (2_576_980_377, "2.4 GiB"),
            (u64::MAX, "16777216 TiB"),
        ];
        for (n, text) in expected {
            assert_eq!(said(n), text);
        }
    }

    #[test]
    fn spans_grow_coarser() {
        let words = Words::load(Some("en"));
        let expected = [
            (0, "0.0 s"),
            (370, "0.4 s"),
            (9_960, "10 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ];
        for (ms, text) in expected {
            assert_eq!(span(&words, ms), text);
        }
    }

    #[test]
    fn a_countdown_grows_finer() {
        let words = Words::load(Some("en"));
        let expected = [
            (748_800_000, "8 days 16 h"),
            (86_400_000, "1 day 0 h"),
            (86_399_999, "23 h 59 min"),
            (3_599_000, "59 min 59 s"),
            (59_999, "59 s"),
            (999, "0 s"),
        ];
        for (ms, text) in expected {
            assert_eq!(countdown(&words, ms), text);
        }
    }

    #[test]
    fn a_day_is_named_when_it_is_not_today() {
        let words = Words::load(Some("en"));
        let zone = TimeZone::fixed(jiff::tz::offset(-6));
        let now = "2026-11-14T16:42:07Z".parse::<Timestamp>().unwrap().to_zoned(zone);
        assert_eq!(clock(&words, &now), "Sat 14 Nov 10:42:07");
        assert_eq!(moment(&words, "2026-11-14T16:42:06Z".parse().unwrap(), &now), "10:42:06");
        assert_eq!(moment(&words, "2026-11-13T16:42:06Z".parse().unwrap(), &now), "Fri 13 Nov 10:42");
        assert_eq!(day(&words, "2026-11-14T10:10:00Z".parse().unwrap(), &now), "today 04:10");
    }
}
