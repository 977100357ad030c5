//! What brings to the files what the shop's program holds in its memory, and has it stand still: where it never does by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// The shop's program is not stopped more often than that.
const APART: Duration = Duration::from_secs(10);

/// Where it was asked in vain, it is asked less and less often, down to that.
const SELDOM: Duration = Duration::from_secs(300);

/// Has the shop's program stand still.
#[derive(Clone)]
pub struct Quiet {
    begin: Arc<dyn Fn() -> bool + Send + Sync>,
    end: Arc<dyn Fn() + Send + Sync>,
}

/// What is used of it.
#[derive(Debug, Default)]
pub(super) struct Quieting {
    quiet: Option<Quiet>,
    not_before: Option<Instant>,
    /// So long it was left alone since it was asked in vain.
    rest: Duration,
    /// It stood still the last time.
    stood: bool,
    /// It was asked to stand still, and not to go on again.
    asked: bool,
    stands: bool,
}

impl Quiet {
    /// `begin` has it stand still, and says whether it does; `end` has it go on, whatever `begin` said.
    pub fn new(begin: impl Fn() -> bool + Send + Sync + 'static, end: impl Fn() + Send + Sync + 'static) -> Self {
        Self { begin: Arc::new(begin), end: Arc::new(end) }
    }
}

impl fmt::Debug for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quiet")
    }
}

impl Quieting {
    pub(super) fn of(quiet: Option<Quiet>) -> Self {
        Self { quiet, ..Self::default() }
    }

    /// Has the program stand still, if that may be now. Returns whether it does since.
    pub(super) fn begin(&mut self) -> bool {
        let may = !self.asked && self.not_before.is_none_or(|at| Instant::now() >= at);
        let Some(quiet) = self.quiet.as_ref().filter(|_| may) else { return false };
        self.asked = true;
        self.stands = (quiet.begin)();
        self.stands
    }

    /// When it stands still again, where it did not long ago.
    pub(super) fn rests(&self) -> Option<Instant> {
        self.not_before.filter(|at| self.stood && !self.asked && Instant::now() < *at)
    }

    /// It stood still before, and may be asked again now: nothing else is waited for.
    pub(super) fn is_awaited(&self) -> bool {
        self.stood && !self.asked && self.not_before.is_some_and(|at| Instant::now() >= at)
    }

    /// All held still without its being asked, nor having been asked not long ago: it need not be, the next time.
    pub(super) fn settled(&mut self) {
        self.stood &= self.asked || self.not_before.is_some_and(|at| Instant::now() < at);
    }

    /// Has it go on. Returns whether it stood still.
    pub(super) fn end(&mut self) -> bool {
        if std::mem::take(&mut self.asked) {
            self.stood = self.stands;
            // What hangs may hold it up all the same.
            self.rest = if self.stands { APART } else { (self.rest * 2).clamp(APART, SELDOM) };
            self.not_before = Some(Instant::now() + self.rest);
            if let Some(quiet) = &self.quiet {
                (quiet.end)();
            }
        }
        std::mem::take(&mut self.stands)
    }
}

impl Drop for Quieting {
    /// Also where what captures it fails.
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whatever_was_asked_to_stand_still_goes_on_and_is_not_asked_again_at_once() {
        let (begun, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (begins, ends) = (Arc::clone(&begun), Arc::clone(&ended));
        let mut quieting = Quieting::of(Some(Quiet::new(
            move || begins.fetch_add(1, Ordering::Relaxed) > 0,
            move || {
                ends.fetch_add(1, Ordering::Relaxed);
            },
        )));
        let counted = || (begun.load(Ordering::Relaxed), ended.load(Ordering::Relaxed));
        assert!(!quieting.end() && counted() == (0, 0), "nobody asked it");
        assert!(!quieting.begin(), "it refuses");
        assert!(!quieting.end() && counted() == (1, 1), "and goes on all the same");
        assert!(!quieting.begin() && counted() == (1, 1), "too soon");
        assert!(quieting.rests().is_none(), "it is not counted on");
        tokio::time::advance(APART).await;
        assert!(quieting.begin() && !quieting.begin(), "once");
        assert!(quieting.end() && counted() == (2, 2) && quieting.rests().is_some());
        quieting.settled();
        assert!(quieting.rests().is_some(), "it paused because it was asked");
        tokio::time::advance(APART).await;
        assert!(quieting.is_awaited());
        quieting.settled();
        assert!(!quieting.is_awaited(), "it pauses by itself again");
        assert!(!Quieting::default().begin());
    }

    /// Found by reading: a hook that hangs held the shop up for most of the time.
    #[tokio::test(start_paused = true)]
    async fn what_is_asked_in_vain_is_asked_less_and_less_often() {
        let mut quieting = Quieting::of(Some(Quiet::new(|| false, || ())));
        for rest in [10, 20, 40, 80, 160, 300, 300] {
            assert!(!quieting.begin() && quieting.asked);
            quieting.end();
            tokio::time::advance(Duration::from_secs(rest - 1)).await;
            quieting.begin();
            assert!(!quieting.asked, "{rest} s are not over");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }
}
