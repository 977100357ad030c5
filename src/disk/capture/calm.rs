//! Whether a program that has done nothing for a while has paused by itself.

use std::time::Duration;

use tokio::time::Instant;

use crate::os::pressure::held_up;
use crate::os::writers::Doing;

/// No program is held up so long, or not often; nor does it work so long between two writes that belong together.
const LONG_CALM: Duration = Duration::from_millis(150);
/// No disk keeps a program waiting so long, or it is broken.
const LONGEST_CALM: Duration = Duration::from_secs(1);

/// A time in which nothing has moved.
pub(super) struct Calm {
    began: Instant,
    held_up: Option<Duration>,
    /// For so long this process itself stood still against its will, and perhaps the whole machine.
    lost: Duration,
}

impl Calm {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), held_up: held_up(), lost: Duration::ZERO }
    }

    /// For so long nothing has moved, whatever that says.
    pub(super) fn lasts(&self) -> Duration {
        self.began.elapsed()
    }

    /// It was to be waited for `gap`, and that took so long: what is more proves nothing of any other program.
    pub(super) fn waited(&mut self, gap: Duration, took: Duration) {
        self.lost += took.saturating_sub(gap);
    }

    /// Whether a program that has done nothing in it has paused by itself. While programs of this machine wait for their turn or for a
    /// disk, it may be one of them, and in the middle of something.
    pub(super) fn is_a_pause(&self, doing: Doing) -> bool {
        let (time, now) = (self.began.elapsed().saturating_sub(self.lost), held_up());
        let held = self.held_up.zip(now).map_or(Duration::ZERO, |(before, now)| now.saturating_sub(before));
        is_a_pause(time, held, doing)
    }
}

fn is_a_pause(time: Duration, held_up: Duration, doing: Doing) -> bool {
    match doing {
        // On a simulated machine no time need pass.
        Doing::Rests => held_up <= time / 2 || time >= LONG_CALM,
        Doing::Runs => time >= LONG_CALM,
        Doing::Stuck => time >= LONGEST_CALM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_the_machine_stood_still_nobody_has_paused() {
        let ms = Duration::from_millis;
        let began = Instant::now().checked_sub(ms(200)).unwrap();
        let mut calm = Calm { began, held_up: None, lost: Duration::ZERO };
        assert!(calm.is_a_pause(Doing::Runs), "no program waits so long for its turn");
        calm.waited(ms(10), ms(190));
        assert!(!calm.is_a_pause(Doing::Runs), "all of them did");
    }

    #[test]
    fn who_is_held_up_has_not_paused_by_itself() {
        let ms = Duration::from_millis;
        let rests = |time, held| is_a_pause(ms(time), ms(held), Doing::Rests);
        assert!(rests(50, 0) && rests(50, 20) && !rests(50, 50) && !rests(140, 90));
        assert!(rests(150, 150), "nobody waits so long for a turn, or not often");
        let other = |time, doing| is_a_pause(ms(time), ms(0), doing);
        assert!(!other(50, Doing::Runs) && other(150, Doing::Runs));
        assert!(!other(900, Doing::Stuck) && other(1000, Doing::Stuck));
    }
}
