//! Spans of time and sizes as people write them.

use std::time::Duration;

/// The units of a size, in bytes.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// The span of time that `text` says: `500ms`, `3s`, `10m`, `1h 30m`. A number without a unit says none.
#[must_use]
pub fn span(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// The bytes that `text` says: `200kB`, `11.5MB`, `2GiB`, and the same with `/s` behind. A number without a unit says
/// none; parts of a byte are dropped.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    let (_, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    // Digits behind the point: "11." and ".5" are slips.
    if whole.is_empty() || number.ends_with('.') || part.contains('.') {
        return None;
    }
    let places = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let digits: u128 = format!("{whole}{part}").parse().ok()?;
    u64::try_from(digits.checked_mul(u128::from(*factor))? / places).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let good = [("2GiB", 2 << 30), ("11.5MB", 11_500_000), ("11.5 MB/s", 11_500_000), ("0B", 0), ("1.5kib", 1536)];
        for (text, bytes) in good {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        let huge = "9".repeat(60) + "B";
        for bad in ["", "2", "GiB", "2 apples", "-1kB", "1.MB", ".5MB", "1.2.3MB", "99999999TiB", &huge, "2GiB more"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!(span("3s"), Some(Duration::from_secs(3)));
        assert_eq!(span("1h 30m"), Some(Duration::from_secs(5400)));
        for bad in ["", "3", "3 apples", "-3s", "99999999999999999999y"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }
}
