//! How fast may be sent: one pace for all connections of a machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Says when so many bytes may go. Its clones share one line.
#[derive(Clone, Debug)]
pub struct Pace {
    rate: u64,
    began: Instant,
    /// When the line is free, in nanoseconds since it began.
    free_at: Arc<AtomicU64>,
}

impl Pace {
    /// A line of `rate` bytes a second.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), began: Instant::now(), free_at: Arc::default() }
    }

    /// When `bytes` have gone, if they go as soon as what was asked about before has. Who asks in turn is served in turn.
    #[must_use]
    pub fn next(&self, bytes: usize) -> Instant {
        let takes = (bytes as u64).saturating_mul(1_000_000_000) / self.rate;
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let after = |free_at: u64| free_at.max(now).saturating_add(takes);
        let before = self.free_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free_at| Some(after(free_at)));
        self.began + Duration::from_nanos(after(before.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paced_line_takes_its_time_for_all_together() {
        let pace = Pace::new(1000);
        let (began, other) = (Instant::now(), pace.clone());
        assert_eq!(pace.next(500) - began, Duration::from_millis(500));
        assert_eq!(other.next(500) - began, Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(pace.next(100) - began, Duration::from_millis(5100), "what was not used is gone");
    }
}
