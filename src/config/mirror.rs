//! How the mirror is kept.

use std::time::Duration;

use super::fault::FaultKind;
use super::reading::{Item, Table};

/// The longest time between two looks at what the system does not tell of: 3 seconds.
pub const INTERVAL: Duration = Duration::from_secs(3);
/// How often everything is looked through: 10 minutes.
pub const RESCAN: Duration = Duration::from_secs(10 * 60);
/// How old a copy may be to be started from without a second consent: 10 minutes.
pub const MAX_AGE: Duration = Duration::from_secs(10 * 60);
/// How long a file that became empty is held back before a person is asked: 2 seconds.
pub const EMPTY_PATIENCE: Duration = Duration::from_secs(2);
/// How long a dataset may be unsteady before a person is called: 2 minutes.
pub const STEADY_ALARM: Duration = Duration::from_secs(2 * 60);
/// A generation that changes so many of a hundred bytes is doubtful: 50.
pub const SUSPICIOUS: u64 = 50;
/// How far back the mirror can be stepped: 1 hour.
pub const HISTORY: Duration = Duration::from_secs(60 * 60);
/// How long what was set aside is kept: 400 days.
pub const ASIDE_FOR: Duration = Duration::from_secs(400 * 86_400);
/// How much room the steps back may take: 2 GiB, in bytes.
pub const HISTORY_BYTES: u64 = 2 << 30;
/// The slowest that a mirror may be told to be, in bytes a second.
const LEAST_RATE: u64 = 1000;

const DAY: Duration = Duration::from_secs(86_400);

/// How the mirror is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mirror {
    /// The longest time between two looks, from 10 ms to a day; what the system tells of goes at once.
    pub interval: Duration,
    /// How often everything is looked through; not shorter than `interval`.
    pub rescan: Duration,
    /// An older copy needs a second consent to be started from; not shorter than `interval`.
    pub max_age: Duration,
    /// How long a file that became empty is held back before a person is asked.
    pub empty_patience: Duration,
    /// How long a dataset may be unsteady before a person is called.
    pub steady_alarm: Duration,
    /// A generation that changes so many of a hundred bytes is doubtful; from 1 to 100.
    pub suspicious: u64,
    /// How far back the mirror can be stepped; zero: not at all.
    pub history: Duration,
    /// How long what was set aside is kept.
    pub aside_for: Duration,
    /// How much room the steps back may take, in bytes.
    pub history_bytes: u64,
    /// The bytes a second between the machines at the most, 1000 at least; `None`: as fast as it goes.
    pub max_rate: Option<u64>,
}

impl Mirror {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let second = Duration::from_secs(1);
        let mirror = Self {
            interval: table.span("interval", INTERVAL, Duration::from_millis(10)..=DAY),
            rescan: table.span("rescan", RESCAN, second..=7 * DAY),
            max_age: table.span("max_age", MAX_AGE, second..=30 * DAY),
            empty_patience: table.span("empty_patience", EMPTY_PATIENCE, Duration::ZERO..=DAY),
            steady_alarm: table.span("steady_alarm", STEADY_ALARM, second..=DAY),
            suspicious: table.get("suspicious").and_then(|item| percent(&item)).unwrap_or(SUSPICIOUS),
            history: table.span("history", HISTORY, Duration::ZERO..=366 * DAY),
            aside_for: table.span("aside_for", ASIDE_FOR, DAY..=3650 * DAY),
            history_bytes: table.get("history_bytes").and_then(|item| item.size()).unwrap_or(HISTORY_BYTES),
            max_rate: table.get("max_rate").and_then(|item| {
                let rate = item.size()?;
                let range = FaultKind::OutOfRange { least: "1kB".to_owned(), most: "1000TB".to_owned() };
                if (LEAST_RATE..=1_000_000_000_000_000).contains(&rate) { Some(rate) } else { item.wrong(range) }
            }),
        };
        for (key, long, span) in
            [("rescan", "mirror.rescan", mirror.rescan), ("max_age", "mirror.max_age", mirror.max_age)]
        {
            if span < mirror.interval {
                match (table.get(key), table.get("interval")) {
                    (Some(item), _) => item.fault(FaultKind::ShorterThan("mirror.interval")),
                    (None, Some(item)) => item.fault(FaultKind::LongerThan(long)),
                    (None, None) => {}
                }
            }
        }
        mirror
    }
}

/// "50%".
fn percent(item: &Item<'_>) -> Option<u64> {
    let text = item.text()?;
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    let range = FaultKind::OutOfRange { least: "1%".to_owned(), most: "100%".to_owned() };
    percent.filter(|percent| (1..=100).contains(percent)).or_else(|| item.wrong(range))
}
