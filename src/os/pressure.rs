//! How long programs of this machine were held up: what does not go on may only wait for its turn, or for a disk.

use std::fs;
use std::time::Duration;

/// For so long since the machine began, altogether, at least one program was held up for want of processor, disk or memory; none where
/// the system does not count that (Linux does since 4.20, as pressure stall information).
#[must_use]
pub fn held_up() -> Option<Duration> {
    if super::ground::is_simulated() {
        return None;
    }
    ["cpu", "io", "memory"]
        .into_iter()
        .map(|what| total(&fs::read_to_string(format!("/proc/pressure/{what}")).ok()?))
        .sum()
}

/// What a file of it says: `some avg10=0.00 avg60=0.00 avg300=0.00 total=703430800`, in microseconds.
fn total(text: &str) -> Option<Duration> {
    let some = text.lines().find(|line| line.starts_with("some "))?;
    some.rsplit_once("total=")?.1.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_from_what_the_system_says() {
        let text =
            "some avg10=0.08 avg60=3.34 avg300=4.82 total=703430800\nfull avg10=0.07 avg60=2.95 avg300=4.09 total=5\n";
        assert_eq!(total(text), Some(Duration::from_micros(703_430_800)));
        assert_eq!((total("full total=7"), total(""), total("some avg10=0.08")), (None, None, None));
    }
}
