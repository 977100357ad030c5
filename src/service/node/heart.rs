//! The heartbeat of the other machine: whether it is heard, how long the way takes, and what is lost on it. Time is an
//! argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::link::pulse::{Key, Pulse, session_of};
use crate::service::status::PeerState;

/// Time between two beats.
pub const BEAT: Duration = Duration::from_millis(200);
/// Heard longer ago than this is late.
pub const LATE: Duration = Duration::from_secs(1);
/// Heard longer ago than this is lost.
pub const LOST: Duration = Duration::from_millis(2500);
/// So long after the connection was closed by the other side, who is not heard is lost.
pub const CLOSED: Duration = Duration::from_millis(700);

/// Beats whose going is remembered, to know how long the way there and back took.
const SENT: usize = 64;
/// Beats over which losses are counted: a minute.
const COUNTED: u64 = 300;
/// Seconds of history.
const HISTORY: usize = 120;

/// The heartbeats to and from the other machine.
pub struct Heart {
    /// Whether this is the machine that was set up as main.
    main: bool,
    /// The keys of the newest connections, the newest first.
    keys: Vec<(u64, Key)>,
    number: u64,
    sent: VecDeque<(u64, Instant)>,
    highest: u64,
    heard_at: Option<Instant>,
    /// When a heartbeat came last.
    beat_at: Option<Instant>,
    /// Numbers of the beats that were heard, of the last [`COUNTED`].
    heard: VecDeque<u64>,
    round_trip: Option<Duration>,
    closed_at: Option<Instant>,
    began: Instant,
    /// Beats heard in each second since the heart began, the newest last.
    seconds: VecDeque<(u64, u8)>,
}

impl Heart {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new(main: bool, now: Instant) -> Self {
        Self {
            main,
            keys: vec![],
            number: 0,
            sent: VecDeque::new(),
            highest: 0,
            heard_at: None,
            beat_at: None,
            heard: VecDeque::new(),
            round_trip: None,
            closed_at: None,
            began: now,
            seconds: VecDeque::new(),
        }
    }

    /// A new connection: from now on its key is used; the one before is still understood.
    pub fn connected(&mut self, session: u64, secret: &[u8; 32], now: Instant) {
        self.keys.insert(0, (session, Key::of(secret)));
        self.keys.truncate(2);
        (self.highest, self.closed_at) = (0, None);
        self.heard.clear();
        self.felt(now);
    }

    /// The connection was closed, or is not taken any more.
    pub fn closed(&mut self, now: Instant) {
        self.closed_at.get_or_insert(now);
    }

    /// Something came from the other machine by another way.
    pub fn felt(&mut self, now: Instant) {
        self.heard_at = Some(now);
    }

    /// The next beat to send; none before the first connection.
    pub fn beat(&mut self, epoch: u64, state: u8, now: Instant) -> Option<Vec<u8>> {
        let (session, key) = self.keys.first()?;
        self.number += 1;
        self.sent.push_back((self.number, now));
        if self.sent.len() > SENT {
            self.sent.pop_front();
        }
        // What came by another way says nothing of how long the beat that is echoed was held.
        let held = self.beat_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let held_us = u32::try_from(held.as_micros()).unwrap_or(u32::MAX);
        let pulse = Pulse { session: *session, number: self.number, echo: self.highest, held_us, epoch, state };
        Some(key.seal(&pulse, self.main))
    }

    /// Takes in a datagram. Returns what it says, if the other machine said it, and it is news.
    pub fn hear(&mut self, bytes: &[u8], now: Instant) -> Option<Pulse> {
        let session = session_of(bytes)?;
        let (_, key) = self.keys.iter().find(|(known, _)| *known == session)?;
        let pulse = key.open(bytes, !self.main)?;
        let is_newest = self.keys.first().is_some_and(|(newest, _)| *newest == session);
        if is_newest && !self.heard.contains(&pulse.number) && pulse.number + COUNTED > self.highest {
            self.heard.push_back(pulse.number);
        }
        if !is_newest || pulse.number <= self.highest {
            return None;
        }
        (self.highest, self.heard_at, self.closed_at) = (pulse.number, Some(now), None);
        self.beat_at = Some(now);
        self.heard.retain(|number| number + COUNTED > pulse.number);
        if let Some((_, at)) = self.sent.iter().find(|(number, _)| *number == pulse.echo) {
            let way = now.saturating_duration_since(*at);
            self.round_trip = Some(way.saturating_sub(Duration::from_micros(pulse.held_us.into())));
        }
        let second = now.saturating_duration_since(self.began).as_secs();
        match self.seconds.back_mut() {
            Some((last, beats)) if *last == second => *beats = beats.saturating_add(1),
            _ => self.seconds.push_back((second, 1)),
        }
        if self.seconds.len() > HISTORY {
            self.seconds.pop_front();
        }
        Some(pulse)
    }

    /// Whether the other machine is heard.
    #[must_use]
    pub fn state(&self, now: Instant) -> PeerState {
        let Some(silent) = self.silent(now) else { return PeerState::Unknown };
        let hung_up = self.closed_at.is_some_and(|at| now.saturating_duration_since(at) >= CLOSED);
        match silent {
            silent if silent >= LOST || hung_up && silent >= CLOSED => PeerState::Lost,
            silent if silent >= LATE => PeerState::Late,
            _ => PeerState::Healthy,
        }
    }

    /// Whether heartbeats come, whatever else is heard.
    #[must_use]
    pub fn beats(&self, now: Instant) -> bool {
        self.beat_at.is_some_and(|at| now.saturating_duration_since(at) < LOST)
    }

    /// How long it has not been heard; none if it never was.
    #[must_use]
    pub fn silent(&self, now: Instant) -> Option<Duration> {
        self.heard_at.map(|at| now.saturating_duration_since(at))
    }

    /// The time there and back, when it was measured last.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Of a hundred beats in the last minute, how many were lost.
    #[must_use]
    pub fn loss_percent(&self) -> u8 {
        let first = self.heard.iter().min().copied().unwrap_or(self.highest);
        let expected = self.highest.saturating_sub(first) + 1;
        let lost = expected.saturating_sub(self.heard.len() as u64);
        u8::try_from(lost * 100 / expected.max(1)).unwrap_or(100)
    }

    /// Beats heard in each of the last seconds, the oldest first; the one that runs is left out.
    #[must_use]
    pub fn history(&self, seconds: u64, now: Instant) -> Vec<u8> {
        let this = now.saturating_duration_since(self.began).as_secs();
        let beats = |second: u64| self.seconds.iter().find(|(at, _)| *at == second).map_or(0, |(_, beats)| *beats);
        (this.saturating_sub(seconds)..this).map(beats).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two {
        main: Heart,
        backup: Heart,
        now: Instant,
    }

    fn two() -> Two {
        let now = Instant::now();
        let (mut main, mut backup) = (Heart::new(true, now), Heart::new(false, now));
        main.connected(1, &[9; 32], now);
        backup.connected(1, &[9; 32], now);
        Two { main, backup, now }
    }

    impl Two {
        /// One beat each way, of which those of the main arrive if `arrives`.
        fn beat(&mut self, arrives: bool) {
            self.now += BEAT;
            let beat = self.main.beat(1, 0, self.now).unwrap();
            if arrives {
                self.backup.hear(&beat, self.now).unwrap();
            }
            let beat = self.backup.beat(1, 0, self.now).unwrap();
            self.main.hear(&beat, self.now + Duration::from_millis(7)).unwrap();
        }
    }

    #[test]
    fn silence_is_late_then_lost_and_over_with_one_beat() {
        let mut two = two();
        (0..10).for_each(|_| two.beat(true));
        let heard = two.now;
        let state = |two: &Two, after: Duration| two.backup.state(heard + after);
        assert_eq!(state(&two, Duration::from_millis(999)), PeerState::Healthy);
        assert_eq!(state(&two, LATE), PeerState::Late);
        assert_eq!(state(&two, LOST), PeerState::Lost);
        two.now += LOST;
        two.beat(true);
        assert_eq!(two.backup.state(two.now), PeerState::Healthy);
    }

    #[test]
    fn who_hangs_up_and_is_silent_is_lost_sooner() {
        let mut two = two();
        two.beat(true);
        two.backup.closed(two.now);
        assert_eq!(two.backup.state(two.now + BEAT), PeerState::Healthy);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Lost);
        two.beat(true);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Healthy, "it still beats");
    }

    #[test]
    fn the_way_and_the_losses_are_measured() {
        let mut two = two();
        (0..200).for_each(|number| two.beat(number % 5 != 3));
        assert_eq!(two.backup.loss_percent(), 20);
        assert_eq!(two.main.loss_percent(), 0);
        assert_eq!(two.main.round_trip(), Some(Duration::from_millis(7)));
        let history = two.backup.history(10, two.now);
        assert!(history.len() == 10 && history.iter().all(|beats| *beats == 4), "{history:?}");
    }

    #[test]
    fn what_comes_by_another_way_does_not_lengthen_the_way() {
        let mut two = two();
        two.beat(true);
        two.main.felt(two.now + Duration::from_millis(150));
        two.now += BEAT;
        let beat = two.main.beat(1, 0, two.now).unwrap();
        two.backup.hear(&beat, two.now).unwrap();
        assert_eq!(two.backup.round_trip(), two.main.round_trip());
    }

    #[test]
    fn an_old_beat_and_one_of_another_connection_say_nothing() {
        let mut two = two();
        let old = two.main.beat(1, 0, two.now).unwrap();
        two.beat(true);
        assert_eq!(two.backup.hear(&old, two.now), None);
        assert_eq!(
            two.main
                .hear(&two.main.keys[0].1.seal(&Pulse { session: 1, number: 99, ..Pulse::default() }, true), two.now),
            None
        );
        two.backup.connected(2, &[8; 32], two.now);
        let of_before = two.main.beat(1, 0, two.now).unwrap();
        assert_eq!(two.backup.hear(&of_before, two.now), None);
    }
}
