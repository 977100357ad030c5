//! The bell of the terminal: again and again while a person is called.

use std::time::Duration;

/// From one stroke to the next.
const AGAIN: Duration = Duration::from_secs(4);

/// When the bell is to be struck next.
#[derive(Default, Debug)]
pub struct Bell {
    next: Option<Duration>,
}

impl Bell {
    /// Whether to strike it `now`, the time since any fixed moment, where it rings or not.
    pub fn strikes(&mut self, now: Duration, rings: bool) -> bool {
        let strikes = rings && self.next.is_none_or(|next| next <= now);
        if strikes {
            self.next = Some(now + AGAIN);
        } else if !rings {
            self.next = None;
        }
        strikes
    }

    /// When [`Bell::strikes`] is to be asked again; none while it does not ring.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_struck_at_once_and_every_few_seconds_until_it_rests() {
        let mut bell = Bell::default();
        let at = |seconds| Duration::from_secs(seconds);
        let struck: Vec<u64> = (0..10).filter(|second| bell.strikes(at(*second), *second > 0)).collect();
        assert_eq!(struck, [1, 5, 9]);
        assert_eq!(bell.due(), Some(at(13)));
        assert!(!bell.strikes(at(10), false) && bell.due().is_none());
        assert!(bell.strikes(at(11), true), "what is new is heard at once");
    }
}
